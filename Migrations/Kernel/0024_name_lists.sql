-- The list a marketing mail is of: the consent purpose it needs, which its links to leave take back. NULL: that of mail.consent, and its
-- links leave all marketing mail.
ALTER TABLE outbox_messages ADD COLUMN list TEXT;
