-- An absence that is cancelled hands over nothing, nor does the next one that gets its number.
CREATE TRIGGER handoff_absences_forget AFTER DELETE ON handoff_absences WHEN OLD.hands_over
BEGIN
    DELETE FROM scheduled_events WHERE kind = 'handoff.absence_due' AND body ->> 'absence' = OLD.id;
END;
