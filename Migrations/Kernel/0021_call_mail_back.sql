-- Why a message need not go any more, though it was under way, or nobody knows what became of it; NULL for all others.
ALTER TABLE outbox_messages ADD COLUMN withdrawn TEXT;

-- What was called back while it was with a courier does not wait for another try, whoever puts it back.
CREATE TRIGGER outbox_messages_stay_back AFTER UPDATE OF state ON outbox_messages
WHEN NEW.state = 'waiting' AND NEW.withdrawn IS NOT NULL
BEGIN
    UPDATE outbox_messages SET state = 'cancelled', reason = withdrawn,
        settled_at = coalesce((SELECT now FROM kernel_context), strftime('%Y-%m-%d %H:%M:%f', 'now'))
    WHERE id = NEW.id;
END;
