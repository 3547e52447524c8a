-- Why the step failed that the lead came to last; NULL where none did. It is due when it is tried again.
ALTER TABLE drip_enrolments ADD COLUMN failure TEXT;
-- The operation that failed, from 0; NULL where none did.
ALTER TABLE drip_enrolments ADD COLUMN failed_step INTEGER;
-- When it failed first; NULL where none did.
ALTER TABLE drip_enrolments ADD COLUMN failing_since TEXT;
-- How often it failed since.
ALTER TABLE drip_enrolments ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
CREATE INDEX drip_enrolments_failing ON drip_enrolments (sequence, version) WHERE failures > 0;

-- A lead about which a condition of a sequence (where, when) could not be asked, so that the sequence missed what happened to it. Kept until `trellis sequences retry`.
CREATE TABLE drip_missed (
    sequence  TEXT    NOT NULL,
    condition TEXT    NOT NULL,                   -- the SQL that failed, as the config has it
    lead_id   INTEGER NOT NULL,
    event_id  INTEGER NOT NULL,                   -- the last event that was missed of the lead
    error     TEXT    NOT NULL,                   -- why it failed, in SQLite's words
    missed_at TEXT    NOT NULL,
    PRIMARY KEY (sequence, condition, lead_id)
) STRICT, WITHOUT ROWID;
