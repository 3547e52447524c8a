-- A time in which a sequence stood still: nothing of it was sent. It is kept when it is over.
CREATE TABLE drip_pauses (
    id          INTEGER PRIMARY KEY,
    sequence    TEXT    NOT NULL,
    paused_by   TEXT    NOT NULL CHECK (paused_by IN ('config', 'hand')),
    event_id    INTEGER NOT NULL,                 -- the last drip.paused of it: only a drip.resumed after it ends the pause
    paused_at   TEXT    NOT NULL,
    still_since TEXT    NOT NULL,                 -- since when nothing of it was looked after: earlier where nobody worked before
    resumed_at  TEXT                              -- NULL while it lasts
) STRICT;
CREATE UNIQUE INDEX drip_pauses_open ON drip_pauses (sequence, paused_by) WHERE resumed_at IS NULL;

-- With the sequence, so that a tick passes by what is due in a paused one without looking at its rows.
DROP INDEX drip_enrolments_by_due;
CREATE INDEX drip_enrolments_by_due ON drip_enrolments (due_at, sequence) WHERE state = 'active';
