-- The event that a task of a hook came of, in whose place enrolment_id is 0 and sequence is hook:NAME; NULL for a task of a sequence, whose enrolment knows it.
ALTER TABLE drip_tasks ADD COLUMN event_id INTEGER;
