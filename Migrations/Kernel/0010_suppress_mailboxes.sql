-- The mailbox that a suppression is about, as all its spellings have it: without a tag after a plus (RFC 5233), and for
-- Gmail without dots and under one of its two names. A bounce of a tagged address speaks of that address alone, because
-- not every host knows tags: whoever types somebody's address with a tag that bounces must not cut them off.
ALTER TABLE suppressions ADD COLUMN mailbox TEXT COLLATE NOCASE GENERATED ALWAYS AS (
    CASE
        WHEN email LIKE '%@gmail.com' OR email LIKE '%@googlemail.com'
            THEN replace(substr(email, 1, CASE WHEN instr(email, '+') > 1 THEN instr(email, '+') ELSE instr(email, '@') END - 1), '.', '') || '@gmail.com'
        WHEN instr(email, '+') > 1 AND reason <> 'bounced'
            THEN substr(email, 1, instr(email, '+') - 1) || substr(email, instr(email, '@'))
        ELSE email
    END) VIRTUAL;
CREATE INDEX suppressions_by_mailbox ON suppressions (mailbox);

-- The mailbox of each lead whose address has other spellings, as suppressions write it; NULL for the others, whose mailbox
-- is their address. The address stands beside it, so that nobody need look the lead up twice.
CREATE VIEW lead_mailboxes AS
SELECT id AS lead_id, email,
       CASE WHEN email LIKE '_%+%' OR email LIKE '%@g%mail.com' THEN
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

-- Leads with an address that is not suppressed in any spelling. Consent is asked per purpose: see consents_now.
DROP VIEW mailable_leads;
CREATE VIEW mailable_leads AS
SELECT l.* FROM leads AS l
WHERE l.email IS NOT NULL
  AND l.stage <> 'disqualified'
  AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.mailbox = l.email)
  AND NOT EXISTS (SELECT 1 FROM lead_mailboxes AS m CROSS JOIN suppressions AS s WHERE m.lead_id = l.id AND s.mailbox = m.mailbox);
