"""Kills the program while it mails, again and again: nobody gets a mail twice, and nobody is forgotten.

usage: mail_lab.py TRELLIS [MAILS] [KILLS]   (SEED=1)
"""
import base64
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import dkim
from sink import PASSWORD, USERNAME, Sink, is_cut, is_nobody

TRELLIS = os.path.abspath(sys.argv[1])
MAILS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 50
SEED = int(os.environ.get("SEED", random.randrange(10**6)))
CONNECTIONS = 4

CONFIG = """
site: {{name: Lab, base_url: "http://localhost:8080", postal_address: "1 Main Street", secret: "${{TRELLIS_SECRET}}"}}
mail:
  from: "Lab <lab@lab.example>"
  consent: none
  bounces_max: never
  transport: smtp
  smtp: {{host: localhost, port: {port}, username: {username}, password: "${{SMTP_PASSWORD}}", ca: sink.pem, connections: {connections}, timeout: 30s}}
  dkim:
    - {{domain: lab.example, selector: rsa, key: rsa.pem}}
    - {{domain: lab.example, selector: ed, key: ed.pem}}
plugins:
  drip: {{sequences: {{hello: {{enter: {{on: lead.created}}, reentry: never, steps: [{{mail: hello}}]}}}}}}
"""
MAIL = """---
subject: Hello {{first_name|there}}
purpose: marketing
---
Hello {{first_name|there}},

.this line begins with a dot, and the next is one:

.

Grüße vom Labor
"""

passed, failures = 0, []


def check(fact, holds, seen=""):
    global passed
    if holds:
        passed += 1
    else:
        failures.append(fact)
        print(f"FAILED: {fact}: {seen}")


def trellis(*arguments):
    return subprocess.run([TRELLIS, *arguments], capture_output=True, text=True, env=ENVIRONMENT, cwd=FOLDER)


def rows(sql):
    with sqlite3.connect(f"file:{FOLDER}/crm.sqlite?mode=ro", uri=True, timeout=30) as db:
        return db.execute(sql).fetchall()


def hurry():
    """What waits for its next attempt is due now: the lab has no hours."""
    with sqlite3.connect(FOLDER + "/crm.sqlite", timeout=30) as db:
        return db.execute(
            "UPDATE outbox_messages SET ready_at = datetime('now', '-1 minute') WHERE state = 'waiting' AND ready_at > datetime('now')"
        ).rowcount


def make_site(sink):
    with open(FOLDER + "/config.yaml", "w") as file:
        file.write(CONFIG.format(port=sink.port, username=USERNAME, connections=CONNECTIONS))
    os.mkdir(FOLDER + "/mails")
    with open(FOLDER + "/mails/hello.md", "w") as file:
        file.write(MAIL)
    with open(FOLDER + "/leads.csv", "w") as file:
        file.write("email,first_name\n")
        file.writelines(f"lead{number}@lab.example,Name{number}\n" for number in range(1, MAILS + 1))
    for name, algorithm in [("rsa", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]), ("ed", ["ed25519"])]:
        subprocess.run(
            ["openssl", "genpkey", "-algorithm", *algorithm, "-out", f"{FOLDER}/{name}.pem"], check=True,
            capture_output=True)
    for arguments in [("check",), ("import", "leads.csv")]:
        done = trellis(*arguments)
        if done.returncode != 0:
            sys.exit(f"trellis {arguments[0]} failed: {done.stdout}{done.stderr}")


def public_key(name):
    """The TXT record of a key, made without the program under test."""
    der = subprocess.run(
        ["openssl", "pkey", "-in", f"{FOLDER}/{name}.pem", "-pubout", "-outform", "DER"], check=True,
        capture_output=True).stdout
    if name == "ed":
        return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(der[-32:])
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)


def start():
    log = open(FOLDER + "/work.log", "a")
    return subprocess.Popen([TRELLIS, "work", "--until-idle"], stdout=log, stderr=log, env=ENVIRONMENT, cwd=FOLDER)


def kill_once(sink):
    """Kills one run: most while mails leave, some at any moment. False where nothing is left to interrupt."""
    worker = start()
    goal = sink.taken + random.randrange(0, max(2, 2 * MAILS // (KILLS + 1)))
    deadline = time.monotonic() + (random.random() * 2 if random.random() < 0.2 else 60)
    while worker.poll() is None and sink.taken < goal and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(random.random() * 0.02)
    if worker.poll() is None:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        return True
    return hurry() > 0


def finish(sink):
    """Runs until every message has its outcome; how often that took."""
    for count in range(1, 61):
        taken = sink.taken
        worker = start()
        if worker.wait(timeout=3600) != 0:
            sys.exit("trellis work failed: see " + FOLDER + "/work.log")
        if hurry() == 0 and not rows("SELECT 1 FROM outbox_messages WHERE state IN ('waiting', 'sending', 'inflight') LIMIT 1"):
            return count
        if sink.taken == taken:
            time.sleep(1)
    return 60


def verify(sink, kills):
    outcomes = {
        int(email.split("@")[0].removeprefix("lead")): (state, reason)
        for email, state, reason in rows(
            "SELECT l.email, m.state, m.reason FROM outbox_messages AS m JOIN leads AS l ON l.id = m.lead_id")
    }
    states = {}
    for state, _ in outcomes.values():
        states[state] = states.get(state, 0) + 1
    everyone = range(1, MAILS + 1)
    nobody = [number for number in everyone if is_nobody(number)]
    check("every lead has one message", sorted(outcomes) == list(everyone), len(outcomes))
    check("every message has its outcome", set(states) <= {"sent", "refused", "unknown"}, states)
    twice = [number for number, count in sink.copies.items() if count > 1]
    check("nobody got a mail twice", not twice, twice[:5])
    refused = [number for number in everyone if outcomes.get(number, ("",))[0] == "refused"]
    check("refused are those nobody has", refused == nobody, (len(refused), len(nobody)))
    check("and their mails were not taken", not any(number in sink.copies for number in nobody))
    missing = [n for n in everyone if outcomes.get(n, ("",))[0] == "sent" and sink.copies.get(n) != 1]
    check("what is sent arrived", not missing, missing[:5])
    unknown = {number for number in everyone if outcomes.get(number, ("",))[0] == "unknown"}
    check("a lost reply leaves the outcome unknown", sink.cut <= unknown, sorted(sink.cut - unknown)[:5])
    interrupted = unknown - sink.cut
    check(
        "a kill leaves no more than the connections unknown", len(interrupted) <= CONNECTIONS * kills,
        (len(interrupted), CONNECTIONS * kills))
    expected = {number for number in everyone if is_cut(number) and not is_nobody(number)}
    check("the replies were lost as planned", sink.cut <= expected and len(expected - sink.cut) <= CONNECTIONS * kills)
    unsigned = rows("SELECT count(*) FROM outbox_messages WHERE reason LIKE '%@lab.example%' AND reason LIKE '%lead%'")
    check("no reason names an address", unsigned == [(0,)], unsigned)
    return states, interrupted


def verify_signatures(sink):
    records = {f"{name}._domainkey.lab.example.".encode(): public_key(name) for name in ["rsa", "ed"]}

    def look_up(name, timeout=5):
        return records.get(name if isinstance(name, bytes) else name.encode())

    def is_signed(mail, index):
        try:
            return dkim.DKIM(mail).verify(idx=index, dnsfunc=look_up)
        except dkim.DKIMException:
            return False

    bad = sum(not (is_signed(mail, 0) and is_signed(mail, 1)) for mail in sink.samples)
    check("both signatures of each mail verify", sink.samples and bad == 0, f"{bad} of {len(sink.samples)}")


with tempfile.TemporaryDirectory(prefix="trellis-mail-lab-") as FOLDER:
    ENVIRONMENT = {
        **os.environ, "TRELLIS_SECRET": "0123456789abcdef" * 2, "SMTP_PASSWORD": PASSWORD, "TRELLIS_LOG": "warning"}
    random.seed(SEED)
    sink = Sink(FOLDER)
    make_site(sink)
    print(f"seed {SEED}: {MAILS} mails over {CONNECTIONS} connections, {KILLS} kills at random moments")
    kills = 0
    begin = time.perf_counter()
    for _ in range(KILLS):
        if not kill_once(sink):
            break
        kills += 1
    before, calm = sink.taken, time.perf_counter()
    runs = finish(sink)
    rate = (sink.taken - before) / (time.perf_counter() - calm)
    states, interrupted = verify(sink, kills)
    verify_signatures(sink)
    doctor = trellis("doctor", "--strict")
    check("doctor finds every promise kept", doctor.returncode == 0, doctor.stdout)
    sink.stop()
    print(
        f"{kills} kills: {states.get('sent', 0)} sent, {states.get('refused', 0)} refused, {len(sink.cut)} replies lost, "
        f"{len(interrupted)} more unknown; {sink.taken} mails at the relay, {sink.logins} logins, "
        f"{rate:.0f} mails/s at the end, {runs} runs to finish, {time.perf_counter() - begin:.0f} s in all")
    print(f"{passed} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)
