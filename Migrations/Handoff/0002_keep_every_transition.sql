CREATE TEMP TABLE handoff_before AS SELECT * FROM handoff_handoffs;
DROP TABLE handoff_handoffs;

-- A lead given to a rep, or waiting in the queue for one. Each new try of a lead is a further row, with the next cycle. To move it is to change its state or its rep: triggers keep the rest of the row true, put the event into the log and note the transition, whoever does it.
CREATE TABLE handoff_handoffs (
    id              INTEGER PRIMARY KEY,
    lead_id         INTEGER NOT NULL,
    cycle           INTEGER NOT NULL,             -- the how manieth time this lead is handed off, from 1
    offer           INTEGER NOT NULL DEFAULT 1,   -- the how manieth time it is in somebody's hands in this cycle; 0 while it was in nobody's
    rep             TEXT,                         -- NULL while it waits in the queue
    route           TEXT    NOT NULL,             -- the rule that chose: route 2: round_robin
    state           TEXT    NOT NULL CHECK (state IN (
                        'queued', 'offered', 'escalated', 'accepted', 'expired', 'rejected', 'recycled', 'converted', 'withdrawn')),
    reason          TEXT,                         -- why it was rejected or withdrawn
    reason_is_code  INTEGER NOT NULL DEFAULT 0 CHECK (reason_is_code IN (0, 1)), -- whether the reason is one of the config: then the event tells it too
    event_id        INTEGER NOT NULL,             -- the event that brought the lead here
    offered_at      TEXT    NOT NULL,             -- since when it is offered to this rep, or queued
    accept_by       TEXT,                         -- when the clock of the offer runs out; NULL without one
    escalated_at    TEXT,                         -- when a clock ran out and somebody above was told; NULL otherwise
    answered_at     TEXT,                         -- NULL while the rep has not answered
    accepted_at     TEXT,                         -- NULL where this rep has not accepted it
    contact_by      TEXT,                         -- when the clock of the first contact runs out; NULL without one
    contacted_at    TEXT,                         -- the first contact in this cycle; NULL before
    rests_until     TEXT,                         -- recycled: until when marketing leaves it alone
    opportunity_id  INTEGER,                      -- what it was converted into
    outcome         TEXT CHECK (outcome IN ('won', 'lost')), -- of the opportunity; NULL while it is open
    outcome_reason  TEXT,                         -- why it was won or lost, where somebody said
    outcome_is_code INTEGER NOT NULL DEFAULT 0 CHECK (outcome_is_code IN (0, 1)),
    closed_at       TEXT,                         -- when the opportunity was won or lost
    CONSTRAINT queued_is_nobodys CHECK ((state = 'queued') <= (rep IS NULL)),
    CONSTRAINT offered_to_somebody CHECK ((state IN ('offered', 'escalated', 'accepted')) <= (rep IS NOT NULL)),
    UNIQUE (lead_id, cycle)
) STRICT;
INSERT INTO handoff_handoffs (id, lead_id, cycle, offer, rep, route, state, reason, event_id, offered_at, answered_at, accepted_at)
SELECT id, lead_id, cycle, rep IS NOT NULL, rep, route, state, reason, event_id, offered_at, answered_at,
       CASE WHEN state IN ('accepted', 'converted') THEN answered_at END
FROM temp.handoff_before;
DROP TABLE temp.handoff_before;
UPDATE handoff_handoffs SET opportunity_id = (SELECT max(o.id) FROM opportunities AS o WHERE o.lead_id = handoff_handoffs.lead_id)
WHERE state = 'converted';
CREATE UNIQUE INDEX one_open_handoff_per_lead ON handoff_handoffs (lead_id)
    WHERE state IN ('queued', 'offered', 'escalated', 'accepted', 'expired');
CREATE INDEX handoff_handoffs_in_hand ON handoff_handoffs (rep) WHERE state IN ('offered', 'escalated', 'accepted');
CREATE INDEX handoff_handoffs_expired ON handoff_handoffs (id) WHERE state = 'expired';
CREATE INDEX handoff_handoffs_waiting ON handoff_handoffs (offered_at) WHERE state = 'queued';
CREATE INDEX handoff_handoffs_by_opportunity ON handoff_handoffs (opportunity_id) WHERE opportunity_id IS NOT NULL;

-- How a handoff may move: any other change of its state or rep is refused.
CREATE TABLE handoff_moves (
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (from_state, to_state)
) STRICT, WITHOUT ROWID;
INSERT INTO handoff_moves VALUES
    ('queued', 'offered'), ('queued', 'rejected'), ('queued', 'converted'), ('queued', 'withdrawn'),
    ('offered', 'offered'), ('offered', 'accepted'), ('offered', 'escalated'), ('offered', 'expired'), ('offered', 'queued'),
    ('offered', 'rejected'), ('offered', 'converted'), ('offered', 'withdrawn'),
    ('escalated', 'escalated'), ('escalated', 'accepted'), ('escalated', 'offered'), ('escalated', 'expired'), ('escalated', 'queued'),
    ('escalated', 'rejected'), ('escalated', 'converted'), ('escalated', 'withdrawn'),
    ('accepted', 'accepted'), ('accepted', 'escalated'), ('accepted', 'expired'), ('accepted', 'offered'), ('accepted', 'queued'),
    ('accepted', 'rejected'), ('accepted', 'converted'), ('accepted', 'withdrawn'),
    ('expired', 'offered'), ('expired', 'queued'), ('expired', 'withdrawn'),
    ('rejected', 'recycled'), ('converted', 'recycled');

-- Each step of each handoff, in the order they were made, with the event that tells it. The row of the handoff is where it stands now.
CREATE TABLE handoff_transitions (
    id         INTEGER PRIMARY KEY,
    handoff_id INTEGER NOT NULL,
    lead_id    INTEGER NOT NULL,
    cycle      INTEGER NOT NULL,
    offer      INTEGER NOT NULL,
    state      TEXT    NOT NULL,                  -- a state of the handoff, or won or lost
    rep        TEXT,
    route      TEXT,                              -- queued and offered: the rule that chose
    reason     TEXT,
    due_at     TEXT,                              -- offered: to be answered by; accepted: the lead to be talked to by; NULL without a clock
    origin     TEXT    NOT NULL,                  -- who moved it: cli, api, plugin:handoff, sql
    at         TEXT    NOT NULL,
    event_id   INTEGER UNIQUE                     -- NULL for steps before they were noted that had no event
) STRICT;
CREATE INDEX handoff_transitions_by_handoff ON handoff_transitions (handoff_id);
CREATE INDEX handoff_transitions_by_lead ON handoff_transitions (lead_id);
INSERT INTO handoff_transitions (handoff_id, lead_id, cycle, offer, state, rep, route, reason, origin, at, event_id)
SELECT id, lead_id, cycle, offer, state, rep, route, reason, 'plugin:handoff', at,
       (SELECT max(e.id) FROM events AS e WHERE e.lead_id = step.lead_id AND e.kind = 'handoff.' || step.state AND e.cause_id = step.event_id)
FROM (
    SELECT id, lead_id, cycle, offer, CASE WHEN rep IS NULL THEN 'queued' ELSE 'offered' END AS state, rep, route, NULL AS reason,
           offered_at AS at, event_id, 1 AS nth
    FROM handoff_handoffs
    UNION ALL
    SELECT id, lead_id, cycle, offer, state, rep, NULL, reason, answered_at, event_id, 2 FROM handoff_handoffs WHERE answered_at IS NOT NULL
) AS step ORDER BY id, nth;

CREATE TRIGGER handoff_handoffs_move BEFORE UPDATE OF state, rep ON handoff_handoffs
WHEN (NEW.state IS NOT OLD.state OR NEW.rep IS NOT OLD.rep)
     AND NOT EXISTS (SELECT 1 FROM handoff_moves WHERE from_state = OLD.state AND to_state = NEW.state)
BEGIN
    SELECT RAISE(ABORT, 'a handoff does not move this way: see the table handoff_moves');
END;

-- How many leads each rep has in hand: offered, escalated or accepted. Kept with every move, for it is asked before every deal.
CREATE TABLE handoff_loads (
    rep     TEXT    PRIMARY KEY,
    in_hand INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO handoff_loads SELECT rep, count(*) FROM handoff_handoffs WHERE state IN ('offered', 'escalated', 'accepted') GROUP BY rep;

CREATE TRIGGER handoff_handoffs_load_insert AFTER INSERT ON handoff_handoffs WHEN NEW.state IN ('offered', 'escalated', 'accepted')
BEGIN
    INSERT INTO handoff_loads VALUES (NEW.rep, 1) ON CONFLICT (rep) DO UPDATE SET in_hand = in_hand + 1;
END;

CREATE TRIGGER handoff_handoffs_load_update AFTER UPDATE OF state, rep ON handoff_handoffs
WHEN NEW.state IS NOT OLD.state OR NEW.rep IS NOT OLD.rep
BEGIN
    UPDATE handoff_loads SET in_hand = in_hand - 1 WHERE rep = OLD.rep AND OLD.state IN ('offered', 'escalated', 'accepted');
    INSERT INTO handoff_loads SELECT NEW.rep, 1 WHERE NEW.state IN ('offered', 'escalated', 'accepted')
    ON CONFLICT (rep) DO UPDATE SET in_hand = in_hand + 1;
END;

CREATE TRIGGER handoff_handoffs_load_delete AFTER DELETE ON handoff_handoffs WHEN OLD.state IN ('offered', 'escalated', 'accepted')
BEGIN
    UPDATE handoff_loads SET in_hand = in_hand - 1 WHERE rep = OLD.rep;
END;

CREATE TRIGGER handoff_handoffs_log_insert AFTER INSERT ON handoff_handoffs
BEGIN
    INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
    SELECT 'handoff.' || NEW.state, NEW.lead_id, e.id, coalesce(e.depth + 1, 0), coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')),
           json_patch('{}', json_object('rep', NEW.rep, 'cycle', NEW.cycle))
    FROM kernel_context AS c LEFT JOIN events AS e ON e.id = NEW.event_id;
    INSERT INTO handoff_transitions (handoff_id, lead_id, cycle, offer, state, rep, route, origin, at, event_id)
    SELECT NEW.id, NEW.lead_id, NEW.cycle, NEW.offer, NEW.state, NEW.rep, NEW.route, e.origin, e.at, e.id
    FROM events AS e WHERE e.id = last_insert_rowid();
END;

-- A move is caused by the last event of its lead that is being handled, or else by what brought the lead here: so the chain of causes stays short, however often the lead changes hands.
CREATE TRIGGER handoff_handoffs_log_update AFTER UPDATE OF state, rep ON handoff_handoffs
WHEN NEW.state IS NOT OLD.state OR NEW.rep IS NOT OLD.rep
BEGIN
    UPDATE handoff_handoffs SET
        offer = offer + (NEW.rep IS NOT NULL AND (NEW.state = 'offered' OR NEW.rep IS NOT OLD.rep)),
        offered_at = CASE WHEN NEW.state IN ('queued', 'offered')
                          THEN coalesce((SELECT now FROM kernel_context), strftime('%Y-%m-%d %H:%M:%f', 'now')) ELSE offered_at END,
        accept_by = CASE WHEN NEW.state IN ('queued', 'offered') THEN NULL ELSE accept_by END,
        escalated_at = CASE WHEN NEW.state = 'escalated'
                            THEN coalesce((SELECT now FROM kernel_context), strftime('%Y-%m-%d %H:%M:%f', 'now'))
                            WHEN NEW.state IN ('queued', 'offered', 'accepted') THEN NULL ELSE escalated_at END,
        answered_at = CASE WHEN NEW.state IN ('queued', 'offered') THEN NULL WHEN NEW.state IN ('expired', 'escalated') THEN answered_at
                           ELSE coalesce(answered_at, (SELECT now FROM kernel_context), strftime('%Y-%m-%d %H:%M:%f', 'now')) END,
        accepted_at = CASE WHEN NEW.state IN ('queued', 'offered') THEN NULL
                           WHEN NEW.state = 'accepted'
                           THEN coalesce(accepted_at, (SELECT now FROM kernel_context), strftime('%Y-%m-%d %H:%M:%f', 'now'))
                           ELSE accepted_at END,
        contact_by = CASE WHEN NEW.state IN ('queued', 'offered') THEN NULL ELSE contact_by END,
        reason = CASE WHEN NEW.state IN ('queued', 'offered') THEN NULL ELSE reason END
    WHERE id = NEW.id;
    INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
    SELECT 'handoff.' || h.state, h.lead_id, e.id, coalesce(e.depth + 1, 0), coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')),
           json_patch('{}', json_object('rep', h.rep, 'cycle', h.cycle, 'offer', nullif(h.offer, 1),
                      'reason', CASE WHEN h.state IN ('rejected', 'recycled') AND h.reason_is_code THEN h.reason END,
                      'until', CASE WHEN h.state = 'recycled' THEN h.rests_until END))
    FROM handoff_handoffs AS h CROSS JOIN kernel_context AS c LEFT JOIN events AS e ON e.id = coalesce((
        SELECT max(id) FROM events
        WHERE lead_id = NEW.lead_id AND id > c.batch_after AND id <= c.batch_through AND instr(c.batch_kinds, '|' || kind || '|')
    ), c.cause_id, NEW.event_id)
    WHERE h.id = NEW.id;
    INSERT INTO handoff_transitions (handoff_id, lead_id, cycle, offer, state, rep, route, reason, origin, at, event_id)
    SELECT h.id, h.lead_id, h.cycle, h.offer, h.state, h.rep, CASE WHEN h.state IN ('queued', 'offered') THEN h.route END,
           CASE WHEN h.state IN ('rejected', 'withdrawn', 'expired') THEN h.reason END, e.origin, e.at, e.id
    FROM handoff_handoffs AS h CROSS JOIN events AS e WHERE h.id = NEW.id AND e.id = last_insert_rowid();
END;

-- What became of the opportunity is a fact of the handoff it grew from.
CREATE TRIGGER handoff_handoffs_log_outcome AFTER UPDATE OF outcome ON handoff_handoffs
WHEN NEW.outcome IS NOT OLD.outcome AND NEW.outcome IS NOT NULL
BEGIN
    UPDATE handoff_handoffs SET closed_at = coalesce((SELECT now FROM kernel_context), strftime('%Y-%m-%d %H:%M:%f', 'now')) WHERE id = NEW.id;
    INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
    SELECT 'handoff.' || NEW.outcome, NEW.lead_id, e.id, coalesce(e.depth + 1, 0), coalesce(c.origin, 'sql'),
           coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now')),
           json_patch('{}', json_object('rep', NEW.rep, 'cycle', NEW.cycle, 'opportunity_id', NEW.opportunity_id,
                      'reason', CASE WHEN NEW.outcome_is_code THEN NEW.outcome_reason END))
    FROM kernel_context AS c LEFT JOIN events AS e ON e.id = coalesce((
        SELECT max(id) FROM events
        WHERE lead_id = NEW.lead_id AND id > c.batch_after AND id <= c.batch_through AND instr(c.batch_kinds, '|' || kind || '|')
    ), c.cause_id, NEW.event_id);
    INSERT INTO handoff_transitions (handoff_id, lead_id, cycle, offer, state, rep, reason, origin, at, event_id)
    SELECT NEW.id, NEW.lead_id, NEW.cycle, NEW.offer, NEW.outcome, NEW.rep, NEW.outcome_reason, e.origin, e.at, e.id
    FROM events AS e WHERE e.id = last_insert_rowid();
END;

DROP TABLE handoff_turns;
-- How many leads each rep was dealt, and how many their weight entitled them to, counted over the deals they could take part in. Who is furthest behind is next.
CREATE TABLE handoff_turns (
    pool     TEXT    NOT NULL,                    -- round_robin, least_loaded or territory: each is fair in itself
    rep      TEXT    NOT NULL,
    dealt    INTEGER NOT NULL,
    entitled INTEGER NOT NULL,                    -- in millionths of a lead
    PRIMARY KEY (pool, rep)
) STRICT, WITHOUT ROWID;

-- The reps of config.yaml, as the program last read them.
CREATE TABLE handoff_reps (
    rep        TEXT    PRIMARY KEY,
    position   INTEGER NOT NULL,                  -- the place in config.yaml, from 0
    weight     INTEGER NOT NULL,
    capacity   INTEGER NOT NULL,                  -- open leads at most
    zone       TEXT                               -- IANA; NULL means that of the site
) STRICT, WITHOUT ROWID;

-- When a rep is away: no lead is routed there meanwhile, and clocks stand still.
CREATE TABLE handoff_absences (
    id        INTEGER PRIMARY KEY,
    rep       TEXT NOT NULL,
    starts_at TEXT NOT NULL,
    ends_at   TEXT,                               -- NULL until further notice
    hands_over INTEGER NOT NULL DEFAULT 0 CHECK (hands_over IN (0, 1)), -- whether what the rep has in hand goes to others when it begins
    origin    TEXT NOT NULL DEFAULT 'sql',        -- who noted it
    CONSTRAINT ends_after_its_start CHECK (ends_at > starts_at)
) STRICT;
CREATE INDEX handoff_absences_by_rep ON handoff_absences (rep);

-- The queue is looked at again when somebody is back.
CREATE TRIGGER handoff_absences_end_insert AFTER INSERT ON handoff_absences WHEN NEW.ends_at IS NOT NULL
BEGIN
    INSERT INTO scheduled_events (key, owner, kind, due_at) VALUES ('handoff.queue_due ' || NEW.ends_at, 'handoff', 'handoff.queue_due', NEW.ends_at)
    ON CONFLICT (key) DO NOTHING;
END;
CREATE TRIGGER handoff_absences_end_update AFTER UPDATE OF ends_at ON handoff_absences WHEN NEW.ends_at IS NOT NULL AND NEW.ends_at IS NOT OLD.ends_at
BEGIN
    INSERT INTO scheduled_events (key, owner, kind, due_at) VALUES ('handoff.queue_due ' || NEW.ends_at, 'handoff', 'handoff.queue_due', NEW.ends_at)
    ON CONFLICT (key) DO NOTHING;
END;

CREATE TRIGGER handoff_absences_begin AFTER INSERT ON handoff_absences WHEN NEW.hands_over
BEGIN
    INSERT INTO scheduled_events (owner, kind, due_at, body)
    VALUES ('handoff', 'handoff.absence_due', NEW.starts_at, json_object('absence', NEW.id));
END;

-- Days on which nobody works, beside those of config.yaml: clocks stand still.
CREATE TABLE handoff_holidays (
    id   INTEGER PRIMARY KEY,
    day  TEXT NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'), -- a local day: 2026-12-25
    rep  TEXT,                                    -- whose holiday it is; NULL means everybody's
    name TEXT                                     -- Christmas; NULL where nobody said
) STRICT;
CREATE UNIQUE INDEX handoff_holidays_once ON handoff_holidays (day, coalesce(rep, ''));

-- Leads that wait for a rep, the one that waits longest first.
CREATE VIEW handoff_queue AS
SELECT h.id AS handoff_id, h.lead_id, l.email, l.company, l.country, h.cycle, h.route, h.offered_at AS queued_at
FROM handoff_handoffs AS h LEFT JOIN leads AS l ON l.id = h.lead_id
WHERE h.state = 'queued'
ORDER BY h.offered_at, h.id;

-- Each offer with its two clocks: to be answered, and the lead to be talked to. kept, missed, running, or NULL where there is no clock.
CREATE VIEW handoff_sla AS
SELECT o.handoff_id, o.lead_id, o.cycle, o.offer, o.rep, o.at AS offered_at, o.due_at AS accept_by, a.state AS answer, a.at AS answered_at,
       CASE WHEN o.due_at IS NULL THEN NULL WHEN m.id IS NOT NULL OR a.at > o.due_at THEN 'missed'
            WHEN a.at IS NOT NULL THEN 'kept' ELSE 'running' END AS acceptance,
       y.at AS accepted_at, y.due_at AS contact_by, CASE WHEN y.id IS NOT NULL THEN h.contacted_at END AS contacted_at,
       CASE WHEN y.due_at IS NULL THEN NULL WHEN h.contacted_at <= y.due_at THEN 'kept'
            WHEN h.contacted_at > y.due_at OR EXISTS (
                SELECT 1 FROM handoff_transitions AS t WHERE t.handoff_id = o.handoff_id AND t.offer = o.offer AND t.id > y.id
                AND t.state IN ('escalated', 'expired')) THEN 'missed'
            WHEN h.offer = o.offer AND h.state IN ('accepted', 'escalated') THEN 'running' END AS contact
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
WHERE o.state = 'offered';

-- Why reps give leads back and why deals are lost, for marketing: by reason and by where the leads came from.
CREATE VIEW handoff_reasons AS
SELECT t.state AS answer, coalesce(t.reason, '(not given)') AS reason, l.source, l.medium, l.campaign, count(*) AS handoffs, count(DISTINCT t.lead_id) AS leads,
       min(t.at) AS first_at, max(t.at) AS last_at
FROM handoff_transitions AS t LEFT JOIN leads AS l ON l.id = t.lead_id
WHERE t.state IN ('rejected', 'lost')
GROUP BY 1, 2, 3, 4, 5
ORDER BY handoffs DESC, reason;

-- How long each handoff took, in minutes of the clock on the wall: from the moment the lead was qualified to its first offer, its acceptance and the first contact. NULL for what has not happened.
CREATE VIEW speed_to_lead AS
SELECT h.id AS handoff_id, h.lead_id, h.cycle, h.rep, b.at AS qualified_at, o.at AS offered_at, a.at AS accepted_at, h.contacted_at,
       round((julianday(o.at) - julianday(b.at)) * 1440, 1) AS minutes_to_offer,
       round((julianday(a.at) - julianday(b.at)) * 1440, 1) AS minutes_to_accept,
       round((julianday(h.contacted_at) - julianday(b.at)) * 1440, 1) AS minutes_to_contact
FROM handoff_handoffs AS h
LEFT JOIN events AS b ON b.id = h.event_id
LEFT JOIN handoff_transitions AS o ON o.id = (SELECT min(id) FROM handoff_transitions AS t WHERE t.handoff_id = h.id AND t.state = 'offered')
LEFT JOIN handoff_transitions AS a ON a.id = (SELECT min(id) FROM handoff_transitions AS t WHERE t.handoff_id = h.id AND t.state = 'accepted');

-- What each rep has in hand, and how fair the deals were: dealt is how many leads came by turns, entitled how many the weight gave a claim to.
CREATE VIEW rep_load AS
SELECT r.rep, r.weight, r.capacity, coalesce(h.in_hand, 0) AS in_hand, max(0, r.capacity - coalesce(h.in_hand, 0)) AS free,
       coalesce(h.offered, 0) AS offered, coalesce(h.escalated, 0) AS escalated, coalesce(h.accepted, 0) AS accepted,
       coalesce(t.dealt, 0) AS dealt, round(coalesce(t.entitled, 0) / 1000000.0, 2) AS entitled
FROM handoff_reps AS r
LEFT JOIN (
    SELECT rep, count(*) AS in_hand, sum(state = 'offered') AS offered, sum(state = 'escalated') AS escalated, sum(state = 'accepted') AS accepted
    FROM handoff_handoffs WHERE state IN ('offered', 'escalated', 'accepted') GROUP BY rep) AS h ON h.rep = r.rep
LEFT JOIN (SELECT rep, sum(dealt) AS dealt, sum(entitled) AS entitled FROM handoff_turns GROUP BY rep) AS t ON t.rep = r.rep
ORDER BY r.position;
