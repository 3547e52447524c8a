-- The events of a kind in the order of the log: what a subscriber reads next is one look-up, however long the log is.
DROP INDEX events_by_kind;
CREATE INDEX events_by_kind ON events (kind);

-- 1 while the kernel takes in many rows and logs them itself, all with one statement: the triggers then stand back.
ALTER TABLE kernel_context ADD COLUMN logs_itself INTEGER NOT NULL DEFAULT 0 CHECK (logs_itself IN (0, 1));

DROP TRIGGER consents_log_insert;
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
