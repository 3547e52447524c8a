"""Addresses: one mailbox or none, each in one spelling; values that are no number, day or country (A6 to A9)."""

import itertools

import mailbox_rules
from client import together
from mailboxes import EITHER, INVALID, SAME, VALID

TITLE = "Addresses and values"
VALID, INVALID, SAME = VALID | mailbox_rules.valid(), INVALID + mailbox_rules.invalid(), SAME + mailbox_rules.same()
# Whether a form takes them that refuses addresses that nobody reads: the lists are of whole names, in any case.
READ = {
    typed: is_taken
    for is_taken, addresses in {
        False: [
            f"ann@{domain}" for domain in [
                "mailinator.com", "MAILINATOR.com", "Mailinator.Com", "10minutemail.com", "guerrillamail.info",
                "grr.la", "trashmail.de", "yopmail.fr", "temp-mail.io", "0-mail.com", "mt2015.com", "mail.tm"
            ]
        ] + [
            f"{name}@reader.example" for name in [
                "info", "INFO", "Sales", "postmaster", "hostmaster", "abuse", "no-reply", "noreply", "mailer-daemon",
                "contact-us", "kontakt", "it", "hr", "www"
            ]
        ],
        True: [
            f"ann@{domain}" for domain in [
                "reader.example", "mailinator.com.example", "notmailinator.com", "mailinator.example", "xgrr.la",
                "gmail.com", "gmial.com", "hotmial.com", "no-mx.invalid"
            ]
        ] + [
            f"{name}@reader.example" for name in [
                "infomaniac", "my-info", "sales2", "informatik", "salesforce", "hrh", "it.ann", "postmaster2"
            ]
        ],
    }.items() for typed in addresses
}


def open_forms(lab):
    lab.forms.open("sheet", len(VALID) + len(INVALID) + 2 * len(SAME) + len(EITHER) + 40)
    lab.forms.open("office", len(READ))
    lab.forms.open("guide", 90)


def run(lab):
    valid(lab)
    invalid(lab)
    international(lab)
    several_people(lab)
    kinds(lab)
    values(lab)


def valid(lab):
    def one(typed):
        answer = lab.forms.send("sheet", {"email": typed})
        found = lab.server.value("SELECT email FROM leads WHERE email = ?", VALID[typed])
        if answer.status != 303 or found is None:
            return f"{typed!r}: expected the lead {VALID[typed]!r}, found {answer}"

    problems = [problem for problem in together(one, VALID, 4) if problem]
    lab.report.none("A6", f"{len(VALID)} good addresses are taken, as they were typed", problems)


def invalid(lab):
    before = lab.server.value("SELECT count(*) FROM leads"), lab.server.value(
        "SELECT count(*) FROM magnets_quarantine")

    def one(typed):
        token = lab.forms.token("sheet")
        answer = lab.forms.send("sheet", {"email": typed}, token=token)
        if answer.status not in (400, 422):
            return f"{typed[:60]!r}: expected a refusal, found {answer}"
        json = lab.forms.send("sheet", {"email": typed}, "json", token)
        if json.status not in (400, 422) or (json.status == 422 and "email" not in json.json().get("fields", {})):
            return f"{typed[:60]!r} as JSON: expected a refusal that names the field, found {json}"

    problems = [problem for problem in together(one, INVALID, 4) if problem]
    lab.report.none("A6", f"{len(INVALID)} bad ones are refused", problems)
    after = lab.server.value("SELECT count(*) FROM leads"), lab.server.value(
        "SELECT count(*) FROM magnets_quarantine")
    lab.report.same("A6", "and of them there is nothing in the file", after, before)
    for column, sentence in [("email LIKE '%@%@%'", "has two @"), ("email GLOB '*[<>,; ]*'", "could be two")]:
        lab.report.same("A6", f"no address {sentence}",
                        lab.server.value(f"SELECT count(*) FROM leads WHERE {column}"), 0)


def international(lab):
    problems = []
    for first, second in SAME:
        for typed in (first, second):
            answer = lab.forms.send("sheet", {"email": typed})
            if answer.status != 303:
                problems.append(f"{typed!r}: {answer}")
        local = first.split("@")[0]
        found = [row[0] for row in lab.server.rows("SELECT email FROM leads WHERE email LIKE ? || '@%'", local)]
        if len(found) != 1 or not found[0].split("@")[1].isascii():
            problems.append(f"{first!r} and {second!r}: expected one lead with an ASCII domain, found {found}")
    lab.report.none("A7", f"{len(SAME)} domains in two spellings are one lead each, kept as A-label", problems)
    problems = []
    for typed in EITHER:
        answer = lab.forms.send("sheet", {"email": typed})
        local = typed.split("@")[0]
        found = lab.server.value("SELECT email FROM leads WHERE email LIKE ? || '@%'", local)
        if found is not None and not found.split("@")[1].isascii() or answer.status not in (303, 422):
            problems.append(f"{typed!r}: expected a refusal or an ASCII domain, found {answer} and {found!r}")
    lab.report.none("A7", "letters that only look like others are refused or mapped, never kept", problems)
    for plain, alike in [("homograph@apple.example", "homograph@\u0430pple.example"),
                         ("homograph@paypal.example", "homograph@p\u0430yp\u0430l.example")]:
        for typed in (plain, alike):
            lab.forms.send("sheet", {"email": typed})
    found = lab.server.value("SELECT count(*) FROM leads WHERE email LIKE 'homograph@%'")
    lab.report.same("A7", "a domain that looks like another is another", found, 4)
    lab.server.settle()
    found = lab.server.mails("homograph@apple.example"), lab.server.value("""
        SELECT count(*) FROM outbox_messages AS o JOIN leads AS l ON l.id = o.lead_id
        WHERE l.email GLOB '*[^ -~]*' AND o.state = 'sent'""")
    lab.report.same("A7", "no mail leaves whose address a relay without SMTPUTF8 could not carry", found[1], 0)


def several_people(lab):
    for typed in ["plus@reader.example", "plus+a@reader.example", "plus+b@reader.example", "p.lus@reader.example"]:
        lab.forms.send("sheet", {"email": typed})
    found = lab.server.value("SELECT count(*) FROM leads WHERE email LIKE 'p%lus%@reader.example'")
    lab.report.same("A8", "a plus part and a dot make another lead", found, 4)
    for typed in ["Case@Reader.Example", "case@reader.example", "CASE@READER.EXAMPLE", " case@reader.example\t"]:
        lab.forms.send("sheet", {"email": typed})
    found = [row[0] for row in lab.server.rows("SELECT email FROM leads WHERE lower(email) = 'case@reader.example'")]
    lab.report.same("A8", "capitals make none", len(found), 1)


def kinds(lab):
    problems = []
    for typed, is_taken in READ.items():
        answer = lab.forms.send("office", {"email": typed})
        if (answer.status == 303) != is_taken:
            problems.append(f"{typed}: expected {'a lead' if is_taken else 'a refusal'}, found {answer}")
    lab.report.none("A9", f"of {len(READ)} addresses a form refuses the disposable and the roles, no others", problems)
    for typed in ["ann2@mailinator.com", "info@reader.example"]:
        lab.forms.send("sheet", {"email": typed})
    found = [
        row[0] for row in lab.server.rows("""
        SELECT flag FROM magnets_address_flags AS f JOIN leads AS l ON l.id = f.lead_id
        WHERE email IN ('ann2@mailinator.com', 'info@reader.example') AND flag <> 'no_mail' ORDER BY flag""")
    ]
    lab.report.same("A9", "another form takes them and flags them", found, ["disposable", "role"])


VALUES = {
    "employees": [
        "12", "-1", "0", "1e3", "1e400", "nan", "inf", "-inf", "0x10", "1_000", "１２", "99999999999999999999", "--5",
        "1.5", "1e18", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e", "+", ".", "5 6"
    ],
    "budget": ["1.5", "1e308", "1e309", "nan", "-inf", "0x1p1024", "1,5", "1.5.5", "infinity", "1e-400", "9" * 400],
    "decides_on": [
        "2026-01-31", "2026-02-30", "2026-13-01", "0000-00-00", "9999-12-31", "99999-01-01", "-1", "2026-1-1", "now",
        "1e9", "2026-01-31T25:61", "275760-09-13", "1970-01-01T00:00:60Z", "2026-W01-1", "31.01.2026"
    ],
    "call_at": [
        "2026-01-31 14:00", "2026-01-31T14:00:00+99:99", "2026-01-31 24:00", "9223372036854775807",
        "2026-01-31 14:00 Mars"
    ],
    "wants_demo": ["yes", "on", "maybe", "2", "TRUE", "ja"],
    "interest": ["waste", "Waste", "other", "waste,forecasting", "' OR 1"],
    "country": ["DE", "Germany", "XX", "D", "DEU", "🇩🇪", "d" * 500],
    "phone": [
        "+4930123456", "030123456", "1", "+", "0" * 500, "+" * 20, "call me", "+1-800-FLOWERS", "٠٣٠١٢٣٤٥٦", "112",
        "+999999999999"
    ],
}


def values(lab):
    numbers = itertools.count()

    def one(pair):
        name, text = pair
        who = f"value{next(numbers)}@reader.example"
        answer = lab.forms.send("guide", {"email": who, name: text})
        lead = lab.server.lead(who)
        if answer.status not in (303, 422) or (answer.status == 303) != (lead is not None):
            return f"{name} {text[:40]!r}: expected a lead or 422, found {answer}, lead {lead and lead[name]!r}"
        if lead and isinstance(lead[name], float) and lead[name] in (float("inf"), float("-inf")):
            return f"{name} {text[:40]!r}: {lead[name]} was kept"

    pairs = [(name, text) for name, texts in VALUES.items() for text in texts]
    problems = [problem for problem in together(one, pairs, 4) if problem]
    lab.report.none("A3", f"{len(pairs)} values of other kinds are read, or refused with a page", problems)
    odd = lab.server.rows("""
        SELECT decides_on, call_at FROM leads WHERE decides_on NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'
            OR date(decides_on) IS NOT decides_on OR call_at NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] *'"""
                          )
    lab.report.none("A3", "and a day that is kept is a day", [tuple(row) for row in odd])
