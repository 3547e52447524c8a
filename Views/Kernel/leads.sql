-- Leads, their log and their way through the stages, as people ask for them.

-- The last word of each lead on each purpose: granted, withdrawn, or requested and not yet confirmed.
CREATE VIEW consents_now AS
SELECT lead_id, purpose, state, at, source
FROM consents AS c
WHERE id = (SELECT max(id) FROM consents WHERE lead_id = c.lead_id AND purpose = c.purpose);

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

-- What happened to a lead, with what happened to those that became one with it. In two parts, so that the log is entered by the lead.
CREATE VIEW lead_timeline AS
SELECT e.lead_id, e.id AS event_id, e.at, e.kind, e.body, e.origin, e.cause_id, e.depth
FROM events AS e WHERE e.lead_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lead_merges WHERE gone_id = e.lead_id)
UNION ALL
SELECT m.kept_id, e.id, e.at, e.kind, e.body, e.origin, e.cause_id, e.depth
FROM lead_merges AS m CROSS JOIN events AS e ON e.lead_id = m.gone_id;

-- Each event of a lead beside the event that caused it.
CREATE VIEW lead_trace AS
SELECT t.lead_id, t.event_id, t.at, t.kind, t.body, t.origin, t.depth, t.cause_id, c.kind AS cause_kind, c.at AS cause_at
FROM lead_timeline AS t LEFT JOIN events AS c ON c.id = t.cause_id;

-- Leads with an address that is not suppressed. Consent is asked per purpose: see consents_now.
CREATE VIEW mailable_leads AS
SELECT l.* FROM leads AS l
WHERE l.email IS NOT NULL
  AND l.stage <> 'disqualified'
  AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.mailbox = l.email)
  AND NOT EXISTS (SELECT 1 FROM lead_mailboxes AS m CROSS JOIN suppressions AS s WHERE m.lead_id = l.id AND s.mailbox = m.mailbox);

-- The mailbox of each lead whose address has other spellings, as suppressions write it; NULL for the others, whose mailbox
-- is their address. The address stands beside it, so that nobody need look the lead up twice.
CREATE VIEW lead_mailboxes AS
SELECT id AS lead_id, email,
       CASE WHEN instr(email, '+') > 1 OR substr(email, -8) = 'mail.com' COLLATE NOCASE THEN
           CASE
               WHEN email LIKE '%@gmail.com' OR email LIKE '%@googlemail.com'
                   THEN replace(substr(email, 1, CASE WHEN instr(email, '+') > 1 THEN instr(email, '+') ELSE instr(email, '@') END - 1), '.', '') || '@gmail.com'
               WHEN instr(email, '+') > 1 THEN substr(email, 1, instr(email, '+') - 1) || substr(email, instr(email, '@'))
           END
       END AS mailbox
FROM leads;

-- Leads that a suppression is about, a row per suppression: by their address, or by another spelling of its mailbox. For
-- one lead or a few; of all of them `mailable_leads` knows faster.
CREATE VIEW suppressed_leads AS
SELECT l.id AS lead_id, s.id AS suppression_id, s.reason, s.at
FROM leads AS l JOIN suppressions AS s ON s.mailbox = l.email
UNION ALL
SELECT l.lead_id, s.id, s.reason, s.at
FROM lead_mailboxes AS l JOIN suppressions AS s ON s.mailbox = l.mailbox AND s.mailbox <> l.email;
