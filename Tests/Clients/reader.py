"""One client that reads a living file, until the time is up: a line of JSON for each reading.

Usage: reader.py CLIENT DATABASE SECONDS; for datasette, DATABASE is the address of its server.

A reading holds `begin` and `end` in the seconds of time.perf_counter, `leads`, and `forms`, which were counted in one
snapshot; a long one also holds `later`, what the same snapshot says a while after. One that failed holds `error`.
"""

import json
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

CLIENT, DATABASE, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
COUNTS = (
    "SELECT (SELECT count(*) FROM leads) AS leads, (SELECT count(DISTINCT lead_id) FROM events WHERE kind = 'form.submitted') AS forms"
)
# How long a long reading keeps its snapshot: longer than any form should take.
LONG = 3
PAUSE = 0.25


def command_line(*lines):
    command = ["sqlite3", "-readonly", "-batch", "-cmd", ".timeout 10000", DATABASE]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60)
    if done.returncode or done.stderr:
        raise RuntimeError(done.stderr.strip())
    return [[int(cell) for cell in line.split("|")] for line in done.stdout.split()]


def by_sqlite3():
    return command_line(COUNTS + ";")[0]


def by_sqlite3_long():
    first, last = command_line("BEGIN;", COUNTS + ";", f".shell sleep {LONG}", COUNTS + ";", "COMMIT;")
    return first + last


def by_pandas():
    with connection() as crm:
        row = pandas.read_sql(COUNTS, crm).iloc[0]
    return [int(row.leads), int(row.forms)]


def by_pandas_long():
    """Every lead with its card, in pieces, as slowly as a careful person reads; then counted again."""
    with connection() as crm:
        crm.execute("BEGIN")
        first = pandas.read_sql(COUNTS, crm).iloc[0]
        pieces = pandas.read_sql("SELECT id, stage, score FROM lead_cards ORDER BY id", crm, chunksize=max(1, first.leads // 10))
        read, end = 0, time.perf_counter() + LONG
        for piece in pieces:
            read += len(piece)
            time.sleep(max(0, min(LONG / 10, end - time.perf_counter())))
        last = pandas.read_sql(COUNTS, crm).iloc[0]
        crm.execute("COMMIT")
    return [int(first.leads), int(first.forms), read, int(last.forms)]


def by_duckdb():
    """SQLite reads and DuckDB reckons, as the page has it."""
    with connection() as crm:
        crm.execute("BEGIN")
        leads = pandas.read_sql("SELECT id FROM leads", crm)
        events = pandas.read_sql("SELECT kind, lead_id FROM events WHERE kind = 'form.submitted'", crm)
        crm.execute("COMMIT")
    return list(duckdb.sql("SELECT (SELECT count(*) FROM leads), (SELECT count(DISTINCT lead_id) FROM events)").fetchone())


def by_datasette():
    query = urllib.parse.urlencode({"sql": COUNTS, "_shape": "array"})
    row = json.loads(fetched(f"/crm.json?{query}"))[0]
    for page in ["/crm", "/crm/leads", "/crm/funnel", "/crm/lead_cards?_size=20"]:
        fetched(page)
    return [row["leads"], row["forms"]]


def by_datasette_long():
    """All leads as one CSV, page after page, which is no snapshot: so it may only grow."""
    row = json.loads(fetched(f"/crm.json?{urllib.parse.urlencode({'sql': COUNTS, '_shape': 'array'})}"))[0]
    lines = fetched("/crm/leads.csv?_stream=on&_nofacet=1").count(b"\n") - 1
    if lines < row["leads"]:
        raise RuntimeError(f"{lines} lines of CSV for {row['leads']} leads")
    return [row["leads"], row["forms"]]


def fetched(path):
    try:
        with urllib.request.urlopen(DATABASE + path, timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{path}: {error.code} {error.read()[:200]}") from error


class connection:
    def __enter__(self):
        self.crm = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True, timeout=10, isolation_level=None)
        return self.crm

    def __exit__(self, *_):
        self.crm.close()


if CLIENT.startswith(("pandas", "duckdb")):
    import pandas
if CLIENT.startswith("duckdb"):
    import duckdb

read = globals()["by_" + CLIENT.replace("-", "_")]
over = time.perf_counter() + SECONDS
while time.perf_counter() < over:
    begin = time.perf_counter()
    try:
        counts = read()
        reading = {"leads": counts[0], "forms": counts[1], "later": counts[2:]}
    except Exception as error:  # whatever it is, it is a reading that failed
        reading = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"begin": begin, "end": time.perf_counter(), **reading}), flush=True)
    time.sleep(PAUSE)
