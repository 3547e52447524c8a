"""SQL that strangers send: what wants to write, to reach outside or to look inside, and what wants all the time and
memory there is (A30 to A34). Each list stands alone, so that one can be read through and added to."""

OUT = "/tmp/trellis-stolen"

WRITES = """
INSERT INTO leads (email) VALUES ('x@reader.example')
INSERT OR REPLACE INTO leads (id, email) VALUES (1, 'x@reader.example')
INSERT INTO leads SELECT * FROM leads
REPLACE INTO stages (name, position) VALUES ('x', 99)
UPDATE leads SET stage = 'customer'
UPDATE OR IGNORE leads SET email = NULL
UPDATE leads SET title = 'x' WHERE id = 1 RETURNING *
UPDATE leads SET title = l.title FROM leads AS l
DELETE FROM leads
DELETE FROM leads RETURNING id
DELETE FROM events
DELETE FROM consents WHERE true
WITH x AS (SELECT 1) DELETE FROM suppressions
WITH x AS (SELECT 1) UPDATE leads SET owner = 'me'
WITH x (a) AS (SELECT 'x@reader.example') INSERT INTO leads (email) SELECT a FROM x
EXPLAIN DELETE FROM leads
INSERT INTO sqlite_master (type, name, sql) VALUES ('table', 'x', 'x')
UPDATE sqlite_master SET sql = ''
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK', '')
DELETE FROM sqlite_master
UPDATE sqlite_sequence SET seq = 0
DELETE FROM sqlite_sequence
INSERT INTO mailable_leads (email) VALUES ('x@reader.example')
DELETE FROM kernel_context
UPDATE kernel_context SET mode = 'erasing'
INSERT INTO sqlite_temp_master VALUES ('x', 'x', 'x', 1, 'x')
""".strip().splitlines()

SCHEMA = """
CREATE TABLE x (a)
CREATE TABLE x AS SELECT * FROM leads
CREATE TEMP TABLE x (a)
CREATE TEMP TABLE x AS SELECT * FROM leads
CREATE TABLE temp.x (a)
CREATE VIEW x AS SELECT 1
CREATE TEMP VIEW leads AS SELECT 1
CREATE INDEX x ON leads (title)
CREATE UNIQUE INDEX x ON leads (title)
CREATE TRIGGER x AFTER INSERT ON leads BEGIN DELETE FROM leads; END
CREATE TEMP TRIGGER x AFTER INSERT ON leads BEGIN DELETE FROM leads; END
CREATE VIRTUAL TABLE x USING fts5 (a)
CREATE VIRTUAL TABLE x USING fts3 (a, tokenize=simple)
CREATE VIRTUAL TABLE x USING rtree (a, b, c)
CREATE VIRTUAL TABLE temp.x USING dbstat (main)
CREATE VIRTUAL TABLE x USING csv (filename='/etc/passwd')
DROP TABLE leads
DROP TABLE IF EXISTS events
DROP VIEW lead_cards
DROP INDEX leads_by_stage
DROP TRIGGER leads_log_update
ALTER TABLE leads RENAME TO x
ALTER TABLE leads ADD COLUMN x
ALTER TABLE leads DROP COLUMN title
ALTER TABLE leads RENAME COLUMN title TO x
REINDEX
REINDEX leads
ANALYZE
ANALYZE leads
""".strip().splitlines()

OUTSIDE = f"""
ATTACH '{OUT}' AS x
ATTACH 'file:{OUT}?mode=rwc' AS x
ATTACH DATABASE ':memory:' AS x
ATTACH '/etc/passwd' AS x
ATTACH 'crm.sqlite' AS x
DETACH main
DETACH temp
VACUUM
VACUUM INTO '{OUT}'
VACUUM main INTO '{OUT}'
BEGIN
BEGIN IMMEDIATE
BEGIN EXCLUSIVE
COMMIT
END
ROLLBACK
SAVEPOINT x
RELEASE x
SELECT load_extension('{OUT}')
SELECT load_extension('{OUT}', 'x')
SELECT readfile('/etc/passwd')
SELECT writefile('{OUT}', 'x')
SELECT edit('x', 'sh')
SELECT fts3_tokenizer('simple')
SELECT fts3_tokenizer('x', x'0000000000000000')
SELECT fts5(1)
SELECT * FROM fsdir('/')
SELECT * FROM readfile('/etc/passwd')
SELECT lsmode(1)
SELECT sqlite_rename_table(1, 2, 3, 4, 5, 6, 7)
SELECT sqlite_rename_column(1, 2, 3, 4, 5, 6, 7, 8, 9)
""".strip().splitlines()

PRAGMAS = """
PRAGMA query_only = OFF
PRAGMA writable_schema = ON
PRAGMA journal_mode = DELETE
PRAGMA journal_mode
PRAGMA synchronous = OFF
PRAGMA foreign_keys = OFF
PRAGMA trusted_schema = ON
PRAGMA user_version = 7
PRAGMA application_id = 7
PRAGMA wal_checkpoint(TRUNCATE)
PRAGMA wal_checkpoint
PRAGMA optimize
PRAGMA incremental_vacuum
PRAGMA shrink_memory
PRAGMA temp_store_directory = '/tmp'
PRAGMA hard_heap_limit = 0
PRAGMA soft_heap_limit = 0
PRAGMA mmap_size = 1000000000
PRAGMA cache_size = 1000000
PRAGMA threads = 8
PRAGMA locking_mode = EXCLUSIVE
PRAGMA database_list
PRAGMA integrity_check
PRAGMA key = 'x'
SELECT * FROM pragma_database_list
SELECT * FROM pragma_wal_checkpoint
SELECT * FROM pragma_integrity_check
SELECT * FROM pragma_function_list
SELECT * FROM pragma_compile_options
""".strip().splitlines()

INSIDE = """
SELECT * FROM api_calls
SELECT count(*) FROM API_CALLS
SELECT 1 FROM main.api_calls
SELECT * FROM "api_calls"
SELECT (SELECT key FROM api_calls LIMIT 1)
SELECT 1 WHERE EXISTS (SELECT 1 FROM api_calls)
WITH lead_cards AS (SELECT * FROM api_calls) SELECT * FROM lead_cards
WITH api (a) AS (SELECT count(*) FROM api_calls) SELECT a FROM api
SELECT id FROM leads UNION ALL SELECT 1 FROM api_calls
SELECT id FROM leads ORDER BY (SELECT count(*) FROM api_calls)
SELECT * FROM kernel_context
SELECT * FROM sql_writes
SELECT * FROM sql_undo_rows
SELECT * FROM magnets_receipts
SELECT * FROM dbstat
SELECT * FROM sqlite_dbpage
SELECT count(*) FROM sqlite_stmt
SELECT * FROM bytecode('SELECT 1')
SELECT * FROM tables_used('SELECT 1')
SELECT * FROM sqlite_sequence
SELECT sqlite_offset(id) FROM leads
SELECT sqlite_compileoption_get(1)
SELECT sqlite_source_id()
SELECT sqlite_log(1, 'x')
SELECT id FROM leads AS l JOIN consents AS c USING (lead_id)
SELECT count(*) FROM consents NATURAL JOIN (SELECT 'x' AS agent)
SELECT count(*) FROM consents AS c JOIN (SELECT 'x' AS agent) AS g /* x */ USiNG (agent)
""".strip().splitlines()

SEVERAL = """
SELECT 1; SELECT 2
SELECT 1; DELETE FROM leads
SELECT 1;; DROP TABLE leads
; DELETE FROM leads
SELECT 1 /* ; */; DELETE FROM leads
SELECT ';' ; DELETE FROM leads --
""".strip().splitlines()

MISTAKES = """
SELEC 1
SELECT
)
'
SELECT * FROM leads WHERE
SELECT * FROM nothing
SELECT nothing FROM leads
SELECT :missing
SELECT ?
SELECT ?1
SELECT nothing()
SELECT 1 UNION SELECT 1, 2
""".strip().splitlines()

HOSTILE = WRITES + SCHEMA + OUTSIDE + PRAGMAS + INSIDE + SEVERAL + MISTAKES

N = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"


def grown(times, sql="'xxxxxxxxxx'"):
    """A text that doubles at each of several steps."""
    for _ in range(times):
        sql = f"({sql} || {sql})" if len(sql) < 2_000 else f"replace({sql}, 'x', 'xxxxxxxxxx')"
    return sql


BOMBS = [
    f"{N} SELECT count(*) FROM n",
    f"{N} SELECT i FROM n ORDER BY random()",
    f"{N} SELECT sum(a.i * b.i) FROM n AS a, n AS b",
    f"{N} SELECT group_concat(i) FROM n",
    f"{N} SELECT json_group_array(i) FROM n",
    f"{N} SELECT json_group_object(i, hex(i)) FROM n",
    f"{N} SELECT DISTINCT i FROM n",
    f"{N} SELECT i, row_number() OVER (ORDER BY -i) FROM n",
    f"{N} SELECT max(i) OVER (ORDER BY i ROWS BETWEEN 1000000 PRECEDING AND CURRENT ROW) FROM n",
    f"{N} SELECT 1 FROM n GROUP BY i HAVING count(*) > 1",
    "WITH RECURSIVE t (x) AS (SELECT 'x' UNION ALL SELECT x || x FROM t) SELECT length(x) FROM t",
    "WITH RECURSIVE t (x) AS (SELECT '[' UNION ALL SELECT x || '[' FROM t) SELECT json_valid(x) FROM t",
    "WITH RECURSIVE t (x) AS (SELECT '[]' UNION ALL SELECT json_array(x, x) FROM t) SELECT length(x) FROM t",
    "SELECT count(*) FROM leads a, leads b, leads c, leads d, leads e, leads f, leads g, leads h",
    "SELECT count(*) FROM events a, events b, events c, events d, events e WHERE a.body || b.body LIKE '%' || c.body || d.body || '%'",
    "SELECT * FROM sqlite_schema a, sqlite_schema b, sqlite_schema c, sqlite_schema d, sqlite_schema e ORDER BY a.sql || b.sql || c.sql",
    "SELECT randomblob(1000000000)",
    "SELECT length(zeroblob(1000000000))",
    "SELECT hex(zeroblob(500000000))",
    "SELECT instr(hex(zeroblob(2000000)), '1')",
    "SELECT replace(printf('%.*c', 90000, 'x'), 'x', 'xx')",
    "SELECT printf('%.*c', 90000, 'x') || format('%90000d', 1)",
    "SELECT hex(hex(printf('%.*c', 90000, 'x')))",
    f"SELECT length({grown(20)})",
    f"{N} SELECT count(*) FROM n WHERE hex(hex(hex(hex(hex(hex(hex(quote(i)))))))) LIKE '%a%a%a%a%a%a%a%a%a%a%a%a%a%'",
    f"{N}, t (x) AS (SELECT group_concat('a', '') FROM (SELECT i FROM n LIMIT 40000)) SELECT x LIKE '%a%a%a%a%a%a%a%b' FROM t",
    f"{N}, t (x) AS (SELECT group_concat('a', '') FROM (SELECT i FROM n LIMIT 40000)) SELECT x GLOB '*a*a*a*a*a*a*a*b' FROM t",
    f"{N}, t (x) AS (SELECT group_concat('ab', '') FROM (SELECT i FROM n LIMIT 40000)) SELECT max(instr(x || i, 'ba' || x)) FROM t, n",
    "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "SELECT " + "-" * 1 + "+".join(["1"] * 20_000),
    "SELECT " + "NOT " * 10_000 + "1",
    "SELECT 1 " + "UNION ALL SELECT 1 " * 2_000,
    "SELECT 1 WHERE 1 IN (" + ",".join(["(SELECT count(*) FROM leads)"] * 1_500) + ")",
    "SELECT " + ",".join(["1"] * 20_000),
    "SELECT * FROM " + ", ".join(f"leads AS l{i}" for i in range(70)),
    "WITH " + ", ".join(f"t{i} AS (SELECT * FROM t{i - 1} a, t{i - 1} b)" if i else "t0 AS (SELECT 1)"
                        for i in range(40)) + " SELECT count(*) FROM t39",
    f"{N} SELECT count(*) FROM n, json_each('[' || replace(hex(hex(hex(hex(i)))), '3', '3,') || '3]')",
    f"{N} SELECT strftime('%J', 'now', '+' || i || ' days'), julianday(i) FROM n WHERE i < 0",
    "SELECT abs(-9223372036854775808)",
    "SELECT json_extract('[" + "[" * 10_000 + "]', '$[0]')",
]

# What would tell a column {c} of the table {t} that holds the value {v} from one that does not: by its rows, their number, their
# order, or an error.
ORACLES = [
    "SELECT * FROM {t}", "SELECT {c} FROM {t}", "SELECT count(*) FROM {t} WHERE {c} = '{v}'",
    "SELECT count(*) FROM {t} WHERE {c} LIKE '%{v}%'", "SELECT count(*) FROM {t} WHERE {c} > '{v}'",
    "SELECT max({c}), min({c}), count({c}) FROM {t}", "SELECT id FROM {t} ORDER BY {c} = '{v}', id",
    "SELECT CASE WHEN {c} = '{v}' THEN 1 ELSE 2 END FROM {t}",
    "SELECT count(*) FROM {t} JOIN (SELECT '{v}' AS v) ON {c} = v",
    "SELECT (SELECT count(*) FROM {t} AS i WHERE i.{c} = '{v}') FROM {t}",
    "SELECT count(*) FROM {t} GROUP BY {c} = '{v}'", "SELECT instr({c}, '{v}') FROM {t}",
    "SELECT json_object('a', {c}) FROM {t}", "SELECT count(*) FROM (SELECT {c} AS x FROM {t}) WHERE x = '{v}'",
    "WITH {t} AS (SELECT {c} AS x FROM main.{t}) SELECT count(*) FROM {t} WHERE x = '{v}'",
    "SELECT count(*) FROM {t} WHERE ({c}, 1) = ('{v}', 1)", "SELECT count(*) FROM {t} WHERE {c} IN ('{v}')",
    "SELECT count(*) FROM {t} WHERE '{v}' BETWEEN {c} AND {c}",
    "SELECT rank() OVER (ORDER BY {c} = '{v}') FROM {t}",
    "SELECT count(*) FROM {t} AS a JOIN (SELECT '{v}' AS {c}) AS b USING ({c})",
    "SELECT count(*) FROM {t} NATURAL JOIN (SELECT '{v}' AS {c})"
]
# The same by rule: each way to compare, in each place of a statement.
_COMPARED = [
    "{c} IS '{v}'", "{c} GLOB '{v}*'", "substr({c}, 1, 1) = substr('{v}', 1, 1)", "hex({c}) = hex('{v}')",
    "length({c}) = length('{v}')", "CAST({c} AS TEXT) = '{v}'", "coalesce({c}, '') = '{v}'"
]
_PLACED = [
    "SELECT count(*) FROM {t} WHERE {compared}", "SELECT sum({compared}), total({compared}) FROM {t}",
    "SELECT count(*) FILTER (WHERE {compared}) FROM {t}", "SELECT 1 FROM {t} GROUP BY 1 HAVING max({compared})",
    "SELECT EXISTS (SELECT 1 FROM {t} WHERE {compared})",
    "SELECT sum(iif({compared}, abs(-9223372036854775807 - 1), 1)) FROM {t}"
]
ORACLES += [place.replace("{compared}", compared) for compared in _COMPARED for place in _PLACED]
