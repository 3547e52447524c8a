-- The event that ended the last wait_for before its time; NULL where the time was up, and before the first.
ALTER TABLE drip_enrolments ADD COLUMN heard_event INTEGER;
