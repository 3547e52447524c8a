"""Other clients that read the living file while `trellis serve` takes forms: both are right, and neither waits.

Usage: beside_forms.py TRELLIS FOLDER
"""

import bisect
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "FormLab"))

from form_site import FormSite, free_port, percentile  # noqa: E402

PAGE = (ROOT / "Documentation" / "YourCRMInSQL.md").read_text(encoding="utf-8")
CLIENTS = 8
# Seconds of forms. A reader that keeps its snapshot for 3 seconds is to begin another reading within those beside it.
ALONE, BESIDE, AFTER = 4, 20, 1
# As many clients at once as read the file of a small house.
READERS = ["sqlite3", "sqlite3-long", "pandas", "pandas-long", "duckdb"]
# Where the server begins the write-ahead log anew, as soon as no reading needs the old one, and what it leaves of it then
# (wal_autocheckpoint and journal_size_limit).
WAL_KEPT = 64 * 1024 * 1024
failures = 0


def check(name, passed, detail=""):
    global failures
    failures += not passed
    print(f"{'ok  ' if passed else 'FAIL'}  {name}  {detail}")


def rush(site, prefix, seconds, during=lambda: None):
    """Forms for some seconds. Returns the answers and the refusals."""
    stop = threading.Event()
    threads, answers, refusals = site.rush(prefix, CLIENTS, 10**6, stop)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        during()
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    return answers, refusals


class WriteAheadLog:
    """What is seen of the file beside the database (https://www.sqlite.org/fileformat2.html#the_write_ahead_log)."""

    def __init__(self, database):
        self.path = database + "-wal"
        self.largest = 0
        self.beginnings = set()

    def look(self):
        self.largest = max(self.largest, self.size)
        with open(self.path, "rb") as file:
            header = file.read(16)
        if len(header) == 16:
            self.beginnings.add(struct.unpack(">4I", header)[3])

    @property
    def size(self):
        return os.path.getsize(self.path)


def datasette(site):
    """The server that the page shows, on a port of its own; None where it is not installed."""
    program = Path(sys.executable).parent / "datasette"
    if not program.exists():
        print("skip  Datasette: it cannot be installed here.")
        return None, None
    words = re.search(r"```sh\n(datasette .*?)\n```", PAGE, re.S)[1].split()
    port = free_port()
    with open(site.folder + "/datasette.log", "w") as log:
        server = subprocess.Popen(
            [program, *words[1:], "--port", str(port), "--setting", "sql_time_limit_ms", "30000"],
            cwd=site.folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(address + "/-/versions.json", timeout=5).read()
            return server, address
        except OSError:
            time.sleep(0.1)
    sys.exit("Datasette did not become ready: see " + site.folder + "/datasette.log")


def start_readers(site, address):
    """Each in a process of its own, as it is at home."""
    script = str(Path(__file__).with_name("reader.py"))
    wanted = [(name, site.database) for name in READERS if name[:7] != "sqlite3" or shutil.which("sqlite3")]
    if address:
        wanted += [(name, address) for name in ["datasette", "datasette-long"]]
    return {
        name: subprocess.Popen(
            [sys.executable, "-B", script, name, place, str(BESIDE - 1)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name, place in wanted
    }


def hold(name, readings, answers):
    """Holds what a client read against what the server had answered by then, in one line."""
    good = [reading for reading in readings if "error" not in reading]
    ends = sorted(answer.end for answer in answers)
    begins = sorted(answer.begin for answer in answers)
    wrong = {
        "failed": [r for r in readings if "error" in r],
        "misses a form that was answered": [r for r in good if r["leads"] < bisect.bisect_left(ends, r["begin"])],
        "knows a form that was never sent": [r for r in good if r["leads"] > bisect.bisect_right(begins, r["end"])],
        "fell": [b for a, b in zip(good, good[1:]) if b["leads"] < a["leads"]],
        "half of a form": [r for r in good if r["leads"] != r["forms"]],
        "two moments in a transaction": [r for r in good if r["later"] and r["later"] != [r["leads"], r["forms"]]],
    }
    found = [f"{what}: {json.dumps(rows[0])}" for what, rows in wrong.items() if rows]
    last = good[-1]["leads"] if good else 0
    check(f"{name} is right", not found and len(good) > 1, f"{len(good)} readings, {last} leads in the last  {'; '.join(found)}")


def check_that_forms_go_on(readings, answers):
    """While a long reading goes on, forms come and are answered: whatever the machine is busy with, none waits for its end."""
    last = max(answer.end for answer in answers)
    all_readings = [r for rows in readings.values() for r in rows if "error" not in r and r["end"] <= last]
    long = [r for r in all_readings if r["end"] - r["begin"] > 2]
    within = [sum(r["begin"] < answer.begin and answer.end < r["end"] for answer in answers) for r in long]
    slowest = max(answer.took for answer in answers)
    check(
        "no form waits for a reader", len(long) > 1 and min(within) > 0,
        f"{len(long)} long readings, {min(within, default=0)} forms in one at least; the slowest form took {slowest:.2f} s")


def main():
    site = FormSite(os.path.abspath(sys.argv[1]), sys.argv[2])
    server = site.start()
    log = WriteAheadLog(site.database)
    alone, refused = rush(site, "alone", ALONE, log.look)
    museum, address = datasette(site)
    readers = start_readers(site, address)
    beside, refused_beside = rush(site, "beside", BESIDE, log.look)
    readings = {}
    for name, reader in readers.items():
        lines, complaint = reader.communicate(timeout=180)
        if reader.returncode:
            check(f"{name} ended well", False, complaint[-300:])
        readings[name] = [json.loads(line) for line in lines.splitlines()]
    after, refused_after = rush(site, "after", AFTER, log.look)
    answers = alone + beside + after
    for name, lines in readings.items():
        hold(name, lines, answers)
    refused = refused + refused_beside + refused_after
    check("no form is refused", not refused, str(refused[:3] or ""))
    check_that_forms_go_on(readings, beside)
    check(
        "the write-ahead log begins anew", log.size <= WAL_KEPT,
        f"{len(log.beginnings) - 1} times, {log.largest >> 20} MiB at most, {log.size >> 20} MiB when the readers have gone")
    if museum:
        museum.terminate()
        museum.wait(timeout=30)
    server.terminate()
    check("the server ended well", server.wait(timeout=30) == 0)
    check("nothing is left of the write-ahead log", not os.path.exists(log.path))
    crm = sqlite3.connect(f"file:{site.database}?mode=ro", uri=True)
    kept = {row[0] for row in crm.execute("SELECT email FROM leads")}
    crm.close()
    lost = [answer.email for answer in answers if answer.email not in kept]
    check("every answered form is in the file", not lost, f"{len(answers)} forms")
    complaints = [line for line in Path(site.log).read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    check("the server has nothing to complain of", not complaints, " ".join(complaints[:2]))
    site.trellis("work", "--until-idle")
    doctor = site.trellis("doctor", "--strict")
    check("every promise is kept", doctor.returncode == 0, doctor.stdout[-500:] if doctor.returncode else "")
    for name, rows, seconds in [("without readers", alone, ALONE), ("beside readers", beside, BESIDE)]:
        took = [answer.took for answer in rows]
        print(
            f"      {name}: {len(rows) / seconds:.0f} forms/s by {CLIENTS} clients, p50 {percentile(took, 0.5):.1f} ms, "
            f"p99 {percentile(took, 0.99):.1f} ms")
    sys.exit(1 if failures else 0)


main()
