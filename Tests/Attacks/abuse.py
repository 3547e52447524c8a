"""The same thing many times: list bombing, double clicks, and more than a visitor may (A11, A12, A45, A28)."""

import itertools
import os
import socket
import time

from client import URLENCODED, head_of_form, statuses, together
from forms import address

TITLE = "Many times"
DOUBLE = ["course", "club", "talk"]
BOTH_AT_ONCE = 50
FORMS_PER_MINUTE, FORMS_PER_NETWORK, REQUESTS_PER_MINUTE = 60, 200, 300
LIMITS = ("forms_per_minute: 100000, requests_per_minute: 1000000",
          f"forms_per_minute: {FORMS_PER_MINUTE}, network_forms_per_minute: {FORMS_PER_NETWORK}, "
          f"requests_per_minute: {REQUESTS_PER_MINUTE}")


def bombs(lab):
    return 10_000 if lab.is_long else 2_000


def open_forms(lab):
    for magnet in DOUBLE:
        lab.forms.open(magnet, bombs(lab) // 3 + 30)
    lab.forms.open("guide", 2 * BOTH_AT_ONCE + 110)


def run(lab):
    double_clicks(lab)
    list_bombing(lab)
    many_strangers(lab)
    limits(lab)
    behind_a_proxy(lab)


# A12


def double_clicks(lab):
    server, forms = lab.server, lab.forms
    who, token = address("double"), lab.forms.token("guide")
    fields = {"email": who, "first_name": "Ann", "company": "Acme", "consent_newsletter": "on"}
    answers = together(lambda _: forms.send("guide", fields, token=token), range(BOTH_AT_ONCE), BOTH_AT_ONCE)
    server.settle()
    lead = server.lead(who)["id"]
    found = {
        "answers": {answer.status
                    for answer in answers}, "leads": server.value("SELECT count(*) FROM leads WHERE email = ?", who)
    }
    found |= {
        kind: server.value("SELECT count(*) FROM events WHERE lead_id = ? AND kind = ?", lead, kind)
        for kind in ["lead.created", "form.submitted", "consent.granted", "asset.downloaded"]
    }
    found["mails"] = sorted(str(mail["Subject"])[-9:] for mail in server.mails(who))
    lab.report.same(
        "A12", f"{BOTH_AT_ONCE} posts of one form at once are one lead, one of each event, one of each mail", found, {
            "answers": {303}, "leads": 1, "lead.created": 1, "form.submitted": 1, "consent.granted": 1,
            "asset.downloaded": 1, "mails": sorted(["The guide", "etter, Ann"[-9:]])
        })
    again = forms.send("guide", fields, token=token)
    server.settle()
    count = server.value("SELECT count(*) FROM events WHERE lead_id = ? AND kind = 'form.submitted'", lead)
    lab.report.same("A12", "the back button and a retry after it are none more", (again.status, count), (303, 1))
    who = address("first")
    answers = together(lambda _: forms.send("guide", {"email": who}), range(BOTH_AT_ONCE), BOTH_AT_ONCE)
    server.settle()
    found = {answer.status
             for answer in answers}, server.value("SELECT count(*) FROM leads WHERE email = ?",
                                                  who), len(server.mails(who))
    lab.report.same("A12", f"{BOTH_AT_ONCE} forms of a new person at once are one lead and one mail", found,
                    ({303}, 1, 1))
    token, crowd = forms.token("guide"), [address("crowd") for _ in range(BOTH_AT_ONCE)]
    together(lambda who: forms.send("guide", {"email": who}, token=token), crowd, BOTH_AT_ONCE)
    found = sum(server.lead(who) is not None for who in crowd)
    lab.report.same("A10", f"one form sent for {BOTH_AT_ONCE} addresses at once makes three leads", found, 3)


# A11


def list_bombing(lab):
    server, forms, count = lab.server, lab.forms, bombs(lab)
    spellings = ["victim@reader.example", "Victim@reader.example", "VICTIM@READER.EXAMPLE", " victim@reader.example "]
    posts = itertools.cycle(itertools.product(DOUBLE, spellings))
    work = list(itertools.islice(posts, count))
    begin = time.monotonic()
    answers = together(
        lambda one: forms.send(one[0], {"email": one[1], "first_name": "V", "consent_newsletter": "on"}), work, 8)
    seconds = time.monotonic() - begin
    server.settle()
    mails = server.mails("victim@reader.example")
    found = {answer.status
             for answer in answers
             }, server.value("SELECT count(*) FROM leads WHERE email = 'victim@reader.example'"), len(mails)
    lab.report.same(
        "A11",
        f"{count} forms for one address over {len(DOUBLE)} magnets are one mail ({count / seconds:.0f} a second)",
        found, ({303}, 1, 1))
    lead = server.lead("victim@reader.example")["id"]
    granted = server.value("SELECT count(*) FROM consents WHERE lead_id = ? AND state = 'granted'", lead)
    lab.report.same("A11", "and no consent of theirs", granted, 0)
    together(lambda _: forms.send("guide", {"email": "single@reader.example", "consent_newsletter": "on"}),
             range(100), 8)
    server.settle()
    found = len(server.mails("single@reader.example"))
    lab.report.holds("A11", "100 forms of a magnet without confirmation are one mail a day and one letter", found
                     <= 2, f"{found} mails")


def many_strangers(lab):
    """Addresses of people who know nothing of it, each once."""
    server = lab.start(("confirmations_per_minute: 10000", "confirmations_per_minute: 5"))
    server.forms.open("course", 30)
    crowd = [address("stranger") for _ in range(30)]
    answers = together(lambda who: server.forms.send("course", {"email": who}), crowd, 4)
    is_made = "SELECT count(*) >= 30 FROM outbox_messages WHERE key GLOB 'confirm:*'"
    is_sent = "SELECT count(*) >= 5 FROM outbox_messages WHERE state = 'sent'"
    for _ in range(200):
        if server.value(is_made) and server.value(is_sent):
            break
        time.sleep(0.05)
    # Time for one too many to show itself.
    time.sleep(1)
    states = [tuple(row) for row in server.rows("SELECT state, count(*) FROM outbox_messages GROUP BY 1 ORDER BY 1")]
    found = {answer.status for answer in answers}, states, len(server.mails())
    lab.report.same("A11", "forms for 30 strangers are 5 mails in the first minute, and the others wait", found,
                    ({303}, [("sent", 5), ("waiting", 25)], 5))
    status = server.command("status").stdout
    lab.report.holds("A11", "and the status says so", "25 messages, the next at" in status, status[:400])
    server.stop()


# A45


def burst(client, count, headers=lambda number: {}, source=None, path="/forms/guide"):
    """So many forms as fast as they go; what came of each, and how long it took."""
    begin, answers = time.monotonic(), []
    if source:
        return [ask_from(client, source, path) for _ in range(count)], time.monotonic() - begin
    for number in range(count):
        answers.append(client.ask("POST", path, b"email=x", {"Content-Type": URLENCODED} | headers(number)))
    return answers, time.monotonic() - begin


def ask_from(client, source, path):
    """The status of a form that comes from another address of this machine."""
    with socket.create_connection(("127.0.0.1", client.port), source_address=(source, 0)) as end:
        headers = ["Connection: close", "Content-Length: 7", "X-Forwarded-For: 198.51.100.9"]
        end.sendall(head_of_form(*headers, path=path) + b"email=x")
        end.settimeout(5)
        came = b""
        while part := end.recv(65536):
            came += part
        return statuses(came)[0]


def accepted(answers):
    return sum(getattr(answer, "status", answer) != 429 for answer in answers)


def about(found, limit, seconds):
    """Whether so many were let in as the limit says: the bucket, and what flowed into it meanwhile."""
    return limit - 1 <= found <= limit + seconds * limit / 60 + 2


def limits(lab):
    server = lab.start(LIMITS)
    answers, seconds = burst(server.public, 3 * FORMS_PER_MINUTE)
    found = accepted(answers)
    lab.report.holds("A45", f"of three times as many forms as a visitor may send, a third is taken ({found})",
                     about(found, FORMS_PER_MINUTE, seconds), found)
    refused = [answer for answer in answers if answer.status == 429]
    waits = {answer.header("retry-after") for answer in refused}
    lab.report.holds("A45", "the others are 429 and say when to come again", refused
                     and all(wait and wait.isdigit() and 1 <= int(wait) <= 60 for wait in waits), waits)
    rotations = [("X-Forwarded-For", lambda n: f"203.0.113.{n}"),
                 ("X-Forwarded-For", lambda n: f"203.0.113.{n}, 127.0.0.1"),
                 ("X-Real-IP", lambda n: f"203.0.113.{n}"), ("Forwarded", lambda n: f"for=203.0.113.{n}"),
                 ("True-Client-IP", lambda n: f"203.0.113.{n}"), ("CF-Connecting-IP", lambda n: f"203.0.113.{n}"),
                 ("X-Client-IP", lambda n: f"203.0.113.{n}"), ("User-Agent", lambda n: f"Browser/{n}"),
                 ("Cookie", lambda n: f"trellis_visitor={n:032x}")]
    begin = time.monotonic()
    answers = [
        answer for name, value in rotations for answer in burst(server.public, 15, lambda n: {name: value(n)})[0]
    ]
    found, flowed = accepted(answers), time.monotonic() - begin
    lab.report.holds("A28", "no header of a visitor makes another visitor of them", found <= flowed + 2,
                     f"{found} more were taken in {flowed:.1f} s")
    paths = [
        "/forms/guide?x=1", "//forms/guide", "/forms/sheet", "/visitor", "/confirm/x", "/preferences/x",
        "/forms/%67uide", "/none"
    ]
    begin = time.monotonic()
    found = sum(accepted(burst(server.public, 5, path=path)[0]) for path in paths)
    lab.report.holds("A45", "nor does another path or another form", found <= time.monotonic() - begin + 2,
                     f"{found} more were taken")
    found = accepted(burst(server.public, 20, path="/unsubscribe/x")[0])
    lab.report.same("A45", "who wants to leave is let through all the same", found, 20)
    others = [accepted(burst(server.public, 10, source=f"127.0.0.{n}")[0]) for n in (2, 3)]
    lab.report.same("A45", "other visitors notice nothing", others, [10, 10])
    begin = time.monotonic()
    found = sum(accepted(burst(server.public, 30, source=f"127.0.1.{n}")[0]) for n in range(1, 21))
    lab.report.holds("A45", f"of three times as many forms as a network may send, a third is taken ({found})",
                     about(found, FORMS_PER_NETWORK, time.monotonic() - begin), found)
    found = accepted(burst(server.public, 10, source="127.0.2.1")[0])
    lab.report.same("A45", "and another network notices nothing", found, 10)
    time.sleep(max(int(wait) for wait in waits) + 0.2)
    lab.report.holds("A45", "after the time it says the next form is taken",
                     accepted(burst(server.public, 1)[0]) == 1)
    begin, codes = time.monotonic(), []
    for method, path in itertools.islice(
            itertools.cycle([("GET", "/offers/guide"), ("HEAD", "/"), ("GET", "/none"), ("OPTIONS", "/forms/guide"),
                             ("GET", "/forms/guide")]), 3 * REQUESTS_PER_MINUTE):
        codes.append(server.public.ask(method, path).status)
    found, seconds = sum(code != 429 for code in codes), time.monotonic() - begin
    # Some of them were spent by the forms to leave and the start.
    lab.report.holds(
        "A45", f"of three times as many requests as a visitor may make, a third is answered ({found})",
        0.8 * REQUESTS_PER_MINUTE <= found <= REQUESTS_PER_MINUTE + seconds * REQUESTS_PER_MINUTE / 60 + 2, found)
    restarts(lab, server)
    server.stop()


def restarts(lab, server):
    """A stop and a crash give nobody a full bucket again."""
    burst(server.public, 2 * FORMS_PER_MINUTE)
    server.stop()
    name = os.path.join(server.site, "crm.sqlite-limits")
    with open(name) as file:
        kept = file.read()
    lab.report.holds("A45", "what is kept over a stop names no visitor, and nobody else may read it",
                     "127.0.0" not in kept and os.stat(name).st_mode & 0o077 == 0, kept[:200])
    server.start()
    begin = time.monotonic()
    found = accepted(burst(server.public, 2 * FORMS_PER_MINUTE)[0])
    lab.report.holds("A45", f"after a stop a visitor goes on with what was left ({found})",
                     found <= 0.25 * FORMS_PER_MINUTE + (time.monotonic() - begin) * FORMS_PER_MINUTE / 60, found)
    server.process.kill()
    server.process.wait()
    server.start()
    answers, seconds = burst(server.public, 2 * FORMS_PER_MINUTE)
    found = accepted(answers)
    lab.report.holds("A45", f"and after a crash with half ({found})", about(found, FORMS_PER_MINUTE // 2, 2 * seconds),
                     found)


def behind_a_proxy(lab):
    server = lab.start(LIMITS, ("trusted_proxies: []", "trusted_proxies: [127.0.0.1, 10.0.0.0/8]"))

    def forwarded(value):
        return lambda number: {"X-Forwarded-For": value(number)}

    found = accepted(burst(server.public, 2 * FORMS_PER_MINUTE, forwarded(lambda n: f"203.0.{n}.1"))[0])
    lab.report.same("A28", "behind a trusted proxy each of its visitors has a limit of their own", found,
                    2 * FORMS_PER_MINUTE)
    network = server.value("SELECT network FROM magnets_quarantine ORDER BY id LIMIT 1")
    lab.report.same("A28", "and it is their network that is kept", network, "203.0.0.0/24")
    for sentence, value in [("what a visitor writes before it", lambda n: f"198.51.100.{n}, 203.0.113.7"),
                            ("an address of the proxies before it", lambda n: f"10.0.0.{n}, 203.0.113.8, 10.1.2.3"),
                            ("another address of one household", lambda n: f"2001:db8:7:7::{n:x}"),
                            ("the same address written otherwise",
                             lambda n: ["203.0.113.9", "::ffff:203.0.113.9", " 203.0.113.9 "][n % 3]),
                            ("what is no address", lambda n: [
                                "unknown", "",
                                "203.0.113.9:%d" % n,
                                "[2001:db8::%d]" % n,
                                "203.0.113.%d, x" % n,
                                "1.2.3.4.%d" % n,
                                "%d" % n,
                                "0x7f.%d" % n
                            ][n % 8])]:
        answers, seconds = burst(server.public, 2 * FORMS_PER_MINUTE, forwarded(value))
        found = accepted(answers)
        lab.report.holds("A28", f"{sentence} makes no visitor more ({found})",
                         about(found, FORMS_PER_MINUTE, seconds), found)
    direct, seconds = burst(server.public, 2 * FORMS_PER_MINUTE, source="127.0.0.2")
    lab.report.holds("A28", "and whoever is no proxy is not believed",
                     about(accepted(direct), FORMS_PER_MINUTE, seconds), accepted(direct))
    server.stop()
