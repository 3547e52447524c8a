"""Forms: fields nobody declared, programs instead of people, and where an answer may lead (A1, A10, A13)."""

import html.parser
import itertools
import urllib.parse

from client import URLENCODED, encode

TITLE = "Forms"
COLUMNS_AT_ONCE = 150

_numbers = itertools.count(1)


def address(word):
    return f"{word}.{next(_numbers):04}@reader.example"


def open_forms(lab):
    lab.forms.open("guide", 130)
    lab.forms.open("sheet", 60)
    lab.forms.open("course", 4)


def run(lab):
    mass_assignment(lab)
    programs(lab)
    replay(lab)
    people(lab)
    redirects(lab)


# A1


def mass_assignment(lab):
    server = lab.server
    tables = [row[0] for row in server.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    columns = sorted({row["name"] for table in tables for row in server.rows(f'PRAGMA table_info("{table}")')})
    columns += [
        "consent_ads", "consent_newsletter", "score", "draft", "leadID", "awaitsConfirmation", "lead[stage]",
        "lead.stage", "stage[]", "__proto__", "ref", "_ref", "variant", "utm_source", "for", "saved", "undo"
    ]
    values = {
        "stage": "customer", "created_at": "1999-01-01", "employees": "7", "email": None, "first_name": None,
        "consent_newsletter": None, "account_id": "1", "id": "1", "lead_id": "1", "country": "FR",
        "phone": "+4930123456", "consent_ads": "on"
    }
    lab.forms.send("sheet", {"email": "plain@reader.example", "first_name": "Ann"})
    wanted = dict(server.lead("plain@reader.example"))
    problems, sent = [], []
    for begin in range(0, len(columns), COLUMNS_AT_ONCE):
        for kind in ["form", "json", "multipart"]:
            who = address("assign")
            fields = [(name, values.get(name, "999")) for name in columns[begin:begin + COLUMNS_AT_ONCE]]
            fields = [(name, value) for name, value in fields if value is not None]
            token = lab.forms.token("sheet")
            query = "?" + urllib.parse.urlencode({"stage": "customer", "first_name": "Query", "owner": "999"})
            body, content_type = encode([("email", who), ("first_name", "Ann"), *fields, ("_form", token)], kind)
            answer = lab.public.ask("POST", "/forms/sheet" + query, body, {"Content-Type": content_type})
            sent.append(who)
            lead = server.lead(who)
            if lead is None:
                problems.append(f"{kind}: {answer} and no lead")
                continue
            differing = {name for name in wanted.keys() if lead[name] != wanted[name]}
            if extra := differing - {"id", "email", "created_at", "updated_at"}:
                problems.append(f"{kind}: differs in {sorted(extra)}")
            if str(lead["created_at"]).startswith("1999"):
                problems.append(f"{kind}: created_at was set")
    lab.report.none("A1", f"{len(columns)} names of columns in a form change only the fields it declares", problems)
    ids = [server.lead(who)["id"] for who in sent if server.lead(who)]
    marks = ",".join("?" * len(ids))
    lab.report.same("A1", "a consent the form does not ask for is not given",
                    server.value(f"SELECT count(*) FROM consents WHERE lead_id IN ({marks})", *ids), 0)
    who = address("twice")
    lab.forms.send("sheet", [("email", who), ("email", "second@reader.example"), ("first_name", "A"),
                             ("first_name", "B")])
    found = (server.lead(who) or {"first_name": None})["first_name"], server.lead("second@reader.example")
    lab.report.same("A1", "of a field sent twice the first counts", found, ("A", None))


# A10


class Skeleton(html.parser.HTMLParser):
    """The elements of a page, without its words."""
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)


def look(answer):
    """What the sender of a form sees."""
    place = answer.header("location") or ""
    names = sorted(name.lower() for name, _ in answer.headers)
    if "json" in (answer.header("content-type") or ""):
        fields = answer.json()
        return answer.status, names, sorted(fields), fields.get("status"), fields.get("message")
    return answer.status, names, place[:8]


def page_after(lab, answer):
    """The address of the page after a form, and the elements of that page."""
    place = answer.header("location") or answer.json()["page"].removeprefix("http://crm.example")
    return place, Skeleton(lab.public.get(place).text).tags


def programs(lab):
    server, forms, report = lab.server, lab.forms, lab.report
    flipped = forms.token("guide")
    flipped = flipped[:20] + ("A" if flipped[20] != "A" else "B") + flipped[21:]
    person = {
        kind: forms.send("guide", {"email": address("bot"), "first_name": "Ann"}, kind)
        for kind in ["form", "json", "multipart"]
    }
    thanks = person["form"].header("location").split("/")[-1]
    bots = [
        ("fills in the hidden field", {"reply_by_pigeon": "x"}, None, "hidden field"),
        ("fills in the hidden field with a space", {"reply_by_pigeon": " "}, None, "hidden field"),
        ("sends no token", {}, "", "no form token"),
        ("sends an empty token", {"_form": ""}, "", "no form token"),
        ("makes a token up", {}, "A" * 80, "another site"),
        ("sends a token of 3000 characters", {}, "A" * 3000, "another site"),
        ("changes a character of a token", {}, flipped, "another site"),
        ("sends the token of another magnet", {}, forms.token("course"), "another site"),
        ("sends the token of the thanks page", {}, thanks, "another site"),
        ("names itself by a link", {"first_name": "Win now https://evil.example"}, None, "a link in first_name"),
        ("has an HTML link for a last name", {"last_name": "<a href=x>"}, None, "a link in last_name"),
        ("has BBCode for a company", {"company": "[URL=http://evil.example]x[/URL]"}, None, "a link in company"),
        ("writes www. into the city", {"city": "WWW.evil.example"}, None, "a link in city"),
        ("comes within two seconds", {}, lambda: fresh_token(lab), "within 2 seconds"),
    ]
    server.settle()
    before, addresses, unlike, unlike_pages = server.counts(), [], [], []
    for index, (sentence, fields, token, reason) in enumerate(bots):
        kind, who = ["form", "json", "multipart"][index % 3], address("bot")
        addresses.append(who)
        answer = forms.send("guide", {"email": who, "consent_newsletter": "on"} | fields, kind,
                            token() if callable(token) else token)
        if look(answer) != look(person[kind]):
            unlike.append(f"{sentence}: {look(answer)}, a person: {look(person[kind])}")
        (place, tags), (person_place, person_tags) = page_after(lab, answer), page_after(lab, person[kind])
        # The token of a person holds the number of their lead, a few digits.
        if abs(len(place) - len(person_place)) > 8:
            unlike_pages.append(
                f"{sentence}: its address has {len(place)} characters, a person's {len(person_place)}")
        if tags != person_tags:
            unlike_pages.append(f"{sentence}: elements {tags[12:]}, a person's {person_tags[12:]}")
        found = server.value("SELECT reasons FROM magnets_quarantine WHERE email = ?", who) or "nothing"
        problems = [] if reason in found else [f"expected the reason {reason!r}, found {found!r}"]
        report.none("A10", f"a form that {sentence} is kept aside with its reason", problems)
    server.settle()
    after = server.counts()
    changed = {key: (before[key], after[key]) for key in before if before[key] != after[key]}
    changed.pop("magnets_quarantine", None)
    report.same("A10", "of all these there is no lead, event, consent, touch or mail", changed, {})
    report.none("A10", "the answer to a program is a person's: status, headers, fields", unlike)
    report.none("A10", "the page after it looks like a person's", unlike_pages)
    place = forms.send("guide", {"email": "Your account is locked: call 555 0100"},
                       token="").header("location") or "/"
    text = lab.public.get(place).text
    report.holds("A14", "and says no text of theirs that is no address", "555 0100" not in text, "call 555 0100")


def fresh_token(lab):
    return lab.public.get("/forms/guide", accept="application/json").json()["_form"]


def replay(lab):
    server, forms = lab.server, lab.forms
    token, four = forms.token("course"), [address("replay") for _ in range(4)]
    answers = [forms.send("course", {"email": who}, token=token) for who in four]
    server.settle()
    leads = [server.lead(who) is not None for who in four]
    lab.report.same("A10", "one form takes three addresses, and no fourth", leads, [True, True, True, False])
    lab.report.same("A10", "the fourth is kept aside with its reason",
                    server.value("SELECT reasons FROM magnets_quarantine WHERE email = ?", four[3]),
                    "one form sent for many addresses")
    lab.report.same("A10", "the fourth gets the answer of the first", look(answers[3]), look(answers[0]))
    lab.report.same("A10", "no mail goes to the fourth", len(server.mails(four[3])), 0)


def people(lab):
    """Forms of people must not be taken for a program's."""
    server, forms = lab.server, lab.forms
    profiles = [
        ("types everything", {"first_name": "Ann", "last_name": "Lee", "company": "Acme"}),
        ("types nothing but the address", {}),
        ("has JavaScript off and no referrer", {"_page": "", "_referrer": ""}),
        ("leaves the hidden field empty", {"reply_by_pigeon": ""}),
        ("has a password manager that fills in more", {"username": "ann", "password": "x", "fax": "1", "url": "x"}),
        ("has a company called like a site", {"company": "acme.example"}),
        ("has an apostrophe", {"first_name": "Zoë", "last_name": "O'Brien-d'Arc"}),
        ("is called Www", {"first_name": "Wwwolf", "last_name": "Httpson"}),
        ("works for AT&T <EMEA>", {"company": "AT&T <EMEA>"}),
        ("writes Chinese", {"first_name": "小明", "last_name": "王", "city": "北京"}),
        ("writes Persian with a joiner", {"first_name": "می\u200cخواهم"}),
        ("has an emoji", {"first_name": "Ann 👩\u200d🌾"}),
        ("leaves spaces around", {"first_name": "  Ann  "}),
        ("ticks every box", {"consent_newsletter": "on", "consent_ads": "on", "wants_demo": "on"}),
        ("came by a campaign",
         {"_page": "http://crm.example/offers/guide?utm_source=x&gclid=y", "_referrer": "https://a.example/"}),
        ("gives a number with spaces", {"phone": "030 / 123 456", "employees": " 12 "}),
        ("gives a number with brackets", {"phone": "+49 (0)30 123456"}),
        ("gives a number with dots", {"phone": "030.123.456"}),
        ("types in capitals", {"first_name": "ANN", "last_name": "LEE", "company": "ACME INC."}),
        ("types in small letters", {"first_name": "ann", "company": "acme inc"}),
        ("has one letter for a name", {"first_name": "O", "last_name": "Y"}),
        ("has a long double name", {"last_name": "Wolfeschlegelsteinhausenbergerdorff-Leutheusser-Schnarrenberger"}),
        ("has a title before the name", {"first_name": "Dr. med. Ann", "last_name": "Lee, PhD"}),
        ("is the third of the name", {"last_name": "Lee III."}),
        ("has a nickname in quotes", {"first_name": 'Ann "Annie"'}),
        ("has a particle", {"last_name": "van der Berg", "first_name": "d'Ann"}),
        ("has a typewriter's apostrophe", {"last_name": "O´Brien"}),
        ("writes Russian", {"first_name": "Анна", "last_name": "Иванова", "city": "Москва"}),
        ("writes Greek", {"first_name": "Άννα", "city": "Αθήνα"}),
        ("writes Arabic", {"first_name": "آنا", "company": "شركة المثال"}),
        ("writes Hebrew", {"first_name": "חנה", "city": "תל אביב"}),
        ("writes Hindi", {"first_name": "अन्ना", "city": "दिल्ली"}),
        ("writes Thai", {"first_name": "แอน", "city": "กรุงเทพฯ"}),
        ("writes Korean", {"first_name": "안나", "company": "주식회사 예제"}),
        ("writes Japanese", {"last_name": "山田", "first_name": "アンナ", "company": "株式会社例"}),
        ("writes Vietnamese with its marks apart", {"last_name": "Nguye\u0302\u0303n"}),
        ("works for a company of digits", {"company": "1&1"}),
        ("works for a company with a full stop", {"company": "Booking.com"}),
        ("works for a company with a plus and a hash", {"company": "C++ & C# Ltd."}),
        ("works for a company with a slash", {"company": "Lee / Smith"}),
        ("works for a company in brackets", {"company": "[untitled] GmbH"}),
        ("works in Wwwandsbek", {"city": "Wandsbek, www"}),
        ("writes a note of many lines", {"note": "Hello,\r\n\r\nplease call.\r\nAnn"}),
        ("writes a note with an address in it", {"note": "Better write to bob@acme.example"}),
        ("writes a note of 60 words", {"note": "please " * 60}),
        ("chose a country by its name", {"country": "Germany"}),
        ("has a browser that fills in what is hidden from people with nothing", {"reply_by_pigeon": "", "_extra": ""}),
        ("unticked a box again", {"consent_newsletter": "", "wants_demo": ""}),
        ("came by a search", {"_referrer": "https://www.google.com/", "_page": "http://crm.example/offers/guide"}),
        ("came by a link in a mail", {"_page": "http://crm.example/offers/guide?utm_medium=email", "_referrer": ""}),
        ("has an address with a plus", {"email": address("person").replace("@", "+news@")}),
    ]
    problems = []
    for index, (sentence, fields) in enumerate(profiles):
        for kind in ["form", "json", "multipart"] if index < 2 else [["form", "json", "multipart"][index % 3]]:
            who = fields.get("email") or address("person")
            answer = forms.send("guide", {"email": who} | fields, kind)
            if not server.lead(who):
                problems.append(f"somebody who {sentence} ({kind}): {answer}")
    lab.report.none("A10", f"none of {len(profiles)} kinds of person is taken for a program", problems)


# A13

TARGETS = [
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "/%2f%2fevil.example", "%2f%2fevil.example", "javascript:alert(1)", "///evil.example", "/.evil.example",
    "http://crm.example@evil.example", "http://crm.example.evil.example", "\t//evil.example", "data:text/html,x"
]
FIELDS = [
    "return", "next", "redirect", "redirect_uri", "url", "return_to", "goto", "continue", "success", "_next", "_page",
    "_referrer", "page"
]


def is_own(place):
    """Whether a browser that follows this stays on the site."""
    if place is None:
        return True
    resolved = urllib.parse.urlsplit(urllib.parse.urljoin("http://crm.example/forms/guide", place.replace("\\", "/")))
    return resolved.scheme == "http" and resolved.netloc == "crm.example" and not place.startswith(("//", "/\\"))


def redirects(lab):
    problems = []
    for target in TARGETS:
        fields = {name: target for name in FIELDS} | {"email": address("return")}
        query = urllib.parse.urlencode({name: target for name in FIELDS})
        for method, path, body in [
            ("POST", "/forms/sheet", dict(fields, _form=lab.forms.token("sheet"))),
            ("POST", f"/forms/sheet?{query}", dict(fields, _form=lab.forms.token("sheet"))),
            ("GET", f"/offers/sheet?{query}", None),
            ("GET", f"/forms/sheet?{query}", None),
            ("GET", f"/?{query}", None),
            ("GET", f"/r/000000000000/sheet?{query}", None),
            ("GET", "/r/" + urllib.parse.quote(target, safe="") + "/sheet", None),
            ("GET", "/" + target.strip(), None),
            ("GET", "//evil.example/%2e%2e", None),
            ("GET", "//offers/sheet", None),
        ]:
            data = None if body is None else urllib.parse.urlencode(body)
            path = path.replace("\t", "%09")
            answer = lab.public.ask(method, path, data, {"Content-Type": URLENCODED} if body else {})
            if not is_own(answer.header("location")):
                problems.append(f"{method} {path[:60]}: leads to {answer.header('location')}")
    lab.report.none("A13", "no field and no parameter leads to another site", problems)
    problems = []
    for referrer in [
            "https://evil.example//evil.example/x", "//evil.example", "https://evil.example/\\evil.example",
            "https://evil.example///evil.example", "javascript:alert(1)", "/\\evil.example", "https://evil.example",
            "https://evil.example/%2f%2fevil.example", "http://crm.example/offers/guide?x=1", "evil", ""
    ]:
        answer = lab.public.post("/visitor", {"agree": "on"}, referer=referrer)
        if answer.status != 303 or not is_own(answer.header("location")):
            problems.append(f"POST /visitor with Referer {referrer}: {answer.status} {answer.header('location')}")
    lab.report.none("A13", "the page before decides no way to another site", problems)
