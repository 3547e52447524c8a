"""Kills the server in the middle of a rush of forms, again and again: whatever was answered must be in the file.

usage: form_lab.py BINARY [ROUNDS] [CLIENTS] [FORMS]
"""
import http.client
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

BINARY = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 50
CLIENTS = int(sys.argv[3]) if len(sys.argv) > 3 else 16
FORMS = int(sys.argv[4]) if len(sys.argv) > 4 else 2000
SEED = int(os.environ.get("SEED", random.randrange(10**6)))

CONFIG = """
site: {{name: Lab, base_url: "http://localhost:{port}", postal_address: "1 Main Street", secret: "${{TRELLIS_SECRET}}"}}
server:
  listen: 127.0.0.1:{port}
  limits: {{forms_per_minute: 100000, requests_per_minute: 1000000, connections_per_address: 500}}
mail: {{from: "Lab <lab@lab.example>"}}
plugins:
  lead_magnets:
    magnets:
      plan: {{title: Plan, asset: plan.txt, form: {{fields: [email!, first_name], consent: {{newsletter: "Yes."}}}}}}
  scoring: {{engagement: {{took: {{on: asset.downloaded, points: 5}}}}}}
  drip: {{sequences: {{hello: {{enter: {{on: consent.granted}}, steps: [{{wait: 1 day}}, {{exit: true}}]}}}}}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def trellis(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, env=ENVIRONMENT, cwd=FOLDER)


def start():
    log = open(FOLDER + "/serve.log", "a")
    server = subprocess.Popen([BINARY, "serve"], stdout=log, stderr=log, env=ENVIRONMENT, cwd=FOLDER)
    for _ in range(300):
        if server.poll() is not None:
            sys.exit("the server ended by itself: see " + FOLDER + "/serve.log")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=2)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return server
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit("the server did not become ready")


def send(prefix, client, count, answered, took, stop):
    """One client: forms one after the other, until all are sent or the server is gone."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Mozilla/5.0 (lab)"}
    for number in range(count):
        if stop.is_set():
            return
        email = f"{prefix}-{client}-{number}@lab.example"
        body = urllib.parse.urlencode(
            {"_form": TOKEN, "email": email, "first_name": "Ann", "consent_newsletter": "on"})
        begin = time.perf_counter()
        try:
            connection.request("POST", "/forms/plan", body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return
        if answer.status != 303:
            sys.exit(f"a form was answered with {answer.status}")
        took.append(time.perf_counter() - begin)
        answered.append(email)




def commits():
    """Each commit stamps its events with one moment of its own."""
    with sqlite3.connect(f"file:{FOLDER}/crm.sqlite?mode=ro", uri=True) as db:
        return db.execute("SELECT count(DISTINCT at) FROM events WHERE kind = 'form.submitted'").fetchone()[0]


def rush(number, killed):
    server = start()
    answered, took, stop = [], [], threading.Event()
    clients = [
        threading.Thread(target=send, args=(f"r{number}", client, FORMS // CLIENTS, answered, took, stop))
        for client in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    if killed:
        goal = random.randrange(1, FORMS)
        while len(answered) < goal and any(client.is_alive() for client in clients):
            time.sleep(0.001)
        server.send_signal(signal.SIGKILL)
    for client in clients:
        client.join()
    if not killed:
        server.send_signal(signal.SIGTERM)
        if server.wait(timeout=10) != 0:
            sys.exit("the server did not stop well")
    server.wait()
    return answered, took


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000


with tempfile.TemporaryDirectory(prefix="trellis-form-lab-") as FOLDER:
    PORT = free_port()
    ENVIRONMENT = {**os.environ, "TRELLIS_SECRET": "0123456789abcdef" * 2, "TRELLIS_LOG": "warning"}
    with open(FOLDER + "/config.yaml", "w") as file:
        file.write(CONFIG.format(port=PORT))
    with open(FOLDER + "/plan.txt", "w") as file:
        file.write("The plan.\n")
    TOKEN = re.search(r'name="_form" value="([^"]+)"', trellis("magnets", "embed", "plan").stdout)[1]
    random.seed(SEED)
    print(f"seed {SEED}: {ROUNDS} rounds of {FORMS} forms by {CLIENTS} clients, each killed at a random moment")
    everything = []
    for number in range(ROUNDS):
        everything += rush(number, killed=True)[0]
    before = commits()
    begin = time.perf_counter()
    answered, took = rush(ROUNDS, killed=False)
    elapsed = time.perf_counter() - begin
    everything += answered
    with sqlite3.connect(f"file:{FOLDER}/crm.sqlite?mode=ro", uri=True) as db:
        kept = {row[0] for row in db.execute("SELECT email FROM leads")}
        several = db.execute(
            "SELECT count(*) FROM (SELECT lead_id FROM events WHERE kind = 'form.submitted' GROUP BY 1 HAVING count(*) > 1)"
        ).fetchone()[0]
        halves = db.execute(
            "SELECT count(*) FROM leads WHERE id NOT IN (SELECT lead_id FROM consents) OR id NOT IN (SELECT lead_id FROM touches)"
        ).fetchone()[0]
    lost = [email for email in everything if email not in kept]
    print(f"{len(everything)} forms were answered, {len(lost)} of them lost; {several} twice in the log; {halves} half done")
    print(
        f"undisturbed: {len(answered) / elapsed:.0f} forms/s with the start of the server, "
        f"{(commits() - before) / len(answered):.2f} commits per form, "
        f"p50 {percentile(took, 0.5):.1f} ms, p99 {percentile(took, 0.99):.1f} ms")
    trellis("work", "--until-idle")
    doctor = trellis("doctor", "--strict")
    print(doctor.stdout if doctor.returncode else "doctor: every promise is kept")
    if lost or several or halves or doctor.returncode:
        sys.exit("FAILED: " + ", ".join(lost[:5]))
