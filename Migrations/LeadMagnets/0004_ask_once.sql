-- When it was seen to that its lead is asked to confirm, or that it need not be: once, however often the log is read.
ALTER TABLE magnets_submissions ADD COLUMN asked_at TEXT;
UPDATE magnets_submissions SET asked_at = at;
-- When it lapsed, because nobody confirmed the address in time; its state is rejected then. NULL for all others.
ALTER TABLE magnets_submissions ADD COLUMN lapsed_at TEXT;

-- The newest mails that ask to confirm, whoever they are to: so many a minute and no more.
CREATE INDEX magnets_confirmations_by_ready ON outbox_messages (ready_at) WHERE key GLOB 'confirm:*';

-- Leads of forms that wrote a word in letters of several alphabets, as who pretends to be somebody else does; a row per
-- part. Looked at again with each form of the lead.
CREATE TABLE magnets_mixed_scripts (
    lead_id INTEGER NOT NULL,
    part    TEXT    NOT NULL CHECK (part IN ('local_part', 'domain', 'name')),
    PRIMARY KEY (lead_id, part)
) STRICT, WITHOUT ROWID;

-- Leads whose address is of such a kind, or cannot take mail, or who mix alphabets.
DROP VIEW magnets_address_flags;
CREATE VIEW magnets_address_flags AS
SELECT l.id AS lead_id, a.kind AS flag
FROM leads AS l JOIN magnets_address_list AS a
  ON a.kind IN ('disposable', 'free_mail') AND a.value = substr(l.email, instr(l.email, '@') + 1)
UNION ALL
SELECT l.id, a.kind FROM leads AS l JOIN magnets_address_list AS a ON a.kind = 'role' AND a.value = substr(l.email, 1, instr(l.email, '@') - 1)
UNION ALL
SELECT l.id, 'no_mail' FROM leads AS l JOIN magnets_domains AS d ON d.domain = substr(l.email, instr(l.email, '@') + 1) WHERE d.takes_mail = 0
UNION ALL
SELECT l.id, 'mixed_script' FROM leads AS l WHERE EXISTS (SELECT 1 FROM magnets_mixed_scripts AS m WHERE m.lead_id = l.id);

-- Credit that leads were given before they became others.
UPDATE magnets_referrals SET referrer_id = m.kept_id FROM lead_merges AS m WHERE m.gone_id = referrer_id;
DELETE FROM magnets_referrals WHERE lead_id = referrer_id OR lead_id IN (SELECT gone_id FROM lead_merges);
