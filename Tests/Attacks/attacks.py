"""Attacks a server of its own from outside: attacks.py TRELLIS [THEME…]

SHORT=1 takes fewer rounds where more rounds find more. Python 3.11, and nothing besides.
"""

import os
import sys
import traceback

import abuse
import addresses
import admin
import files
import forms
import limits
import links
import logs
import pages
import queries
import texts
import wire
from report import Report
from server import Server

THEMES = [forms, texts, addresses, pages, links, files, admin, wire, limits, abuse, queries]
MEMORY_MAX = 30 * 1024 * 1024


class Lab:
    """What every theme is given."""
    def __init__(self, binary):
        self.binary = binary
        self.is_long = not os.environ.get("SHORT")
        self.report = Report()
        self.servers = []
        self.server = None

    def start(self, *edits, **environment):
        """One more server on a site of its own."""
        server = Server(self.binary, self.report, edits, environment)
        self.servers.append(server)
        return server.start()

    @property
    def public(self):
        return self.server.public

    @property
    def forms(self):
        return self.server.forms


def attack(lab, theme):
    """Runs a theme; afterwards the process must be alive and no larger than before."""
    lab.report.theme(theme.TITLE)
    before = lab.server.memory
    try:
        theme.run(lab)
    except Exception as error:  # A theme that breaks off is a failure, and the next one still runs.
        lab.report.none("", "the theme runs to its end", [repr(error)] + traceback.format_exc().splitlines()[-7:])
    lab.server.settle()
    is_running = lab.server.is_running
    lab.report.holds("", "the process is alive", is_running, tail(lab.server.log))
    if not is_running:
        lab.server.start()
        return
    grown = lab.server.memory - before
    lab.report.holds("A2", "and less than 30 MB larger", grown < MEMORY_MAX, f"{grown / 1048576:.1f} MB")


def tail(path):
    with open(path, errors="replace") as file:
        return " ".join(file.read().splitlines()[-5:])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    binary = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:] or [theme.__name__ for theme in THEMES]
    themes = [theme for theme in THEMES if theme.__name__ in wanted]
    if len(themes) != len(wanted):
        sys.exit("The themes are: " + " ".join(theme.__name__ for theme in THEMES))
    lab = Lab(binary)
    try:
        lab.server = lab.start()
        for theme in themes:
            if hasattr(theme, "open_forms"):
                theme.open_forms(lab)
        for theme in themes:
            attack(lab, theme)
        logs.run(lab)
    finally:
        for server in lab.servers:
            server.remove()
    sys.exit(lab.report.end())


if __name__ == "__main__":
    main()
