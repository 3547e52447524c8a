-- A lead given to a rep, or waiting in the queue for one. Each new try of a lead is a further row, with the next cycle.
CREATE TABLE handoff_handoffs (
    id          INTEGER PRIMARY KEY,
    lead_id     INTEGER NOT NULL,
    cycle       INTEGER NOT NULL,                 -- the how manieth time this lead is handed off, from 1
    rep         TEXT,                             -- NULL while it waits in the queue
    route       TEXT    NOT NULL,                 -- the rule that chose: route 2: round_robin
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'offered', 'accepted', 'rejected', 'withdrawn', 'converted')),
    reason      TEXT,                             -- why it was rejected or withdrawn
    event_id    INTEGER NOT NULL,                 -- the event that brought it here
    offered_at  TEXT    NOT NULL,
    answered_at TEXT,                             -- NULL while queued or offered
    CONSTRAINT queued_iff_nobody CHECK ((state = 'queued') <= (rep IS NULL)),
    CONSTRAINT answered_iff_not_open CHECK ((state IN ('queued', 'offered')) = (answered_at IS NULL)),
    UNIQUE (lead_id, cycle)
) STRICT;
CREATE UNIQUE INDEX one_open_handoff_per_lead ON handoff_handoffs (lead_id) WHERE state IN ('queued', 'offered', 'accepted');
CREATE INDEX handoff_handoffs_by_rep ON handoff_handoffs (rep, state);

-- Whose turn it is in round robin.
CREATE TABLE handoff_turns (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    next_rep INTEGER NOT NULL                     -- the place of the rep in config.yaml, from 0
) STRICT;
INSERT INTO handoff_turns VALUES (1, 0);
