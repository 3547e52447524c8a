-- Who holds a message and lets it go again by itself: plugin:drip; NULL where a person has to mend something.
ALTER TABLE outbox_messages ADD COLUMN held_by TEXT;
-- When it is not worth sending any more; NULL for what always is.
ALTER TABLE outbox_messages ADD COLUMN expires_at TEXT;
