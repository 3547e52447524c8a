"""Clients that take their time: heads, bodies and readers that hold a connection open (A43)."""

import os
import re
import socket
import threading
import time

from client import head_of_form
from forms import address

MEGABYTE = 1024 * 1024


class Slow:
    """They begin with the run, on a server of their own, because the most patient need more than 30 seconds."""

    PER_ADDRESS = 20

    def __init__(self, lab):
        self.lab, self.found = lab, {}
        self.server = lab.start(("connections: 2000, connections_per_address: 1000",
                                 f"connections: 150, connections_per_address: {Slow.PER_ADDRESS}"))
        os.truncate(os.path.join(self.server.site, "assets", "numbers.bin"), 64 * MEGABYTE)
        self.server.forms.open("sheet", 1)
        place = self.server.forms.send("sheet", {"email": address("slow")}).header("location")
        self.path = re.search(r'href="http://crm\.example(/download/[\w-]+)"', self.server.public.get(place).text)[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _open(self, address_, first):
        end = socket.socket()
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        end.bind((address_, 0))
        end.connect(("127.0.0.1", self.server.public.port))
        end.sendall(first)
        return end

    KINDS = {
        # From where, how many, what is sent first and then each second, and within how many seconds of its opening the
        # server has to have closed it: by its own clocks ten for a head or a body, and thirty for the others; the rest is
        # for a busy machine.
        "a head that does not end": ("127.0.0.2", 15, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-A: b\r\n", 13),
        "nothing at all": ("127.0.0.3", 10, b"", b"", 13),
        "a body that trickles": ("127.0.0.4", 15, head_of_form("Content-Length: 9999"), b"x", 13),
        "chunks that trickle": ("127.0.0.5", 10, head_of_form("Transfer-Encoding: chunked"), b"1\r\nx\r\n", 13),
        "an extension of a chunk that does not end": ("127.0.0.9", 5,
                                                      head_of_form("Transfer-Encoding: chunked") + b"1;",
                                                      b"a" * 50_000, 13),
        "an idle connection": ("127.0.0.6", 10, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", 34),
        "a reader that does not read": ("127.0.0.7", 10, None, b"", 36),
    }

    def _run(self):
        begin = time.monotonic()
        open_ = []
        for sentence, (address_, count, first, each, _) in Slow.KINDS.items():
            first = first if first is not None else f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
            open_ += [(sentence, time.monotonic(), self._open(address_, first), each) for _ in range(count)]
            self.found[sentence] = []
        crowd = [self._open("127.0.0.8", b"") for _ in range(2 * Slow.PER_ADDRESS)]
        # A busy machine takes its time to close them; those that may stay are closed for their silence much later.
        crowd_end = time.monotonic() + 8
        while (closed := sum(not is_open(end) for end in crowd)) < Slow.PER_ADDRESS and time.monotonic() < crowd_end:
            time.sleep(0.1)
        self.crowd = closed
        for end in crowd:
            end.close()
        self.times = []
        while open_ and time.monotonic() - begin < 60:
            for _ in range(10):
                start = time.monotonic()
                self.server.public.get("/offers/guide")
                self.times.append(time.monotonic() - start)
            rest = []
            for sentence, opened, end, each in open_:
                is_reader = sentence.startswith("a reader")
                try:
                    if each:
                        end.send(each)
                    still = is_writing(end, self.server.public.port) if is_reader else is_open(end)
                except OSError:
                    still = False
                if still:
                    rest.append((sentence, opened, end, each))
                else:
                    self.found[sentence].append(time.monotonic() - opened)
                    end.close()
            open_ = rest
            time.sleep(0.7)

    def report(self):
        self.thread.join()
        report = self.lab.report
        for sentence, (_, count, _, _, limit) in Slow.KINDS.items():
            times = self.found[sentence]
            report.holds("A43", f"{sentence}: the server closes it within {limit} s",
                         len(times) == count and max(times) <= limit,
                         f"{len(times)} of {count} closed, the last after {max(times, default=0):.0f} s")
        report.same("A43",
                    f"of {2 * Slow.PER_ADDRESS} connections from one address {Slow.PER_ADDRESS} are closed at once",
                    self.crowd, Slow.PER_ADDRESS)
        times = sorted(self.times)
        worst = times[int(len(times) * 0.99)] * 1000
        report.holds("A43", f"meanwhile a visitor is answered, 99 of 100 times within 500 ms ({worst:.0f} ms)", worst
                     < 500, f"{worst:.0f} ms")
        self.server.stop()


def is_open(end):
    """Whether the other end has not closed; what came is thrown away."""
    end.setblocking(False)
    try:
        while part := end.recv(65536):
            pass
        return bool(part)
    except BlockingIOError:
        return True
    except OSError:
        return False


def is_writing(end, port):
    """The same without reading, from the server's side: with bytes on their way its farewell does not arrive here."""
    own, other = f":{end.getsockname()[1]:04X}", f":{port:04X}"
    with open("/proc/net/tcp") as file:
        lines = [line.split() for line in list(file)[1:]]
    return any(line[1].endswith(other) and line[2].endswith(own) and line[3] == "01" for line in lines)
