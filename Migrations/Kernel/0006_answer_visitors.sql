-- Where a consent was given: what proves it besides who, when and which words. NULL where it came by import or command.
ALTER TABLE consents ADD COLUMN page TEXT;    -- the page on which the box was ticked or the button pressed
ALTER TABLE consents ADD COLUMN network TEXT; -- the visitor's network: a /24 of IPv4, a /48 of IPv6
ALTER TABLE consents ADD COLUMN agent TEXT;   -- the browser as it named itself

-- What was done for a caller of the API under a key of theirs, so that a call repeated is answered as the first time.
CREATE TABLE api_calls (
    key      TEXT    PRIMARY KEY,                 -- the header Idempotency-Key
    request  TEXT    NOT NULL,                    -- a digest of what was asked: another request under the same key is refused
    event_id INTEGER,                             -- the event it became; NULL while it lies ahead
    at       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
