"""SQL over HTTP: nothing is written, nothing outside is opened, nothing secret is read, and nobody else waits
(A30 to A34)."""

import hashlib
import json
import os
import sqlite3
import statistics
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from client import Client
from forms import address
from statements import BOMBS, HOSTILE, ORACLES, OUT

TITLE = "Questions in SQL"
# How long an answer may take: it is killed after 1.6 s, and waits up to 0.4 s for a place.
SECONDS_MAX = 2.2
CANARY = "canary-of-a-secret-7f3a"
# What no clock of the server changes by itself.
HELD = [
    "sqlite_schema", "migrations", "stages", "leads", "accounts", "touches", "consents", "suppressions", "trash", "outbox_messages",
    "api_calls", "sql_writes", "sql_undo_rows", "kernel_context", "magnets_submissions"
]
QUERIES = """
queries:
  by-country:
    description: Leads of a country
    parameters:
      country: {type: text, default: DE}
      limit: null
    sql: SELECT id, email AS "e""mail", country FROM leads WHERE country = :country OR :limit = 'x'
  seen:
    parameters: {days: {type: integer, required: true}, on: {type: date}, is_new: {type: boolean}, tone: {one_of: [a, b]}}
    sql: SELECT :days AS days, :on AS day, :is_new AS is_new, :tone AS tone; -- the end
"""


def open_forms(lab):
    lab.forms.open("guide", 10)


def run(lab):
    statements(lab)
    bombs(lab)
    crowd(lab)
    secrets(lab)
    bodies(lab)
    named(lab)


def ask(server, sql, client=None, **fields):
    """The answer and how long it took."""
    body, start = json.dumps({"sql": sql} | fields).encode(), time.monotonic()
    answer = (client or server.admin).ask("POST", "/api/sql", body, {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {server.token}"
    })
    return answer, time.monotonic() - start


def asked(server, sql, **fields):
    """The same, asked again where its time ran out or there was no place, which on a busy machine says nothing of what
    was asked."""
    for _ in range(5):
        answer, seconds = ask(server, sql, **fields)
        if answer.status not in (422, 503):
            break
    return answer, seconds


def report_times(lab, row, found):
    """Holds how long answers took, each of them a text and its seconds."""
    worst = max(seconds for _, seconds in found)
    lab.report.none(row, f"each within {SECONDS_MAX} s (the slowest after {worst:.1f} s)",
                    [f"{sql[:100]}: {seconds:.2f} s" for sql, seconds in found if seconds > SECONDS_MAX])


def traces(server):
    """What a statement could leave: the files of the site, the contents of the file, its schema."""
    held = hashlib.sha256()
    for table in HELD:
        for row in server.rows(f"SELECT * FROM {table} ORDER BY 1, 2"):
            held.update(repr(tuple(row)).encode())
    with open(os.path.join(server.site, "crm.sqlite"), "rb") as file:
        main = hashlib.sha256(file.read()).hexdigest()
    files = sorted(name for name in os.listdir(server.site))
    return {"rows": held.hexdigest(), "file": main, "names": files, "stolen": os.path.exists(OUT)}


def children(server):
    """The processes that the server started and that are there, or not reaped."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                parts = file.read().rsplit(") ", 1)[1].split()
            if int(parts[1]) == server.process.pid:
                found.append((int(pid), parts[0]))
        except OSError:
            pass
    return found


def quiet(lab):
    """A server of its own, on which nothing happens but what is asked."""
    server = lab.start()
    server.forms.open("guide", 3)
    for name in ["ann", "bob", "cem"]:
        server.forms.send("guide", {"email": address(name), "country": "DE", "consent_newsletter": "yes"})
    server.settle()
    connection = sqlite3.connect(os.path.join(server.site, "crm.sqlite"), timeout=10)
    connection.execute("INSERT INTO api_calls (key, request, at) VALUES (?, ?, '2026-01-01')", (CANARY, CANARY))
    connection.execute("UPDATE consents SET page = ?1, network = ?1, agent = ?1", (CANARY, ))
    connection.execute("UPDATE outbox_messages SET content = CAST(?1 AS BLOB), body = json_object('x', ?1)", (CANARY, ))
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    server.settle()
    return server


# A30


def statements(lab):
    lab.quiet = server = quiet(lab)
    before, problems, times, memory = traces(server), [], [], server.memory
    for sql in HOSTILE:
        answer, seconds = ask(server, sql)
        times.append((sql, seconds))
        if answer.status not in (400, 403) or answer.header("content-type") != "application/json":
            problems.append(f"{sql}: {answer}")
    lab.report.none("A30", f"{len(HOSTILE)} hostile statements are refused as JSON", problems)
    report_times(lab, "A30", times)
    lab.report.same("A30", "no byte of the file, no row and no other file is changed", traces(server), before)
    lab.report.same("A30", "and no process is left", children(server), [])
    lab.report.holds("A30", "the server is no larger", server.memory - memory < 20 * 1024 * 1024,
                     f"{(server.memory - memory) / 1048576:.1f} MB")
    good, problems = ["SELECT 1", "SELECT count(*) FROM leads;", "VALUES (1), (2)", "EXPLAIN SELECT 1",
                      "WITH x AS (SELECT 1 AS a) SELECT count(*) FROM x", "SELECT * FROM lead_cards -- all",
                      "SELECT * FROM stage_history", "PRAGMA table_info(leads)", "SELECT name FROM sqlite_schema",
                      "SELECT 'natural' AS \"using\"", "SELECT * FROM pragma_table_info('leads')",
                      "SELECT value FROM json_each('[1, 2]')", "SELECT date('now'), typeof(:x)"], []
    for sql in good:
        answer, _ = asked(server, sql, **({"parameters": {"x": 1.5}} if ":x" in sql else {}))
        if answer.status != 200 or answer.json()["truncated"]:
            problems.append(f"{sql}: {answer}")
    lab.report.none("A30", f"{len(good)} questions that only ask are answered", problems)


# A31, A32


def bombs(lab):
    server, problems = lab.quiet, []
    before, memory = traces(server), server.memory
    with Probe(server) as calm:
        time.sleep(3)
    lab.calm = calm
    found, times = beside(lab, server, lambda: [(sql, *ask(server, sql)) for sql in BOMBS])
    for sql, answer, _ in found:
        if answer.status not in (200, 400, 403, 422) or answer.status == 200 and len(answer.body) > 2 * 1024 * 1024:
            problems.append(f"{sql[:100]}: {answer}")
        if answer.status == 422 and not answer.json()["error"].endswith((".", "join.")):
            problems.append(f"{sql[:100]}: no sentence: {answer}")
    lab.report.none("A31", f"{len(BOMBS)} bombs are stopped, and said to be", problems)
    report_times(lab, "A31", [(sql, seconds) for sql, _, seconds in found])
    lab.report.holds("A31", f"while the pages of the server are answered ({times})", times.are_short, times)
    lab.report.same("A31", "nothing is written", traces(server), before)
    lab.report.same("A31", "no process is left", children(server), [])
    lab.report.holds("A31", "the server is no larger", server.memory - memory < 30 * 1024 * 1024,
                     f"{(server.memory - memory) / 1048576:.1f} MB")
    many = "SELECT a.email, b.name FROM leads AS a, sqlite_schema AS b, sqlite_schema AS c"
    answer, _ = asked(server, many)
    found = answer.json()
    lab.report.same("A32", "a long answer is cut, and says so", (answer.status, len(found["rows"]), found["truncated"],
                                                                found["cut_by"]), (200, 1000, True, "rows"))
    answer, _ = asked(server, "SELECT c.sql, b.sql FROM sqlite_schema AS a, sqlite_schema AS b, sqlite_schema AS c")
    lab.report.holds("A32", "by its bytes too", answer.json()["cut_by"] in ("rows", "bytes")
                     and len(answer.body) < 1.2 * 1024 * 1024, len(answer.body))


class Times:
    """How long visitors waited: without bombs, and beside them in each try."""
    def __init__(self, calm):
        self.calm, self.tries = calm, []

    @property
    def are_short(self):
        return min(self.tries) < max(4 * self.calm, 0.2)

    def __str__(self):
        return f"p99 {', '.join(f'{1000 * seconds:.0f}' for seconds in self.tries)} ms, {1000 * self.calm:.0f} ms before"


def beside(lab, server, work):
    """Does the work with a visitor beside it; up to three times, since another job of the machine may slow one down,
    but a visitor who waits for the bombs waits every time."""
    times, found = Times(lab.calm.p99), []
    while not times.tries or not times.are_short and len(times.tries) < 3:
        with Probe(server) as probe:
            found += work()
        times.tries.append(probe.p99)
    return found, times


class Probe:
    """Asks a page all the time, and remembers how long each took."""
    def __init__(self, server):
        self.client, self.seconds, self.is_over = Client(server.public.port), [], threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.is_over.wait(0.02):
            start = time.monotonic()
            answer = self.client.get("/offers/guide")
            self.seconds.append(time.monotonic() - start if answer.status == 200 else 20)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    @property
    def p99(self):
        self.seconds += [0.0] * (len(self.seconds) < 2)
        return statistics.quantiles(self.seconds, n=100)[98]


def crowd(lab):
    """Many at once: a few are answered, the others are told when to come again."""
    server, memory = lab.quiet, lab.quiet.memory
    endless = BOMBS[0]

    def one(_):
        client = Client(server.admin.port)
        return [ask(server, endless, client) for _ in range(3)]

    most, is_over = [], threading.Event()

    def watch():
        while not is_over.wait(0.05):
            most.append(len(children(server)))

    watcher = threading.Thread(target=watch)
    watcher.start()

    def rush():
        with ThreadPoolExecutor(12) as pool:
            return [answer for answers in pool.map(one, range(12)) for answer in answers]

    found, times = beside(lab, server, rush)
    is_over.set()
    watcher.join()
    problems = [
        f"{answer} after {seconds:.2f} s" for answer, seconds in found
        if answer.status not in (422, 503) or answer.status == 503 and not answer.header("retry-after")
    ]
    codes = {code: sum(answer.status == code for answer, _ in found) for code in (422, 503)}
    lab.report.none("A31", f"{len(found)} bombs of 12 clients at once are stopped or sent away {codes}", problems)
    report_times(lab, "A31", [(str(answer), seconds) for answer, seconds in found])
    lab.report.holds("A31", "never more than two at a time", 0 < max(most) <= 2, max(most))
    lab.report.holds("A31", f"and a visitor is answered all the while ({times})", times.are_short, times)
    lab.report.same("A31", "no process is left", children(server), [])
    lab.report.holds("A31", "the server is no larger", server.memory - memory < 30 * 1024 * 1024,
                     f"{(server.memory - memory) / 1048576:.1f} MB")
    lab.report.same("A31", "and the next question is answered", asked(server, "SELECT 1")[0].json()["rows"], [[1]])


# A33


def secrets(lab):
    server, problems = lab.quiet, []
    columns = [("consents", "agent"), ("consents", "page"), ("consents", "network"), ("outbox_messages", "content"),
               ("outbox_messages", "body")]
    for table, column in columns:
        right, wrong = CANARY, "another-secret-at-all"
        for form in ORACLES:
            answers = [asked(server, form.format(t=table, c=column, v=value))[0] for value in (right, wrong)]
            found = [(answer.status, answer.json().get("rows")) for answer in answers]
            if found[0] != found[1] or found[0][0] not in (200, 403) or CANARY in json.dumps(found):
                problems.append(f"{form.format(t=table, c=column, v='…')}: {found}"[:250])
    number = 2 * len(ORACLES) * len(columns)
    lab.report.none("A33", f"no question of {number} tells a secret from another one", problems)
    schema = "".join(asked(server, f"SELECT * FROM {table}")[0].text for table in ["sqlite_schema", "migrations"])
    lab.report.holds("A33", "and no secret stands in the schema", CANARY not in schema and server.secret not in schema)


# A30


def bodies(lab):
    server, problems = lab.quiet, []
    for body, kind, wanted in [
        (b"", "application/json", 400), (b"{}", "application/json", 400), (b"[]", "application/json", 400),
        (b'{"sql": 1}', "application/json", 400), (b'{"sql": null}', "application/json", 400),
        (b'{"sql": "SELECT 1"', "application/json", 400), (b"sql=SELECT 1", "application/x-www-form-urlencoded", 415),
        (b'{"sql": "SELECT 1"}', "text/plain", 415), (b'{"sql": "SELECT 1"}', "", 415),
        (b'{"sql": "SELECT 1", "database": "/etc/passwd"}', "application/json", 400),
        (b'{"sql": "SELECT 1", "limit": 0}', "application/json", 400),
        (b'{"sql": "SELECT 1", "limit": 1001}', "application/json", 400),
        (b'{"sql": "SELECT 1", "limit": "1"}', "application/json", 400),
        (b'{"sql": "SELECT 1", "limit": 1e99}', "application/json", 400),
        (b'{"sql": "SELECT :x", "parameters": {"x": [1]}}', "application/json", 400),
        (b'{"sql": "SELECT :x", "parameters": [1]}', "application/json", 400),
        (b'{"sql": "SELECT 1\\u0000; DELETE FROM leads"}', "application/json", 400),
        (b'{"sql": "' + b"x" * 60_000 + b'"}', "application/json", 413), (b"[" * 200_000, "application/json", 400),
        (b"x" * 300_000, "application/json", 413), (b'{"sql": "SELECT \xff"}', "application/json", 400)
    ]:
        for _ in range(5):
            answer = server.ask_admin("POST", "/api/sql", body, Content_Type=kind)
            if answer.status not in (422, 503):
                break
        if answer.status != wanted or answer.header("content-type") != "application/json":
            problems.append(f"{body[:60]!r} as {kind!r}: expected {wanted}, found {answer}")
    lab.report.none("A30", "what is no question in JSON is refused as JSON", problems)
    injected = "'; DELETE FROM leads; --"
    answer, _ = asked(server, "SELECT :x AS x", parameters={"x": injected})
    lab.report.same("A30", "a parameter is bound", answer.json()["rows"], [[injected]])


# A34


def named(lab):
    # What is asked here is never long, and has the time that a busy machine takes to start a process.
    server = lab.start(("plugins:\n", QUERIES + "\nplugins:\n"),
                       ("wrong_tokens: 1000000}", "wrong_tokens: 1000000, sql: {seconds: 30}}"))
    server.forms.open("guide", 3)
    for name, country in [("dora", "DE"), ("emil", "DE"), ("fay", "FR")]:
        server.forms.send("guide", {"email": address(name), "country": country})
    server.settle()
    before, problems = traces(server), []
    hostile = [
        "'", '"', "]", "`", "1; DROP TABLE leads", "' OR 1=1 --", "x') UNION SELECT key FROM api_calls --", "%", "\\", "0", "-1",
        "1 DESC, (SELECT 1)", "2147483648", "99999999999999999999", "id", "e\"mail", "\u0000", "1e1", "0x1", "../../etc/passwd",
        "null", "<script>", "{{name}}"
    ]

    def page(path, **values):
        return server.ask_admin("GET", path + "?" + urllib.parse.urlencode(values), Accept="text/html")

    for key in ["_sort", "_in", "_page", "_filter", "country", "limit", "x", "_sort]", 'e"mail', "sort", "`"]:
        for value in hostile:
            for path in ["/queries/by-country", "/api/queries/by-country"]:
                answer = page(path, **{key: value})
                if answer.status not in (200, 400) or "<script>" in answer.text or CANARY in answer.text:
                    problems.append(f"{path}?{key}={value}: {answer}")
    lab.report.none("A34", "no name and no value of a parameter reaches SQL or the page", problems)
    lab.report.same("A34", "and nothing is changed", traces(server), before)
    rows = lambda answer: [line for line in answer.text.splitlines() if 'data-column="e&quot;mail"' in line]
    up, down = page("/queries/by-country", _sort="2"), page("/queries/by-country", _sort="-2")
    lab.report.holds("A34", "a table is sorted by the place of a column", len(rows(up)) == 2 and rows(up) == rows(down)[::-1],
                     (up, down))
    lab.report.same("A34", "and filtered by a value", len(rows(page("/queries/by-country", _filter="DORA", _in="2"))), 1)
    lab.report.same("A34", "a parameter takes the place of an option of its name",
                    len(server.ask_admin("GET", "/api/queries/by-country?limit=x").json()["rows"]), 3)
    found = {
        path: server.ask_admin("GET", "/api/queries/seen" + path).status
        for path in ["", "?days=x", "?days=1", "?days=1&on=soon", "?days=1&on=2026-01-31", "?days=1&is_new=perhaps", "?days=1&tone=c",
                     "?days=1&tone=a", "?days=1&days=2", "?days=1&dyas=2", "?days=1&format=xml", "?days=1&format=csv"]
    }
    lab.report.same("A34", "a parameter takes what it says", found, {
        "": 400, "?days=x": 400, "?days=1": 200, "?days=1&on=soon": 400, "?days=1&on=2026-01-31": 200,
        "?days=1&is_new=perhaps": 400, "?days=1&tone=c": 400, "?days=1&tone=a": 200, "?days=1&days=2": 400,
        "?days=1&dyas=2": 400, "?days=1&format=xml": 400, "?days=1&format=csv": 200
    })
    doors(lab, server)


def doors(lab, server):
    import base64
    basic = lambda word: {"Authorization": "Basic " + base64.b64encode(f"me:{word}".encode()).decode()}
    paths = ["/queries", "/queries/by-country", "/api/queries", "/api/queries/by-country"]
    lab.report.same("A25", "a browser reads queries with the token as its password",
                    {server.admin.ask("GET", path, headers=basic(server.token)).status for path in paths}, {200})
    wrong = [server.admin.ask("GET", path, headers=basic("x")) for path in paths]
    lab.report.same("A25", "and with no other", {(answer.status, answer.header("www-authenticate")) for answer in wrong},
                    {(401, 'Basic realm="Trellis", charset="UTF-8"')})
    others = [server.admin.ask("POST", "/api/sql", b'{"sql": "SELECT 1"}', basic(server.token) | {"Content-Type": "application/json"}),
              server.admin.ask("GET", "/api/leads", headers=basic(server.token)),
              server.admin.ask("POST", "/queries/by-country", b"", basic(server.token))]
    lab.report.same("A28", "a password that a browser says by itself opens nothing else", {answer.status for answer in others}, {401})
