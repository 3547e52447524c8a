"""Files: others than those offered, parts of them, odd names; and what lies on the disk afterwards (A42, A47)."""

import os
import re
import stat
import urllib.parse

from client import together
from forms import address
from server import CANARY_FILE, Server

TITLE = "Files"

UP = [
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "%252e%252e%252f", "..\\", "..%5c", "%2e%2e%5c", "..%c0%af",
    "..%c1%9c", "..%e0%80%af", "%c0%ae%c0%ae/", "..;/", "....//", "..//", "./../", ".%2e/", "%2e./", "..%00/",
    "..%0a/", "..%ef%bc%8f", "%uff0e%uff0e/", "..%u2215", "\u2025/", "..%09/"
]
TARGETS = [
    "config.yaml", "crm.sqlite", "crm.sqlite-wal", "mails/guide.md", "assets/guide.md", "private.md", "etc/passwd",
    "proc/self/environ"
]
ABSOLUTE = [
    "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "/proc/self/environ", "file:///etc/passwd", "\\etc\\passwd",
    "C:\\boot.ini", "config.yaml", "config.yaml%00", "config.yaml%00.md", "crm.sqlite", ".env", ".git/config",
    "mails/guide.md", "outbox/new/", "assets", "assets/", "assets/guide.md", "assets/outside.md", "templates/",
    "guide.md", "guide%00.md", "~/.ssh/id_rsa", "%2e", "."
]
PLACES = [
    "/", "/download/", "/offers/", "/forms/", "/thanks/", "/trellis.css/", "/trellis.css%2f", "/assets/",
    "/r/000000000000/", "/static/"
]
INSIDE = [
    CANARY_FILE.encode(), b"root:x:", b"SQLite format 3", b"secret: $", b"Water it on Mondays", b"TRELLIS_SECRET",
    b"purpose: transactional"
]


def open_forms(lab):
    for magnet in ["guide", "sheet", "odd", "inside", "outside"]:
        lab.forms.open(magnet, 3)


def run(lab):
    traversal(lab)
    downloads(lab)
    ranges(lab)
    odd_names(lab)
    symlinks(lab)
    on_the_disk(lab)


def download_of(lab, magnet):
    """The path of the download that a magnet gives on the page after its form."""
    place = lab.forms.send(magnet, {"email": address(magnet)}).header("location")
    found = re.search(r'href="http://crm\.example(/download/[\w-]+)"', lab.public.get(place).text)
    return found[1] if found else None


def traversal(lab):
    words = ABSOLUTE + [up * deep + target for up in UP for deep in (1, 2, 6) for target in TARGETS]
    paths = [place + word for place in PLACES[:4]
             for word in words] + [place + word for place in PLACES for word in ABSOLUTE]
    paths = [urllib.parse.quote(path, safe="/%;:?=&~\\") for path in paths]

    def one(path):
        # As the bytes they are: a client that tidies a path attacks nobody.
        answer = lab.public.ask("GET", path)
        problems = [word for word in INSIDE if word in answer.body]
        if answer.status not in (400, 404) and path not in ("/", "/.", "//", "/%2e") or problems:
            return f"GET {path}: {answer.status} {problems or answer}"

    problems = [problem for problem in together(one, paths, 4) if problem]
    problems = [
        problem for problem in problems if not re.match(r"GET /(offers|forms)/+(\.|%2e)?/*: (200|303)", problem)
    ]
    lab.report.none("A42", f"{len(paths)} paths lead to no file that is not offered", problems)
    style = lab.public.get("/trellis.css")
    lab.report.holds("A42", "the style sheet is one", style.status == 200
                     and style.header("content-type").startswith("text/css"), style)


def downloads(lab):
    path, numbers = download_of(lab, "sheet"), Server.numbers
    lab.server.settle()
    before = lab.server.counts()
    whole, head = lab.public.get(path), lab.public.head(path)
    lab.report.same("A42", "a download is the file, to be saved and not to be shown",
                    (whole.status, whole.body
                     == numbers, whole.header("content-disposition"), whole.header("x-content-type-options")),
                    (200, True, 'attachment; filename="numbers.bin"', "nosniff"))
    lab.report.same("A42", "to ask for its head brings its length and no body",
                    (head.status, head.body, head.header("content-length")), (200, b"", "100000"))
    lab.report.same("A42", "it is kept by its reader alone", whole.header("cache-control"), "private, no-cache")
    again = lab.public.get(path, if_none_match=whole.header("etag"))
    lab.report.same("A42", "and not sent again where it is known", (again.status, again.body), (304, b""))
    lab.server.settle()
    lab.report.same("A23", "to fetch it is no event",
                    {k: v
                     for k, v in lab.server.counts().items() if before[k] != v}, {})
    problems = []
    for form in [
            path.upper(), "/Download" + path[9:], path + "/", path + "/x", path + "?x=../../config.yaml", path + "#x",
            path + ";x=y",
            path.replace("/download/", "/download//"), path + ".md", path + "%00"
    ]:
        answer = lab.public.ask("GET", form)
        if answer.status == 200 and answer.body != numbers or answer.status not in (200, 400, 404):
            problems.append(f"{form[:30]}…{form[-8:]}: {answer}")
    lab.report.none("A42", "a path written differently is the file or nothing", problems)


def ranges(lab):
    path, numbers, size = download_of(lab, "sheet"), Server.numbers, len(Server.numbers)
    last = size - 1
    # What is asked for, and the bytes that come; None where there are none of them, 0 where the whole comes.
    asked = {
        "bytes=0-0": (0, 0),
        "bytes=0-99": (0, 99),
        "bytes=99990-": (99990, last),
        "bytes=-10": (size - 10, last),
        "bytes=0-": (0, last),
        f"bytes=0-{last}": (0, last),
        "bytes=5-999999999": (5, last),
        "bytes=-999999999": (0, last),
        f"bytes={last}-": (last, last),
        "bytes=50000-50000": (50000, 50000),
        "bytes=00000-00009": (0, 9),
        f"bytes={size}-": None,
        "bytes=100000-100001": None,
        "bytes=-0": None,
        "bytes=9223372036854775807-": None,
        "bytes=9-5": 0,
        "bytes=-": 0,
        "bytes=": 0,
        "bytes": 0,
        "bytes=a-b": 0,
        "bytes=0-9,20-29": 0,
        "bytes=0-0,-1": 0,
        "bytes=0--1": 0,
        "bytes=--1": 0,
        "bytes=-1-": 0,
        "bytes=+1-5": 0,
        "bytes=0x0-0x9": 0,
        "bytes=1.5-2": 0,
        "octets=0-9": 0,
        "items=0-1": 0,
        "bytes= 0-9": 0,
        "bytes=0 - 9": 0,
        "bytes=0-9;x": 0,
        "bytes=\u0661-\u0669": 0,
        "bytes=99999999999999999999-": 0,
        "bytes=0-99999999999999999999": 0,
        "bytes=-9223372036854775808": 0,
        "bytes=-99999999999999999999": 0,
        "bytes=" + ",".join(f"{n}-{n}" for n in range(1000)): 0,
        "bytes=" + ",".join(["0-"] * 1500): 0,
        "bytes=" + "0" * 5000 + "-9": (0, 9),
    }
    problems = []
    for text, wanted in asked.items():
        answer = lab.public.ask("GET", path, headers={"Range": text.encode()})
        if wanted is None:
            good = answer.status == 416 and answer.header("content-range") == f"bytes */{size}" and not answer.body
        elif wanted == 0:
            # A range that cannot be read is no range; that it is unsatisfiable may be said too.
            good = (answer.status, answer.body) == (200, numbers) or answer.status in (400, 416)
        else:
            first, end = wanted
            good = answer.status == 206 and answer.body == numbers[first:end + 1] and answer.header(
                "content-range") == f"bytes {first}-{end}/{size}"
        if not good:
            problems.append(
                f"Range: {text[:50]}: {answer.status} {answer.header('content-range')} and {len(answer.body)} bytes")
    lab.report.none("A42", f"{len(asked)} ranges bring the bytes they name, all of them, or 416", problems)
    stale = lab.public.get(path, range="bytes=0-9", if_range='"another"')
    lab.report.same("A42", "a part of another version is the whole", (stale.status, stale.body == numbers),
                    (200, True))
    two = lab.public.raw(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=0-1\r\nRange: bytes=5-6\r\nConnection: close\r\n\r\n"
        .encode())[0]
    lab.report.holds("A42", "of two Range headers no mixture comes",
                     len(re.findall(rb"HTTP/1\.1 (200|400|416) ", two)) == 1, two[:60])


def odd_names(lab):
    path = download_of(lab, "odd")
    came, _ = lab.public.raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    head, _, body = came.partition(b"\r\n\r\n")
    names = [line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
    said = next(
        (line for line in head.decode("latin-1").split("\r\n") if line.lower().startswith("content-disposition")), "")
    lab.report.same("A42", "the name of a file ends no header",
                    (names.count(b"content-disposition"), b"x-evil" in names, body), (1, False, b"odd"))
    lab.report.holds(
        "A42", "and stands in it as ASCII, and again percent-encoded",
        said.isascii() and re.fullmatch(r"[^\"]*; filename=\"[^\"\\]*\"; filename\*=UTF-8''[\w.%-]+", said), said)


def symlinks(lab):
    path = os.path.join(lab.server.site, "assets", "outside.md")
    os.remove(path)
    os.symlink("../../private.md", path)
    inside, outside = download_of(lab, "inside"), download_of(lab, "outside")
    with open(os.path.join(lab.server.site, "assets", "guide.md"), "rb") as file:
        guide = file.read()
    answer, piece = lab.public.get(inside), lab.public.get(inside, range="bytes=0-39")
    lab.report.same("A42", "a symlink to another asset is that asset", (answer.status, answer.body), (200, guide))
    lab.report.same("A42", "and a part of it is a part of that asset",
                    (piece.status, piece.body, piece.header("content-range")),
                    (206, guide[:40], f"bytes 0-{min(39, len(guide) - 1)}/{len(guide)}"))
    answer = lab.public.get(outside) if outside else None
    lab.report.holds("A42", "a symlink that leaves the folder of the site brings nothing", answer is None
                     or CANARY_FILE.encode() not in answer.body, answer, "no byte of a file outside")


def on_the_disk(lab):
    server = lab.server
    who = address("exported")
    lab.forms.send("guide",
                   {"email": who, "first_name": "Exportania", "consent_ads": "on", "consent_newsletter": "on"})
    server.settle()
    outcome = server.command("audiences", "export", "everybody", "--platform", "google", "--anyway")
    found = [
        os.path.join(folder, name) for folder, _, names in os.walk(server.site) for name in names
        if name.endswith(".csv")
    ]
    problems = [] if outcome.returncode == 0 and found else [
        f"{outcome.returncode} {outcome.stdout} {outcome.stderr}"
    ]
    for path in found:
        with open(path, errors="replace") as file:
            text = file.read()
        if "@" in text or "Exportania" in text or "reader.example" in text:
            problems.append(f"{os.path.basename(path)} names a person")
        if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
            problems.append(f"{os.path.basename(path)} may be read by others: {oct(os.stat(path).st_mode & 0o777)}")
        if not all(re.fullmatch(r"[0-9a-f]{64}", line) for line in text.split("\n")[1:] if line):
            problems.append(f"{os.path.basename(path)} holds more than hashes: {text[:100]!r}")
    lab.report.none("A47", "the file of an audience holds hashes alone, and its owner alone may read it", problems)
    open_ = [
        os.path.relpath(os.path.join(folder, name), server.site) for folder, _, names in os.walk(server.site)
        for name in names if name.startswith("crm.sqlite") or "outbox" in folder
        if stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) & 0o002
    ]
    lab.report.none("A47", "neither the database nor a mail may be written by others", open_)
