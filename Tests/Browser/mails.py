"""Every mail of the examples and of the sample CRM in a browser, as wide as a phone and as a reading pane.

Usage: mails.py TRELLIS CHROMIUM [SCREENSHOTS]; with SHORT=1 in light colours alone
"""

import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from playwright.sync_api import sync_playwright

import journey
from journey import check

ROOT = journey.HERE.parent.parent
WIDTHS = [375, 800]
PERSON = ["--email", "mara@birkenau.example", "first_name=Mara", "company=Birkenau Tools"]

# What is wider than its place, and letters too small to read.
WIDER = """
() => [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.tagName + " " + one.textContent.trim().slice(0, 40))
"""
SMALL = """
() => [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().height > 2 && [...one.childNodes].some(
    node => node.nodeType === 3 && node.textContent.trim()) && parseFloat(getComputedStyle(one).fontSize) < 12)
  .map(one => one.textContent.trim().slice(0, 40))
"""


def sites(program, folder):
    """A CRM of the sample and of each example that has mails, each with one lead in it."""
    secrets = {"TRELLIS_SECRET": "0123456789abcdef" * 2, "TRELLIS_ADMIN_TOKEN": "0123456789abcdef" * 2}

    def run(site, *arguments):
        done = subprocess.run(
            [program, *arguments], cwd=site, env=os.environ | secrets, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{site.name}: trellis {' '.join(arguments)} failed: {done.stdout}{done.stderr}")
        return done.stdout

    run(folder, "init", "starter")
    for example in sorted((ROOT / "Examples").iterdir()):
        if (example / "mails").is_dir():
            shutil.copytree(example, folder / example.name)
    for site in sorted(folder.iterdir()):
        run(site, "capture", *PERSON)
        own = {file.stem for file in (site / "mails").glob("*.md")}
        used = [mail["name"] for mail in json.loads(run(site, "mails", "--json")) if mail["used_by"] or mail["name"] in own]
        for mail in used:
            run(site, "mails", "preview", mail, "--lead", PERSON[1], "--out", "preview")
        yield site.name, used, site / "preview"


def look(page, name, width):
    check(f"{name} at {width}: nothing is wider than the window", page.evaluate(WIDER), [])
    check(f"{name} at {width}: no letters are too small", page.evaluate(SMALL), [])
    check(f"{name} at {width}: every picture says what it shows", page.locator("img:not([alt])").count(), 0)
    left = page.locator("body").inner_text()
    check(f"{name} at {width}: no placeholder is left", "{{" in left or "}}" in left, False)


def run_all(mails, browser, screenshots):
    for width, colours in itertools.product(WIDTHS, ["light"] if os.environ.get("SHORT") else ["light", "dark"]):
        with contextlib.closing(browser.new_context(
                viewport={"width": width, "height": 700}, color_scheme=colours)) as context:
            page = context.new_page()
            for name, html in mails.items():
                page.goto(html.as_uri())
                look(page, f"{name} ({colours})", width)
                page.screenshot(path=screenshots / f"mail-{name}-{width}-{colours}.png", full_page=True)


def main(program, chromium, screenshots):
    screenshots = pathlib.Path(screenshots)
    screenshots.mkdir(parents=True, exist_ok=True)
    mails = {}
    with (tempfile.TemporaryDirectory(prefix="trellis-mails-") as folder, sync_playwright() as playwright,
          playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser):
        for site, names, preview in sites(pathlib.Path(program).resolve(), pathlib.Path(folder)):
            for name in names:
                text = (preview / f"{name}.txt").read_text()
                check(f"{site}-{name}: there is a text part, without markup or placeholders",
                      len(text) > 40 and not re.search(r"</|/>|{{|}}", text))
                mails[f"{site}-{name}"] = preview / f"{name}.html"
        check("there are mails of the sample and of the examples", len(mails) > 20)
        run_all(mails, browser, screenshots)
    print(f"{'FAILED' if journey.failures else 'Passed'}: {len(mails)} mails, {journey.failures} failed. "
          f"Screenshots: {os.path.relpath(screenshots)}")
    return 1 if journey.failures else 0


if __name__ == "__main__":
    default = ROOT / ".build" / "browser-screenshots"
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else default))
