-- A table, view, index or trigger that somebody made by 'trellis sql --write': these alone may be dropped and altered there.
CREATE TABLE sql_objects (
    name    TEXT PRIMARY KEY,                     -- in lower case
    origin  TEXT NOT NULL,                        -- sql:anna
    made_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX parked_events_by_retry ON parked_events (retry_at) WHERE retry_at IS NOT NULL;

DROP VIEW kernel_stops;
-- What stands still and needs a person: shown by `trellis status`. An import that was begun anew under the same name and finished is none.
CREATE VIEW kernel_stops AS
SELECT 'parked event' AS stop, p.subscriber || ' at event ' || p.event_id AS subject, p.error AS reason, p.parked_at AS since
FROM parked_events AS p
UNION ALL
SELECT 'mail ' || state, key, reason, coalesce(settled_at, ready_at)
FROM outbox_messages WHERE state IN ('unknown', 'failed', 'held')
UNION ALL
SELECT 'import interrupted', i.file, i.rows_done || ' rows done; the same import again goes on', i.started_at
FROM imports AS i
WHERE i.finished_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM imports AS later
    WHERE later.file = i.file AND later.target = i.target AND later.id > i.id AND later.finished_at IS NOT NULL)
UNION ALL
SELECT 'no way out', transport, reason || '; tried ' || tries || ' times, again at ' || retry_at, since
FROM transport_stalls
UNION ALL
SELECT 'the clock jumped', expected_at || ' to ' || noticed_at,
       'nothing is sent and no appointment is due until the clock is right again, or ''trellis clock accept''', noticed_at
FROM clock_jumps WHERE settled_at IS NULL
UNION ALL
SELECT stop, subject, reason, since FROM mail_stops;
