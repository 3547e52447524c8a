-- The same mailboxes, found faster: most addresses have no tag and are not Gmail's, which a look at their end tells.
DROP VIEW lead_mailboxes;
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
