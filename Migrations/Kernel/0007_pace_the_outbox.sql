-- The domain a mail goes to, in lower case; NULL until it is first claimed, and where no pace is set.
ALTER TABLE outbox_messages ADD COLUMN domain TEXT;
-- When its turn at its domain is; NULL until it was asked for, and where no pace is set.
ALTER TABLE outbox_messages ADD COLUMN slot_at TEXT;

-- How fast mail goes to the domains that have a pace under mail.pace.
CREATE TABLE mail_domains (
    domain  TEXT PRIMARY KEY,
    next_at TEXT NOT NULL,                        -- when the next mail to it may go
    share   REAL NOT NULL DEFAULT 1 CHECK (share > 0 AND share <= 1) -- of the pace: halved when its servers say too much, grown back by what they take
) STRICT, WITHOUT ROWID;

-- Marketing mail handed to the transport per day of the site, while mail.warm_up is set.
CREATE TABLE mail_days (
    day   TEXT    PRIMARY KEY CHECK (day IS date(day)),
    mails INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A way out that is closed: a relay nobody can reach, or that does not let us in. Its messages wait without losing an attempt.
CREATE TABLE transport_stalls (
    transport TEXT    PRIMARY KEY,
    reason    TEXT    NOT NULL,
    since     TEXT    NOT NULL,
    tries     INTEGER NOT NULL,                   -- how often it was tried since
    retry_at  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Each time the clock of the machine jumped while a worker ran. Until it came back or a person accepted it nothing is sent and no appointment is due.
CREATE TABLE clock_jumps (
    id          INTEGER PRIMARY KEY,
    noticed_at  TEXT NOT NULL,                    -- what the clock said after the jump
    expected_at TEXT NOT NULL,                    -- what it should have said
    settled_at  TEXT,                             -- NULL while it holds
    settled_by  TEXT                              -- clock: it came back; cli: `trellis clock accept`; NULL while it holds
) STRICT;
CREATE INDEX clock_jumps_open ON clock_jumps (id) WHERE settled_at IS NULL;

-- The last sign of life of a worker, once a minute: what was due between it and the next start is late.
ALTER TABLE worker_runs ADD COLUMN seen_at TEXT;
