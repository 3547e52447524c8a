-- Facts, in the order they were committed. Rows are never changed and hold no names, addresses or free text.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused, so that no cursor is ever fooled
    kind     TEXT    NOT NULL,                    -- lead.created, asset.downloaded, …
    lead_id  INTEGER,                             -- NULL for facts about accounts, contacts and the program; no foreign key: the log outlives its leads
    cause_id INTEGER,                             -- the event whose handler did this; NULL where a person or program outside began it
    depth    INTEGER NOT NULL DEFAULT 0,          -- how long the chain of causes is
    origin   TEXT    NOT NULL,                    -- form:…, import:7, plugin:scoring, cli, sql
    at       TEXT    NOT NULL,
    body     TEXT    NOT NULL DEFAULT '{}',
    CONSTRAINT loop_stopped_at_depth_16 CHECK (depth <= 16),
    CONSTRAINT kind_is_noun_dot_verb CHECK (kind GLOB '[a-z]*.[a-z]*'),
    CONSTRAINT body_is_json CHECK (json_valid(body))
) STRICT;
CREATE INDEX events_by_lead ON events (lead_id, id);
CREATE INDEX events_by_kind ON events (kind, at);

CREATE TRIGGER events_are_never_updated BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never updated');
END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never deleted');
END;

-- Facts that will happen; they move to the log when due. A key makes the same appointment once.
CREATE TABLE scheduled_events (
    id       INTEGER PRIMARY KEY,
    key      TEXT    UNIQUE,                      -- NULL where every appointment is its own
    owner    TEXT    NOT NULL,                    -- the plugin that made it; frozen while the plugin is off
    kind     TEXT    NOT NULL,
    lead_id  INTEGER,
    cause_id INTEGER,
    depth    INTEGER NOT NULL DEFAULT 0,
    due_at   TEXT    NOT NULL,
    body     TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(body))
) STRICT;
CREATE INDEX scheduled_events_by_due ON scheduled_events (due_at);

-- How far each subscriber has read the log.
CREATE TABLE subscribers (
    id              TEXT    PRIMARY KEY CHECK (id GLOB '*/*'),   -- scoring/add-points
    last_event_id   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Events a subscriber could not handle: they back off and are tried again, and rest here once that is given up.
CREATE TABLE parked_events (
    subscriber TEXT    NOT NULL,
    event_id   INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    retry_at   TEXT,                              -- NULL once parked for good: `trellis events retry`
    error      TEXT    NOT NULL,
    parked_at  TEXT    NOT NULL,
    PRIMARY KEY (subscriber, event_id)
) STRICT, WITHOUT ROWID;

-- Who is writing: read by the triggers that fill the log. Only set inside a transaction of the kernel; empty for everybody else.
CREATE TABLE kernel_context (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    origin        TEXT,
    now           TEXT,
    cause_id      INTEGER,
    depth         INTEGER NOT NULL DEFAULT 0,
    batch_after   INTEGER,                        -- the batch of a subscriber: a change of a lead is caused by that lead's last event in it
    batch_through INTEGER,
    batch_kinds   TEXT,
    mode          TEXT    CHECK (mode IN ('erasing', 'restoring')) -- NULL for everyday writes
) STRICT;
INSERT INTO kernel_context (id) VALUES (1);

-- Which plugins are on, and since when.
CREATE TABLE plugins (
    name       TEXT    PRIMARY KEY,
    is_on      INTEGER NOT NULL CHECK (is_on IN (0, 1)),
    changed_at TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Each start of a worker. A row without an end, whose process is gone, was a crash.
CREATE TABLE worker_runs (
    id         INTEGER PRIMARY KEY,
    pid        INTEGER NOT NULL,
    started_at TEXT    NOT NULL,
    ended_at   TEXT                               -- NULL while running, or after a crash
) STRICT;

CREATE TRIGGER consents_log_insert AFTER INSERT ON consents
BEGIN
    INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
    SELECT CASE NEW.state WHEN 'requested' THEN 'consent.requested' WHEN 'granted' THEN 'consent.granted' ELSE 'consent.withdrawn' END,
           NEW.lead_id, coalesce(e.id, c.cause_id), coalesce(e.depth + 1, c.depth), coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')), json_object('purpose', NEW.purpose)
    FROM kernel_context AS c
    LEFT JOIN events AS e ON e.id = (
        SELECT max(id) FROM events
        WHERE lead_id = NEW.lead_id AND id > c.batch_after AND id <= c.batch_through AND instr(c.batch_kinds, '|' || kind || '|'));
END;

CREATE TRIGGER suppressions_log_insert AFTER INSERT ON suppressions WHEN NEW.email IS NOT NULL
BEGIN
    INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
    SELECT 'lead.unsubscribed', l.id, c.cause_id, c.depth, coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')), json_object('reason', NEW.reason)
    FROM kernel_context AS c JOIN leads AS l ON l.email = NEW.email;
END;
