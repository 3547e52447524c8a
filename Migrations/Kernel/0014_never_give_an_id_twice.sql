CREATE TEMP TABLE consents_before AS SELECT * FROM consents;
DROP TABLE consents;

-- The ledger of consent: a row each time a lead agreed to a purpose or took it back. Never updated; the last row counts.
CREATE TABLE consents (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,    -- never given twice, also after the person was erased: a receipt may name it
    lead_id INTEGER NOT NULL,             -- no foreign key: the row outlives a lead deleted by hand, and goes when the person is erased
    purpose TEXT    NOT NULL,                     -- newsletter, ads, …
    state   TEXT    NOT NULL CHECK (state IN ('requested', 'granted', 'withdrawn')),
    text    TEXT,                                 -- the sentence the lead agreed to; NULL where it came by import or command
    source  TEXT    NOT NULL DEFAULT 'sql',       -- form:sales-plan, import:3, …
    at      TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    page    TEXT,                                 -- the page on which the box was ticked or the button pressed
    network TEXT,                                 -- the visitor's network: a /24 of IPv4, a /48 of IPv6
    agent   TEXT                                  -- the browser as it named itself
) STRICT;
INSERT INTO consents (id, lead_id, purpose, state, text, source, at, page, network, agent)
SELECT id, lead_id, purpose, state, text, source, at, page, network, agent FROM temp.consents_before;
DROP TABLE temp.consents_before;
CREATE INDEX consents_by_lead ON consents (lead_id, purpose, id);

CREATE TRIGGER consents_log_insert AFTER INSERT ON consents
WHEN NOT (SELECT logs_itself FROM kernel_context)
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

-- Rows that an INSERT under way would take the place of, were it INSERT OR REPLACE: SQLite tells no trigger of those that it removes. What is left here means nothing.
CREATE TABLE replaced_rows (
    table_name TEXT    NOT NULL,
    row_id     INTEGER NOT NULL,
    row        TEXT    NOT NULL CHECK (json_valid(row)),
    PRIMARY KEY (table_name, row_id)
) STRICT, WITHOUT ROWID;
