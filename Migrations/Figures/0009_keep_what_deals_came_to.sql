-- Leads by month: figures_days added up, so that nobody adds up a thousand days of each road.
CREATE TABLE figures_months (
    month    TEXT    NOT NULL,                    -- in which they took the step: YYYY-MM
    channel  TEXT    NOT NULL,
    campaign TEXT    NOT NULL,
    step     TEXT    NOT NULL,                    -- as in figures_days
    leads    INTEGER NOT NULL,
    PRIMARY KEY (month, channel, campaign, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX figures_months_empty ON figures_months (month) WHERE leads = 0;

-- What people did with each content, by month: figures_contents added up.
CREATE TABLE figures_content_months (
    month    TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    content  TEXT    NOT NULL,
    sequence TEXT    NOT NULL,
    stage    TEXT    NOT NULL,
    measure  TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (kind, month, content, sequence, stage, measure)
) STRICT, WITHOUT ROWID;

-- Forms by month: figures_forms added up.
CREATE TABLE figures_form_months (
    month   TEXT    NOT NULL,
    form    TEXT    NOT NULL,
    channel TEXT    NOT NULL,
    measure TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (month, form, channel, measure)
) STRICT, WITHOUT ROWID;

-- Each deal that was decided, as figures_deals works it out from the deal and its lead.
CREATE TABLE figures_closed_deals (
    opportunity_id    INTEGER PRIMARY KEY,        -- opportunities.id
    lead              INTEGER,                    -- the lead it grew from; NULL for none
    month             TEXT,                       -- in which it was closed: YYYY-MM; NULL where opportunities.closed_at is no day
    owner             TEXT,                       -- NULL for nobody
    currency          TEXT,                       -- NULL for that of the site
    is_won            INTEGER NOT NULL,
    amount            REAL    NOT NULL,
    channel           TEXT    NOT NULL,           -- of the first touch of the lead; unknown without one
    campaign          TEXT    NOT NULL,           -- of the first touch of the lead; empty for none
    days              INTEGER,                    -- from its beginning to its end; NULL where either is no day
    days_from_arrival INTEGER                     -- from the arrival of the lead; NULL without one
) STRICT;
CREATE INDEX figures_closed_deals_by_month ON figures_closed_deals (month, owner, currency, is_won, amount);

-- The money of each won deal, by the roads it is credited to: the amount times the weight of the road in each model.
CREATE TABLE figures_earnings (
    opportunity_id INTEGER NOT NULL,
    channel        TEXT    NOT NULL,
    campaign       TEXT    NOT NULL,
    month          TEXT,                          -- as in figures_closed_deals
    currency       TEXT,                          -- as in figures_closed_deals
    first_touch    REAL    NOT NULL,
    last_touch     REAL    NOT NULL,
    linear         REAL    NOT NULL,
    position       REAL    NOT NULL,
    PRIMARY KEY (opportunity_id, channel, campaign)
) STRICT, WITHOUT ROWID;
-- In the order it is added up in. Sums are not kept: what is added to a sum of fractions and taken out again leaves a trace.
CREATE INDEX figures_earnings_by_month ON figures_earnings (month, channel, campaign, currency, first_touch, last_touch, linear, position);

-- How many won deals took how many days: a median is then looked for among few rows.
CREATE TABLE figures_cycles (
    measure TEXT    NOT NULL,                     -- won: all of them, at 0 days; opening, arrival: those of which the days since then are known
    scope   INTEGER NOT NULL,                     -- 0 a month and channel, 1 a month, 2 a channel, 3 all
    month   TEXT    NOT NULL,                     -- empty for all
    channel TEXT    NOT NULL,                     -- empty for all
    days    INTEGER NOT NULL,
    deals   INTEGER NOT NULL,
    PRIMARY KEY (measure, scope, month, channel, days)
) STRICT, WITHOUT ROWID;
CREATE INDEX figures_cycles_empty ON figures_cycles (measure) WHERE deals = 0;

-- Leads that may still buy, by the last day anybody had a word with them.
CREATE TABLE figures_silences (
    day   TEXT    NOT NULL PRIMARY KEY,           -- figures_leads.heard_on, or arrived_on where there was no word
    leads INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX figures_silences_empty ON figures_silences (day) WHERE leads = 0;

INSERT INTO figures_months (month, channel, campaign, step, leads)
SELECT substr(day, 1, 7), channel, campaign, step, sum(leads) FROM figures_days WHERE leads <> 0 GROUP BY 1, 2, 3, 4;

INSERT INTO figures_content_months (month, kind, content, sequence, stage, measure, count)
SELECT substr(day, 1, 7), kind, content, sequence, stage, measure, sum(count) FROM figures_contents GROUP BY 1, 2, 3, 4, 5, 6;

INSERT INTO figures_form_months (month, form, channel, measure, count)
SELECT substr(day, 1, 7), form, channel, measure, sum(count) FROM figures_forms GROUP BY 1, 2, 3, 4;

INSERT INTO figures_closed_deals (opportunity_id, lead, month, owner, currency, is_won, amount, channel, campaign, days, days_from_arrival)
SELECT id, lead_id, substr(closed_on, 1, 7), owner, currency, is_won, amount, channel, campaign, julianday(closed_on) - julianday(begun_on),
       julianday(closed_on) - julianday(arrived_on)
FROM (
    SELECT o.id, o.lead_id, o.owner, o.stage = 'won' AS is_won, date(coalesce(o.closed_at, o.updated_at)) AS closed_on,
           date(coalesce(o.opened_at, (SELECT min(offered_at) FROM figures_handoffs WHERE lead = o.lead_id), l.arrived_on, o.created_at)) AS begun_on,
           l.arrived_on, coalesce(o.amount, 0.0) AS amount, o.currency, coalesce(l.channel, 'unknown') AS channel,
           coalesce(l.campaign, '') AS campaign
    FROM opportunities AS o LEFT JOIN figures_leads AS l ON l.lead = o.lead_id
    WHERE o.stage IN ('won', 'lost'));

INSERT INTO figures_earnings (opportunity_id, channel, campaign, month, currency, first_touch, last_touch, linear, position)
SELECT d.opportunity_id, coalesce(c.channel, d.channel), coalesce(c.campaign, d.campaign), d.month, d.currency, d.amount * coalesce(c.first_touch, 1),
       d.amount * coalesce(c.last_touch, 1), d.amount * coalesce(c.linear, 1), d.amount * coalesce(c.position, 1)
FROM figures_closed_deals AS d LEFT JOIN figures_credits AS c ON c.lead = d.lead WHERE d.is_won;

WITH measures (measure) AS (VALUES ('won'), ('opening'), ('arrival')),
scopes (scope) AS (VALUES (0), (1), (2), (3)),
timed AS (
    SELECT measure, scope, iif(scope < 2, month, '') AS month, iif(scope IN (0, 2), channel, '') AS channel,
           CASE measure WHEN 'won' THEN 0 WHEN 'opening' THEN days ELSE days_from_arrival END AS days
    FROM figures_closed_deals CROSS JOIN measures CROSS JOIN scopes WHERE is_won
)
INSERT INTO figures_cycles (measure, scope, month, channel, days, deals)
SELECT measure, scope, month, channel, days, count(*) FROM timed WHERE month IS NOT NULL AND days IS NOT NULL GROUP BY 1, 2, 3, 4, 5;

INSERT INTO figures_silences (day, leads)
SELECT coalesce(heard_on, arrived_on), count(*) FROM figures_leads WHERE bought_on IS NULL AND NOT is_erased GROUP BY 1;

-- Contents are added up over their months now.
DROP INDEX figures_contents_by_content;

-- Handoffs that nobody has answered are asked for by themselves.
CREATE INDEX figures_handoffs_waiting ON figures_handoffs (offered_at)
WHERE accepted_at IS NULL AND contacted_at IS NULL AND rejected_at IS NULL AND expired_at IS NULL;
