-- What is to be sent, to whom, by which transport: one row per message, kept after it was sent.
CREATE TABLE outbox_messages (
    id         INTEGER PRIMARY KEY,
    key        TEXT    NOT NULL UNIQUE,           -- the intent: drip:welcome:3:lead 42:cycle 1
    transport  TEXT    NOT NULL DEFAULT 'mail',
    purpose    TEXT    NOT NULL DEFAULT 'marketing' CHECK (purpose IN ('marketing', 'transactional', 'internal')),
    origin     TEXT    NOT NULL,                  -- the plugin that asked for it
    lead_id    INTEGER,                           -- whom it is to or about
    recipient  TEXT,                              -- an address other than the lead's: a rep's; NULL means the lead's, read when it is sent
    template   TEXT    NOT NULL,                  -- the name of a mail
    body       TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(body)), -- values for the template beyond those of the lead
    cause_id   INTEGER,                           -- the event that caused it
    state      TEXT    NOT NULL DEFAULT 'waiting'
               CHECK (state IN ('waiting', 'sending', 'inflight', 'sent', 'held', 'refused', 'cancelled', 'unknown', 'failed')),
    ready_at   TEXT    NOT NULL,                  -- not before
    attempts   INTEGER NOT NULL DEFAULT 0,
    lease      TEXT,                              -- the token of the courier that holds it; only its holder may settle
    leased_at  TEXT,
    content    BLOB,                              -- the message as sent, the same bytes at every attempt; NULL before the first
    reason     TEXT,                              -- why it is held, refused, cancelled or failed
    created_at TEXT    NOT NULL,
    settled_at TEXT,
    CONSTRAINT leased_iff_under_way CHECK ((state IN ('sending', 'inflight')) = (lease IS NOT NULL)),
    CONSTRAINT settled_iff_final CHECK ((state IN ('sent', 'refused', 'cancelled', 'unknown', 'failed')) = (settled_at IS NOT NULL))
) STRICT;
CREATE INDEX outbox_messages_by_ready ON outbox_messages (transport, ready_at) WHERE state = 'waiting';
CREATE INDEX outbox_messages_under_way ON outbox_messages (state) WHERE state IN ('sending', 'inflight');
CREATE INDEX outbox_messages_by_lead ON outbox_messages (lead_id);
