-- Leads whose mail is held.

-- The sequences in which leads wait behind mail that is held until a person mends something: how many leads, and which mails.
CREATE VIEW drip_held AS
SELECT e.sequence, count(DISTINCT e.lead_id) AS leads, group_concat(DISTINCT m.template) AS mails, min(m.ready_at) AS since
FROM outbox_messages AS m
JOIN drip_enrolments AS e ON e.lead_id = m.lead_id AND e.state = 'active'
    AND substr(m.key, 1, length(e.sequence) + 6) = 'drip:' || e.sequence || ':'
    AND substr(m.key, -length(':cycle ' || e.cycle)) = ':cycle ' || e.cycle
-- The first condition is that of the index over what is stopped.
WHERE m.state IN ('unknown', 'failed', 'held') AND m.state = 'held' AND m.held_by IS NULL AND m.origin = 'plugin:drip'
GROUP BY e.sequence;
