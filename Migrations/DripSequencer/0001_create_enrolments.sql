-- A lead on its way through a sequence. A lead that comes again gets a further row, with the next cycle.
CREATE TABLE drip_enrolments (
    id         INTEGER PRIMARY KEY,
    lead_id    INTEGER NOT NULL,
    sequence   TEXT    NOT NULL,                  -- its name in config.yaml
    cycle      INTEGER NOT NULL,                  -- the how manieth time this lead is in it, from 1
    step       INTEGER NOT NULL,                  -- the operation that comes next, from 0: see `trellis sequences show`
    due_at     TEXT,                              -- when it comes; NULL once it is over
    state      TEXT    NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'completed', 'exited', 'goal')),
    reason     TEXT,                              -- the event that ended it early
    event_id   INTEGER NOT NULL,                  -- the event that brought the lead in
    entered_at TEXT    NOT NULL,
    ended_at   TEXT,
    CONSTRAINT due_iff_active CHECK ((state = 'active') = (due_at IS NOT NULL)),
    CONSTRAINT ended_iff_over CHECK ((state = 'active') = (ended_at IS NULL)),
    UNIQUE (lead_id, sequence, cycle)
) STRICT;
CREATE INDEX drip_enrolments_by_due ON drip_enrolments (due_at) WHERE state = 'active';
