"""Bytes that are no request, or two at once: what a server reads otherwise than the proxy before it (A44, A28).

Sources: RFC 9112, sections 2.2, 3, 5.1, 5.2, 6 and 7.1, for the lines; RFC 9110 for Host and methods; CWE-444 for the
tricks.
"""

import re

from client import URLENCODED, statuses, together

TITLE = "Bytes on the wire"
HOST = b"Host: 127.0.0.1\r\n"
FORM = b"Content-Type: " + URLENCODED.encode() + b"\r\n"
SECOND = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def get(path=b"/healthz", headers=b"", version=b"HTTP/1.1", host=HOST, method=b"GET"):
    return method + b" " + path + b" " + version + b"\r\n" + host + headers + b"\r\n"


def post(headers, body=b"", version=b"HTTP/1.1"):
    return b"POST /forms/guide " + version + b"\r\n" + HOST + FORM + headers + b"\r\n" + body


def chunked(body, headers=b""):
    return post(b"Transfer-Encoding: chunked\r\n" + headers, body)


# Each is one request that is none: refused with 4xx or 501, or not answered at all, and the connection is closed.
FAULTY = {
    "Content-Length and Transfer-Encoding": post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                                                 b"0\r\n\r\n" + SECOND),
    "Transfer-Encoding and Content-Length": post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                                                 b"0\r\n\r\n" + SECOND),
    "two lengths that differ": post(b"Content-Length: 0\r\nContent-Length: 44\r\n", SECOND),
    "two lengths in one line": post(b"Content-Length: 0, 44\r\n", SECOND),
    "a length with a plus": post(b"Content-Length: +4\r\n", b"a=bc" + SECOND),
    "a negative length": post(b"Content-Length: -4\r\n", b"a=bc" + SECOND),
    "a length in hex": post(b"Content-Length: 0x4\r\n", b"a=bc" + SECOND),
    "a length of words": post(b"Content-Length: four\r\n", b"a=bc" + SECOND),
    "an empty length": post(b"Content-Length:\r\n", SECOND),
    "a length beyond 64 bits": post(b"Content-Length: 18446744073709551620\r\n", b"a=bc" + SECOND),
    "a space before the colon of a length": post(b"Content-Length : 44\r\n", SECOND),
    "a space before the colon of an encoding": post(b"Transfer-Encoding : chunked\r\nContent-Length: 44\r\n",
                                                    b"0\r\n\r\n" + SECOND),
    "a tab before the colon": get(headers=b"X-A\t: b\r\n"),
    "an encoding nobody knows": post(b"Transfer-Encoding: xchunked\r\nContent-Length: 44\r\n", SECOND),
    "chunked not last": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + SECOND),
    "chunked twice": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n" + SECOND),
    "identity": post(b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n" + SECOND),
    "an encoding with a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n" + SECOND),
    "an encoding in quotes": post(b"Transfer-Encoding: \"chunked\"\r\n", b"0\r\n\r\n" + SECOND),
    "an encoding on a folded line": post(b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 44\r\n", SECOND),
    "bare LF at the ends of lines": get().replace(b"\r\n", b"\n"),
    "bare LF at the end of one header": get(headers=b"X-A: b\nContent-Length: 44\r\n") + SECOND,
    "bare CR inside a header": get(headers=b"X-A: b\rContent-Length: 44\r\n") + SECOND,
    "a folded header": get(headers=b"X-A: b\r\n c\r\n"),
    "a folded first line": b"GET /healthz\r\n HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header before the first": b"GET /healthz HTTP/1.1\r\n X-A: b\r\n" + HOST + b"\r\n",
    "a header without a colon": get(headers=b"X-A\r\n"),
    "a header without a name": get(headers=b": b\r\n"),
    "NUL in a value": get(headers=b"X-A: b\x00c\r\n"),
    "NUL in a name": get(headers=b"X-\x00A: b\r\n"),
    "a control character in a value": get(headers=b"X-A: b\x01c\r\n"),
    "a name beyond ASCII": get(headers=b"X-\xc3\xa4: b\r\n"),
    "NUL in the path": get(b"/health\x00z"),
    "a control character in the path": get(b"/health\x01z"),
    "a space in the path": get(b"/health z"),
    "a tab between the words": b"GET\t/healthz\tHTTP/1.1\r\n" + HOST + b"\r\n",
    "no path": b"GET  HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path without a slash": get(b"healthz"),
    "HTTP/0.9": b"GET /healthz\r\n",
    "HTTP/1.2": get(version=b"HTTP/1.2"),
    "HTTP/3.0": get(version=b"HTTP/3.0"),
    "http/1.1 in small letters": get(version=b"http/1.1"),
    "a version of three digits": get(version=b"HTTP/1.10"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "a handshake of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x5a" * 500,
    "a method in small letters": get(method=b"get"),
    "a method that is no word": get(method=b"G@T"),
    "a method of 10,000 letters": get(method=b"A" * 10_000),
    "200 headers": get(headers=b"".join(b"X-%d: a\r\n" % number for number in range(200))),
    "a header of 64 KB": get(headers=b"X-A: " + b"a" * 65_536 + b"\r\n"),
    "a name of 64 KB": get(headers=b"a" * 65_536 + b": b\r\n"),
    "headers of 64 KB in all": get(headers=b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(64))),
    "a path of 100 KB": get(b"/" + b"a" * 100_000),
    "a chunk size that is no number": chunked(b"zz\r\nx\r\n0\r\n\r\n" + SECOND),
    "a negative chunk size": chunked(b"-1\r\nx\r\n0\r\n\r\n" + SECOND),
    "a chunk size with 0x": chunked(b"0x1\r\nx\r\n0\r\n\r\n" + SECOND),
    "a chunk size with a plus": chunked(b"+1\r\nx\r\n0\r\n\r\n" + SECOND),
    "a chunk size with a space before": chunked(b" 1\r\nx\r\n0\r\n\r\n" + SECOND),
    "a chunk size beyond 64 bits": chunked(b"FFFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n" + SECOND),
    "a chunk size of 16 digits that wraps": chunked(b"10000000000000000\r\n0\r\n\r\n" + SECOND),
    "a chunk longer than it says": chunked(b"1\r\nxyz\r\n0\r\n\r\n" + SECOND),
    "bare LF between chunks": chunked(b"1\nx\n0\n\n" + SECOND),
    "bare LF inside an extension": chunked(b"1;a\nb\r\nx\r\n0\r\n\r\n" + SECOND),
    "bare CR after a chunk size": chunked(b"1\rx\r\n0\r\n\r\n" + SECOND),
    "a length in the trailer": chunked(b"0\r\nContent-Length: 44\r\n\r\n" + SECOND),
    "an encoding in the trailer": chunked(b"0\r\nTransfer-Encoding: chunked\r\n\r\n" + SECOND),
    "trailers of 64 KB": chunked(b"0\r\n" + b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000)
                                                     for number in range(64)) + b"\r\n"),
}

# What the library below the server takes for a request. After a body in chunks no other request is read, so that
# nothing can hide behind it.
APART = {
    "an extension of 1 MB": chunked(b"1;" + b"a" * 1_000_000 + b"\r\nx\r\n0\r\n\r\n"),
    "an encoding in HTTP/1.0": post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"HTTP/1.0"),
    "an encoding in HTTP/1.0 before a request": post(b"Transfer-Encoding: chunked\r\n", SECOND, b"HTTP/1.0"),
}

# Whole requests that are refused; the connection may stay open.
REFUSED = {
    "without one Host of this site": {
        "no Host": (get(host=b""), {400}),
        "two Hosts": (get(host=HOST + b"Host: evil.example\r\n"), {400}),
        "two Hosts, the other first": (get(host=b"Host: evil.example\r\n" + HOST), {400, 421}),
        "an empty Host": (get(host=b"Host:\r\n"), {400}),
        "a Host with a port of letters": (get(host=b"Host: 127.0.0.1:evil\r\n"), {400, 421}),
        "a Host with a path": (get(host=b"Host: 127.0.0.1:80/evil\r\n"), {400, 421}),
        "a Host with a user": (get(host=b"Host: evil@127.0.0.1\r\n"), {400, 421}),
    },
    "in absolute form, but not for this site": {
        "another site by this Host": (get(b"http://evil.example/healthz"), {421}),
        "another site by its Host": (get(b"http://evil.example/healthz", host=b"Host: evil.example\r\n"), {421}),
        "another site, and no Host": (get(b"http://evil.example/healthz", host=b"", version=b"HTTP/1.0"), {421}),
        "this site with two Hosts": (get(b"http://127.0.0.1/healthz", host=HOST + HOST), {400}),
        "this site without a Host": (get(b"http://127.0.0.1/healthz", host=b""), {400}),
        "a user of this site": (get(b"http://evil@127.0.0.1/healthz"), {400}),
        "no site": (get(b"http:///healthz"), {400}),
        "another scheme": (get(b"ftp://127.0.0.1/healthz"), {400}),
    },
    "by a method or a path nobody answers": {
        "CONNECT": (get(b"evil.example:443", method=b"CONNECT"), {400, 404, 405, 421, 501}),
        "TRACE": (get(b"/", b"X-Canary: 1\r\n", method=b"TRACE"), {400, 404, 405, 501}),
        "OPTIONS *": (get(b"*", method=b"OPTIONS"), {400, 404, 405, 501}),
        "PUT": (get(b"/offers/guide", b"Content-Length: 0\r\n", method=b"PUT"), {404, 405, 501}),
        "DELETE": (get(b"/offers/guide", method=b"DELETE"), {404, 405, 501}),
        "PROPFIND": (get(b"/", method=b"PROPFIND"), {404, 405, 501}),
        "POST to a page": (get(b"/offers/guide", b"Content-Length: 0\r\n", method=b"POST"), {404, 405}),
        "a percent sign alone": (get(b"/offers/%"), {400, 404}),
        "a fragment": (get(b"/none#/../healthz"), {400, 404}),
    },
}


def run(lab):
    faulty(lab)
    refused(lab)
    good(lab)
    never_two(lab)


def faulty(lab):
    accepted, blamed, second, open_ = [], [], [], []

    def one(item):
        return lab.public.raw(item[1], half=item[0] in ("HTTP/0.9", ))

    for (sentence, data), (came, is_closed) in zip(FAULTY.items(), together(one, FAULTY.items(), 16)):
        codes = statuses(came)
        if len(codes) > 1:
            second.append(f"{sentence}: {codes}")
        if codes and codes[0] < 400:
            accepted.append(f"{sentence}: {codes[0]}")
        if codes and codes[0] >= 500 and codes[0] != 501:
            blamed.append(f"{sentence}: expected 4xx, found {codes[0]}")
        if not is_closed:
            open_.append(f"{sentence}: {codes or 'no answer'}, and the connection stays open")
    for sentence, found in [("is refused", accepted), ("is the sender's fault and not ours", blamed),
                            ("ends its connection", open_), ("brings no second answer", second)]:
        lab.report.none("A44", f"each of {len(FAULTY)} faulty requests {sentence}", found)
    for sentence, (came, is_closed) in zip(APART, together(lab.public.raw, APART.values())):
        codes = statuses(came)
        good = len(codes) <= 1 and is_closed
        lab.report.holds("A44", f"{sentence} is refused, or ends its connection", good,
                         f"{codes}, {'closed' if is_closed else 'left open'}")


def refused(lab):
    for kind, cases in REFUSED.items():
        problems = []
        for (sentence,
             (_, wanted)), (came, _) in zip(cases.items(),
                                            together(lambda item: lab.public.raw(item[1][0], answers=1), cases.items(),
                                                     16)):
            codes = statuses(came)
            if len(codes) != 1 or codes[0] not in wanted:
                problems.append(f"{sentence}: expected one of {sorted(wanted)}, found {codes}")
            if b"X-Canary" in came or b"evil.example" in came:
                problems.append(f"{sentence}: the answer repeats what was sent")
        lab.report.none("A28", f"a request {kind} is refused, in {len(cases)} ways", problems)


def good(lab):
    """What a strict server must still take."""
    cases = {
        "three requests at once": (get() * 3, [200, 200, 200]),
        "a line end before a request": (b"\r\n" + get(), [200]),
        "chunks with an extension": (chunked(b"1;a=b\r\nx\r\n2\r\n=y\r\n0\r\n\r\n"), [303]),
        "a trailer": (chunked(b"3\r\nx=y\r\n0\r\nX-Checksum: 1\r\n\r\n"), [303]),
        "chunks in capitals": (chunked(b"A\r\n0123456789\r\n0\r\n\r\n"), [303]),
        "a length with zeros before": (post(b"Content-Length: 0003\r\n", b"x=y"), [303]),
        "a body that is a request": (post(b"Content-Length: %d\r\n" % (len(SECOND) + 2), b"x=" + SECOND), [303]),
        "a body of a GET that is a request": (get(headers=b"Content-Length: %d\r\n" % len(SECOND)) + SECOND, [200]),
        "an upgrade nobody does": (get(headers=b"Connection: Upgrade\r\nUpgrade: h2c\r\n"), [200]),
        "a header without a value": (get(headers=b"X-A:\r\n"), [200]),
        "bytes beyond ASCII in a value": (get(headers=b"X-A: \xff\xc3\xa4\r\n"), [200]),
        "absolute form of this site": (get(b"http://127.0.0.1/healthz"), [200]),
        "absolute form of this site by another Host": (get(b"http://127.0.0.1/healthz",
                                                           host=b"Host: evil.example\r\n"), [200]),
        "absolute form in HTTP/1.0 without a Host": (get(b"http://127.0.0.1/healthz", host=b"",
                                                         version=b"HTTP/1.0"), [200]),
        "HTTP/1.0 with a Host": (get(version=b"HTTP/1.0"), [200]),
        "two of HTTP/1.0 at once": (get(version=b"HTTP/1.0") * 2, [200]),
        "two of HTTP/1.0 that stay": (get(headers=b"Connection: keep-alive\r\n", version=b"HTTP/1.0") * 2, [200, 200]),
        "a head in single bytes": (get(), [200]),
    }
    problems = []

    def one(item):
        data, wanted = item[1]
        pieces = [data[index:index + 1] for index in range(len(data))] if "single" in item[0] else None
        return statuses(lab.public.raw(data, pieces=pieces, answers=len(wanted))[0])

    for (sentence, (_, wanted)), found in zip(cases.items(), together(one, cases.items(), 16)):
        if found != wanted:
            problems.append(f"{sentence}: expected {wanted}, found {found}")
    lab.report.none("A44", f"{len(cases)} good requests, however they are written, get one answer each", problems)
    ends = {
        "HTTP/1.0": (get(version=b"HTTP/1.0"), True),
        "HTTP/1.0 that stays": (get(headers=b"Connection: keep-alive\r\n", version=b"HTTP/1.0"), False),
        "HTTP/1.1": (get(), False),
        "HTTP/1.1 that says so": (get(headers=b"Connection: Close\r\n"), True),
    }
    found = [f"{sentence}: {'open' if wanted else 'closed'}" for sentence, (data, wanted) in ends.items()
             if lab.public.raw(data, answers=None if wanted else 1)[1] != wanted]
    lab.report.none("A44", "a connection ends with its answer where its version or the client says so", found)


def never_two(lab):
    """A body that is refused must not be read as the next request."""
    problems, hidden = [], SECOND * 8000
    length = b"Content-Length: %d\r\n" % len(hidden)
    cases = {
        "a body of 300 KB full of requests": post(length, hidden),
        "the same in chunks": chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden)),
        "the same of an unknown type": post(length, hidden).replace(FORM, b"Content-Type: text/plain\r\n"),
        "the same to a page that is not": post(length, hidden).replace(b"/forms/guide", b"/none", 1),
        "the same to another host": post(length, hidden).replace(b"127.0.0.1", b"evil.example", 1),
        "the same with 100-continue": post(b"Expect: 100-continue\r\n" + length, hidden),
    }
    for sentence, (came, _) in zip(cases, together(lab.public.raw, cases.values(), 6)):
        codes = [code for code in statuses(came) if code != 100]
        if len(codes) != 1 or not 400 <= codes[0] < 500:
            problems.append(f"{sentence}: expected one refusal, found {codes[:5]}")
    lab.report.none("A44", "what stands in a body that is refused is never a request", problems)
    came = b"".join(
        lab.public.raw(get(path, b"Connection: close\r\n"))[0] for path in [
            b"/forms/guide%0d%0aX-Evil:%201%0d%0a%0d%0a", b"/r/x%0d%0aX-Evil:1/guide",
            b"/r/000000000000/guide?x=%0d%0aX-Evil:1", b"/forms/guide?x=%0d%0aX-Evil:1", b"//x%0d%0aX-Evil:1"
        ])
    lab.report.holds("A44", "no line end in an address splits an answer", not re.search(rb"^X-Evil", came, re.M),
                     came[:100])
