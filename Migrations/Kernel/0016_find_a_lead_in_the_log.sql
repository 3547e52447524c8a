DROP VIEW lead_timeline;

-- What happened to a lead, with what happened to those that became one with it. In two parts, so that the log is entered by the lead.
CREATE VIEW lead_timeline AS
SELECT e.lead_id, e.id AS event_id, e.at, e.kind, e.body, e.origin, e.cause_id, e.depth
FROM events AS e WHERE e.lead_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lead_merges WHERE gone_id = e.lead_id)
UNION ALL
SELECT m.kept_id, e.id, e.at, e.kind, e.body, e.origin, e.cause_id, e.depth
FROM lead_merges AS m CROSS JOIN events AS e ON e.lead_id = m.gone_id;
CREATE INDEX lead_merges_by_kept ON lead_merges (kept_id);
