"""Too much: of a body, of fields, of a text, of connections, and of time (A1, A2, A43, A46)."""

import gzip
import socket
import time

from client import URLENCODED, drain, encode, head_of_form, multipart, statuses
from forms import address
from patience import Slow

TITLE = "Too much"
MEGABYTE = 1024 * 1024
BODY_MAX = 262_144
MULTIPART = "multipart/form-data; boundary=attack-boundary"


def open_forms(lab):
    lab.forms.open("guide", 30)
    lab.slow = Slow(lab)


def run(lab):
    bodies(lab)
    fields(lab)
    endless(lab)
    quick(lab)
    lab.slow.report()


# A2


def bodies(lab):
    problems, before = [], lab.server.memory
    for sentence, body, kind, wanted in [
        ("10 MB", b"a=" + b"x" * 10 * MEGABYTE, URLENCODED, {413}),
        ("10 MB of JSON", b'{"a": "' + b"x" * 10 * MEGABYTE, "application/json", {413}),
        ("10 MB in parts", multipart([("a", b"x" * 10 * MEGABYTE)]), MULTIPART, {413}),
        ("256 KB and a byte", b"x" * (BODY_MAX + 1), URLENCODED, {413}),
        ("a name of 1 MB", b"x" * MEGABYTE + b"=1", URLENCODED, {413}),
        ("a name of 200 KB", b"x" * 200_000 + b"=1", URLENCODED, {400}),
        ("a name of 201 bytes", b"x" * 201 + b"=1", URLENCODED, {400}),
        ("a text of 64 KB and a byte", b"note=" + b"x" * 65_537, URLENCODED, {400}),
        ("201 fields", b"&".join(b"f%d=1" % n for n in range(201)), URLENCODED, {400}),
        ("10,000 fields", b"&".join(b"f%d=1" % n for n in range(10_000)), URLENCODED, {400}),
        ("50,000 fields of one name", b"a&" * 50_000, URLENCODED, {400}),
        ("2,500 parts", multipart([(f"f{n}", "1") for n in range(2_500)]), MULTIPART, {400}),
        ("10,000 keys of JSON", encode([(f"f{n}", "1") for n in range(10_000)],
                                       "json")[0], "application/json", {400}),
        ("an array of 10,000 texts", b'{"a": [' + b'"x",' * 9_999 + b'"x"]}', "application/json", {400}),
        ("JSON 100,000 deep", b'{"a":' * 50_000, "application/json", {400}),
        ("arrays 200,000 deep", b"[" * 200_000, "application/json", {400}),
        ("a file", multipart([('a"; filename="x.php', "x")]), MULTIPART, {415}),
        ("a part without an end", multipart([("a", "b")])[:-8], MULTIPART, {400}),
        ("a header of a part of 100 KB", b"--attack-boundary\r\nX: " + b"a" * 100_000 + b"\r\n", MULTIPART, {400}),
        ("no boundary", multipart([("a", "b")]), "multipart/form-data", {400}),
        ("a boundary of 71", b"", "multipart/form-data; boundary=" + "b" * 71, {400}),
        ("parts in parts", multipart([("a", "b")]), "multipart/mixed; boundary=attack-boundary", {415}),
        ("XML", b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>", "text/xml", {415}),
        ("Latin-1", b"a=%E4", URLENCODED + "; charset=iso-8859-1", {415}),
        ("UTF-7", b"+ADw-script", URLENCODED + "; charset=utf-7", {415}),
        ("two content types in one", b"a=b", URLENCODED + ", text/plain", {400, 415}),
        ("a content type of 10 KB", b"a=b", "a" * 10_000, {400, 415})
    ]:
        begin = time.monotonic()
        answer = lab.public.ask("POST", "/forms/guide", body, {"Content-Type": kind})
        seconds = time.monotonic() - begin
        if answer.status not in wanted or seconds > 2:
            problems.append(f"{sentence}: expected {sorted(wanted)}, found {answer.status} after {seconds:.1f} s")
    lab.report.none("A2", "bodies that are too long, too many or of another kind are refused", problems)
    bomb = gzip.compress(b"email=x%40reader.example&note=" + b"x" * 50 * MEGABYTE)
    codes = [
        lab.public.ask("POST", "/forms/guide", bomb, {"Content-Type": URLENCODED, "Content-Encoding": kind}).status
        for kind in ["gzip", "deflate", "br"]
    ]
    lab.report.holds("A2", "a compressed body is not unpacked", all(400 <= code < 500 for code in codes), codes)
    came, _ = lab.public.raw(head_of_form(f"Content-Length: {1 << 30}"), answers=1)
    lab.report.same("A2", "a body of 1 GB is refused before a byte of it is read", statuses(came), [413])
    queries = [
        lab.public.get("/offers/guide?" + "a&" * 5_000).status,
        lab.public.get("/offers/guide?x=" + "x" * 12_000).status,
        lab.public.get("/offers/guide", cookie="x=y; " * 2_500).status,
        lab.public.get("/offers/guide", x_forwarded_for="1," * 7_000).status
    ]
    lab.report.holds("A2", "long addresses and headers are read or refused",
                     all(code in (200, 400, 414, 431) for code in queries), queries)
    grown = lab.server.memory - before
    lab.report.holds("A2", "and of all that the process keeps less than 10 MB", grown < 10 * MEGABYTE,
                     f"{grown / MEGABYTE:.1f} MB")


def fields(lab):
    """Texts at the edges of what a field takes."""
    problems = []
    for name, length in [("first_name", 500), ("first_name", 501), ("company", 65_536), ("title", 501),
                         ("city", 65_536), ("note", 65_536), ("phone", 65_536), ("country", 65_536),
                         ("decides_on", 65_536), ("employees", 65_536), ("interest", 65_536), ("_page", 65_536),
                         ("_referrer", 65_536), ("_ref", 65_536), ("last_name", 501)]:
        for character in ["x", "é", "1"]:
            text = character * (length // len(character.encode()) if length > 501 else length)
            answer = lab.forms.send("guide", {"email": "long@reader.example", name: text},
                                    token=lab.forms.token("guide"))
            if answer.status not in (303, 400, 413, 422):
                problems.append(f"{name} of {length} {character!r}: {answer}")
        if name == "first_name" and length == 501 and answer.status == 303 and len(
                lab.server.lead("long@reader.example")[name] or "") > 500:
            problems.append("501 characters were kept")
    lab.report.none("A2", "a text at or beyond the length of its column is taken, or refused with a page", problems)
    who = address("hoard")
    lab.forms.send("guide", [("email", who)] + [(f"undeclared{n}", "x" * 1000) for n in range(190)], token="")
    kept = lab.server.value("SELECT length(fields) FROM magnets_quarantine WHERE email = ?", who)
    lab.report.holds("A1", "of a form that is kept aside less than 20 KB is kept", kept < 20_000, f"{kept} bytes",
                     "the fields it declares, others counted and dropped")


def endless(lab):
    """A body in chunks that never ends."""
    before, most, sent, is_closed, came = lab.server.memory, 0, 0, False, b""
    with socket.create_connection(("127.0.0.1", lab.public.port)) as end:
        end.sendall(head_of_form("Transfer-Encoding: chunked"))
        chunk, stop = b"10000\r\n" + b"x" * 65_536 + b"\r\n", time.monotonic() + 6
        end.settimeout(2)
        while time.monotonic() < stop and sent < 256 * MEGABYTE and not is_closed:
            try:
                end.sendall(chunk)
                sent += len(chunk)
            except OSError:
                is_closed = True
            if sent % (4 * MEGABYTE) < len(chunk):
                most = max(most, lab.server.memory)
        came, closed_now = drain(end, 5)
    lab.report.holds("A2", "an endless body takes less than 10 MB of memory", most - before < 10 * MEGABYTE,
                     f"{(most - before) / MEGABYTE:.1f} MB")
    lab.report.holds("A2", "is refused with 413", not statuses(came) or statuses(came)[0] == 413, statuses(came))
    lab.report.holds("A2", "and its connection is closed", is_closed or closed_now,
                     f"after {sent / MEGABYTE:.0f} MB it was still read")


# A46


def quick(lab):
    long, problems = 65_000, []
    texts = {
        "email": [
            "a" * long, "a@" * (long // 2), "." * long, "@" * long, "a." * (long // 2) + "@b.example",
            "a@" + "b." * (long // 2), "xn--" * 16_000, "a@" + "xn--" * 300 + ".example",
            "a@" + "\u00e9" * 1_000 + ".example", "\"" * long, "(" * long, "a@b.example" + " " * 60_000 + "x"
        ], "phone": ["1" * long, "+" * long, "1 " * (long // 2), "(" * long],
        "employees": ["1" * long, "1e" * (long // 2), "0." + "0" * 60_000 + "1",
                      "-" * long], "country": ["a" * long, "d " * (long // 2)],
        "decides_on": ["2026-" * 13_000, "1" * long, "2026-01-31T" + "0" * 60_000],
        "call_at": ["2026-01-31 " + "1:" * 30_000], "budget": ["9" * long, "1e" + "9" * 60_000], "first_name": [
            "a\u0301" * 20_000, "\u1100\u1161\u11a8" * 7_000, "\u0344" * 30, " " * long + "x", "<a " * 20_000,
            "https:/" * 9_000, "\u200b" * 21_000, "\ufdfa" * 21_000, "\U0001f468\u200d" * 9_000
        ], "_page": [
            "http://" + "a" * long, "http://a/?" + "utm_source=x&" * 4_500, "http://" + "[" * long,
            "http://a/" + "%" * 60_000
        ], "_referrer": ["http://" + "a." * 30_000], "_form": ["A" * long, "-" * long], "wants_demo": ["y" * long],
        "interest": ["waste" * 13_000]
    }
    cases = [(name, encode([("email", "slow@reader.example"), (name, text)] if name != "email" else [(name,
                                                                                                      text)])[0],
              URLENCODED) for name, values in texts.items() for text in values]
    token = lab.forms.token("guide")
    cases = [(name, body + b"&_form=" + token.encode() if name != "_form" else body, kind)
             for name, body, kind in cases]
    cases += [("%", b"%" * BODY_MAX, URLENCODED), ("&", b"&" * BODY_MAX, URLENCODED),
              ("=", b"=" * BODY_MAX, URLENCODED), ("+", b"a=" + b"+" * 65_000, URLENCODED),
              ("boundaries", b"\r\n--attack-boundar" * 15_000, MULTIPART), ("CR", b"\r" * BODY_MAX, MULTIPART),
              ("CRLF", b"--attack-boundary\r\n" + b"\r\n" * 130_000, MULTIPART),
              ("dashes", b"--attack-boundary" + b"-" * 250_000, MULTIPART),
              ("quotes", b"--attack-boundary\r\nContent-Disposition: form-data; name=\"" + b"\\\"" * 2_000,
               MULTIPART),
              ("parameters", b"--attack-boundary\r\nContent-Disposition: form-data" + b";a=b" * 1_000 + b"\r\n\r\n",
               MULTIPART), ("escapes", b'{"first_name": "' + b"\\u0041" * 40_000 + b'"}', "application/json"),
              ("spaces", b"{" + b" " * 260_000, "application/json"),
              ("digits", b'{"a": ' + b"1" * 260_000 + b"}", "application/json"),
              ("marks in 190 fields", encode([(f"f{n}", "a\u0301" * 400) for n in range(190)])[0], URLENCODED)]
    slowest = 0
    for name, body, kind in cases:
        begin = time.monotonic()
        answer = lab.public.ask("POST", "/forms/guide", body, {"Content-Type": kind})
        seconds = time.monotonic() - begin
        slowest = max(slowest, seconds)
        if seconds > 1.5 or answer.status >= 500:
            problems.append(f"{name} {body[:30]!r}…: {answer.status} after {seconds:.1f} s")
    lab.report.none(
        "A46",
        f"{len(cases)} texts that a careless reader takes long for are read at once (within {slowest * 1000:.0f} ms)",
        problems)
