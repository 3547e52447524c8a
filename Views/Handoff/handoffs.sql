-- Handoffs as reps and their managers ask for them.

-- Leads that wait for a rep, the one that waits longest first.
CREATE VIEW handoff_queue AS
SELECT h.id AS handoff_id, h.lead_id, l.email, l.company, l.country, h.cycle, h.route, h.offered_at AS queued_at
FROM handoff_handoffs AS h LEFT JOIN leads AS l ON l.id = h.lead_id
WHERE h.state = 'queued'
ORDER BY h.offered_at, h.id;

-- Each offer with its two clocks: to be answered, and the lead to be talked to. kept, missed, running, or NULL where there is no
-- clock. A contact is that of the rep who had the lead then; who gets a lead that somebody talked to already has no second clock.
CREATE VIEW handoff_sla AS
SELECT handoff_id, lead_id, cycle, offer, rep, offered_at, accept_by, answer, answered_at,
       CASE WHEN accept_by IS NULL THEN NULL WHEN is_late OR answered_at > accept_by THEN 'missed'
            WHEN answered_at IS NOT NULL THEN 'kept' ELSE 'running' END AS acceptance,
       accepted_at, contact_by, contacted_at,
       CASE WHEN contact_by IS NULL THEN NULL WHEN contacted_at <= contact_by THEN 'kept'
            WHEN contacted_at IS NOT NULL OR was_taken_back THEN 'missed'
            WHEN is_in_hand THEN 'running' END AS contact
FROM (
    SELECT o.handoff_id, o.lead_id, o.cycle, o.offer, o.rep, o.at AS offered_at, o.due_at AS accept_by, a.state AS answer, a.at AS answered_at,
           m.id IS NOT NULL AS is_late, y.at AS accepted_at, CASE WHEN h.contacted_at < o.at THEN NULL ELSE y.due_at END AS contact_by,
           CASE WHEN y.id IS NOT NULL AND h.contacted_at >= o.at AND (n.id IS NULL OR h.contacted_at < n.at) THEN h.contacted_at END AS contacted_at,
           EXISTS (SELECT 1 FROM handoff_transitions AS t
                   WHERE t.handoff_id = o.handoff_id AND t.offer = o.offer AND t.id > y.id AND t.state IN ('escalated', 'expired')) AS was_taken_back,
           h.offer = o.offer AND h.state IN ('accepted', 'escalated') AS is_in_hand
    FROM handoff_transitions AS o
    JOIN handoff_handoffs AS h ON h.id = o.handoff_id
    LEFT JOIN handoff_transitions AS a ON a.id = (
        SELECT min(id) FROM handoff_transitions AS t
        WHERE t.handoff_id = o.handoff_id AND t.id > o.id AND t.state NOT IN ('escalated', 'won', 'lost'))
    LEFT JOIN handoff_transitions AS m ON m.id = (
        SELECT min(id) FROM handoff_transitions AS t
        WHERE t.handoff_id = o.handoff_id AND t.offer = o.offer AND t.id > o.id AND (a.id IS NULL OR t.id <= a.id) AND t.state IN ('escalated', 'expired'))
    LEFT JOIN handoff_transitions AS y ON y.id = (
        SELECT min(id) FROM handoff_transitions AS t WHERE t.handoff_id = o.handoff_id AND t.offer = o.offer AND t.id > o.id AND t.state = 'accepted')
    LEFT JOIN handoff_transitions AS n ON n.id = (
        SELECT min(id) FROM handoff_transitions AS t WHERE t.handoff_id = o.handoff_id AND t.id > o.id AND t.offer > o.offer)
    WHERE o.state = 'offered'
);

-- Why reps give leads back and why deals are lost, for marketing: by reason and by where the leads came from.
CREATE VIEW handoff_reasons AS
SELECT t.state AS answer, coalesce(t.reason, '(not given)') AS reason, l.source, l.medium, l.campaign, count(*) AS handoffs, count(DISTINCT t.lead_id) AS leads,
       min(t.at) AS first_at, max(t.at) AS last_at
FROM handoff_transitions AS t LEFT JOIN leads AS l ON l.id = t.lead_id
WHERE t.state IN ('rejected', 'lost')
GROUP BY 1, 2, 3, 4, 5
ORDER BY handoffs DESC, reason;

-- How long each handoff took, in minutes of the clock on the wall: from the moment the lead was qualified to its first offer, its
-- acceptance and the first contact. NULL for what has not happened. The rep is who had the lead when it was first talked to, or
-- else accepted, or else has it now.
CREATE VIEW speed_to_lead AS
SELECT h.id AS handoff_id, h.lead_id, h.cycle, coalesce(t.rep, a.rep, h.rep) AS rep, b.at AS qualified_at, o.at AS offered_at, a.at AS accepted_at,
       h.contacted_at,
       round((julianday(o.at) - julianday(b.at)) * 1440, 1) AS minutes_to_offer,
       round((julianday(a.at) - julianday(b.at)) * 1440, 1) AS minutes_to_accept,
       round((julianday(h.contacted_at) - julianday(b.at)) * 1440, 1) AS minutes_to_contact
FROM handoff_handoffs AS h
LEFT JOIN events AS b ON b.id = h.event_id
LEFT JOIN handoff_transitions AS o ON o.id = (SELECT min(id) FROM handoff_transitions AS t WHERE t.handoff_id = h.id AND t.state = 'offered')
LEFT JOIN handoff_transitions AS a ON a.id = (SELECT min(id) FROM handoff_transitions AS t WHERE t.handoff_id = h.id AND t.state = 'accepted')
LEFT JOIN handoff_transitions AS t ON t.id = (
    SELECT max(id) FROM handoff_transitions AS t WHERE t.handoff_id = h.id AND t.at <= h.contacted_at AND t.rep IS NOT NULL);

-- What each rep has in hand, and how fair the deals were: dealt is how many leads came by turns, entitled how many the weight gave a claim to.
-- Who is away gets none of what is free: away_until is the end of the absence, 'further notice' where it has none, and NULL for who is there.
CREATE VIEW rep_load AS
SELECT r.rep, r.weight, r.capacity, coalesce(h.in_hand, 0) AS in_hand, max(0, r.capacity - coalesce(h.in_hand, 0)) AS free,
       coalesce(h.offered, 0) AS offered, coalesce(h.escalated, 0) AS escalated, coalesce(h.accepted, 0) AS accepted,
       coalesce(t.dealt, 0) AS dealt, round(coalesce(t.entitled, 0) / 1000000.0, 2) AS entitled, a.away_until
FROM handoff_reps AS r
LEFT JOIN (
    SELECT rep, max(coalesce(ends_at, 'further notice')) AS away_until FROM handoff_absences
    WHERE starts_at <= strftime('%Y-%m-%d %H:%M:%f', 'now') AND (ends_at IS NULL OR ends_at > strftime('%Y-%m-%d %H:%M:%f', 'now'))
    GROUP BY rep) AS a ON a.rep = r.rep
LEFT JOIN (
    SELECT rep, count(*) AS in_hand, sum(state = 'offered') AS offered, sum(state = 'escalated') AS escalated, sum(state = 'accepted') AS accepted
    FROM handoff_handoffs WHERE state IN ('offered', 'escalated', 'accepted') GROUP BY rep) AS h ON h.rep = r.rep
LEFT JOIN (SELECT rep, sum(dealt) AS dealt, sum(entitled) AS entitled FROM handoff_turns GROUP BY rep) AS t ON t.rep = r.rep
ORDER BY r.position;

-- What stands still in the handoffs, for trellis status: owners of accounts who are no reps, and leads that wait in the queue for longer than queue_within.
CREATE VIEW handoff_stops AS
SELECT 'no such rep' AS stop, u.owner AS subject,
       'owns accounts and is no rep of the config; leads that went by the next rule: ' || u.leads AS reason, u.since AS since
FROM handoff_unknown_owners AS u WHERE EXISTS (SELECT 1 FROM accounts AS a WHERE a.owner = u.owner)
UNION ALL
SELECT 'lead without a rep', 'handoff ' || h.id, 'in the queue since ' || substr(h.offered_at, 1, 16) || ' (' || h.route || ')', h.escalated_at
FROM handoff_handoffs AS h WHERE h.state = 'queued' AND h.escalated_at IS NOT NULL;
