-- Mails that came back, a row per mail: what it was, and which message of ours it is about. The mail itself is not kept,
-- only where nobody could tell what it is, so that a person can look.
CREATE TABLE mail_returns (
    id         INTEGER PRIMARY KEY,
    digest     TEXT    NOT NULL UNIQUE,           -- of who wrote it, when, and its text: the same mail twice is one row
    kind       TEXT    NOT NULL CHECK (kind IN (
               'hard_bounce', 'soft_bounce', 'blocked', 'notice', 'complaint', 'automatic_reply', 'reply', 'unsubscribe', 'unknown')),
    message_id INTEGER,                           -- the row of the outbox; NULL where none is known
    lead_id    INTEGER,                           -- NULL where none is known, or the lead is gone
    known_by   TEXT    CHECK (known_by IN ('return_address', 'message_id', 'sender')), -- NULL where it is about nobody we know
    status     TEXT,                              -- 5.1.1 (RFC 3463); NULL where no server gave one
    diagnostic TEXT,                              -- what the receiving server said, without addresses
    raw        BLOB,                              -- the beginning of a mail of kind unknown: of the newest 1000, 64 KiB each
    at         TEXT    NOT NULL                   -- when it was read here
) STRICT;
CREATE INDEX mail_returns_by_message ON mail_returns (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX mail_returns_by_lead ON mail_returns (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX mail_returns_with_raw ON mail_returns (id) WHERE raw IS NOT NULL;

-- How the hosts of each domain take our mail.
CREATE VIEW mail_bounces AS
SELECT lower(substr(l.email, instr(l.email, '@') + 1)) AS domain, count(*) AS sent,
       sum(coalesce(r.hard, 0)) AS hard, sum(coalesce(r.soft, 0)) AS soft, sum(coalesce(r.blocked, 0)) AS blocked,
       sum(coalesce(r.complaints, 0)) AS complaints,
       round(100.0 * sum(coalesce(r.hard, 0)) / count(*), 2) AS hard_percent,
       round(100.0 * sum(coalesce(r.complaints, 0)) / count(*), 2) AS complaint_percent
FROM outbox_messages AS m JOIN leads AS l ON l.id = m.lead_id
LEFT JOIN (
    SELECT message_id, max(kind = 'hard_bounce') AS hard, max(kind = 'soft_bounce') AS soft, max(kind = 'blocked') AS blocked,
           max(kind = 'complaint') AS complaints
    FROM mail_returns WHERE message_id IS NOT NULL GROUP BY message_id) AS r ON r.message_id = m.id
WHERE m.state = 'sent' AND m.transport = 'mail' AND m.purpose <> 'internal' AND l.email IS NOT NULL
GROUP BY 1;

-- What came back of the last 500 mails to leads.
CREATE VIEW mail_health AS
WITH latest AS (
    SELECT json_extract(body, '$.message_id') AS message_id, at FROM events WHERE kind = 'mail.sent' ORDER BY id DESC LIMIT 500)
SELECT count(DISTINCT l.message_id) AS sent, min(l.at) AS since,
       count(DISTINCT CASE WHEN r.kind = 'hard_bounce' THEN l.message_id END) AS hard,
       count(DISTINCT CASE WHEN r.kind = 'blocked' THEN l.message_id END) AS blocked,
       count(DISTINCT CASE WHEN r.kind = 'complaint' THEN l.message_id END) AS complaints
FROM latest AS l LEFT JOIN mail_returns AS r ON r.message_id = l.message_id;

-- What of it needs a person. Providers block a sender of whose mail more than 0.3 % is called spam or more than 5 % goes
-- to nobody; of 500 that is 2 and 26. Fewer mails are measured as 500, so that the first few bounces are no alarm.
CREATE VIEW mail_stops AS
SELECT 'mail called spam' AS stop, complaints || ' of the last ' || sent || ' mails' AS subject,
       'the receivers complain: stop what they were sent, ask for consent more clearly, and see mail_bounces' AS reason, since
FROM mail_health WHERE complaints * 1000 > 3 * 500
UNION ALL
SELECT 'mail to nobody', hard || ' of the last ' || sent || ' mails',
       'the addresses do not exist: stop mailing the list they came from, and see mail_bounces', since
FROM mail_health WHERE hard * 100 > 5 * 500
UNION ALL
SELECT 'mail blocked', blocked || ' of the last ' || sent || ' mails',
       'the receivers refuse what we send or who we are: read mail_returns.diagnostic, and check SPF, DKIM and DMARC', since
FROM mail_health WHERE blocked * 100 > 5 * 500
UNION ALL
SELECT 'mail to the house came back', m.key, coalesce(r.diagnostic, r.status, 'there is no such address') || '; correct the address in the config', r.at
FROM mail_returns AS r JOIN outbox_messages AS m ON m.id = r.message_id
WHERE r.kind = 'hard_bounce' AND m.purpose = 'internal'
  AND NOT EXISTS (
      SELECT 1 FROM outbox_messages AS later
      WHERE later.id > m.id AND later.purpose = 'internal' AND later.origin = m.origin AND later.state = 'sent'
        AND NOT EXISTS (SELECT 1 FROM mail_returns AS again WHERE again.message_id = later.id AND again.kind = 'hard_bounce'));

DROP VIEW kernel_stops;
-- What stands still and needs a person: shown by `trellis status`.
CREATE VIEW kernel_stops AS
SELECT 'parked event' AS stop, p.subscriber || ' at event ' || p.event_id AS subject, p.error AS reason, p.parked_at AS since
FROM parked_events AS p
UNION ALL
SELECT 'mail ' || state, key, reason, coalesce(settled_at, ready_at)
FROM outbox_messages WHERE state IN ('unknown', 'failed', 'held')
UNION ALL
SELECT 'import interrupted', file, rows_done || ' rows done', started_at
FROM imports WHERE finished_at IS NULL
UNION ALL
SELECT 'no way out', transport, reason || '; tried ' || tries || ' times, again at ' || retry_at, since
FROM transport_stalls
UNION ALL
SELECT 'the clock jumped', expected_at || ' to ' || noticed_at,
       'nothing is sent and no appointment is due until the clock is right again, or ''trellis clock accept''', noticed_at
FROM clock_jumps WHERE settled_at IS NULL
UNION ALL
SELECT stop, subject, reason, since FROM mail_stops;
