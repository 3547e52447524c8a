"""Pages: markup in every field on every page and in every mail, and what each page says to a browser (A14, A48)."""

import html.parser
import urllib.parse

from forms import address
from server import part, token_of

TITLE = "Pages"
FIELDS = ["first_name", "last_name", "company", "title", "city", "note"]

# Swift takes a character with what is joined to it for one: an escape that goes by characters misses these.
BEFORE = ["\u0600", "\u06dd", "\u070f", "\u0d4e", "\U000110bd"]
AFTER = ["\u0301", "\u200d", "\ufe0f", "\u20e3", "\u0903"]
MARKUP = [
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<img src=x onerror=alert(1)//",
    "</title><script>alert(1)</script>",
    "</textarea><script>1</script>",
    "<iframe src=//evil>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "\" autofocus onfocus=alert(1) x=\"",
    "<b>bold</b>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=//evil.example>",
    "<form action=//evil.example>",
    "<input name=email>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<?xml?>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "&amp;",
    "&",
    "<",
    ">",
    "\"",
    "'",
    "`",
    "<a\thref=javascript:alert(1)>x",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<<script>alert(1)//<</script>",
    "<script\x0b>".replace("\x0b", " "),
    "{{{x}}}",
    "{{{text_html}}}",
    "\u2028<script>",
    "＜script＞",
    "\uff1cscript\uff1e",
    "ʺ><script>",
    "[x](javascript:alert(1))",
    "**x** <b>",
    "javascript:alert(1)",
]
JOINED = [f"{one}<script>{one}\">{one}<img src=x{one}>" for one in BEFORE
          ] + [f"<{one}script>x\"{one} autofocus onfocus=alert(1) x=\"{one}>{one}<{one}b" for one in AFTER]


class Outline(html.parser.HTMLParser):
    """The elements of a page with the names of their attributes, and every value and text in it."""
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.values, self.texts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, tuple(name for name, _ in attributes)))
        self.values += [value for _, value in attributes]

    def handle_data(self, data):
        self.texts.append(data)

    def handle_comment(self, data):
        self.elements.append(("comment", ()))

    def handle_decl(self, declaration):
        self.elements.append(("!" + declaration, ()))

    handle_pi = unknown_decl = handle_comment


def open_forms(lab):
    lab.forms.open("guide", len(MARKUP + JOINED) + 40)
    lab.forms.open("course", 20)


def run(lab):
    typed_again(lab)
    from_the_address(lab)
    mails(lab)
    about_people(lab)
    said_to_browsers(lab)


def compared(outline, plain, payload):
    """What a page with a payload has that the same page with a plain word does not."""
    if outline.elements == plain.elements:
        return None
    extra = [element for element in outline.elements if element not in plain.elements]
    return f"{payload!r:.60}: new elements or attributes {extra or 'in another order'}"


def typed_again(lab):
    """The form with what was typed, shown once more because the address is missing."""
    def page(payload):
        answer = lab.forms.send("guide",
                                {name: payload
                                 for name in FIELDS} | {"email": "wrong", "_page": payload, "_referrer": payload},
                                token=token)
        return answer, Outline(answer.text)

    token = lab.forms.token("guide")
    answer, plain = page("plain")
    problems, lost = [], []
    for name, payloads in [("plain", MARKUP), ("joined", JOINED)]:
        for payload in payloads:
            answer, outline = page(payload)
            if answer.status not in (303, 422):
                problems.append(f"{payload!r:.60}: {answer}")
            elif answer.status == 422:
                problems += [problem] if (problem := compared(outline, plain, payload)) else []
                if outline.values.count(payload) < len(FIELDS) and not problem:
                    lost.append(f"{payload!r:.60}: {outline.values.count(payload)} of {len(FIELDS)} fields show it")
    lab.report.none("A14", f"{len(MARKUP + JOINED)} kinds of markup in every field add no element to the form",
                    problems)
    lab.report.none("A14", "and the form shows again what was typed", lost)


def from_the_address(lab):
    def pages(payload):
        quoted = urllib.parse.quote(payload, safe="")
        query = urllib.parse.urlencode(
            {name: payload
             for name in FIELDS + ["email", "phone", "variant", "for", "ref", "utm_source"]})
        headers = {"Referer": "https://a.example/" + payload.encode().decode("latin-1")}
        for path in [
                f"/offers/guide?{query}", f"/offers/{quoted}", f"/{quoted}", f"/confirm/{quoted}",
                f"/thanks/{quoted}", f"/unsubscribe/{quoted}", f"/preferences/{quoted}?saved={quoted}", f"/?{query}",
                f"/forms/{quoted}"
        ]:
            answer = lab.public.ask("GET", path, headers=headers)
            yield path.split("?")[0].replace(quoted, "…") + ("?…" if "?" in path else ""), answer, Outline(
                answer.text)

    plain = {path: outline for path, _, outline in pages("plain")}
    problems = []
    for payload in MARKUP + JOINED:
        for path, answer, outline in pages(payload):
            if answer.status >= 500:
                problems.append(f"{path} with {payload!r:.50}: {answer.status}")
            elif "html" in (answer.header("content-type") or "") and (problem := compared(
                    outline, plain[path], payload)):
                problems.append(f"{path}: {problem}")
    lab.report.none("A14", "nor does markup in an address, a parameter or the page before", problems)
    wide = urllib.parse.quote("\u0600<meta http-equiv=refresh content=0;url=//evil.example>", safe="")
    text = lab.public.get(f"/offers/guide?first_name=%D8%80%22%D8%80%3E{wide}").text
    lab.report.holds("A14", "no link to an offer leads a visitor to another site", "<meta http-equiv" not in text,
                     text[max(0,
                              text.find("<meta http-equiv") - 60):][:160], "no <meta http-equiv> of the visitor's")


def mails(lab):
    def send(payload):
        who = address("markup")
        fields = {name: payload for name in FIELDS} | {"email": who, "consent_newsletter": "on"}
        return who, lab.forms.send("guide", fields, "json").status

    sent = [(payload, *send(payload)) for payload in ["plain"] + MARKUP + JOINED]
    lab.server.settle()
    outlines, problems = {}, []
    for payload, who, _ in sent:
        for mail in lab.server.mails(who):
            is_letter = mail["List-Unsubscribe"] is not None
            outline = Outline(part(mail, "html"))
            problem = compared(outline, outlines.setdefault(is_letter, outline), payload)
            problems += [f"{'letter' if is_letter else 'guide'}: {problem}"] if problem else []
            foreign = [
                value for value in outline.values
                if value and value.lower().startswith(("javascript:", "data:", "//"))
            ]
            problems += [f"{payload!r:.50}: the link {foreign}"] if foreign else []
    held_aside = sum(1 for _, who, _ in sent if lab.server.lead(who) is None)
    lab.report.none("A14", f"nor in a mail, in {2 * (len(sent) - held_aside)} of them", problems)


def about_people(lab):
    """Pages that name a person: their address stands there, masked or whole."""
    locals_ = ["plain", "a'b", "a&ltb", "a&b", "a`b", "{{x}}", "a=b'c/d", "a&\u0301amp", "a'\u0301onx", "<b"]
    problems, outlines = [], {}
    for local in locals_:
        who = f"{local}.{address('pages')}"
        answer = lab.forms.send("course", {"email": who, "first_name": "Ann", "consent_newsletter": "on"})
        if answer.status != 303:
            # No mail of ours reaches letters beyond ASCII before the @ (SMTPUTF8): the field says so.
            if local == "<b" or (not local.isascii() and answer.status == 422):
                continue
            problems.append(f"{who}: {answer}")
            continue
        lab.server.settle()
        found = {"thanks": answer.header("location")}
        for mail in lab.server.mails(who):
            found |= {"confirm": f"/confirm/{token_of(mail, 'confirm')}"}
        for name, path in found.items():
            page = lab.public.get(path)
            outline = Outline(page.text)
            if problem := compared(outline, outlines.setdefault(name, outline), who):
                problems.append(f"{name}: {problem}")
            if name == "thanks" and who not in "".join(outline.texts):
                problems.append(f"{who} does not stand on the page")
    lab.report.none("A14", "nor does an address on the pages that show it", problems)


POLICY = {
    "content-security-policy": [
        "default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"
    ],
    "x-content-type-options": ["nosniff"],
    "referrer-policy": ["same-origin"],
}


def said_to_browsers(lab):
    token = lab.forms.token("guide")
    asked = [("GET", path, None, {}) for path in [
        "/", "/offers/guide", "/offers/none", "/none", "/thanks/none", "/confirm/none", "/unsubscribe/none",
        "/trellis.css", "/preferences/none", "/download/none", "/forms/guide", "/healthz", "/readyz", "/trellis.js",
        "/pixel.gif", "/r/x/guide", "/api/leads", "/metrics", "/offers/guide?" + "x=1&" * 300, "/offers/guide?%ff=1"
    ]]
    asked += [("HEAD", "/offers/guide", None, {}), ("PUT", "/offers/guide", b"", {}), ("DELETE", "/", None, {}),
              ("GET", "/", None, {"Host": "evil.example"}),
              ("OPTIONS", "/forms/guide", None, {"Origin": "https://evil.example"}),
              ("OPTIONS", "/forms/guide", None, {"Origin": "https://www.partner.example"}),
              ("POST", "/forms/guide", b"x" * 300_000, {"Content-Type": "application/x-www-form-urlencoded"}),
              ("POST", "/forms/guide", b"{", {"Content-Type": "application/json"}),
              ("POST", "/forms/guide", b"x", {}),
              ("POST", "/forms/guide", b"email=x&_form=" + token.encode(),
               {"Content-Type": "application/x-www-form-urlencoded"})]
    problems, telling = [], []
    for method, path, body, headers in asked:
        answer = lab.public.ask(method, path, body, headers)
        sentence = f"{method} {path[:30]} ({answer.status})"
        for name, wanted in POLICY.items():
            said = answer.header(name) or ""
            problems += [f"{sentence}: {name} is {said!r}" for one in wanted if one not in said]
        policy = answer.header("content-security-policy") or ""
        if "unsafe" in policy or "*" in policy or "script-src" in policy:
            problems.append(f"{sentence}: {policy}")
        kind = answer.header("content-type") or ""
        if kind.startswith("text/") and "utf-8" not in kind:
            problems.append(f"{sentence}: {kind}")
        for word in ["Server", "X-Powered-By", "Via"]:
            telling += [f"{sentence}: {word}: {answer.header(word)}"] if answer.header(word) else []
        telling += [
            f"{sentence}: says {word}"
            for word in ["Swift", "SQLite", "GRDB", "Hummingbird", "NIO", "Error(", lab.server.folder]
            if answer.status >= 400 and word in answer.text
        ]
        if answer.status >= 500:
            telling.append(f"{sentence}: {answer}")
        if method == "GET" and "html" in kind and "<script" in answer.text:
            problems.append(f"{sentence}: has a script")
    lab.report.none("A14", f"{len(asked)} answers, also of errors, say that nothing runs, is framed or guessed",
                    problems)
    lab.report.none("A14", "and say nothing of the inside", telling)
    private = [lab.public.get(path) for path in ["/offers/guide", "/thanks/none", "/unsubscribe/none"]]
    lab.report.same("A14", "pages are kept in no cache", {answer.header("cache-control")
                                                          for answer in private}, {"no-store"})
    cookie = lab.public.post("/visitor", {"agree": "on"}).header("set-cookie") or ""
    lab.report.holds("A26", "the cookie of a visitor is HttpOnly and SameSite", "HttpOnly" in cookie
                     and "SameSite=Lax" in cookie and "Domain" not in cookie, cookie)
    silent = lab.public.get("/offers/guide").header("set-cookie")
    lab.report.same("A26", "and nobody gets one who did not agree", silent, None)
