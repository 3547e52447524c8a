"""Times each view of Views/Figures that is read as a whole, for Benchmarks/Views/run.sh. usage: views.py FILE FOLDER

FOLDER holds kpis.sql and ladders.sql. Prints a table: milliseconds of processor time in one connection with the program's
page cache, the first reading and the median of three after it, beside one pass over the log. It is a figure, not a test.
The views of basis.sql are asked for one lead, or by the program for those of a batch, and are not timed.
"""

import re
import statistics
import sys
import time

import sqlite3

MILLISECONDS_MAX = 300
# As the program opens a file for a question: 32 MB.
CACHE_KIBIBYTES = 32 * 1024


def milliseconds(db, sql):
    start = time.process_time()
    db.execute(sql).fetchall()
    return 1000 * (time.process_time() - start)


def main(path, folder):
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
    names = []
    for file in ["kpis.sql", "ladders.sql"]:
        with open(f"{folder}/{file}") as text:
            names += re.findall(r"^CREATE VIEW (\w+)", text.read(), re.MULTILINE)
    # The bodies are read too, or an index would answer.
    scan = statistics.median(
        milliseconds(db, "SELECT count(*), max(id), max(length(body)) FROM events NOT INDEXED") for _ in range(3))
    counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ["leads", "events", "opportunities"]]
    print(f"Views at {counts[0]:,} leads, {counts[1]:,} events and {counts[2]:,} deals, in milliseconds of the processor;")
    print(f"one pass over the log takes {scan:.0f} ms.\n")
    print("| view | rows | first, ms | ms | of a pass | 300 ms |\n|---|---|---|---|---|---|")
    slow = []
    for name in names:
        sql = f"SELECT * FROM {name}"
        first = milliseconds(db, sql)
        warm = statistics.median(milliseconds(db, sql) for _ in range(3))
        rows = db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        if warm >= MILLISECONDS_MAX:
            slow.append(name)
        verdict = "over" if warm >= MILLISECONDS_MAX else "under"
        print(f"| `{name}` | {rows:,} | {first:.0f} | {warm:.0f} | {warm / scan:.2f} | {verdict} |", flush=True)
    others = f"; not {', '.join(slow)}." if slow else "."
    print(f"\n{len(names) - len(slow)} of {len(names)} views take less than {MILLISECONDS_MAX} ms{others}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
