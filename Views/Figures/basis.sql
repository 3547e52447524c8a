-- What the figures rest on. Days and months are in UTC. Money is never converted: each currency has rows of its own.

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

-- The day it is, in UTC.
CREATE VIEW figures_today AS
SELECT date('now') AS day, date('now', 'start of month') AS month_begins;

-- The model by which the ladders and the report credit roads: plugins.figures.attribution of the config.
CREATE VIEW figures_model AS
SELECT coalesce((SELECT attribution FROM figures_basis), 'first') AS model;

-- A road of a lead: its touches, those of one day, channel and campaign as one. After the day of the purchase only a
-- first touch counts. Weight: what part of the credit the touch has; over a lead the weights of each model sum to 1.
-- A lead without a touch has one row with touch_id NULL; one that was deleted has none. Ask for one lead, or for few: WHERE lead_id = 42.
CREATE VIEW attribution AS
WITH visits AS (
    SELECT lead_id, min(id) AS touch_id, min(at) AS at, coalesce(channel, source, 'unknown') AS channel, coalesce(campaign, '') AS campaign
    FROM touches
    WHERE EXISTS (SELECT 1 FROM leads WHERE leads.id = touches.lead_id) GROUP BY lead_id, date(at), coalesce(channel, source, 'unknown'), coalesce(campaign, '')
), placed AS (
    SELECT v.*, l.bought_on, row_number() OVER road AS place,
           max(1, count(*) FILTER (WHERE l.bought_on IS NULL OR date(v.at) <= l.bought_on) OVER (PARTITION BY v.lead_id)) AS places
    FROM visits AS v LEFT JOIN figures_leads AS l ON l.lead = v.lead_id
    WINDOW road AS (PARTITION BY v.lead_id ORDER BY v.at, v.touch_id)
)
SELECT m.model, p.lead_id, p.touch_id, p.at, p.channel, p.campaign,
       CASE m.model
           WHEN 'first' THEN p.place = 1
           WHEN 'last' THEN p.place = p.places
           WHEN 'linear' THEN 1.0 / p.places
           ELSE CASE WHEN p.places = 1 THEN 1.0 WHEN p.places = 2 THEN 0.5 WHEN p.place IN (1, p.places) THEN 0.4 ELSE 0.2 / (p.places - 2) END
       END + 0.0 AS weight
FROM placed AS p CROSS JOIN (SELECT 'first' AS model UNION ALL SELECT 'last' UNION ALL SELECT 'linear' UNION ALL SELECT 'position') AS m
WHERE p.place <= p.places
UNION ALL
SELECT m.model, l.lead, NULL, l.arrived_on, l.channel, l.campaign, 1.0
FROM figures_leads AS l CROSS JOIN (SELECT 'first' AS model UNION ALL SELECT 'last' UNION ALL SELECT 'linear' UNION ALL SELECT 'position') AS m
WHERE NOT EXISTS (SELECT 1 FROM touches AS t WHERE t.lead_id = l.lead);

-- Money spent: a row per month, channel, campaign (empty for the channel as a whole), half and currency.
CREATE VIEW figures_spend AS
SELECT substr(day, 1, 7) AS month, channel, coalesce(campaign, '') AS campaign, half, currency, sum(amount) AS amount
FROM spend GROUP BY 1, 2, 3, 4, 5;

-- Money spent on all halves: a row per month, channel, campaign and currency; campaign NULL is the channel as a whole, channel
-- NULL the month as a whole.
CREATE VIEW figures_paid AS
WITH spent AS MATERIALIZED (
    SELECT month, channel, campaign, currency, amount FROM figures_spend
)
SELECT month, channel, NULL AS campaign, currency, sum(amount) AS spend FROM spent GROUP BY month, channel, currency
UNION ALL SELECT month, NULL, NULL, currency, sum(amount) FROM spent GROUP BY month, currency
UNION ALL SELECT month, channel, campaign, currency, sum(amount) FROM spent WHERE campaign <> '' GROUP BY 1, 2, 3, 4;

-- A deal that was decided: won or lost, by the day it was closed, with the days it took. The cycle begins when the deal
-- was opened; where that is not known when the lead was handed to sales, or else arrived, or else the row was made. Deals are read as
-- they are in this moment; figures_closed_deals has them as the worker saw them last.
CREATE VIEW figures_deals AS
WITH decided AS (
    SELECT o.id, o.lead_id, o.owner, o.stage = 'won' AS is_won, date(coalesce(o.closed_at, o.updated_at)) AS closed_on,
           date(coalesce(o.opened_at, (SELECT min(offered_at) FROM figures_handoffs WHERE lead = o.lead_id), l.arrived_on, o.created_at)) AS begun_on,
           l.arrived_on, coalesce(o.amount, 0.0) AS amount, coalesce(o.currency, (SELECT currency FROM site)) AS currency,
           coalesce(l.channel, 'unknown') AS channel, coalesce(l.campaign, '') AS campaign
    FROM opportunities AS o LEFT JOIN figures_leads AS l ON l.lead = o.lead_id
    WHERE o.stage IN ('won', 'lost')
)
SELECT id AS opportunity_id, lead_id, owner, is_won, closed_on, amount, currency, channel, campaign,
       julianday(closed_on) - julianday(begun_on) AS days, julianday(closed_on) - julianday(arrived_on) AS days_from_arrival, begun_on, arrived_on
FROM decided;

-- What figures_cycles counts: a row per won deal that figures_closed_deals has, measure and scope.
CREATE VIEW figures_timed AS
SELECT d.opportunity_id, m.measure, s.scope, iif(s.scope < 2, d.month, '') AS month, iif(s.scope IN (0, 2), d.channel, '') AS channel,
       CASE m.measure WHEN 'won' THEN 0 WHEN 'opening' THEN d.days ELSE d.days_from_arrival END AS days
FROM figures_closed_deals AS d CROSS JOIN (SELECT 'won' AS measure UNION ALL SELECT 'opening' UNION ALL SELECT 'arrival') AS m
CROSS JOIN (SELECT 0 AS scope UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) AS s
WHERE d.is_won AND (s.scope > 1 OR d.month IS NOT NULL)
  AND (m.measure = 'won' OR CASE m.measure WHEN 'opening' THEN d.days ELSE d.days_from_arrival END IS NOT NULL);

-- Won money credited to roads: a row per model, month of closing, channel, campaign and currency. Revenue: the amount of
-- each deal times the weight of the road on the lead it grew from; a deal without one is credited to the channel unknown.
-- A deal counts once the worker has seen it.
CREATE VIEW figures_revenue AS
WITH summed AS ( -- As the index has them, so that nothing is sorted but the few sums.
    SELECT month, channel, campaign, currency, sum(first_touch) AS by_first, sum(last_touch) AS by_last, sum(linear) AS by_linear, sum(position) AS by_position
    FROM figures_earnings GROUP BY month, channel, campaign, currency
), credited AS (
    SELECT month, channel, campaign, coalesce(currency, (SELECT currency FROM site)) AS currency, sum(by_first) AS by_first, sum(by_last) AS by_last,
           sum(by_linear) AS by_linear, sum(by_position) AS by_position
    FROM summed GROUP BY 1, 2, 3, 4
)
SELECT 'first' AS model, month, channel, campaign, currency, by_first AS revenue FROM credited WHERE by_first <> 0
UNION ALL SELECT 'last', month, channel, campaign, currency, by_last FROM credited WHERE by_last <> 0
UNION ALL SELECT 'linear', month, channel, campaign, currency, by_linear FROM credited WHERE by_linear <> 0
UNION ALL SELECT 'position', month, channel, campaign, currency, by_position FROM credited WHERE by_position <> 0;

-- New customers credited to roads: a row per model, month of the purchase, channel and campaign. Customers: the sum of
-- the weights, so that a customer of two roads is half a customer of each.
CREATE VIEW figures_customers AS
WITH credited AS (
    SELECT month, channel, campaign, sum(first_touch) AS by_first, sum(last_touch) AS by_last, sum(linear) AS by_linear, sum(position) AS by_position
    FROM figures_credits GROUP BY 1, 2, 3
)
SELECT 'first' AS model, month, channel, campaign, by_first AS customers FROM credited WHERE by_first <> 0
UNION ALL SELECT 'last', month, channel, campaign, by_last FROM credited WHERE by_last <> 0
UNION ALL SELECT 'linear', month, channel, campaign, by_linear FROM credited WHERE by_linear <> 0
UNION ALL SELECT 'position', month, channel, campaign, by_position FROM credited WHERE by_position <> 0;

-- The bands of hours in which answers to handoffs are counted; of an answer it is the last one that begins no later.
CREATE VIEW figures_bands AS
WITH bounds (begins) AS (
    VALUES (-1e300), (0.25), (0.5), (1.0), (2.0), (3.0), (4.0), (6.0), (8.0), (12.0), (18.0), (24.0), (36.0), (48.0), (72.0), (120.0), (240.0), (480.0)
)
SELECT row_number() OVER (ORDER BY begins) AS band, begins, lead(begins, 1, 1e300) OVER (ORDER BY begins) AS ends FROM bounds;

-- How long each handoff (offer 0) and each offer to a rep waited for its answer: what figures_answers keeps.
CREATE VIEW figures_answered AS
SELECT lead, cycle, 0 AS offer, substr(offered_at, 1, 7) AS month, '' AS rep,
       (julianday(coalesce(contacted_at, accepted_at)) - julianday(offered_at)) * 24 AS hours,
       accepted_at IS NOT NULL AS is_accepted, rejected_at IS NOT NULL AS is_rejected
FROM figures_handoffs
UNION ALL
SELECT lead, cycle, offer, substr(offered_at, 1, 7), rep,
       (julianday(coalesce(contacted_at, accepted_at)) - julianday(offered_at)) * 24, accepted_at IS NOT NULL, 0
FROM figures_offers WHERE offer > 0;
