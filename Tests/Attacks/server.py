"""A site in a folder of its own, with a server running on it."""

import email
import email.policy
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from client import Client, Forms

SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
ODD_NAME = 'plän "Q3"; x=1\r\nX-Evil: yes\u202e%41.md'
CANARY_FILE = "CANARY-OF-A-FILE-OUTSIDE"

IS_SETTLED = """
    SELECT (SELECT max(id) FROM events) = (SELECT min(last_event_id) FROM subscribers)
        AND NOT EXISTS (SELECT 1 FROM outbox_messages WHERE state IN ('waiting', 'sending', 'inflight'))
    """


class Server:
    def __init__(self, binary, report, edits=(), environment=None):
        self.binary, self.report = binary, report
        self.folder = tempfile.mkdtemp(prefix="trellis-attacks-")
        self.site = os.path.join(self.folder, "site")
        self.log = os.path.join(self.folder, "log")
        self.secret, self.token = secrets.token_hex(32), secrets.token_hex(32)
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "TRELLIS_SECRET": self.secret,
            "TRELLIS_ADMIN_TOKEN": self.token,
        } | (environment or {})
        self.process = None
        self._mails = {}
        shutil.copytree(SITE, self.site)
        self._make_files()
        self.edit(*edits)

    def _make_files(self):
        """Files whose names and kinds no repository should hold."""
        assets = os.path.join(self.site, "assets")
        with open(os.path.join(assets, ODD_NAME), "w") as file:
            file.write("odd")
        with open(os.path.join(assets, "numbers.bin"), "wb") as file:
            file.write(self.numbers)
        with open(os.path.join(self.folder, "private.md"), "w") as file:
            file.write(CANARY_FILE)
        os.symlink("guide.md", os.path.join(assets, "inside.md"))
        with open(os.path.join(assets, "outside.md"), "w") as file:
            file.write("It becomes a symlink to a file outside while the server runs.")

    numbers = bytes(index * 7 % 251 for index in range(100_000))

    def edit(self, *edits):
        """Replaces texts of the config, each of which must stand there."""
        path = os.path.join(self.site, "config.yaml")
        with open(path) as file:
            text = file.read()
        for old, new in edits:
            if old not in text:
                raise ValueError(f"config.yaml has no {old!r}")
            text = text.replace(old, new, 1)
        with open(path, "w") as file:
            file.write(text)

    # The process

    def start(self):
        begin = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.binary, "serve"],
                                            cwd=self.site,
                                            env=self.environment,
                                            stdout=log,
                                            stderr=log)
        for _ in range(1200):
            with open(self.log, errors="replace") as log:
                log.seek(begin)
                ports = dict(re.findall(r"Listening: (\w+) http://127\.0\.0\.1:(\d+)", log.read()))
            if "public" in ports and ("admin" in ports or not self.environment["TRELLIS_ADMIN_TOKEN"]):
                break
            if self.process.poll() is not None:
                raise RuntimeError("the server did not start:\n" + open(self.log, errors="replace").read())
            time.sleep(0.05)
        self.public, self.admin = Client(int(ports["public"])), Client(int(ports.get("admin", 0)))
        self.forms = Forms(self.public)
        while self.public.get("/readyz").status != 200:
            time.sleep(0.05)
        return self

    def stop(self):
        """Asks the process to stop; returns its exit code."""
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def remove(self):
        if self.is_running:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def memory(self):
        """The resident bytes of the process."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) * 1024

    def command(self, *arguments, **environment):
        return subprocess.run([self.binary, *arguments],
                              cwd=self.site,
                              env=self.environment | environment,
                              capture_output=True,
                              text=True,
                              timeout=60)

    def ask_admin(self, method, path, body=None, **headers):
        return self.admin.ask(method, path, body, {"Authorization": f"Bearer {self.token}"}
                              | {key.replace("_", "-"): value
                                 for key, value in headers.items()})

    # What it holds

    def rows(self, sql, *arguments):
        connection = sqlite3.connect(f"file:{self.site}/crm.sqlite?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(sql, arguments).fetchall()
        finally:
            connection.close()

    def value(self, sql, *arguments):
        rows = self.rows(sql, *arguments)
        return rows[0][0] if rows else None

    def lead(self, address):
        rows = self.rows("SELECT * FROM leads WHERE email = ?", address)
        return rows[0] if rows else None

    def counts(self):
        """How much there is of everything a request must not change by itself.

        Of the kinds of events one is not asked for: that the minute is over whose hits are judged, which comes by
        itself while another request is on its way.
        """
        tables = [
            "leads", "consents", "suppressions", "touches", "outbox_messages", "magnets_submissions",
            "magnets_quarantine", "magnets_referrals", "scoring_entries", "drip_enrolments", "trash"
        ]
        found = {table: self.value(f"SELECT count(*) FROM {table}") for table in tables}
        found["kinds"] = dict(map(tuple, self.rows("SELECT kind, count(*) FROM events WHERE kind <> 'mail.hits_gathered' GROUP BY 1")))
        found["states"] = [
            tuple(row) for row in self.rows("SELECT state, count(*) FROM magnets_submissions GROUP BY 1 ORDER BY 1")
        ]
        return found

    SETTLED_WITHIN = 60

    def settle(self):
        """Waits until every event is handled and every mail that is due has left; a failure where they do not."""
        end = time.monotonic() + Server.SETTLED_WITHIN
        while time.monotonic() < end:
            if self.value(IS_SETTLED):
                return
            time.sleep(0.05)
        states = [tuple(row) for row in self.rows("SELECT state, count(*) FROM outbox_messages GROUP BY 1")]
        behind = self.value("SELECT (SELECT max(id) FROM events) - (SELECT min(last_event_id) FROM subscribers)")
        self.report.holds("", f"all that was begun is done within {Server.SETTLED_WITHIN} s", False,
                          f"{behind} events behind, mails {states}")

    def mails(self, address=None):
        """The mails that left, parsed; those to an address alone where one is given."""
        folder = os.path.join(self.site, "outbox", "new")
        names = sorted(os.listdir(folder), key=lambda name: int(name.split(".")[0])) if os.path.isdir(folder) else []
        for name in names:
            if name not in self._mails:
                with open(os.path.join(folder, name), "rb") as file:
                    mail = email.message_from_bytes(file.read(), policy=email.policy.default)
                self._mails[name] = str(mail["To"]).lower(), mail
        found = [self._mails[name] for name in names]
        return [mail for to, mail in found if address is None or address.lower() == to]


def part(mail, subtype):
    """The text of a part of a mail: 'plain' or 'html'."""
    body = mail.get_body((subtype, ))
    return body.get_content() if body else ""


def links(mail):
    """Every link of a mail: of its text, its HTML and its headers."""
    import html
    texts = part(mail, "plain") + "\n" + html.unescape(part(mail, "html")) + "\n" + str(mail["List-Unsubscribe"]
                                                                                        or "")
    return sorted(set(re.findall(r"https?://[^\s\"<>]+", texts)))


def token_of(mail, purpose):
    """The token of the link for a purpose in a mail."""
    pattern = r"[?&]for=([\w-]+)" if purpose == "lead" else rf"/{purpose}/([\w-]+)"
    found = re.search(pattern, " ".join(links(mail)))
    return found[1] if found else None
