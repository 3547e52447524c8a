"""A visitor's way through Trellis in a real browser: from an ad to the download, the mails, and leaving.

Usage: journey.py TRELLIS CHROMIUM [SCREENSHOTS]

Every check prints a line that begins with "ok"; one that fails says what was expected and what was found, and the run
ends with exit code 1.
"""

import contextlib
import email
import email.policy
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

from playwright.sync_api import sync_playwright

HERE = pathlib.Path(__file__).resolve().parent
OFFER = "/offers/sales-plan"
ADVERT = "?utm_source=linkedin&utm_medium=cpc&utm_campaign=spring&li_fat_id=abc123"
BEFORE = "http://social.example/feed"
NEWSLETTER = "Send me the Northfold letter, twice a month."
THEIR_DOING = ["form.confirmed", "consent.granted", "consent.withdrawn", "asset.downloaded", "lead.unsubscribed"]

# What a phone and a desktop are here. Their names are those of ordinary browsers: robots are not counted as visitors.
WINDOWS = {
    "phone": {
        "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True,
        "user_agent": "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/130.0.0.0 Mobile Safari/537.36",
    },
    "desktop": {
        "viewport": {"width": 1280, "height": 900},
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/130.0.0.0 Safari/537.36",
    },
}

PEOPLE = {
    "phone": {"email": "mara@birkenau.example", "first_name": "Mara", "company": "Birkenau Tools"},
    "desktop": {"email": "tom.okafor@kestrel.example", "first_name": "Tom", "company": 'Kestrel & "Sons" <North>'},
}


# Checking

failures = 0


def check(sentence, found, expected=True):
    global failures
    if found == expected:
        print(f"ok  {sentence}", flush=True)
        return
    failures += 1
    print(f"FAILED  {sentence}\n        expected: {expected!r}\n        found:    {found!r}", flush=True)


# What is promised of a stop.
STOP_SECONDS = 10


def eventually(question, seconds=15):
    """The first answer that says yes, or the last one that did not."""
    end = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(0.1)
    return answer


# The CRM under test

class Trellis:
    """`trellis serve` on a copy of the site, with ports of its own."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.port, self.admin_port = free_ports(2)
        self.url = f"http://localhost:{self.port}"
        secrets = {"TRELLIS_SECRET": os.urandom(32).hex(), "TRELLIS_ADMIN_TOKEN": os.urandom(32).hex()}
        self.environment = os.environ | secrets
        shutil.copytree(HERE / "site", folder)
        ports = {"8080": str(self.port), "8081": str(self.admin_port)}
        config = folder / "config.yaml"
        config.write_text(re.sub(r"\b808[01]\b", lambda port: ports[port.group()], config.read_text()))

    def start(self):
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            [self.program, "serve"], cwd=self.folder, env=self.environment, stdout=self.log, stderr=self.log)
        eventually(lambda: self.process.poll() is not None or self.is_ready(), 60)
        if not self.is_ready():
            self.stop()
            sys.exit("trellis serve did not become ready:\n" + (self.folder / "log").read_text())

    def is_ready(self):
        with contextlib.suppress(OSError):
            return self.status(self.url + "/readyz") == 200
        return False

    def stop(self):
        """The exit code after SIGTERM; None where it had to be killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            self.log.close()

    def run(self, *arguments):
        return subprocess.run(
            [self.program, *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True)

    def sql(self, query):
        """Rows, each a dictionary by column."""
        answer = self.run("sql", query, "--json")
        if answer.returncode != 0:
            sys.exit(f"trellis sql {query!r} failed: {answer.stderr}")
        return json.loads(answer.stdout)

    def value(self, query):
        rows = self.sql(query)
        return next(iter(rows[0].values())) if rows else None

    def column(self, query):
        return [next(iter(row.values())) for row in self.sql(query)]

    def status(self, address, method="GET", body=None):
        """Of a request without a browser: as a mail scanner makes it."""
        try:
            request = urllib.request.Request(address, method=method, data=body)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as problem:
            return problem.code

    def mail(self, address, subject):
        """The mail to an address whose subject holds these words, once it has come."""
        return eventually(lambda: next(
            (mail for mail in self.mails(address) if subject in mail["subject"]), None))

    def mails(self, address):
        files = sorted((self.folder / "outbox" / "new").glob("*"), key=lambda file: file.stat().st_mtime, reverse=True)
        mails = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
        return [mail for mail in mails if address in mail["to"]]


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [socket.getsockname()[1] for socket in sockets]
    for each in sockets:
        each.close()
    return ports


@contextlib.contextmanager
def another_site(folder):
    """Plain files on an origin of their own; its address."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def link_in(mail, path):
    """The address of a page of the site in the text part of a mail."""
    text = mail.get_body(("plain",)).get_content()
    found = re.search(rf"https?://\S+/{path}/[\w.~=-]+", text)
    return found.group() if found else None


# The journey

class Journey:
    """One person in one window."""

    def __init__(self, crm, browser, window, screenshots):
        self.crm = crm
        self.window = window
        self.person = PEOPLE[window]
        self.screenshots = screenshots
        self.context = browser.new_context(accept_downloads=True, **WINDOWS[window])
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.complaints = []
        self.addresses = []
        self.page.on("console", self.heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.addresses.append(request.url))

    def heard(self, message):
        # Chromium says the status of every page that is not 200; the 422 of a form with mistakes is meant.
        if message.type in ("error", "warning") and "422" not in message.text:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def check(self, sentence, found, expected=True):
        check(f"{self.window}: {sentence}", found, expected)

    def picture(self, name):
        self.page.screenshot(path=self.screenshots / f"{name}-{self.window}.png", full_page=True)

    def press(self, button):
        """The status of the page that a button leads to."""
        with self.page.expect_navigation() as navigation:
            self.page.get_by_role("button", name=button, exact=True).click()
        return navigation.value.status

    def check_page(self, name, heading):
        """What holds for every page."""
        self.check(f"the page '{name}' has one heading and says what it is", self.page.locator("h1").all_inner_texts(),
                   [heading])
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        self.check(f"the page '{name}' is no wider than the window", wider, 0)
        unnamed = self.page.evaluate("""[...document.querySelectorAll('input:not([type=hidden]), select, button')]
            .filter(e => !e.labels?.length && !e.textContent.trim()).map(e => e.name)""")
        self.check(f"every field of the page '{name}' has a label", unnamed, [])
        self.picture(name)

    @property
    def lead(self):
        return self.crm.value(f"SELECT id FROM leads WHERE email = '{self.person['email']}'")

    def doings(self):
        """What only the person's own doing may change: a program that follows links does not."""
        kinds = ", ".join(f"'{kind}'" for kind in THEIR_DOING)
        return self.crm.sql(f"""
            SELECT (SELECT count(*) FROM events WHERE lead_id = l.id AND kind IN ({kinds})) AS events,
                   (SELECT count(*) FROM consents WHERE lead_id = l.id) AS consents,
                   (SELECT count(*) FROM suppressions WHERE email = l.email) AS suppressions,
                   (SELECT group_concat(state) FROM magnets_submissions WHERE lead_id = l.id) AS submissions
            FROM leads AS l WHERE l.id = {self.lead}""")

    def check_scanner(self, name, address):
        before = self.doings()
        statuses = {self.crm.status(address, method) for method in ["GET", "HEAD"] * 20}
        self.check(f"a scanner that fetches {name} 20 times by GET and by HEAD gets pages", statuses, {200})
        self.check(f"a scanner that fetches {name} changes nothing", self.doings(), before)

    # Each step leaves the browser where the next one begins.

    def opens_the_offer(self):
        answer = self.page.goto(self.crm.url + OFFER + ADVERT, referer=BEFORE)
        opened = time.monotonic()
        self.check("the offer opens", answer.status, 200)
        self.check_page("offer", "A sales plan that fits on one page")
        self.check("the offer has a form", self.page.locator("form").count(), 1)
        self.check("no box is ticked for anyone", self.page.locator("input:checked").count(), 0)
        self.check("no cookie is set", self.context.cookies(), [])
        return opened

    def makes_mistakes(self, opened):
        # Both are right for the browser, and wrong.
        self.page.fill("#email", "mara@birkenau")
        self.page.fill("#first_name", "   ")
        self.page.fill("#company", self.person["company"])
        self.page.fill("#sellers", "7")
        self.page.select_option("#worry", "pricing")
        self.page.check("#consent_newsletter")
        self.page.check("#consent_ads")
        # Whoever is faster than two seconds is taken for a program.
        time.sleep(max(0, opened + 2.2 - time.monotonic()))
        self.check("a form with mistakes comes back as 422", self.press("Send me the plan"), 422)
        focused = "document.activeElement.role"
        eventually(lambda: self.page.evaluate(focused), 3)
        self.check("the list of errors has the focus", self.page.evaluate(focused), "alert")
        self.check("the list of errors is in sight", self.page.evaluate(
            "{const box = document.activeElement.getBoundingClientRect(); box.top >= 0 && box.bottom <= innerHeight}"))
        self.check_page("errors", "A sales plan that fits on one page")
        for field, sentence in [("email", "The domain has no dot; write it in full, such as example.org."),
                                ("first_name", "Please fill this in.")]:
            box = self.page.locator(f"#{field}")
            note = box.get_attribute("aria-describedby")
            self.check(f"the field '{field}' says that it is wrong", box.get_attribute("aria-invalid"), "true")
            self.check(f"the field '{field}' is described by its error",
                       self.page.locator(f"#{note}").inner_text() if note else None, sentence)
            self.check(f"the error of '{field}' stands next to it", self.stands_above(note, field))
        self.check("what was typed is still there", [
            self.page.input_value(f"#{field}") for field in ["email", "company", "sellers", "worry"]
        ], ["mara@birkenau", self.person["company"], "7", "pricing"])
        self.check("what was ticked is still ticked",
                   [self.page.is_checked(f"#consent_{purpose}") for purpose in ["newsletter", "ads"]], [True, True])
        self.page.click(".message a >> nth=0")
        self.check("a link of the list of errors leads to its field", self.page.evaluate("document.activeElement.id"),
                   "email")
        self.check("a form with mistakes makes no lead", self.lead, None)

    def stands_above(self, note, field):
        note, box = self.page.locator(f"#{note}").bounding_box(), self.page.locator(f"#{field}").bounding_box()
        return note is not None and 0 <= box["y"] - note["y"] - note["height"] < 16

    def mends_them(self):
        self.page.fill("#email", self.person["email"])
        self.page.fill("#first_name", self.person["first_name"])
        self.press("Send me the plan")
        self.check_page("check-mail", "Check your mail")
        self.check("the page names the address", self.page.locator(".address").inner_text(), self.person["email"])
        self.check("the page offers no download yet", self.page.locator("a:has-text('Download')").count(), 0)

    def reads_the_mail(self):
        mail = self.crm.mail(self.person["email"], "Please confirm")
        self.check("a mail asks to confirm", mail is not None)
        self.confirm_url = link_in(mail, "confirm")
        self.page.goto(self.confirm_url)
        self.check_page("confirm", "Was this you?")
        self.check("the page says what else the button means",
                   NEWSLETTER in self.page.locator("main li").all_inner_texts())
        self.check_scanner("the link to confirm", self.confirm_url)
        self.check("to look at the page confirms nothing", self.events("form.confirmed"), 0)

    def events(self, kind):
        return self.crm.value(f"SELECT count(*) FROM events WHERE lead_id = {self.lead} AND kind = '{kind}'")

    def presses_the_button(self):
        self.press("Yes, that was me")
        self.check_page("done", "Thank you, that is confirmed")
        with self.page.expect_download() as download:
            self.page.click("a:has-text('Download')")
        self.check("the file has its name", download.value.suggested_filename, "plan.pdf")
        self.check("the file is the asset, byte by byte", pathlib.Path(download.value.path()).read_bytes(),
                   (HERE / "site" / "assets" / "plan.pdf").read_bytes())

    def leaves(self):
        mail = self.crm.mail(self.person["email"], "Your first week")
        self.check("the first mail of the sequence comes at once", mail is not None)
        self.unsubscribe_url = mail["list-unsubscribe"].strip("<>")
        # Over https alone may a mail offer it (RFC 8058, section 3.1), and this site is on http; the address knows it.
        self.check("one click is not offered over http", mail["list-unsubscribe-post"], None)
        self.check_scanner("the List-Unsubscribe address", self.unsubscribe_url)
        preferences = link_in(mail, "preferences")
        self.check_scanner("the preferences", preferences)
        self.page.goto(preferences)
        self.check_page("preferences", "What may we send you?")
        self.check("both consents are ticked", self.page.locator("input:checked").count(), 2)
        self.page.uncheck("#consent_ads")
        self.press("Save")
        self.check_page("saved", "What may we send you?")
        self.check("what was unticked is withdrawn", self.consent("ads"), "withdrawn")
        self.check("what was left ticked is not", self.consent("newsletter"), "granted")
        self.unsubscribes_from_everything()
        self.press("That was a mistake: keep me subscribed")
        self.check("to leave can be undone", self.suppression(), None)
        self.page.goto(preferences)
        self.unsubscribes_from_everything()
        self.page.click("text=Choose what you get")
        self.page.check("#consent_newsletter")
        self.press("Save")
        self.check("who left comes back by ticking a box", self.suppression(), None)
        self.check("a mail program leaves with one click",
                   (self.crm.status(self.unsubscribe_url, "POST", b"List-Unsubscribe=One-Click"), self.suppression()),
                   (200, "unsubscribed"))
        self.check_scanner("the preferences after leaving", preferences)

    def unsubscribes_from_everything(self):
        self.press("Unsubscribe from everything")
        self.check_page("left", "You are unsubscribed")
        self.check("the address gets no more mail", self.suppression(), "unsubscribed")

    def suppression(self):
        return self.crm.value(f"SELECT reason FROM suppressions WHERE email = '{self.person['email']}'")

    def consent(self, purpose):
        return self.crm.value(
            f"SELECT state FROM consents_now WHERE lead_id = {self.lead} AND purpose = '{purpose}'")

    # What is in the file afterwards.

    def check_records(self):
        lead = self.crm.sql(f"SELECT * FROM leads WHERE id = {self.lead}")[0]
        expected = self.person | {"sellers": 7, "worry": "pricing", "stage": "lead", "campaign": "spring"}
        self.check("the lead is as typed", {column: lead[column] for column in expected}, expected)
        touches = self.crm.sql(f"""
            SELECT kind, channel, source, medium, campaign, click_id_kind, click_id, landing_page, referrer
            FROM touches WHERE lead_id = {self.lead}""")
        self.check("the touch says how they came", touches, [{
            "kind": "form", "channel": "paid_social", "source": "linkedin", "medium": "cpc", "campaign": "spring",
            "click_id_kind": "li_fat_id", "click_id": "abc123", "landing_page": self.crm.url + OFFER,
            "referrer": BEFORE}])
        consents = self.crm.sql(f"""
            SELECT state, text, page, network, agent FROM consents
            WHERE lead_id = {self.lead} AND purpose = 'newsletter' ORDER BY id""")
        proof = {"text": NEWSLETTER, "network": "127.0.0.0/24", "agent": WINDOWS[self.window]["user_agent"]}
        self.check("each consent has its page: the offer, the one behind the mail, and where they came back", consents, [
            proof | {"state": "requested", "page": self.crm.url + OFFER},
            proof | {"state": "granted", "page": self.crm.url + "/confirm"},
            proof | {"state": "granted", "page": self.crm.url + "/preferences"}])
        for kind in ["form.submitted", "form.confirmed", "asset.downloaded"]:
            self.check(f"the log says {kind} once", self.events(kind), 1)
        entries = f"FROM scoring_entries WHERE lead_id = {self.lead}"
        eventually(lambda: self.crm.value(f"SELECT 1 {entries} AND rule = 'left'"))
        scores = self.crm.sql(f"SELECT rule, points {entries}")
        self.check("the score says why", {entry["rule"]: entry["points"] for entry in scores},
                   {"downloaded": 15, "has-a-team": 10, "left": -20})
        self.check("the download was counted", self.crm.value(
            f"SELECT fetches FROM magnets_downloads WHERE lead_id = {self.lead}"), 1)
        self.check("they are in the sequence", self.crm.column(
            f"SELECT sequence FROM drip_enrolments WHERE lead_id = {self.lead}"), ["after-the-plan"])

    def check_silence(self):
        """After they left, the sequence mails them no more."""
        message = f"SELECT state, reason FROM outbox_messages WHERE lead_id = {self.lead} AND template = 'second-week'"
        eventually(lambda: self.crm.value(
            f"SELECT state <> 'active' FROM drip_enrolments WHERE lead_id = {self.lead}"), 90)
        eventually(lambda: not self.crm.sql(message) or self.crm.sql(message)[0]["state"] != "waiting")
        self.check("the second mail of the sequence is cancelled, with the reason", self.crm.sql(message),
                   [{"state": "cancelled", "reason": "the address is suppressed"}])
        self.check("the second mail was written nowhere", [
            mail["subject"] for mail in self.crm.mails(self.person["email"]) if "second week" in mail["subject"]], [])

    def check_manners(self):
        self.check("no page complained in the console", self.complaints, [])
        others = {address for address in self.addresses if not address.startswith(self.crm.url + "/")}
        self.check("nothing was asked of another host", others, set())


def a_visitor_becomes_a_lead_and_leaves(crm, browser, window, screenshots):
    journey = Journey(crm, browser, window, screenshots)
    opened = journey.opens_the_offer()
    journey.makes_mistakes(opened)
    journey.mends_them()
    journey.reads_the_mail()
    journey.presses_the_button()
    journey.leaves()
    journey.check_records()
    journey.check_manners()
    journey.context.close()
    return journey


def the_offer_is_dark_where_the_visitor_likes_it(crm, browser, screenshots):
    with contextlib.closing(browser.new_context(color_scheme="dark", **WINDOWS["desktop"])) as context:
        page = context.new_page()
        page.goto(crm.url + OFFER)
        text, paper = [
            sum(map(int, re.findall(r"\d+", page.evaluate(f"getComputedStyle(document.body).{property}"))[:3]))
            for property in ["color", "backgroundColor"]]
        check("dark mode has light letters on dark paper", text > 600 and paper < 120)
        page.screenshot(path=screenshots / "offer-dark.png", full_page=True)


def the_form_works_on_another_site(crm, browser, screenshots, folder):
    """The snippet in a page of another origin: alone, and beside the script that tells where the visitor came from."""
    snippet = crm.run("magnets", "embed", "sales-plan")
    check("trellis magnets embed gives a form", (snippet.returncode, snippet.stdout.count("<form")), (0, 1))
    folder.mkdir()
    page_of = "<!doctype html><html lang=en><meta charset=utf-8><title>Blog</title>{}<h1>Our blog</h1>{}</html>".format
    script = f'<script src="{crm.url}/trellis.js"></script>'
    (folder / "alone.html").write_text(page_of("", snippet.stdout))
    (folder / "script.html").write_text(page_of(script, snippet.stdout))
    with another_site(folder) as origin, contextlib.closing(browser.new_context(**WINDOWS["desktop"])) as context:
        # A browser tells another origin no more of a page than its origin. The script tells the page.
        pages = [("alone", f"{origin}/", None), ("script", f"{origin}/script.html", "blog")]
        for name, landing_page, campaign in pages:
            page = context.new_page()
            page.goto(f"{origin}/{name}.html?utm_source=partner&utm_medium=partner&utm_campaign=blog")
            page.screenshot(path=screenshots / f"embed-{name}.png", full_page=True)
            address = f"{name}@blog.example"
            page.get_by_label("Email").fill("robin@blog")
            page.get_by_label("First name").fill("Robin")
            page.get_by_label(NEWSLETTER).check()
            page.get_by_role("button").click()
            page.wait_for_url(f"{crm.url}/forms/sales-plan")
            check(f"a mistake is mended on the offer ({name})", page.get_by_label("First name").input_value(), "Robin")
            page.get_by_label("Email").fill(address)
            page.get_by_role("button").click()
            page.wait_for_url(f"{crm.url}/thanks/*")
            lead = crm.value(f"SELECT id FROM leads WHERE email = '{address}'")
            check(f"the form on another site makes a lead ({name})", lead is not None)
            check(f"the touch says which page the form was on ({name})", crm.sql(
                f"SELECT landing_page, campaign FROM touches WHERE lead_id = {lead}"),
                [{"landing_page": landing_page, "campaign": campaign}])
            check(f"the consent says it too ({name})", crm.sql(
                f"SELECT purpose, state, page FROM consents WHERE lead_id = {lead}"),
                [{"purpose": "newsletter", "state": "requested", "page": landing_page}])
            mail = crm.mail(address, "Please confirm")
            check(f"the mail to confirm comes ({name})", mail is not None)


def run_all(crm, browser, screenshots, folder):
    journeys = [a_visitor_becomes_a_lead_and_leaves(crm, browser, window, screenshots) for window in WINDOWS]
    the_offer_is_dark_where_the_visitor_likes_it(crm, browser, screenshots)
    the_form_works_on_another_site(crm, browser, screenshots, folder / "blog")
    views = "SELECT channel, sum(views) AS views FROM magnets_views WHERE magnet = 'sales-plan' GROUP BY channel"
    eventually(lambda: sum(row["views"] for row in crm.sql(views)) == 3)
    check("the views of the offer are counted by channel", crm.sql(views + " ORDER BY channel"),
          [{"channel": "direct", "views": 1}, {"channel": "paid_social", "views": 2}])
    for journey in journeys:
        journey.check_silence()
    check("nothing was taken for a program", crm.column("SELECT reasons FROM magnets_quarantine"), [])


def main(program, chromium, screenshots):
    started = time.monotonic()
    screenshots = pathlib.Path(screenshots)
    screenshots.mkdir(parents=True, exist_ok=True)
    with (tempfile.TemporaryDirectory(prefix="trellis-browser-") as folder, sync_playwright() as playwright,
          playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser):
        folder = pathlib.Path(folder)
        crm = Trellis(pathlib.Path(program).resolve(), folder / "site")
        crm.start()
        try:
            run_all(crm, browser, screenshots, folder)
            # So that somebody is still connected when it has to stop.
            browser.new_page().goto(crm.url)
        except Exception as error:
            own = [call for call in traceback.extract_tb(error.__traceback__) if call.filename == __file__]
            check("the test comes to its end", f"line {own[-1].lineno}, in {own[-1].name}: {error}", None)
        finally:
            code = crm.stop()
        check(f"trellis serve stops within {STOP_SECONDS} seconds of SIGTERM, with exit code 0", code, 0)
        doctor = crm.run("doctor", "--strict")
        check("the doctor finds no broken promise", doctor.returncode, 0)
        errors = [line for line in (crm.folder / "log").read_text().splitlines() if '"level":"error"' in line]
        check("the log tells of no error", errors, [])
    print(f"{'FAILED' if failures else 'Passed'}: {failures} failed, {time.monotonic() - started:.0f} seconds. "
          f"Screenshots: {os.path.relpath(screenshots)}")
    return 1 if failures else 0


if __name__ == "__main__":
    default = HERE.parent.parent / ".build" / "browser-screenshots"
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else default))
