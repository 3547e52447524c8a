-- Clocks that run follow the calendar: each change of an absence or a holiday is told in the log, whoever makes it.
CREATE TRIGGER handoff_absences_tell_insert AFTER INSERT ON handoff_absences
BEGIN
    INSERT INTO events (kind, cause_id, depth, origin, at, body)
    SELECT 'handoff.calendar_changed', c.cause_id, c.depth, coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')), json_object('rep', NEW.rep)
    FROM kernel_context AS c;
END;
CREATE TRIGGER handoff_absences_tell_update AFTER UPDATE OF rep, starts_at, ends_at ON handoff_absences
WHEN NEW.rep IS NOT OLD.rep OR NEW.starts_at IS NOT OLD.starts_at OR NEW.ends_at IS NOT OLD.ends_at
BEGIN
    INSERT INTO events (kind, cause_id, depth, origin, at, body)
    SELECT 'handoff.calendar_changed', c.cause_id, c.depth, coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')), json_object('rep', changed.rep)
    FROM kernel_context AS c CROSS JOIN (SELECT OLD.rep AS rep UNION SELECT NEW.rep) AS changed;
END;
CREATE TRIGGER handoff_absences_tell_delete AFTER DELETE ON handoff_absences
BEGIN
    INSERT INTO events (kind, cause_id, depth, origin, at, body)
    SELECT 'handoff.calendar_changed', c.cause_id, c.depth, coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')), json_object('rep', OLD.rep)
    FROM kernel_context AS c;
END;

-- A holiday without a rep is everybody's, and so is the event without one.
CREATE TRIGGER handoff_holidays_tell_insert AFTER INSERT ON handoff_holidays
BEGIN
    INSERT INTO events (kind, cause_id, depth, origin, at, body)
    SELECT 'handoff.calendar_changed', c.cause_id, c.depth, coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')), json_patch('{}', json_object('rep', NEW.rep))
    FROM kernel_context AS c;
END;
CREATE TRIGGER handoff_holidays_tell_update AFTER UPDATE OF rep, day ON handoff_holidays
WHEN NEW.rep IS NOT OLD.rep OR NEW.day IS NOT OLD.day
BEGIN
    INSERT INTO events (kind, cause_id, depth, origin, at, body)
    SELECT 'handoff.calendar_changed', c.cause_id, c.depth, coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')), json_patch('{}', json_object('rep', changed.rep))
    FROM kernel_context AS c CROSS JOIN (SELECT OLD.rep AS rep UNION SELECT NEW.rep) AS changed;
END;
CREATE TRIGGER handoff_holidays_tell_delete AFTER DELETE ON handoff_holidays
BEGIN
    INSERT INTO events (kind, cause_id, depth, origin, at, body)
    SELECT 'handoff.calendar_changed', c.cause_id, c.depth, coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')), json_patch('{}', json_object('rep', OLD.rep))
    FROM kernel_context AS c;
END;

-- Clocks that stand still for an absence without an end are reckoned anew once.
INSERT INTO scheduled_events (owner, kind, due_at)
SELECT 'handoff', 'handoff.calendar_changed', coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now'))
FROM kernel_context AS c WHERE EXISTS (SELECT 1 FROM handoff_absences);
