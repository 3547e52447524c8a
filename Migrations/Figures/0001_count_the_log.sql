-- What the figures are made of: small tables, kept by the subscriber figures/count from the log. A day is a day in UTC.
-- Their column is called `lead` and not lead_id, so that a merge leaves them to the log, which says what becomes of them.

-- How each lead came and how far it got: a row per lead that is there, or was there and was erased.
CREATE TABLE figures_leads (
    lead       INTEGER PRIMARY KEY,               -- leads.id
    arrived_on TEXT    NOT NULL,                  -- the day of leads.created_at
    stage      TEXT    NOT NULL,                  -- the one it arrived at
    channel    TEXT    NOT NULL,                  -- of its first touch; unknown where that says nothing
    campaign   TEXT    NOT NULL,                  -- of its first touch; empty for none
    heard_on   TEXT,                              -- the last day we wrote to it or spoke with it, or it answered; NULL for never
    bought_on  TEXT,                              -- the day it reached the last stage or its first deal was won, whichever was earlier; NULL so far
    won_by     INTEGER,                           -- opportunities.id of its first won deal; NULL for none
    is_erased  INTEGER NOT NULL DEFAULT 0 CHECK (is_erased IN (0, 1))
) STRICT;
CREATE INDEX figures_leads_erased ON figures_leads (is_erased) WHERE is_erased = 1;
CREATE INDEX figures_leads_won ON figures_leads (won_by) WHERE won_by IS NOT NULL;

-- Each further stage of a lead, when it first reached it. Who skips a stage reached it too.
CREATE TABLE figures_stages (
    lead     INTEGER NOT NULL,
    stage    TEXT    NOT NULL,
    day      TEXT    NOT NULL,
    event_id INTEGER NOT NULL,                    -- the lead.stage_changed
    PRIMARY KEY (lead, stage)
) STRICT, WITHOUT ROWID;

-- Leads by day: how many took each step on it, by the channel and campaign of their first touch.
CREATE TABLE figures_days (
    day      TEXT    NOT NULL,
    channel  TEXT    NOT NULL,
    campaign TEXT    NOT NULL,
    step     TEXT    NOT NULL,                    -- (arrived), the name of a stage, (bought)
    leads    INTEGER NOT NULL,
    PRIMARY KEY (day, channel, campaign, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX figures_days_by_step ON figures_days (step, day, channel, campaign, leads);
CREATE INDEX figures_days_empty ON figures_days (day) WHERE leads = 0;

-- Leads by the month they arrived in: how many of them took each step up to now.
CREATE TABLE figures_cohorts (
    month    TEXT    NOT NULL,
    channel  TEXT    NOT NULL,
    campaign TEXT    NOT NULL,
    step     TEXT    NOT NULL,
    leads    INTEGER NOT NULL,
    days     INTEGER NOT NULL,                    -- from their arrival to the step, all together
    PRIMARY KEY (month, channel, campaign, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX figures_cohorts_empty ON figures_cohorts (month) WHERE leads = 0;

-- To which roads the purchase of a lead is credited: a row per road that led to it. Each weight sums to 1 over a lead.
CREATE TABLE figures_credits (
    lead        INTEGER NOT NULL,
    channel     TEXT    NOT NULL,
    campaign    TEXT    NOT NULL,
    first_touch REAL    NOT NULL,
    last_touch  REAL    NOT NULL,
    linear      REAL    NOT NULL,
    position    REAL    NOT NULL,                 -- 40 % the first, 40 % the last, 20 % what lies between
    PRIMARY KEY (lead, channel, campaign)
) STRICT, WITHOUT ROWID;

-- What people did with each content, by the day it was sent to them or they came for it.
CREATE TABLE figures_contents (
    day      TEXT    NOT NULL,                    -- of a mail: the day it was sent, also for what was done with it later
    kind     TEXT    NOT NULL,                    -- mail, or a kind of event: asset.downloaded, form.submitted, …
    content  TEXT    NOT NULL,                    -- the mail, magnet, form or webinar; empty where there is no more to say
    sequence TEXT    NOT NULL,                    -- the sequence that sent it; empty for none
    stage    TEXT    NOT NULL,                    -- the furthest stage the person had reached
    measure  TEXT    NOT NULL,                    -- sent, bounced, opened, clicked, engaged, replied, unsubscribed; done, new; moved_on
    count    INTEGER NOT NULL,
    PRIMARY KEY (day, kind, content, sequence, stage, measure)
) STRICT, WITHOUT ROWID;

-- Each time a lead was handed to sales, with the times that tell how it was treated.
CREATE TABLE figures_handoffs (
    lead         INTEGER NOT NULL,
    cycle        INTEGER NOT NULL,
    rep          TEXT,                            -- the last who had it; NULL while it is in the queue
    event_id     INTEGER NOT NULL,                -- the handoff.offered or handoff.queued it began with
    offered_at   TEXT    NOT NULL,                -- when sales was first told, or it was first queued
    accepted_at  TEXT,
    contacted_at TEXT,                            -- the first lead.contacted after it; NULL where none is recorded
    rejected_at  TEXT,                            -- the last time a rep gave it back
    reason       TEXT,                            -- why
    expired_at   TEXT,                            -- the last time nobody answered in time
    PRIMARY KEY (lead, cycle)
) STRICT, WITHOUT ROWID;
CREATE INDEX figures_handoffs_by_day ON figures_handoffs (offered_at);

-- What the figures were counted by, one row: another order of stages makes every figure mean something else.
CREATE TABLE figures_basis (
    stages TEXT NOT NULL
) STRICT;

-- The stages in their order without those beside it, and their phase of the classic funnel. The first two are interest
-- where they are called subscriber and lead, or else the first; the last is the purchase; what lies between is halved.
CREATE VIEW figures_stage_order AS
SELECT name AS stage, position,
       position = (SELECT max(position) FROM stages WHERE NOT is_side) AS is_last,
       lead(name) OVER (ORDER BY position) AS next_stage,
       CASE WHEN position = (SELECT max(position) FROM stages WHERE NOT is_side) THEN 'action'
            WHEN position = 0 OR name IN ('subscriber', 'lead') THEN 'interest'
            WHEN position <= (SELECT (max(position) + 1) / 2 FROM stages WHERE NOT is_side) THEN 'consideration'
            ELSE 'decision' END AS phase
FROM stages WHERE NOT is_side;

-- Each step of each lead and its day: what figures_days and figures_cohorts are the sums of.
CREATE VIEW figures_steps AS
SELECT lead, channel, campaign, arrived_on, '(arrived)' AS step, arrived_on AS day FROM figures_leads
UNION ALL
SELECT l.lead, l.channel, l.campaign, l.arrived_on, s.name, l.arrived_on
FROM figures_leads AS l JOIN stages AS at ON at.name = l.stage AND NOT at.is_side JOIN stages AS s ON s.position <= at.position AND NOT s.is_side
UNION ALL
SELECT l.lead, l.channel, l.campaign, l.arrived_on, s.stage, s.day FROM figures_leads AS l JOIN figures_stages AS s ON s.lead = l.lead
UNION ALL
SELECT lead, channel, campaign, arrived_on, '(bought)', bought_on FROM figures_leads WHERE bought_on IS NOT NULL;

-- The day it is: that of the kernel while it writes, that of the machine for everybody else.
CREATE VIEW figures_today AS
SELECT date(coalesce(now, 'now')) AS day, date(coalesce(now, 'now'), 'start of month') AS month_begins FROM kernel_context;

-- How often pages of magnets were looked at; empty until lead_magnets was on once, and then read from its table.
CREATE VIEW figures_page_views AS
SELECT NULL AS day, NULL AS magnet, NULL AS variant, NULL AS channel, 0 AS views WHERE false;

-- The arms of the tests of sequences; empty until drip was on once, and then read from its tables.
CREATE VIEW figures_tests AS
SELECT NULL AS sequence, NULL AS test, NULL AS arm, NULL AS is_holdout, 0 AS leads, 0 AS outcomes WHERE false;
