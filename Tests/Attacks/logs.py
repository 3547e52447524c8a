"""At the end: the process stops as it should, keeps its promises, and its log names nobody (A48)."""

import json
import os
import re

TITLE = "What is left"
# What a program says for itself before and after it serves.
NOTES = re.compile(r"Listening: |Serving |Stopped\.$|The API is off|The process before")


def run(lab):
    lab.report.theme(TITLE)
    server = lab.server
    lab.report.same("", "SIGTERM ends the process with 0", server.stop(), 0)
    outcome = server.command("doctor", "--strict")
    lab.report.holds("", "trellis doctor --strict finds every promise kept", outcome.returncode == 0,
                     outcome.stdout + outcome.stderr)
    rows = [tuple(row) for row in server.rows("SELECT subscriber, error FROM parked_events")]
    lab.report.none("", "no event had to be set aside", rows)
    lines = []
    for one in lab.servers:
        one.stop()
        with open(one.log, errors="replace") as file:
            lines += file.read().splitlines()
    canaries(lab, lines)
    # A theme that has no mails has no folder of them.
    folder = os.path.join(server.site, "outbox", "tmp")
    left = os.listdir(folder) if os.path.isdir(folder) else []
    lab.report.same("", "no half mail lies about", left, [])


def canaries(lab, lines):
    named, broken, traps = [], [], []
    secrets = [word for server in lab.servers for word in (server.secret, server.token)]
    for line in lines:
        if re.search(r"[^\s\"@]@[^\s\"@]*\w\.\w", line) or "reader.example" in line or "victim" in line.lower():
            named.append(line)
        if any(secret in line for secret in secrets) or re.search(r"[\w-]{38,}", line):
            named.append(line)
        if re.search(r"Fatal error|Stack dump|Crash|Thread \d+ crashed", line):
            traps.append(line)
        if line.startswith("{"):
            try:
                json.loads(line)
            except ValueError:
                broken.append(line)
        elif not NOTES.match(line):
            broken.append(line)
    lab.report.none("A48", f"{len(lines)} lines of the log hold no address, no token and no secret",
                    sorted(set(named), key=named.index))
    lab.report.none("A48", "each of them is whole: what a request holds begins no line", broken)
    lab.report.none("A48", "nothing in it is a crash", traps)
    # The link out of the folder is an error of the config, and is told.
    errors = [
        line for line in lines if '"level":"error"' in line or '"level":"critical"' in line
        if "a file of the config cannot be read" not in line
    ]
    kinds = {
        re.sub(r"\d+", "N",
               json.loads(line).get("error",
                                    json.loads(line)["message"]))[:160]
        for line in errors if line.startswith("{")
    }
    lab.report.none("A48", "and no attack made an error of ours of it",
                    [f"{sum(1 for _ in errors)} errors in all"] * bool(errors) + sorted(kinds))
