"""Kills the server in the middle of a rush of forms, again and again: whatever was answered must be in the file.

usage: form_lab.py BINARY [ROUNDS] [CLIENTS] [FORMS]
"""
import os
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time

from form_site import FormSite, percentile

BINARY = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 50
CLIENTS = int(sys.argv[3]) if len(sys.argv) > 3 else 16
FORMS = int(sys.argv[4]) if len(sys.argv) > 4 else 2000
SEED = int(os.environ.get("SEED", random.randrange(10**6)))


def commits(site):
    """Each commit stamps its events with one moment of its own."""
    with sqlite3.connect(f"file:{site.database}?mode=ro", uri=True) as db:
        return db.execute("SELECT count(DISTINCT at) FROM events WHERE kind = 'form.submitted'").fetchone()[0]


def rush(site, number, killed):
    server = site.start()
    clients, answers, refusals = site.rush(f"r{number}", CLIENTS, FORMS // CLIENTS, threading.Event())
    if killed:
        goal = random.randrange(1, FORMS)
        while len(answers) < goal and any(client.is_alive() for client in clients):
            time.sleep(0.001)
        server.send_signal(signal.SIGKILL)
    for client in clients:
        client.join()
    if not killed:
        server.send_signal(signal.SIGTERM)
        if server.wait(timeout=60) != 0:
            sys.exit("the server did not stop well")
    server.wait()
    if refusals:
        sys.exit(f"FAILED: a form was answered with {refusals[0]}")
    return answers


with tempfile.TemporaryDirectory(prefix="trellis-form-lab-") as FOLDER:
    site = FormSite(BINARY, FOLDER)
    random.seed(SEED)
    print(f"seed {SEED}: {ROUNDS} rounds of {FORMS} forms by {CLIENTS} clients, each killed at a random moment")
    everything = []
    for number in range(ROUNDS):
        everything += rush(site, number, killed=True)
    before = commits(site)
    begin = time.perf_counter()
    answers = rush(site, ROUNDS, killed=False)
    elapsed = time.perf_counter() - begin
    everything += answers
    took = [answer.took for answer in answers]
    with sqlite3.connect(f"file:{site.database}?mode=ro", uri=True) as db:
        kept = {row[0] for row in db.execute("SELECT email FROM leads")}
        several = db.execute(
            "SELECT count(*) FROM (SELECT lead_id FROM events WHERE kind = 'form.submitted' GROUP BY 1 HAVING count(*) > 1)"
        ).fetchone()[0]
        halves = db.execute(
            "SELECT count(*) FROM leads WHERE id NOT IN (SELECT lead_id FROM consents) OR id NOT IN (SELECT lead_id FROM touches)"
        ).fetchone()[0]
    lost = [answer.email for answer in everything if answer.email not in kept]
    print(f"{len(everything)} forms were answered, {len(lost)} of them lost; {several} twice in the log; {halves} half done")
    print(
        f"undisturbed: {len(answers) / elapsed:.0f} forms/s with the start of the server, "
        f"{(commits(site) - before) / len(answers):.2f} commits per form, "
        f"p50 {percentile(took, 0.5):.1f} ms, p99 {percentile(took, 0.99):.1f} ms")
    site.trellis("work", "--until-idle")
    doctor = site.trellis("doctor", "--strict")
    print(doctor.stdout if doctor.returncode else "doctor: every promise is kept")
    if lost or several or halves or doctor.returncode:
        sys.exit("FAILED: " + ", ".join(lost[:5]))
