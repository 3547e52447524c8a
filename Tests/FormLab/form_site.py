"""A site with one form, its server, and clients that post the form: what the labs that load the server share."""
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

CONFIG = """
site: {{name: Lab, base_url: "http://localhost:{port}", postal_address: "1 Main Street", secret: "${{TRELLIS_SECRET}}"}}
server:
  listen: 127.0.0.1:{port}
  limits: {{forms_per_minute: 100000, requests_per_minute: 1000000, connections_per_address: 500}}
mail: {{from: "Lab <lab@lab.example>"}}
plugins:
  lead_magnets:
    magnets:
      plan: {{title: Plan, asset: plan.txt, form: {{fields: [email!, first_name], consent: {{newsletter: "Yes."}}}}}}
  scoring: {{engagement: {{took: {{on: asset.downloaded, points: 5}}}}}}
  drip: {{sequences: {{hello: {{enter: {{on: consent.granted}}, steps: [{{wait: 1 day}}, {{exit: true}}]}}}}}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000


class FormSite:
    """A folder with a config and a program that serves it."""

    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        self.port = free_port()
        self.database = folder + "/crm.sqlite"
        self.log = folder + "/serve.log"
        self.environment = {**os.environ, "TRELLIS_SECRET": "0123456789abcdef" * 2, "TRELLIS_LOG": "warning"}
        with open(folder + "/config.yaml", "w") as file:
            file.write(CONFIG.format(port=self.port))
        with open(folder + "/plan.txt", "w") as file:
            file.write("The plan.\n")
        self.trellis("work", "--until-idle")
        self.token = re.search(r'name="_form" value="([^"]+)"', self.trellis("magnets", "embed", "plan").stdout)[1]

    def trellis(self, *arguments):
        return subprocess.run(
            [self.binary, *arguments], capture_output=True, text=True, env=self.environment, cwd=self.folder)

    def start(self):
        with open(self.log, "a") as log:
            server = subprocess.Popen(
                [self.binary, "serve"], stdout=log, stderr=log, env=self.environment, cwd=self.folder)
        for _ in range(1200):
            if server.poll() is not None:
                sys.exit("the server ended by itself: see " + self.log)
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return server
            except OSError:
                pass
            time.sleep(0.05)
        sys.exit("the server did not become ready")

    def rush(self, prefix, clients, forms, stop):
        """Clients in threads of their own, each of which sends its forms one after the other. Returns them with the
        answers, which grow as they come, and the refusals."""
        answers, refusals = [], []
        threads = [
            threading.Thread(target=self.send, args=(f"{prefix}-{client}", forms, answers, refusals, stop))
            for client in range(clients)
        ]
        for thread in threads:
            thread.start()
        return threads, answers, refusals

    def send(self, prefix, count, answers, refusals, stop):
        """One client: forms one after the other, until all are sent, the server is gone, or it is told to stop."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Mozilla/5.0 (lab)"}
        for number in range(count):
            if stop.is_set():
                return
            email = f"{prefix}-{number}@lab.example"
            body = urllib.parse.urlencode(
                {"_form": self.token, "email": email, "first_name": "Ann", "consent_newsletter": "on"})
            begin = time.perf_counter()
            try:
                connection.request("POST", "/forms/plan", body, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return
            end = time.perf_counter()
            if answer.status != 303:
                refusals.append(answer.status)
                return
            answers.append(Answer(email, begin, end))


class Answer:
    """A form that the server has taken, and when: in the seconds of time.perf_counter, which all processes share."""

    def __init__(self, email, begin, end):
        self.email = email
        self.begin = begin
        self.end = end

    @property
    def took(self):
        return self.end - self.begin
