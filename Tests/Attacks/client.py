"""Talks to a server: requests over kept connections, raw bytes over sockets, and forms as a browser sends them."""

import collections
import http.client
import json
import re
import socket
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Attack/1.0"
URLENCODED = "application/x-www-form-urlencoded"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        return ", ".join(self.all(name)) or None

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.header('location') or self.body[:80]!r}"


class Client:
    """One listener. Each thread keeps a connection of its own."""
    def __init__(self, port):
        self.port = port
        self._local = threading.local()

    def ask(self, method, path, body=None, headers=None):
        sent = {"User-Agent": AGENT} | (headers or {})
        for attempt in range(2):
            connection = getattr(self._local, "connection", None)
            is_kept = connection is not None
            if not is_kept:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                self._local.connection = connection
            try:
                connection.request(method, path, body=body, headers=sent)
                answer = connection.getresponse()
                return Answer(answer.status, answer.getheaders(), answer.read())
            except (http.client.HTTPException, OSError):
                connection.close()
                self._local.connection = None
                # A kept connection may have been closed meanwhile.
                if attempt == 1 or not is_kept:
                    raise

    def get(self, path, **headers):
        return self.ask("GET", path, headers=_names(headers))

    def head(self, path, **headers):
        return self.ask("HEAD", path, headers=_names(headers))

    def post(self, path, pairs=(), kind="form", **headers):
        body, content_type = encode(pairs, kind)
        return self.ask("POST", path, body, {"Content-Type": content_type} | _names(headers))

    def raw(self, data, wait=5, half=False, pieces=None, answers=None):
        """Sends bytes as they are. Returns what came, and whether the server closed within the wait, which is over a
        moment after so many whole answers."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as end:
            try:
                for piece in [data] if pieces is None else pieces:
                    end.sendall(piece)
                if half:
                    end.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return drain(end, wait, answers)


def head_of_form(*headers, path="/forms/guide"):
    """The head of a form, as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {URLENCODED}", *headers, "", ""]
    return "\r\n".join(lines).encode()


# What an answer too many, or the end of the connection, may take to come after the last answer that is waited for.
MOMENT = 0.5


def drain(end, wait, answers=None):
    """Reads until the other end closes or the wait is over; with `answers`, a moment after so many whole ones."""
    came, end_of_wait = b"", time.monotonic() + wait
    is_whole = False
    while (rest := end_of_wait - time.monotonic()) > 0:
        end.settimeout(rest)
        try:
            part = end.recv(65536)
        except TimeoutError:
            break
        except OSError:
            return came, True
        if not part:
            return came, True
        came += part
        if answers and not is_whole and whole_answers(came) >= answers:
            is_whole, end_of_wait = True, min(end_of_wait, time.monotonic() + MOMENT)
    return came, False


def whole_answers(came):
    """How many answers with a length a stream of bytes begins with; interim ones (RFC 9110, 15.2) are none."""
    count = 0
    while True:
        head, separator, came = came.partition(b"\r\n\r\n")
        if not separator:
            return count
        if re.match(rb"HTTP/1\.[01] 1\d\d ", head):
            continue
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        if not length or len(came) < int(length[1]):
            return count
        count, came = count + 1, came[int(length[1]):]


def statuses(came):
    """The status of each response in a stream of bytes."""
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", came)]


def together(work, items, threads=8):
    """Does the work for each item, several at a time; the results in the order of the items."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def _names(headers):
    return {name.replace("_", "-"): value for name, value in headers.items()}


# Bodies


def encode(pairs, kind="form"):
    """Names and values as a body and its content type. A value is text or bytes."""
    pairs = list(pairs.items() if isinstance(pairs, dict) else pairs)
    if kind == "json":
        fields = {}
        for name, value in pairs:
            fields[name] = value.decode() if isinstance(value, bytes) else value
        return json.dumps(fields).encode(), "application/json"
    if kind == "multipart":
        return multipart(pairs), "multipart/form-data; boundary=attack-boundary"
    return urllib.parse.urlencode(pairs).encode(), URLENCODED


def multipart(pairs):
    body = b""
    for name, value in pairs:
        value = value.encode() if isinstance(value, str) else value
        body += b"--attack-boundary\r\nContent-Disposition: form-data; name=\"" + name.encode() + b"\"\r\n\r\n"
        body += value + b"\r\n"
    return body + b"--attack-boundary--\r\n"


class Forms:
    """Forms of the public site. A form filled in within two seconds is a program's: they are opened long before."""

    SECONDS_MIN = 2.2

    def __init__(self, client):
        self.client = client
        self._opened = collections.defaultdict(collections.deque)
        self._last = {}

    def open(self, magnet, count=1):
        def one(_):
            answer = self.client.get(f"/forms/{magnet}", accept="application/json")
            return answer.json()["_form"]

        self._opened[magnet].extend(together(one, range(count), threads=4))
        self._last[magnet] = time.monotonic()

    def token(self, magnet):
        """The token of a form nobody has sent yet."""
        if not self._opened[magnet]:
            self.open(magnet, 5)
        rest = self._last[magnet] + Forms.SECONDS_MIN - time.monotonic()
        if rest > 0:
            time.sleep(rest)
        return self._opened[magnet].popleft()

    def send(self, magnet, fields, kind="form", token=None, **headers):
        """Sends a form as a person does. Without a token it is that of a form opened before; '' sends none."""
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        token = self.token(magnet) if token is None else token
        if token:
            pairs.append(("_form", token))
        return self.client.post(f"/forms/{magnet}", pairs, kind, **headers)
