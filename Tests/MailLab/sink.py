"""A relay on this machine that keeps what it takes, and is as difficult as relays are.

It wants STARTTLS and a password. By the number in the address, number@lab.example:
- every 7th is nobody's: 550 5.1.1 at RCPT;
- every 5th that remains is greylisted once: 450 at RCPT;
- of every 10 one is taken, and the connection is cut in place of the reply.
"""
import json
import logging
import os
import socket
import ssl
import subprocess
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

# It warns at each login of how its own inside will change.
logging.getLogger("mail.log").setLevel(logging.ERROR)

USERNAME, PASSWORD = "lab", "a password of the lab"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def number_of(address):
    return int(address.split("@")[0].removeprefix("lead"))


def is_nobody(number):
    return number % 7 == 0


def is_greylisted(number):
    return number % 5 == 1


def is_cut(number):
    return number % 10 == 3


class Sink:
    """What was taken stands in a file, synced before the reply: `copies` is what the file holds."""

    def __init__(self, folder):
        self.folder = folder
        self.copies = {}
        self.samples = []
        self.cut = set()
        self.greylisted = set()
        self.logins = 0
        self.lock = threading.Lock()
        self.file = open(folder + "/sink.jsonl", "a")
        self.certificate = folder + "/sink.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", folder + "/sink.key", "-out", self.certificate],
            check=True, capture_output=True)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, folder + "/sink.key")
        self.port = free_port()
        self.controller = Controller(
            self, hostname="127.0.0.1", port=self.port, tls_context=context, require_starttls=True, auth_required=True,
            authenticator=self.login, enable_SMTPUTF8=False)
        self.controller.start()

    def login(self, server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USERNAME.encode(), PASSWORD.encode())
        self.logins += good
        return AuthResult(success=good, handled=good)

    async def handle_RCPT(self, server, session, envelope, address, options):
        number = number_of(address)
        if is_nobody(number):
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        if is_greylisted(number) and number not in self.greylisted:
            self.greylisted.add(number)
            return f"450 4.2.0 <{address}>: Recipient address rejected: Greylisted"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        number = number_of(envelope.rcpt_tos[0])
        with self.lock:
            line = {"number": number, "from": envelope.mail_from, "bytes": len(envelope.content)}
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
            os.fsync(self.file.fileno())
            self.copies[number] = self.copies.get(number, 0) + 1
            if len(self.samples) < 50:
                self.samples.append(envelope.content)
        if is_cut(number) and number not in self.cut:
            self.cut.add(number)
            server.transport.abort()
        return "250 2.0.0 Ok: taken"

    @property
    def taken(self):
        return sum(self.copies.values())

    def stop(self):
        self.controller.stop()
        self.file.close()
