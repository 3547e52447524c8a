"""The house's own door: who may come in, what stands open on a fresh site, and which pages may call it (A25 to A29)."""

import json
import os
import re
import secrets
import time
import urllib.parse

from client import together
from forms import address
from server import Server

TITLE = "The API, origins and hosts"
GETS = ["/api/leads", "/api/leads/1", "/api/leads/1/timeline", "/api/openapi.json", "/metrics"]
POSTS = ["/api/leads/1/activities"]
OWN, FOREIGN = "https://www.partner.example", [
    "https://evil.example", "https://www.partner.example.evil.example", "https://evilwww.partner.example",
    "http://www.partner.example", "https://www.partner.example:8443", "https://www.partner.example/",
    "https://WWW.PARTNER.EXAMPLE", "null", "*", "", "file://", "https://www.partner.example, https://evil.example",
    "https://www.partner.example@evil.example"
]


def open_forms(lab):
    lab.forms.open("guide", 60)


def run(lab):
    default_exposure(lab)
    tokens(lab)
    guesses(lab)
    parameters(lab)
    activities(lab)
    origins(lab)
    hosts(lab)
    configs(lab)


# A29


def listening(process):
    """The addresses a process listens on, as /proc writes them."""
    sockets = set()
    for name in os.listdir(f"/proc/{process.pid}/fd"):
        try:
            sockets |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(f"/proc/{process.pid}/fd/{name}")))
        except OSError:
            pass
    found = set()
    for table in ["tcp", "tcp6", "udp", "udp6"]:
        with open(f"/proc/net/{table}") as file:
            for line in list(file)[1:]:
                parts = line.split()
                if parts[9] in sockets and (parts[3] == "0A" or table.startswith("udp")):
                    found.add((table, parts[1].split(":")[0], int(parts[1].split(":")[1], 16)))
    return found


def default_exposure(lab):
    server = lab.server
    wanted = {("tcp", "0100007F", server.public.port), ("tcp", "0100007F", server.admin.port)}
    lab.report.same("A29", "the process listens on 127.0.0.1 alone, at two ports", listening(server.process), wanted)
    own = {"Authorization": f"Bearer {server.token}"}
    found = {(path, lab.public.ask(method, path, b"" if method == "POST" else None, own).status)
             for method, paths in [("GET", GETS), ("POST", POSTS)]
             for path in paths}
    found |= {(path, lab.public.get(path).status)
              for path in ["/api", "/api/", "//api/leads", "/api%2fleads", "/API/leads", "/%61pi/leads"]}
    lab.report.none("A29", "the API and the figures are not at the public port, not even with the token",
                    [one for one in found if one[1] != 404])
    found = {
        path: server.ask_admin("GET", path).status
        for path in ["/", "/offers/guide", "/forms/guide", "/visitor"]
    }
    lab.report.same("A29", "nor the pages at the other", set(found.values()), {404})


# A25, A27


def tokens(lab):
    server, token = lab.server, lab.server.token
    wrong = [
        None, "", "Bearer", "Bearer ", "Bearer " + token + " x", "Bearer " + token[:-1], "Bearer " + token + "0",
        "Bearer " + token[:-1] + ("0" if token[-1] != "0" else "1"),
        "Bearer " + ("0" if token[0] != "0" else "1") + token[1:],
        "Bearer " + token.upper() if token.upper() != token else "Bearer x", "Bearer " + "0" * 64,
        "Bearer " + token * 2, token, "Basic " + token, "Basic OnRva2Vu", "Token " + token, "Bearer\t" + token,
        "Bearer " + "A" * 10_000, "Bearer null", "Bearer undefined", "Digest username=x", f"Bearer x, Bearer {token}",
        "Bearer " + server.secret, "Bearer %s%n", "Bearer ' OR 1=1"
    ]
    before, problems = server.counts(), []
    for value in wrong:
        for method, path in [("GET", path) for path in GETS] + [("HEAD", "/api/leads")] + [("POST", path)
                                                                                           for path in POSTS]:
            headers = {"Content-Type": "application/json"} | ({} if value is None else {"Authorization": value})
            answer = server.admin.ask(method, path, b"{}" if method == "POST" else None, headers)
            if answer.status != 401 or not answer.header("www-authenticate") or b"email" in answer.body:
                problems.append(f"{method} {path} with {str(value)[:40]!r}: {answer}")
    lab.report.none("A25", f"{len(wrong)} wrong tokens are 401 at every door", problems)
    quoted = urllib.parse.quote(token)
    found = [
        server.admin.get(f"/api/leads?token={quoted}&access_token={quoted}&Authorization=Bearer%20{quoted}"),
        server.admin.get("/api/leads", cookie=f"token={token}; Authorization=Bearer {token}"),
        server.admin.get("/api/leads", x_api_key=token),
        server.admin.get("/api/leads", proxy_authorization=f"Bearer {token}"),
        server.admin.post("/api/leads/1/activities", {"Authorization": f"Bearer {token}", "token": token})
    ]
    lab.report.same("A27", "a token in a parameter, a cookie, a field or another header counts nothing",
                    {answer.status
                     for answer in found}, {401})
    good = [server.ask_admin("GET", path).status for path in GETS if "/1" not in path]
    lab.report.same("A25", "the right one opens", set(good), {200})
    lab.report.same("A25", "and nothing was changed", server.counts(), before)
    methods = {(method, server.ask_admin(method, path).status)
               for method in ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW"]
               for path in ["/api/leads", "/api/leads/1"]}
    lab.report.none("A27", "no other method does anything",
                    [one for one in methods if one[1] not in (400, 404, 405, 501)])


def guesses(lab):
    """Each guess is another token. The server of the lab lets one address guess, so that the other checks may. Programs
    of this machine are let in, so that a proxy brings the guesses."""
    server = lab.start(("wrong_tokens: 1000000", "wrong_tokens: 5"),
                       ("trusted_proxies: []", "trusted_proxies: [127.0.0.1]"))
    count, guesser, other = 10_000 if lab.is_long else 700, "203.0.113.7", "198.51.100.4"
    begin = time.monotonic()
    answers = together(
        lambda _: server.admin.get("/api/leads", authorization=f"Bearer {secrets.token_hex(32)}",
                                   x_forwarded_for=guesser), range(count), 8)
    seconds = time.monotonic() - begin
    found = sum(answer.status == 401 for answer in answers)
    lab.report.holds("A25", f"of {count} guesses in {seconds:.0f} s from one address {found} are compared", 5 <= found
                     <= 20, found)
    refused = [answer for answer in answers if answer.status != 401]
    waits = {(answer.status, (answer.header("retry-after") or "").isdigit()) for answer in refused}
    lab.report.same("A25", "the others are 429 and say when to come again", waits, {(429, True)})
    for _ in range(4):
        mine = server.ask_admin("GET", "/api/leads", x_forwarded_for=guesser)
        if mine.status == 429:
            break
        # Where its wait was just over, one more wrong guess begins another, twice as long.
        server.admin.get("/api/leads", authorization=f"Bearer {secrets.token_hex(32)}", x_forwarded_for=guesser)
    lab.report.same("A25", "meanwhile the right one is not heard from there", mine.status, 429)
    lab.report.same("A25", "but it is from another address",
                    server.ask_admin("GET", "/api/leads", x_forwarded_for=other).status, 200)
    wrong = {server.admin.get("/api/leads", authorization=f"Bearer {number}").status for number in range(20)}
    lab.report.same("A25", "a program of this machine is never told to wait", wrong, {401})
    with open(server.log, errors="replace") as log:
        told = sum("wrong tokens came" in line for line in log)
    lab.report.same("A25", "the log says it once", told, 1)
    server.stop()
    server.start()
    old = [server.admin.get("/api/leads", authorization="Bearer of last year", x_forwarded_for=other).status
           for _ in range(20)]
    lab.report.same("A25", "a program with an old token is told to wait", (old[:5], 429 in old), ([401] * 5, True))
    lab.report.same("A25", "and the others of its address are not",
                    server.ask_admin("GET", "/api/leads", x_forwarded_for=other).status, 200)
    server.stop()


# A34: names and values of the API


def parameters(lab):
    server = lab.server
    who = address("api")
    lab.forms.send("guide", {"email": who, "first_name": "Ann"})
    lead, total = server.lead(who)["id"], server.value("SELECT count(*) FROM leads")
    problems = []
    hostile = [
        "' OR 1=1 --", "\" OR 1=1 --", "1; DROP TABLE leads", "%", "*", "\\", "x' UNION SELECT * FROM api_calls --",
        "]", "`"
    ]
    for name in ["email", "stage", "owner", "country", "source", "campaign", "external_id"]:
        for value in hostile:
            answer = server.ask_admin("GET", "/api/leads?" + urllib.parse.urlencode({name: value}))
            if answer.status != 200 or answer.json()["leads"]:
                problems.append(f"{name}={value}: {answer}")
    for name in ["sort", "order", "columns", "id) OR (1", "email = '' OR email", "]", "\"", "limit[]"]:
        answer = server.ask_admin("GET", "/api/leads?" + urllib.parse.urlencode({name: "id; DROP TABLE leads"}))
        if answer.status not in (200, 400):
            problems.append(f"{name}: {answer}")
    for query in [
            "limit=0", "limit=-1", "limit=1001", "limit=1e3", "limit=", "limit=1;2", "limit=99999999999999999999",
            "after=x", "after=", "after=1.5", "after=99999999999999999999", "limit=%00", "limit=%ff", "limit=1%0a"
    ]:
        answer = server.ask_admin("GET", f"/api/leads?{query}")
        if answer.status != 400:
            problems.append(f"{query}: expected 400, found {answer}")
    for reference in [
            "0", "-1", "99999999", "99999999999999999999", "1%20OR%201=1", "%27", "1%27--", "..", "%2e%2e", "%00",
            "%ff", "nobody@reader.example", "*", "%25", "null", "1%0a2", "+1", "1e0", "0x1", "x" * 5000
    ]:
        for end in ["", "/timeline"]:
            answer = server.ask_admin("GET", f"/api/leads/{reference}{end}")
            if answer.status not in (400, 404) and not (reference in ("+1", "1e0", "0x1") and answer.status == 200):
                problems.append(f"lead {reference[:30]}{end}: expected 404, found {answer}")
    lab.report.none("A34", "no name and no value of a parameter reaches SQL", problems)
    lab.report.same("A34", "and all leads are there", server.value("SELECT count(*) FROM leads"), total)
    answer = server.ask_admin("GET", f"/api/leads/{urllib.parse.quote(who)}")
    lab.report.same("A34", "a lead is found by its number and its address", (answer.status, answer.json().get("id")),
                    (200, lead))


def activities(lab):
    server, problems = lab.server, []
    lead = server.value("SELECT max(id) FROM leads")
    path = f"/api/leads/{lead}/activities"
    server.settle()
    before = server.value("SELECT count(*) FROM events")
    for body, kind, wanted in [(b"", "", 400), (b"", "application/json", 400), (b"{}", "application/json", 400),
                               (b"[]", "application/json", 400), (b"null", "application/json", 400),
                               (b'{"kind": "demo.booked"', "application/json", 400), (b"kind=x", "text/plain", 415),
                               (b"<x/>", "application/xml", 415),
                               (b'{"kind": "lead.created"}', "application/json", 422),
                               (b'{"kind": "mail.sent"}', "application/json", 422),
                               (b'{"kind": "form.confirmed", "form": "course"}', "application/json", 422),
                               (b'{"kind": "x"}', "application/json", 422),
                               (b'{"kind": "no.such", "x": "y"}', "application/json", 422),
                               (b'{"kind": {"a": 1}}', "application/json", 400),
                               (b'{"kind": "trial.started", "ends_on": "never"}', "application/json", 422),
                               (b'{"kind": "trial.started", "x": "1"}', "application/json", 422),
                               (b'{"kind": "trial.started", "ends_on": "2026-01-31", "lead_id": "1"}',
                                "application/json", 422), (b'{"kind":"' + b"[" * 100_000, "application/json", 400),
                               (b"[" * 200_000, "application/json", 400), (b"x" * 300_000, "application/json", 413)]:
        answer = server.ask_admin("POST", path, body, Content_Type=kind)
        if answer.status != wanted or answer.header("content-type") != "application/json":
            problems.append(f"{body[:50]!r} as {kind!r}: expected {wanted} as JSON, found {answer}")
    lab.report.none("A27", "what is no declared fact in JSON is refused as JSON", problems)
    server.settle()
    lab.report.same("A27", "and is not logged", server.value("SELECT count(*) FROM events"), before)
    fact = json.dumps({"kind": "trial.started", "ends_on": "2030-01-31"}).encode()
    codes = [
        server.ask_admin("POST", path, fact, Content_Type="application/json", Idempotency_Key="k1").status
        for _ in range(3)
    ]
    codes.append(
        server.ask_admin("POST",
                         path,
                         fact.replace(b"31", b"30"),
                         Content_Type="application/json",
                         Idempotency_Key="k1").status)
    codes += [
        server.ask_admin("POST", path, fact, Content_Type="application/json", Idempotency_Key=key).status
        for key in ["", "k" * 201]
    ]
    lab.report.same("A12", "a call under one key counts once, and another under it is refused", codes,
                    [201, 200, 200, 409, 400, 400])
    found = server.value("SELECT count(*) FROM events WHERE lead_id = ? AND kind = 'trial.started'", lead)
    lab.report.same("A12", "and is one event", found, 1)


# A27, A28


def origins(lab):
    problems = []
    doors = [("POST", "/forms/guide"), ("OPTIONS", "/forms/guide"), ("GET", "/forms/guide")]
    others = [("GET", "/offers/guide"), ("POST", "/unsubscribe/x"), ("OPTIONS", "/unsubscribe/x"),
              ("POST", "/confirm/x"), ("GET", "/preferences/x"), ("OPTIONS", "/preferences/x"),
              ("GET", "/download/x"), ("GET", "/"), ("OPTIONS", "/"), ("GET", "/thanks/x"), ("GET", "/nothing")]
    for origin in FOREIGN + [OWN]:
        for method, path in doors + others:
            for kind in ["application/x-www-form-urlencoded", "application/json"]:
                headers = {
                    "Origin": origin, "Content-Type": kind, "Access-Control-Request-Method": "POST", "Accept": kind
                }
                answer = lab.public.ask(method, path, b"" if method == "POST" else None, headers)
                said, sentence = answer.header("access-control-allow-origin"), f"{method} {path} from {origin!r}"
                if origin != OWN and said or (method, path) in others and said:
                    problems.append(f"{sentence}: Access-Control-Allow-Origin: {said}")
                if answer.header("access-control-allow-credentials") or said == "*":
                    problems.append(f"{sentence}: credentials or everybody")
    lab.report.none("A27", f"pages of {len(FOREIGN)} other origins may read nothing", problems)
    preflight = lab.public.ask("OPTIONS",
                               "/forms/guide",
                               headers={
                                   "Origin": OWN, "Access-Control-Request-Method": "POST",
                                   "Access-Control-Request-Headers": "content-type"
                               })
    form = lab.forms.send("guide", {"email": address("origin")}, "json", origin=OWN)
    fields = lab.public.get("/forms/guide", origin=OWN, accept="application/json")
    refused = lab.public.ask("POST", "/forms/guide", b"{", {"Origin": OWN, "Content-Type": "application/json"})
    found = [(answer.status, answer.header("access-control-allow-origin"), answer.header("vary"))
             for answer in [preflight, form, fields]]
    lab.report.same("A27", "those of the origin in the config may send forms", found, [(204, OWN, "Origin"),
                                                                                       (200, OWN, "Origin"),
                                                                                       (200, OWN, "Origin")])
    lab.report.same("A27", "and may read what was wrong with one",
                    (refused.status, refused.header("access-control-allow-origin")), (400, OWN))
    answer = lab.server.ask_admin("GET", "/api/leads", Origin=OWN)
    lab.report.same("A27", "the API opens to no origin",
                    (answer.status, answer.header("access-control-allow-origin")), (200, None))
    crossing = [
        lab.server.admin.ask(
            "POST", "/api/leads/1/activities", b"kind=trial.started",
            {"Origin": "https://evil.example", "Content-Type": kind, "Cookie": "x=y", "Sec-Fetch-Site": "cross-site"
             }).status
        for kind in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"]
    ]
    lab.report.same("A27", "a form of another site cannot post to the API", set(crossing), {401})


def hosts(lab):
    problems = []
    for client, path, headers in [(lab.public, "/offers/guide", {}),
                                  (lab.server.admin, "/api/leads", {"Authorization": f"Bearer {lab.server.token}"})]:
        for host in [
                "evil.example", "evil.example:80", "crm.example.evil.example", "evil-crm.example",
                "127.0.0.1.evil.example", "127.0.0.1@evil.example", "evil.example#127.0.0.1",
                "evil.example/127.0.0.1", "[::2]", "2130706433", "0x7f.1", "127.1", "10.0.0.1",
                "localhost.evil.example", "metadata.google.internal", "xn--crm-.example", "crm.example,evil.example",
                "crm.example evil.example"
        ]:
            answer = client.ask("GET", path, headers=headers | {"Host": host})
            if answer.status not in (400, 421) or b"evil.example" in answer.body:
                problems.append(f"Host: {host}: {answer}")
    lab.report.none("A28", "a request to another host is 421 at both ports, so that no foreign name points here",
                    problems)
    found = {
        host: lab.public.ask("GET", "/offers/guide", headers={"Host": host}).status
        for host in [
            "crm.example", "CRM.EXAMPLE", "crm.example:443", "offers.example", "localhost",
            f"127.0.0.1:{lab.public.port}", "[::1]"
        ]
    }
    lab.report.same("A28", "the names of the config and of this machine are good", set(found.values()), {200})
    spoofed = {
        "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example;proto=https", "X-Host": "evil.example",
        "X-Original-URL": "/api/leads", "X-Rewrite-URL": "/metrics", "X-HTTP-Method-Override": "POST",
        "Host": "offers.example", "X-Forwarded-Proto": "https"
    }
    pages = [lab.public.ask("GET", path, headers=spoofed) for path in ["/", "/offers/guide", "/forms/guide"]]
    pages.append(lab.public.ask("GET", "/forms/guide", headers=spoofed | {"Accept": "application/json"}))
    lab.report.none(
        "A28", "no link is built from what a request says",
        [page.text[:200] for page in pages if "evil.example" in page.text or "offers.example" in page.text])
    lab.report.same("A28", "and no header changes what is asked for", pages[1].status, 200)


def configs(lab):
    """Configs that would open the API to everybody are refused."""
    listen = 'admin: {listen: "127.0.0.1:0", token: "${TRELLIS_ADMIN_TOKEN}", wrong_tokens: 1000000}'
    problems = []
    for replacement, environment, sentence in [
        ('admin: {listen: "0.0.0.0:0", token: "${TRELLIS_ADMIN_TOKEN}"}', {}, "without encryption"),
        ('admin: {listen: "[::]:0", token: "${TRELLIS_ADMIN_TOKEN}"}', {}, "without encryption"),
        (listen, {"TRELLIS_ADMIN_TOKEN": "short"}, "shorter than 32"),
        (listen, {"TRELLIS_SECRET": "short"}, "shorter than 16")
    ]:
        server = Server(lab.binary, lab.report, [(listen, replacement)])
        outcome = server.command("check", **environment)
        if outcome.returncode != 78 or sentence not in outcome.stdout + outcome.stderr:
            problems.append(f"{replacement[:40]}: {outcome.returncode} {outcome.stdout} {outcome.stderr}")
        server.remove()
    lab.report.none("A29", "an API without encryption, a short token and a short secret are refused with 78",
                    problems)
    server = Server(lab.binary, lab.report, [(', token: "${TRELLIS_ADMIN_TOKEN}"', "")], {"TRELLIS_ADMIN_TOKEN": ""})
    lab.servers.append(server)
    server.start()
    found = {entry[1] for entry in listening(server.process)}, len(listening(server.process))
    server.stop()
    lab.report.same("A29", "without a token there is no API at all", found, ({"0100007F"}, 1))
