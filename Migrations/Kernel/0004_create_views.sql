-- The stages of each lead, oldest first, read from the log.
CREATE VIEW stage_history AS
SELECT id AS event_id, lead_id, json_extract(body, '$.from') AS from_stage,
       coalesce(json_extract(body, '$.to'), json_extract(body, '$.stage')) AS to_stage, at, origin, cause_id
FROM events
WHERE kind IN ('lead.created', 'lead.stage_changed');

-- Leads per stage, in the order of the stages.
CREATE VIEW funnel AS
SELECT s.position, s.name AS stage, count(l.id) AS leads
FROM stages AS s LEFT JOIN leads AS l ON l.stage = s.name
GROUP BY s.position, s.name
ORDER BY s.position;

-- Everything that happened to a lead, also under an id that was merged into it.
CREATE VIEW lead_timeline AS
SELECT coalesce(m.kept_id, e.lead_id) AS lead_id, e.id AS event_id, e.at, e.kind, e.body, e.origin, e.cause_id, e.depth
FROM events AS e LEFT JOIN lead_merges AS m ON m.gone_id = e.lead_id
WHERE e.lead_id IS NOT NULL;

-- Each event of a lead beside the event that caused it.
CREATE VIEW lead_trace AS
SELECT t.lead_id, t.event_id, t.at, t.kind, t.body, t.origin, t.depth, t.cause_id, c.kind AS cause_kind, c.at AS cause_at
FROM lead_timeline AS t LEFT JOIN events AS c ON c.id = t.cause_id;

-- Leads with an address that is not suppressed. Consent is asked per purpose: see consents_now.
CREATE VIEW mailable_leads AS
SELECT l.* FROM leads AS l
WHERE l.email IS NOT NULL
  AND l.stage <> 'disqualified'
  AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.email = l.email);

-- What stands still and needs a person: shown by `trellis status`.
CREATE VIEW kernel_stops AS
SELECT 'parked event' AS stop, p.subscriber || ' at event ' || p.event_id AS subject, p.error AS reason, p.parked_at AS since
FROM parked_events AS p
UNION ALL
SELECT 'mail ' || state, key, reason, coalesce(settled_at, ready_at)
FROM outbox_messages WHERE state IN ('unknown', 'failed', 'held')
UNION ALL
SELECT 'import interrupted', file, rows_done || ' rows done', started_at
FROM imports WHERE finished_at IS NULL;
