"""Fills the file of a new CRM with a log of three years, for Benchmarks/Views/run.sh. usage: make_file.py FILE LEADS EVENTS

The population. Each number below is a part of LEADS, drawn by a fixed rule, so that the same numbers make the same file:

  leads           arrive evenly over 1,095 days to yesterday, at the stage `lead`; ten to an account
  touches         1 each, 0.4 a second and 0.1 a third one, on 69 roads: 9 channels, and 60 campaigns of six of them
  consents        0.7 to the newsletter
  forms           0.6 arrive by one of 12; 0.5 download what it offers
  stages          0.3 get as far as mql, 0.25 sal, 0.14 sql, 0.09 opportunity, 0.06 customer
  handoffs        0.28, to one of 40 reps: 0.25 accepted, 0.21 contacted, 0.017 rejected, within three days
  opportunities   0.09, of which 0.06 are won and 0.02 lost; in EUR, in USD, or in no currency
  mails           1 to some, evenly over the life of the lead, so many that they and what follows of them are a fifth of what
                  is left of EVENTS: 60 mails of 10 sequences, 0.4 of them opened, 0.1 clicked, each by a person's hit
  lead.updated    the rest of EVENTS

Beside them spend on each road, every other day of four, and looks at the pages of the 12 forms by day and channel.

The log is written lead by lead in the order of what happens to one, in rounds over all leads: it is not in the order of
time. The tables that figures are kept in are left to the program: every other subscriber has its cursor at the end of the
log, `figures/count` at its beginning, and `trellis work --until-idle` counts.
"""

import sys
import time

import sqlite3

DAYS = 1095
ROADS_OF_CAMPAIGNS = 60
CHANNELS = ["paid_search", "paid_social", "organic", "email", "referral", "webinar", "direct", "unknown", "offline"]
STAGES = [("mql", 300), ("sal", 250), ("sql", 140), ("opportunity", 90), ("customer", 60)]


def draw(key, of, number="i"):
    """SQL of a number below `of` that looks drawn, another one for each key."""
    return f"((({number} * {7919 + 2 * key} + {104729 * (key + 1)}) % 1000003 * 48271 % 2147483647) % {of})"


class Filling:
    def __init__(self, path, leads, events):
        self.leads, self.events = leads, events
        self.db = sqlite3.connect(path, isolation_level=None)
        self.begin = int(time.time()) // 86400 * 86400 - DAYS * 86400
        # Of leads that arrived yesterday the last events would lie in the time to come: a life ends today at midnight.
        self.end = DAYS * 86400

    def run(self, sql, *values):
        return self.db.execute(sql, values)

    def rows(self, table, columns, select):
        self.run(f"INSERT INTO {table} ({columns}) {select}")

    def at(self, seconds):
        """SQL of a time in the file, of seconds since the first day."""
        return f"strftime('%Y-%m-%d %H:%M:%S.000', {self.begin} + {seconds}, 'unixepoch')"

    def life(self, part):
        """SQL of a moment of a lead's life, between its arrival (0) and the end (1)."""
        return self.at(f"CAST(arrived + ({self.end} - arrived) * ({part}) AS INTEGER)")

    def event(self, kind, origin, at, body, source="lives", where="true"):
        """A row of the log for each row of the source. Origin, moment and body are SQL."""
        self.rows("events", "kind, lead_id, origin, at, body",
                  f"SELECT '{kind}', i, {origin}, {at}, {body} FROM {source} WHERE {where}")

    def fill(self):
        for pragma in ["journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = MEMORY"]:
            self.run("PRAGMA " + pragma)
        # Written without triggers and without the indexes of the large tables, which are then made as they were.
        made = self.run("""
            SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL
              AND (type = 'trigger' OR type = 'index' AND tbl_name IN ('events', 'outbox_messages', 'mail_hits', 'touches'))""").fetchall()
        self.run("BEGIN")
        for kind, name, _ in made:
            self.run(f'DROP {kind} "{name}"')
        self.people()
        self.arrivals()
        rest = self.events - self.count("events") - self.planned()
        mails = max(1, int(rest / 5 / 1.5 / self.leads))
        for number in range(mails):
            self.mail(number, mails)
            # After a third of the mails leads become qualified, after two thirds they are sold to.
            if number == mails // 3:
                self.qualify()
            if number == 2 * mails // 3:
                self.sell()
        self.updates()
        self.spend()
        self.looks()
        for _, _, sql in made:
            self.run(sql)
        self.cursors()
        self.run("COMMIT")

    def count(self, table):
        return self.run(f"SELECT count(*) FROM {table}").fetchone()[0]

    def planned(self):
        """Events of stages, handoffs and opportunities."""
        return int(self.leads * (0.84 + 0.76 + 0.17))

    # Leads and how they come

    def people(self):
        leads, span = self.leads, DAYS * 86400
        campaigns = [(CHANNELS[number % 6], f"campaign-{number}") for number in range(ROADS_OF_CAMPAIGNS)]
        self.roads = [(channel, None) for channel in CHANNELS] + campaigns
        self.run("CREATE TEMP TABLE roads (road INTEGER PRIMARY KEY, channel TEXT, campaign TEXT)")
        self.db.executemany("INSERT INTO roads VALUES (?, ?, ?)",
                            [(number, *road) for number, road in enumerate(self.roads)])
        self.run("CREATE TEMP TABLE lives (i INTEGER PRIMARY KEY, arrived INTEGER, luck INTEGER)")
        # Luck says how far a lead gets: below 300 to mql, below 250 to sal, and so on.
        self.run(f"""
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {leads})
            INSERT INTO lives SELECT i, i * {span} / ({leads} + 1), {draw(1, 1000)} FROM n""")
        # A site's name ends in .example; ten leads are one company.
        self.rows("accounts", "id, name, domain, created_at, updated_at",
                  f"SELECT i, 'Company ' || i, 'company' || i || '.example', {self.at(0)}, {self.at(0)} FROM lives WHERE i <= {leads // 10 + 1}")
        stage = "CASE " + " ".join(f"WHEN luck < {part} THEN '{name}'" for name, part in reversed(STAGES)) + " ELSE 'lead' END"
        self.rows(
            "leads", "id, email, first_name, last_name, title, country, source, stage, account_id, created_at, updated_at", f"""
            SELECT i, 'lead' || i || '@company' || (i % {leads // 10} + 1) || '.example', 'Ann', 'Lead', 'Buyer', 'DE', channel, {stage},
                   i % {leads // 10} + 1, {self.at("arrived")}, {self.at("arrived")}
            FROM lives JOIN roads ON road = {draw(2, len(self.roads))}""")

    def arrivals(self):
        form = f"'form-' || {draw(3, 12)}"
        channel = f"(SELECT channel FROM roads WHERE road = {draw(2, len(self.roads))})"
        comes, arrived = f"{draw(4, 10)} < 6", self.at("arrived")
        for number, part in enumerate([10, 4, 1]):
            self.rows(
                "touches", "lead_id, at, kind, channel, campaign", f"""
                SELECT i, {self.life(number / 4)}, 'form', channel, campaign
                FROM lives JOIN roads ON road = {draw(2 if number == 0 else 4 + number, len(self.roads))} WHERE {draw(7, 10)} < {part}""")
        self.rows("consents", "lead_id, purpose, state, source, at",
                  f"SELECT i, 'newsletter', 'granted', 'import:1', {arrived} FROM lives WHERE {draw(8, 10)} < 7")
        self.event("lead.created", f"iif({comes}, 'form:' || {form}, 'import:1')", arrived, "'{\"stage\":\"lead\"}'")
        self.event("consent.granted", "'import:1'", arrived, "'{\"purpose\":\"newsletter\"}'", where=f"{draw(8, 10)} < 7")
        self.event("form.submitted", f"'form:' || {form}", arrived,
                   f"'{{\"form\":\"' || {form} || '\",\"channel\":\"' || {channel} || '\"}}'", where=comes)
        self.event("asset.downloaded", "'web'", self.at(f"min(arrived + 600, {self.end})"),
                   f"'{{\"magnet\":\"' || {form} || '\"}}'", where=f"{draw(4, 10)} < 5")

    # Mails

    def mail(self, number, mails):
        first, part = number * self.leads, f"{number + 1}.0 / {mails + 1}"
        name = f"({number} + i * 7) % 60"
        body = f"'{{\"mail\":\"mail-' || ({name}) || '\",\"message_id\":' || ({first} + i) || '}}'"
        at = self.life(part)
        self.rows(
            "outbox_messages", "id, key, origin, lead_id, template, state, ready_at, created_at, settled_at, opens_watched, links_watched, domain",
            f"""
            SELECT {first} + i, 'drip:sequence-' || (({name}) / 6) || ':{number + 1}:lead ' || i || ':cycle 1', 'plugin:drip', i, 'mail-' || ({name}),
                   'sent', at, at, at, 1, 2, 'company' || (i % {self.leads // 10} + 1) || '.example'
            FROM (SELECT i, {at} AS at FROM lives)""")
        self.event("mail.sent", "'courier'", at, body)
        for kind, part, link in [("mail.opened", 4, None), ("mail.clicked", 1, 1)]:
            where = f"{draw(10 + number, 10)} < {part}"
            self.event(kind, "'web'", at, body, where=where)
            self.rows("mail_hits", "message_id, lead_id, link_id, method, at, verdict",
                      f"SELECT {first} + i, i, {link or 'NULL'}, 'GET', {at}, 'person' FROM lives WHERE {where}")

    # Stages, handoffs and deals

    def move(self, before, after, part, moment):
        self.event("lead.stage_changed", "'plugin:scoring'", self.life(moment), f"'{{\"from\":\"{before}\",\"to\":\"{after}\"}}'",
                   where=f"luck < {part}")

    def qualify(self):
        self.move("lead", "mql", 300, "0.35")
        offered = f"CAST(arrived + ({self.end} - arrived) * 0.36 AS INTEGER)"
        rep, later = f"'rep-' || {draw(100, 40)}", lambda key, hours: self.at(f"min({offered} + {draw(key, hours * 3600)}, {self.end})")
        body = lambda more="": f"'{{\"cycle\":1,\"rep\":\"' || {rep} || '\"{more}}}'"
        self.event("handoff.offered", "'plugin:handoff'", self.at(offered), body(), where="luck < 280")
        self.event("handoff.accepted", "'api'", later(101, 48), body(), where="luck < 250")
        self.move("mql", "sal", 250, "0.4")
        self.event("lead.contacted", "'api'", self.at(f"min({offered} + 48 * 3600 + {draw(102, 24 * 3600)}, {self.end})"),
                   "'{\"channel\":\"call\"}'", where="luck < 210")
        self.event("handoff.rejected", "'api'", later(103, 72), body(',"reason":"no budget"'), where="luck BETWEEN 250 AND 266")

    def sell(self):
        self.move("sal", "sql", 140, "0.67")
        self.move("sql", "opportunity", 90, "0.7")
        opened, closed = self.life("0.7"), self.life("0.8")
        self.rows(
            "opportunities", "id, lead_id, account_id, owner, stage, amount, currency, opened_at, closed_at, created_at, updated_at", f"""
            SELECT i, i, i % {self.leads // 10} + 1, 'rep-' || {draw(100, 40)},
                   CASE WHEN luck < 60 THEN 'won' WHEN luck < 80 THEN 'lost' ELSE 'open' END, 50.0 + {draw(104, 30000)},
                   CASE {draw(105, 10)} WHEN 0 THEN 'USD' WHEN 1 THEN NULL ELSE 'EUR' END, {opened}, iif(luck < 80, {closed}, NULL),
                   {opened}, {closed}
            FROM lives WHERE luck < 90""")
        self.event("opportunity.created", "'api'", opened, "'{\"opportunity_id\":' || i || '}'", where="luck < 90")
        self.event("opportunity.stage_changed", "'api'", closed,
                   "'{\"opportunity_id\":' || i || ',\"from\":\"open\",\"to\":\"' || iif(luck < 60, 'won', 'lost') || '\"}'", where="luck < 80")
        self.move("opportunity", "customer", 60, "0.8")

    def updates(self):
        """What is left of EVENTS: somebody changes a column of a lead."""
        left = self.events - self.count("events")
        while left > 0:
            self.event("lead.updated", "'sql'", self.life("0.9"), "'{\"columns\":[\"title\"]}'", where=f"i <= {left}")
            left -= self.leads

    # What has no lead

    def spend(self):
        self.run(f"""
            INSERT INTO spend (day, channel, campaign, half, amount, currency)
            SELECT date({self.begin} + d.value * 86400, 'unixepoch'), channel, campaign,
                   CASE {draw(1, 4, "(d.value * 101 + road)")} WHEN 0 THEN 'nurturing' WHEN 1 THEN 'sales' ELSE 'generation' END,
                   1.0 + {draw(2, 900, "(d.value * 101 + road)")}, iif({draw(3, 10, "(d.value * 101 + road)")} = 0, 'USD', 'EUR')
            FROM {self.days()} AS d CROSS JOIN roads WHERE d.value % 4 < 2 AND {draw(4, 4, "(d.value * 101 + road)")} = 0""")

    def looks(self):
        number = "(d.value * 109 + f.value * 9 + road)"
        self.run(f"""
            INSERT INTO magnets_views (day, page, magnet, variant, channel, views)
            SELECT date({self.begin} + d.value * 86400, 'unixepoch'), '/offers/form-' || f.value, 'form-' || f.value, '', channel, 5 + {draw(1, 300, number)}
            FROM {self.days()} AS d CROSS JOIN {self.days(12)} AS f CROSS JOIN roads
            WHERE campaign IS NULL AND {draw(2, 10, number)} < 6""")

    def days(self, count=DAYS):
        return f"(WITH RECURSIVE n (value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < {count - 1}) SELECT value FROM n)"

    def cursors(self):
        """The figures are counted from the first event on; for everybody else nothing happened."""
        self.run("UPDATE subscribers SET last_event_id = (SELECT max(id) FROM events) WHERE id <> 'figures/count'")


if __name__ == "__main__":
    path, leads, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if leads < 1000 or events < 8 * leads:
        sys.exit(f"{events} events are too few for {leads} leads: at least 1000 leads, and 8 events for each.")
    Filling(path, leads, events).fill()
