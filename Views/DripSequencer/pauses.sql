-- What stands still.

-- What stands still in the sequences, for trellis status: those that are paused, by the config or by hand, leads behind held mail, leads
-- whose step fails, and what was missed because a condition failed on it.
CREATE VIEW drip_stops AS
SELECT 'sequence paused' AS stop, p.sequence AS subject,
       (SELECT count(*) FROM drip_enrolments AS e WHERE e.sequence = p.sequence AND e.state = 'active') || ' leads stand still, '
       || (SELECT count(*) FROM outbox_messages AS m WHERE m.state = 'held' AND m.held_by = 'plugin:drip'
           AND substr(m.key, 1, length(p.sequence) + 6) = 'drip:' || p.sequence || ':') || ' messages are held; '
       || CASE p.paused_by WHEN 'config' THEN 'it goes on without paused: true in the config'
                           ELSE 'it goes on by: trellis sequences resume ' || p.sequence END AS reason,
       p.paused_at AS since
FROM drip_pauses AS p WHERE p.resumed_at IS NULL
UNION ALL
SELECT 'leads wait', sequence,
       leads || ' leads wait behind held mail (' || mails || '): mend what ''trellis outbox list --state held'' says, then ''trellis outbox retry''',
       since
FROM drip_held
UNION ALL
SELECT 'step fails', sequence || ', step ' || failed_step || ' of version ' || version || ', lead ' || lead_id,
       failure || ': mend the step or the lead, then ''trellis sequences retry ' || sequence || '''; it is tried again by itself too',
       failing_since
FROM drip_enrolments WHERE failures > 0
UNION ALL
SELECT 'event missed', sequence || ', event ' || event_id || ', lead ' || lead_id,
       error || ' in the condition ' || condition || ': mend it, bring in whom it missed by ''trellis sequences enter'', then ''trellis sequences retry '
       || sequence || '''',
       missed_at
FROM drip_missed;
