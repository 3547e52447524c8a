-- An absence that is cancelled hands over nothing, nor does the next one that gets its number.
CREATE TRIGGER handoff_absences_forget AFTER DELETE ON handoff_absences WHEN OLD.hands_over
BEGIN
    DELETE FROM scheduled_events WHERE kind = 'handoff.absence_due' AND body ->> 'absence' = OLD.id;
END;

-- One that is moved hands over when it begins by now.
CREATE TRIGGER handoff_absences_move AFTER UPDATE OF starts_at, hands_over ON handoff_absences
WHEN NEW.starts_at IS NOT OLD.starts_at OR NEW.hands_over IS NOT OLD.hands_over
BEGIN
    DELETE FROM scheduled_events WHERE kind = 'handoff.absence_due' AND body ->> 'absence' = OLD.id;
    INSERT INTO scheduled_events (owner, kind, due_at, body)
    SELECT 'handoff', 'handoff.absence_due', NEW.starts_at, json_object('absence', NEW.id) WHERE NEW.hands_over;
END;
