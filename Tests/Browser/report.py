"""The report of a month as its readers see it: two widths, light and dark, and on paper.

Usage: report.py TRELLIS CHROMIUM [SCREENSHOTS]
"""

import contextlib
import itertools
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

import pypdf
from playwright.sync_api import sync_playwright

import journey
from journey import check

WIDTHS = {"phone": {"width": 375, "height": 812}, "desktop": {"width": 1280, "height": 900}}
# A month in which the sample CRM did something, and the one that runs, whichever it is.
REPORTS = {"whole": ["--month", "2026-10"], "so-far": ["--so-far"]}

# Texts of a drawing, where they stand on the page.
TEXTS = """
svg => [...svg.querySelectorAll("text")].map(text => {
  const box = text.getBoundingClientRect(), all = svg.getBoundingClientRect()
  return {text: text.textContent, left: box.left, right: box.right, top: box.top, bottom: box.bottom,
          isInside: box.left >= all.left - 1 && box.right <= all.right + 1 && box.top >= all.top - 1
            && box.bottom <= all.bottom + 1}
})
"""
NAME = """
svg => svg.getAttribute("role") !== "img" ? ""
  : svg.getAttribute("aria-label") || svg.querySelector("title")?.textContent
    || document.getElementById(svg.getAttribute("aria-labelledby"))?.textContent || ""
"""
BRIGHTNESS = """
what => getComputedStyle(document.body)[what].match(/\\d+/g).slice(0, 3).map(Number).reduce((sum, one) => sum + one)
"""


class Sample:
    """The sample CRM that `trellis init` lays down, with all its files imported and worked off."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        secret = "0123456789abcdef" * 2
        self.environment = os.environ | {"TRELLIS_SECRET": secret, "TRELLIS_ADMIN_TOKEN": secret}
        self.run("init", str(folder), cwd=folder.parent)
        for arguments in [["leads.csv"], ["activities.csv", "--into", "activities"], ["spend.csv", "--into", "spend"],
                          ["deals.csv", "--into", "opportunities"]]:
            self.run("import", *arguments)
        self.run("work", "--until-idle")

    def run(self, *arguments, cwd=None):
        done = subprocess.run(
            [self.program, *arguments], cwd=cwd or self.folder, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"trellis {' '.join(arguments)} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def answers(self, query):
        """True where the file can be asked this; else what it says."""
        done = subprocess.run(
            [self.program, "sql", query, "--json"], cwd=self.folder, env=self.environment, capture_output=True, text=True)
        return done.returncode == 0 or done.stderr

    def report(self, name, *arguments):
        file = self.folder / f"{name}.html"
        self.run("report", "monthly", *arguments, "--html", str(file))
        return file


def statements(sql):
    """The statements of a text, one by one."""
    found, rest = [], ""
    for line in sql.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            found, rest = found + [rest], ""
    return found + [rest] if rest.strip() else found


def overlapping(texts):
    """Pairs of texts that stand on one another, by more than the air around the letters."""
    return [(one["text"], other["text"]) for one, other in itertools.combinations(texts, 2)
            if min(one["right"], other["right"]) - max(one["left"], other["left"]) > 1
            and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 3]


def look(page, name):
    """What holds of a report in any window."""
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    check(f"{name}: nothing is wider than the window", page.evaluate(width) <= 0)
    check(f"{name}: one heading says what it is", page.locator("h1").count(), 1)
    charts = page.locator("svg").all()
    check(f"{name}: there are charts", len(charts) > 0)
    names = [chart.evaluate(NAME) for chart in charts]
    check(f"{name}: every chart has a name for those who hear it, and one of its own",
          all(names) and len(set(names)) == len(names))
    texts = [chart.evaluate(TEXTS) for chart in charts]
    check(f"{name}: no text of a chart is cut off", [text["text"] for text in sum(texts, []) if not text["isInside"]], [])
    check(f"{name}: no text of a chart stands on another", sum(map(overlapping, texts), []), [])


def look_for_sql(page, sample, name):
    """The SQL behind each figure is there, and answers."""
    shown = page.locator("dl.tiles, ul.why, figure, section").count()
    queries = page.locator("details pre").all_text_contents()
    check(f"{name}: the figures, their reasons, every chart and every part have their SQL", len(queries), shown)
    check(f"{name}: each of it is one statement", [len(statements(query)) for query in queries], [1] * shown)
    answers = [sample.answers(query) for query in sum(map(statements, queries), [])]
    check(f"{name}: and the file can be asked it", [answer for answer in answers if answer is not True], [])
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    check(f"{name}: with the SQL shown, nothing is wider than the window", page.evaluate(width) <= 0)


def print_it(page, name, screenshots):
    """On paper, from the dark as well: paper is white."""
    path = screenshots / f"report-{name}.pdf"
    page.pdf(path=path, format="A4", print_background=True)
    pages = pypdf.PdfReader(path).pages
    text = " ".join(page.extract_text() for page in pages)
    check(f"{name}: on paper it has pages", 1 <= len(pages) <= 8)
    check(f"{name}: none of them is empty", all(len(page.extract_text()) > 40 for page in pages))
    check(f"{name}: what is read there is what is read on the screen", [
        heading for heading in page.locator("h1, h2, h3").all_text_contents()
        if "".join(heading.split()) not in "".join(text.split())], [])
    check(f"{name}: the SQL stays off the paper", "SELECT" not in text)


def run_all(sample, browser, screenshots):
    for report, arguments in REPORTS.items():
        file = sample.report(report, *arguments)
        for (width, viewport), colours in itertools.product(WIDTHS.items(), ["light", "dark"]):
            name = f"{report}-{width}-{colours}"
            complaints, asked = [], []
            with contextlib.closing(browser.new_context(viewport=viewport, color_scheme=colours)) as context:
                page = context.new_page()
                page.on("console", lambda message: complaints.append(message.text))
                page.on("pageerror", lambda error: complaints.append(str(error)))
                page.on("request", lambda request: asked.append(request.url))
                page.goto(file.as_uri())
                look(page, name)
                letters, paper = page.evaluate(BRIGHTNESS, "color"), page.evaluate(BRIGHTNESS, "backgroundColor")
                check(f"{name}: letters and paper differ as they should",
                      letters > 600 > 120 > paper if colours == "dark" else paper > 600 > 120 > letters)
                page.screenshot(path=screenshots / f"report-{name}.png", full_page=True)
                if width == "desktop":
                    print_it(page, f"{report}-{colours}", screenshots)
                look_for_sql(page, sample, name)
                check(f"{name}: the console is silent", complaints, [])
                check(f"{name}: nothing is fetched", asked, [file.as_uri()])


def main(program, chromium, screenshots):
    screenshots = pathlib.Path(screenshots)
    screenshots.mkdir(parents=True, exist_ok=True)
    with (tempfile.TemporaryDirectory(prefix="trellis-report-") as folder, sync_playwright() as playwright,
          playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser):
        run_all(Sample(pathlib.Path(program).resolve(), pathlib.Path(folder) / "sample"), browser, screenshots)
    print(f"{'FAILED' if journey.failures else 'Passed'}: {journey.failures} failed. "
          f"Screenshots: {os.path.relpath(screenshots)}")
    return 1 if journey.failures else 0


if __name__ == "__main__":
    default = journey.HERE.parent.parent / ".build" / "browser-screenshots"
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else default))
