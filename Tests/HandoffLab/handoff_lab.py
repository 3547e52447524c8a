"""Kills the program while leads are handed off, again and again: no lead is lost, and none is in two hands.

usage: handoff_lab.py TRELLIS [LEADS] [KILLS]   (SEED=1)

Leads are imported in portions and qualify. `trellis serve` deals them to twenty reps, is killed with kill -9 at random
moments and started again, once in a while beside a second worker. Eight clients accept, reject, convert, win and lose
over the API, send reps away and call them back, and let clocks run out. An observer reads the file all the while, each
time in one transaction.
"""
import collections
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from judge import Judge, look

TRELLIS = os.path.abspath(sys.argv[1])
LEADS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 25
SEED = int(os.environ.get("SEED", random.randrange(10**6)))
CLIENTS = 8
REPS = {f"r{number}": number % 4 + 1 for number in range(20)}
CAPACITY = max(6, min(50, LEADS // 50))
PORTIONS = 10
# How long a rep has, in seconds: short enough to run out, long enough for most to answer.
ACCEPT = max(6, min(15, LEADS // 100))
TOKEN = "a token for tests only, and long enough"
tries = 0

CONFIG = """
site: {{name: Lab, base_url: "http://localhost:{port}", postal_address: "1 Main Street", secret: "${{TRELLIS_SECRET}}"}}
server:
  listen: 127.0.0.1:{port}
  admin: {{listen: 127.0.0.1:{admin}, token: "${{TRELLIS_ADMIN_TOKEN}}"}}
mail: {{from: "Lab <lab@lab.example>", transport: file, folder: outbox}}
activities: {{demo.booked: {{}}}}
plugins:
  scoring:
    fit: {{team: {{when: "employees >= 50", points: 60}}}}
    engagement: {{demo: {{on: demo.booked, points: 60}}}}
    thresholds: {{mql: {{score: 60}}}}
  handoff:
    reps:
{reps}
    accept_within: {accept} seconds
    contact_within: {accept} seconds
    remind_after: [{remind} seconds]
    escalate_to: head@lab.example
    return_after: 3 seconds
    reject_reasons: [no budget, wrong person]
    lost_reasons: [price, no answer]
    recycle: {{after: 3 seconds}}
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def trellis(*arguments):
    return subprocess.run([TRELLIS, *arguments], capture_output=True, text=True, env=ENVIRONMENT, cwd=FOLDER)


def start(*arguments):
    log = open(FOLDER + "/server.log", "a")
    return subprocess.Popen([TRELLIS, *arguments], stdout=log, stderr=log, env=ENVIRONMENT, cwd=FOLDER)


def start_server():
    """Starts it until it is ready; one that ends with 75 says itself to try again, as whoever supervises it would."""
    global tries
    server = start("serve")
    for _ in range(2400):
        if server.poll() == 75:
            tries += 1
            server = start("serve")
        elif server.poll() is not None:
            sys.exit("the server ended by itself: " + open(FOLDER + "/server.log").read()[-500:])
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return server
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit("the server did not become ready")


def make_site():
    reps = "\n".join(
        f"      {rep}: {{email: {rep}@lab.example, weight: {weight}, capacity: {CAPACITY}}}"
        for rep, weight in REPS.items())
    with open(FOLDER + "/config.yaml", "w") as file:
        file.write(CONFIG.format(port=PORT, admin=ADMIN, reps=reps, accept=ACCEPT, remind=ACCEPT // 2))
    for portion in range(PORTIONS):
        with open(f"{FOLDER}/leads{portion}.csv", "w") as file:
            file.write("email,first_name,employees\n")
            file.writelines(
                f"lead{number}@lab.example,Name{number},80\n" for number in range(portion, LEADS, PORTIONS))
    done = trellis("check")
    if done.returncode != 0:
        sys.exit(f"trellis check failed: {done.stdout}{done.stderr}")


class Client(threading.Thread):
    """People who answer what they are offered. That somebody was quicker is no error."""

    def __init__(self, number):
        super().__init__(daemon=True)
        self.dice = random.Random(SEED * 100 + number)
        self.connection = None
        self.acknowledged = []
        self.counts = collections.Counter()
        self.surprises = []
        self.took = []

    def run(self):
        while not stop.is_set():
            try:
                self.turn()
            except (OSError, http.client.HTTPException, ValueError):
                # The server was killed. What it had not answered may have happened, or not.
                self.counts["unanswered"] += 1
                self.connection = None
                time.sleep(0.1)

    def ask(self, method, path, said=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", ADMIN, timeout=30)
        body = None if said is None else json.dumps(said)
        headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"}
        begin = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        self.took.append(time.perf_counter() - begin)
        return answer.status, json.loads(text) if answer.status == 200 else text.decode()

    def turn(self):
        rep = self.dice.choice(list(REPS))
        if self.dice.random() < 0.03:
            self.go_away(rep)
        if self.dice.random() < 0.01:
            # Back before the time, by the program itself: beside the server, a process of its own.
            self.counts["present"] += trellis("handoff", "present", rep).returncode == 0
        if self.dice.random() < 0.05:
            self.come_back()
        if self.dice.random() < 0.2:
            self.close()
        status, answer = self.ask("GET", f"/api/handoffs?rep={rep}")
        if status != 200:
            return self.surprises.append((status, answer))
        open_ones = answer["handoffs"]
        for handoff in self.dice.sample(open_ones, min(4, len(open_ones))):
            self.answer(handoff)
        if not open_ones:
            time.sleep(0.02)

    def answer(self, handoff):
        # Some are never answered.
        if (handoff["handoff"] + handoff["offer"]) % 10 == 0:
            return
        roll = self.dice.random()
        if handoff["contact_by"] or handoff["state"] == "accepted":
            what = "contact" if roll < 0.3 else "convert" if roll < 0.8 else "reject" if roll < 0.9 else None
        else:
            what = "accept" if roll < 0.6 else "reject" if roll < 0.9 else "reassign" if roll < 0.92 else None
        if what is None:
            return
        said = {
            "reject": {"reason": self.dice.choice(["no budget", "wrong person"])},
            "reassign": {"rep": self.dice.choice(list(REPS))},
        }.get(what, {})
        self.say(handoff["handoff"], what, said)

    def say(self, handoff, what, said):
        status, answer = self.ask("POST", f"/api/handoffs/{handoff}/{what}", said)
        if status == 200:
            self.acknowledged.append((handoff, what, answer["lead"]))
        elif status not in (409, 503):
            self.surprises.append((status, what, answer))
        self.counts[what if status == 200 else {409: "too late", 503: "too busy"}.get(status, "surprise")] += 1

    def close(self):
        """What became of a deal."""
        mine = [(handoff, lead) for handoff, what, lead in self.acknowledged[-40:] if what == "convert"]
        if mine:
            what = self.dice.choice(["won", "lost"])
            self.say(self.dice.choice(mine)[0], what, {"reason": "price"} if what == "lost" else {"amount": 100})

    def go_away(self, rep):
        until = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + self.dice.uniform(2, 10)))
        said = {"rep": rep, "until": until, "hand_over": self.dice.choice(["true", "false"])}
        status, answer = self.ask("POST", "/api/absences", said)
        # A moment that is over by the time it is written is refused.
        if status not in (200, 422, 503):
            self.surprises.append((status, "absence", answer))
        self.counts["absence"] += status == 200

    def come_back(self):
        """Leads whose rest is over show interest again."""
        status, answer = self.ask("GET", "/api/leads?stage=lead&limit=100")
        for lead in answer["leads"] if status == 200 else []:
            if self.dice.random() < 0.5:
                status, _ = self.ask("POST", f"/api/leads/{lead['id']}/activities", {"kind": "demo.booked"})
                self.counts["demo"] += status in (200, 201)


def observe(found):
    """Looks at the file until the end; what is wrong, by what it is."""
    crm = sqlite3.connect(f"file:{FOLDER}/crm.sqlite?mode=ro", uri=True, timeout=30, isolation_level=None)
    while not stop.is_set():
        for wrong in look(crm, CAPACITY):
            found[1].append(wrong)
        found[0] += 1
        time.sleep(0.1)
    crm.close()


def bring_leads(kept):
    """Portion after portion, each when some of the last are answered; an import that is refused is tried again."""
    for portion in range(PORTIONS):
        while trellis("import", f"leads{portion}.csv").returncode != 0 and not stop.is_set():
            time.sleep(0.5)
        kept.append(portion)
        time.sleep(LEADS / PORTIONS / 200)


def disturb(importer):
    """Kills one run after the other, until there were enough kills and every lead has come; the last one goes on."""
    kills, down = 0, 0.0
    server = start_server()
    while kills < KILLS or importer.is_alive():
        if kills == KILLS:
            time.sleep(0.5)
            continue
        second = start("work") if kills % 3 == 2 else None
        time.sleep(random.uniform(0.2, 3 + LEADS / 2000))
        gone = time.monotonic()
        for process in [server, second]:
            if process is not None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        kills += 1
        server = start_server()
        down = max(down, time.monotonic() - gone)
    return server, kills, down


def finish(moment):
    """Waits until all that was due by a moment has been done. Clocks go on to run, so the work as a whole never ends."""
    crm = sqlite3.connect(f"file:{FOLDER}/crm.sqlite?mode=ro", uri=True, timeout=30, isolation_level=None)

    def ask(sql, *values):
        return crm.execute(sql, values).fetchone()[0]

    # What is due becomes an event, which is handled and may make another appointment that is due: twice in a row there
    # is none of it.
    end, calm, last = time.monotonic() + 300, 0, ask("SELECT max(id) FROM events")
    while calm < 2 and time.monotonic() < end:
        time.sleep(0.25)
        if ask("SELECT min(last_event_id) FROM subscribers") < last:
            continue
        is_due = ask("SELECT EXISTS (SELECT 1 FROM scheduled_events WHERE due_at <= ?)", moment)
        calm, last = 0 if is_due else calm + 1, ask("SELECT max(id) FROM events")
    return calm == 2


with tempfile.TemporaryDirectory(prefix="trellis-handoff-lab-", ignore_cleanup_errors=True) as FOLDER:
    PORT, ADMIN = free_ports(2)
    ENVIRONMENT = {
        **os.environ, "TRELLIS_SECRET": "0123456789abcdef" * 2, "TRELLIS_ADMIN_TOKEN": TOKEN, "TRELLIS_LOG": "warning"}
    random.seed(SEED)
    begin = time.perf_counter()
    print(f"seed {SEED}: {LEADS} leads, {len(REPS)} reps, {CLIENTS} clients, {KILLS} kills at random moments",
          flush=True)
    make_site()
    stop, found, portions = threading.Event(), [0, []], []
    trellis("import", "leads0.csv")
    clients = [Client(number) for number in range(CLIENTS)]
    importer = threading.Thread(target=bring_leads, args=(portions,), daemon=True)
    observer = threading.Thread(target=observe, args=(found,), daemon=True)
    for thread in [importer, observer, *clients]:
        thread.start()
    server, kills, down = disturb(importer)
    # The clocks of what nobody answered run out, and the leads go on.
    time.sleep(ACCEPT + 5)
    stop.set()
    for thread in [observer, *clients]:
        thread.join(60)
    rest = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    finished = finish(rest)
    server.send_signal(signal.SIGTERM)
    stopped = server.wait(timeout=60)

    judge = Judge(FOLDER, REPS, CAPACITY)
    judge.check("at every moment each lead had one holder or was in the queue, and nobody too many",
                found[0] > 20 and not found[1], f"{found[0]} looks, {found[1][:3]}")
    surprises = [surprise for client in clients for surprise in client.surprises]
    judge.check("the API answered as it is described", not surprises, surprises[:3])
    judge.check("the server did all that was due by then, and stopped well", finished and stopped == 0)
    judge.leads(LEADS)
    judge.acknowledged([each for client in clients for each in client.acknowledged])
    judge.clocks(rest, down)
    judge.weights()
    sample = random.sample(range(1, LEADS + 1), min(40, LEADS))
    judge.traces(lambda lead: trellis("trace", str(lead), "--json"), sample)
    doctor = trellis("doctor", "--strict")
    judge.check("doctor finds every promise kept", doctor.returncode == 0,
                doctor.stdout[-500:] if doctor.returncode else "")
    counts = sum((client.counts for client in clients), collections.Counter())
    meant = ["accept", "reject", "contact", "convert", "reassign", "absence", "won", "lost", "demo"]
    undone = [what for what in meant if counts[what] == 0]
    judge.check("everything that reps do was done", not undone, undone)
    took = sorted(each for client in clients for each in client.took)
    print(f"{len(took)} requests were answered in {took[len(took) // 2] * 1000:.0f} ms (median), "
          f"{took[len(took) * 99 // 100] * 1000:.0f} ms (99 of 100)")
    print(f"{kills} kills, {tries} starts that had to be tried again, {found[0]} looks at the file, {dict(sorted(counts.items()))}")
    print(f"{judge.summary()}; {time.perf_counter() - begin:.0f} s in all")
    print(f"{judge.passed} passed, {judge.failed} failed")
    sys.exit(1 if judge.failed else 0)
