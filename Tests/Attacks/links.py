"""Links: tampered with, guessed, mistaken for another, followed by machines, pressed more than once (A18 to A24)."""

import random
import string

from client import URLENCODED, multipart, together
from forms import address
from server import links as links_of, part, token_of

TITLE = "Links"
ALPHABET = string.ascii_letters + string.digits + "-_"
ONE_CLICK = b"List-Unsubscribe=One-Click"

# Where a token of each purpose is the right one, and all the places a token may stand.
HOMES = {
    "thanks": ["GET /thanks/{}"],
    "download": ["GET /download/{}"],
    "confirmed": ["GET /confirmed/{}"],
    "confirm": ["GET /confirm/{}", "POST /confirm/{}", "POST /confirm/{}/reject"],
    "unsubscribe": ["GET /unsubscribe/{}", "POST /unsubscribe/{}"],
    "preferences": ["GET /preferences/{}", "POST /preferences/{}"],
    "lead": [],
    "form": [],
}
ROUTES = [route for routes in HOMES.values() for route in routes]


def open_forms(lab):
    lab.forms.open("guide", 30)
    lab.forms.open("course", 10)
    lab.forms.open("sheet", 5)


def run(lab):
    ann = Holder(lab)
    machines(lab)
    tampered(lab, ann)
    mistaken(lab, ann)
    guessed(lab)
    unsubscribing(lab, ann)
    confirming(lab)
    erased(lab)
    rotated(lab)


class Holder:
    """Somebody who has a link of every kind."""
    def __init__(self, lab):
        self.address = address("holder")
        fields = {"email": self.address, "first_name": "Ann", "consent_newsletter": "on"}
        self.tokens = {"form": lab.forms.token("guide")}
        thanks = lab.forms.send("guide", fields).header("location")
        lab.forms.send("course", fields)
        lab.server.settle()
        mails = lab.server.mails(self.address)
        self.tokens["thanks"] = thanks.split("/")[-1]
        for purpose in ["download", "confirm", "preferences", "lead", "unsubscribe"]:
            self.tokens[purpose] = next(filter(None, (token_of(mail, purpose) for mail in mails)))
        place = lab.public.post(f"/confirm/{self.tokens['confirm']}").header("location")
        self.tokens["confirmed"] = place.split("/")[-1]
        self.lead = lab.server.lead(self.address)["id"]
        lab.server.settle()


def ask(lab, route, token):
    method, path = route.format(token).split(" ", 1)
    body, headers = (b"", {"Content-Type": URLENCODED}) if method == "POST" else (None, {})
    return lab.public.ask(method, path, body, headers)


def unchanged(lab, before):
    """What changed of everything that a request must not change by itself."""
    lab.server.settle()
    return differences(before, lab.server.counts())


def differences(before, after):
    found = {key: (before.get(key), after[key]) for key in after if before.get(key) != after[key]}
    if isinstance(found.get("kinds"), tuple):
        found["kinds"] = differences(*found["kinds"])
    return found


def works(lab, purpose, token):
    """Whether the site takes a token for one of this purpose, in the two places that are no path of their own."""
    if purpose == "lead":
        answer = lab.public.get(f"/offers/guide?for={token}")
        return answer.status == 200 and 'id="email"' not in answer.text
    count = lab.server.value("SELECT count(*) FROM magnets_quarantine")
    lab.forms.send("guide", {"email": "not an address"}, token=token)
    return lab.server.value("SELECT count(*) FROM magnets_quarantine") == count


# A19, A20, A22


def tampered(lab, ann):
    lab.server.settle()
    before, problems, count = lab.server.counts(), [], 0
    for purpose, routes in HOMES.items():
        token = ann.tokens[purpose]
        wrong = []
        for index, character in enumerate(token):
            other = ALPHABET[(ALPHABET.index(character) + 1 + index % 62) % 64]
            wrong.append(token[:index] + (other if other != character else "A") + token[index + 1:])
        # The last characters carry bits that no byte needs: each of the 63 others has to be wrong too.
        wrong += [token[:-1] + one for one in ALPHABET if one != token[-1]]
        wrong += [
            token[:-1], token[1:], token[:30], token + "A", token + token, token[::-1],
            token.swapcase(), token + "=", token + "==", token + "%00", token + "%20", token + "%0a", "%20" + token,
            token.replace("-", "+").replace("_", "%2f") + "+", "A" * len(token), "-", "." + token, token + ".",
            token + ";x", token + "%2e%2e", "A" * 3000
        ]
        wrong = [one for one in wrong if one != token]
        count += len(wrong)
        if not routes:
            wrong = wrong[::7]
            problems += [f"{purpose}: {one[:60]} works" for one in wrong if works(lab, purpose, one)]
        for route in routes:
            answers = together(lambda one: ask(lab, route, one), wrong, 4)
            problems += [
                f"{route.format(one)[:90]}: expected 404, found {answer}" for one, answer in zip(wrong, answers)
                if answer.status != 404
            ]
    lab.report.none("A19", f"{count} changed tokens open nothing", problems)
    changed = unchanged(lab, before)
    changed.pop("magnets_quarantine", None)
    lab.report.same("A19", "and change nothing", changed, {})
    good = [
        route for purpose, routes in HOMES.items() for route in routes
        if route.startswith("GET") and ask(lab, route, ann.tokens[purpose]).status not in (200, 303)
    ]
    lab.report.none("A19", "while the tokens themselves do open", good)


def mistaken(lab, ann):
    lab.server.settle()
    before, problems = lab.server.counts(), []
    for purpose, token in ann.tokens.items():
        for route in ROUTES:
            if route in HOMES[purpose]:
                continue
            answer = ask(lab, route, token)
            if answer.status != 404:
                problems.append(f"the token to {purpose} at {route}: expected 404, found {answer}")
        problems += [
            f"the token to {purpose} works as the one to {other}" for other in ["lead", "form"]
            if other != purpose and works(lab, other, token)
        ]
        answer = lab.server.admin.get("/api/leads", authorization=f"Bearer {token}")
        if answer.status != 401:
            problems.append(f"the token to {purpose} at the API: {answer}")
    lab.report.none("A20", f"a token of one purpose opens none of the other {len(ROUTES) + 2} doors", problems)
    changed = unchanged(lab, before)
    changed.pop("magnets_quarantine", None)
    lab.report.same("A20", "and changes nothing there", changed, {})


def guessed(lab):
    dice = random.Random(20)
    guesses = [
        "".join(dice.choices(ALPHABET, k=dice.choice([38, 40, 51, 86, 110])))
        for _ in range(20_000 if lab.is_long else 1000)
    ]
    guesses += [str(number) for number in range(-1, 60)
                ] + ["", "%00", "..", "%2e%2e", "null", "undefined", "1;2", "[1,2]", "{}", "*"]
    answers = together(lambda one: ask(lab, f"GET /unsubscribe/{one}", ""), guesses, 4)
    bodies = {answer.body for answer in answers} | {lab.public.get("/nothing/of/the/kind").body}
    lab.report.same("A19", f"{len(guesses)} guesses find nothing", {answer.status for answer in answers}, {404})
    lab.report.same("A19", "and every answer is that of a page that never was", len(bodies), 1)


# A23


def machines(lab):
    """A scanner follows every link of every mail, by GET and by HEAD, and pictures too."""
    for _ in range(3):
        lab.forms.send("course", {"email": address("scanned"), "first_name": "Ann", "consent_newsletter": "on"})
        lab.forms.send("guide", {"email": address("scanned"), "consent_newsletter": "on"})
    lab.server.settle()
    found = sorted({
        link
        for mail in lab.server.mails() if str(mail["To"]).startswith(("scanned", "holder")) for link in links_of(mail)
    })
    own = [link.removeprefix("http://crm.example") for link in found if link.startswith("http://crm.example/")]
    before, score = lab.server.counts(), lab.server.value("SELECT sum(points) FROM scoring_entries")
    agents = [
        "Mozilla/5.0 (Windows NT 10.0) SafeLinks", "Barracuda Sentinel (EE)", "python-requests/2.31", "", "Mozilla/5.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "facebookexternalhit/1.1"
    ]

    def follow(path):
        return [
            lab.public.ask(method,
                           path,
                           headers={"User-Agent": agent, "Purpose": "prefetch", "Sec-Fetch-Mode": "navigate"}).status
            for agent in agents for method in ["GET", "HEAD", "GET"]
        ]

    answers = together(follow, own, 4)
    lab.report.holds(
        "A23", f"a scanner finds {len(own)} links of mails",
        len(own) > 10 and all(codes[0] < 400 for path, codes in zip(own, answers) if not path.startswith("/about")),
        list(zip(own, answers))[:3])
    changed = unchanged(lab, before)
    lab.report.same("A23", "which it follows 21 times each, and nothing is confirmed, left, scored or logged",
                    changed, {})
    lab.report.same("A23", "and no score changes", lab.server.value("SELECT sum(points) FROM scoring_entries"), score)
    kinds = {path.split("/")[1].split("?")[0] for path in own}
    lab.report.holds("A23", "links of every kind were among them",
                     {"confirm", "download", "preferences", "unsubscribe", "offers"} <= kinds, kinds)


# A24


def unsubscribing(lab, ann):
    server, path = lab.server, f"/unsubscribe/{ann.tokens['unsubscribe']}"
    before = server.counts()
    codes = {lab.public.ask(method, path).status for _ in range(20) for method in ["GET", "HEAD"]}
    lab.report.same("A24", "to look at the page twenty times leaves nobody out", (codes, unchanged(lab, before)),
                    ({200}, {}))
    problems = []
    for body, kind in [(b"", URLENCODED), (b"x=y", URLENCODED), (b"List-Unsubscribe=no", URLENCODED),
                       (b"\xff", URLENCODED), (b"{}", "application/json"), (b"hello", "text/plain"),
                       (b"<x/>", "application/xml"), (b"", ""), (b"leave=yes", URLENCODED)]:
        answer = lab.public.ask("POST", path, body, {"Content-Type": kind})
        if answer.status >= 500 or answer.status != 200 and not 400 <= answer.status < 500 or "html" not in (
                answer.header("content-type") or "") and kind != "application/json":
            problems.append(f"{body[:20]} as {kind or 'nothing'}: {answer}")
    lab.report.none("A24", "other bodies are answered with a page", problems)
    lab.report.same("A24", "and leave nobody out", unchanged(lab, before), {})
    bodies = [(ONE_CLICK, URLENCODED),
              (multipart([("List-Unsubscribe", "One-Click")]), "multipart/form-data; boundary=attack-boundary"),
              (ONE_CLICK, URLENCODED + "; charset=UTF-8")]
    problems = []
    for body, kind in bodies * 3:
        answer = lab.public.ask("POST", path, body, {"Content-Type": kind, "User-Agent": ""})
        if answer.status != 200 or answer.header("location") or answer.header("set-cookie"):
            problems.append(f"{kind[:30]}: {answer}")
    lab.report.none("A24", "one click is 200 each of nine times, without redirect or cookie", problems)
    server.settle()
    found = (server.value("SELECT count(*) FROM suppressions WHERE email = ? AND reason = 'unsubscribed'",
                          ann.address),
             server.value("SELECT count(*) FROM events WHERE lead_id = ? AND kind = 'lead.unsubscribed'", ann.lead))
    lab.report.same("A24", "and is one suppression and one event", found, (1, 1))
    again = lab.public.post(f"/preferences/{ann.tokens['preferences']}", {"leave": "1"}).status
    lab.report.same("A24", "to leave by the other page as well is good too", again, 200)
    place = lab.public.post("//preferences/" + ann.tokens["preferences"], {"x": "1"}).header("location") or ""
    lab.report.holds("A18", "a path with two slashes makes no address of another host", not place.startswith("//"),
                     place[:40])


def confirming(lab):
    server, who = lab.server, address("confirm")
    lab.forms.send("course", {"email": who, "first_name": "Ann", "consent_newsletter": "on"})
    server.settle()
    token = token_of(server.mails(who)[0], "confirm")
    text = lab.public.get(f"//confirm/{token}").text
    lab.report.holds("A18", "nor does the form on such a page", 'action="//' not in text, 'action="//confirm/…"')
    before = server.counts()
    codes = {lab.public.ask(method, f"/confirm/{token}").status for _ in range(20) for method in ["GET", "HEAD"]}
    lab.report.same("A23", "to look at a confirmation twenty times confirms nothing", (codes, unchanged(lab, before)),
                    ({200}, {}))
    answers = together(lambda _: lab.public.post(f"/confirm/{token}").status, range(10), 10)
    server.settle()
    lead = server.lead(who)["id"]
    found = (set(answers),
             server.value("SELECT count(*) FROM events WHERE lead_id = ? AND kind = 'form.confirmed'", lead),
             server.value("SELECT count(*) FROM consents WHERE lead_id = ? AND state = 'granted'",
                          lead), len([mail for mail in server.mails(who) if "/download/" in part(mail, "plain")]))
    lab.report.same("A12", "ten presses of its button at once are one confirmation, one consent, one delivery", found,
                    ({303}, 1, 1, 1))
    other = address("reject")
    lab.forms.send("course", {"email": other, "first_name": "Ann", "consent_newsletter": "on"})
    server.settle()
    token = token_of(server.mails(other)[0], "confirm")
    codes = [lab.public.post(f"/confirm/{token}/reject").status for _ in range(2)]
    lab.forms.send("course", {"email": other, "first_name": "Ann"})
    server.settle()
    found = codes, server.value("SELECT reason FROM suppressions WHERE email = ?", other), len(server.mails(other))
    lab.report.same("A11", "after 'I did not ask for this' no mail goes there any more", found,
                    ([200, 200], "complained", 1))


def erased(lab):
    server, who = lab.server, address("erased")
    lab.forms.send("course", {"email": who, "first_name": "Ann"})
    lab.forms.send("guide", {"email": who, "consent_newsletter": "on"})
    server.settle()
    mails = server.mails(who)
    tokens = {
        purpose: next(filter(None, (token_of(mail, purpose) for mail in mails)))
        for purpose in ["unsubscribe", "preferences", "confirm", "download"]
    }
    outcome = server.command("erase", who)
    server.settle()
    before = server.counts()
    codes = [outcome.returncode, lab.public.get(f"/unsubscribe/{tokens['unsubscribe']}").status]
    codes += [
        lab.public.ask("POST", f"/unsubscribe/{tokens['unsubscribe']}", ONE_CLICK,
                       {"Content-Type": URLENCODED}).status for _ in range(3)
    ]
    codes += [
        lab.public.get(f"/preferences/{tokens['preferences']}").status,
        lab.public.post(f"/preferences/{tokens['preferences']}", {"consent_newsletter": "on"}).status
    ]
    lab.report.same("A21", "after an erasure the links to leave are good as before", codes,
                    [0, 200, 200, 200, 200, 200, 303])
    code = lab.public.post(f"/confirm/{tokens['confirm']}").status
    lab.report.holds("A21", "and a confirmation is too late", code in (404, 410), code)
    lab.report.same("A21", "nothing of that makes the person known again", unchanged(lab, before), {})
    text = "".join(lab.public.get(f"/{name}/{token}").text for name, token in tokens.items())
    lab.report.holds("A21", "and no page says the address any more", who not in text and "e•••@" not in text)


def rotated(lab):
    """A secret of before still opens what was mailed under it; a secret nobody has any more does not."""
    server = lab.start()
    server.forms.open("guide", 1)
    who = address("rotated")
    server.forms.send("guide", {"email": who, "consent_newsletter": "on"})
    server.settle()
    token = next(filter(None, (token_of(mail, "unsubscribe") for mail in server.mails(who))))
    found, older = [], '  older_secrets: ["${TRELLIS_OLD}"]\n'
    for edit, secret in [(("\n\ndatabase:", f"\n{older}\ndatabase:"), "b" * 64), ((older, ""), "c" * 64)]:
        server.stop()
        server.environment |= {"TRELLIS_OLD": server.secret, "TRELLIS_SECRET": secret}
        server.edit(edit)
        server.start()
        found.append(server.public.get(f"/unsubscribe/{token}").status)
    server.stop()
    lab.report.same("A21", "a link opens under an older secret, and not under another", found, [200, 404])
