-- How often a message was sent again because nobody knows whether it had arrived.
ALTER TABLE outbox_messages ADD COLUMN resends INTEGER NOT NULL DEFAULT 0;
