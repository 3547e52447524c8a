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

-- A deal that was decided: won or lost, by the day it was closed, with the days it took. The cycle begins when the deal
-- was opened; where that is not known when the lead was handed to sales, or else arrived, or else the row was made.
CREATE VIEW figures_deals AS
SELECT o.id AS opportunity_id, o.lead_id, o.owner, o.stage = 'won' AS is_won, date(coalesce(o.closed_at, o.updated_at)) AS closed_on,
       coalesce(o.amount, 0.0) AS amount, coalesce(o.currency, (SELECT currency FROM site)) AS currency, coalesce(l.channel, 'unknown') AS channel,
       coalesce(l.campaign, '') AS campaign,
       julianday(date(coalesce(o.closed_at, o.updated_at)))
           - julianday(date(coalesce(o.opened_at, (SELECT min(offered_at) FROM figures_handoffs WHERE lead = o.lead_id), l.arrived_on, o.created_at))) AS days,
       julianday(date(coalesce(o.closed_at, o.updated_at))) - julianday(l.arrived_on) AS days_from_arrival
FROM opportunities AS o LEFT JOIN figures_leads AS l ON l.lead = o.lead_id
WHERE o.stage IN ('won', 'lost');

-- Won money credited to roads: a row per model, month of closing, channel, campaign and currency. Revenue: the amount of
-- each deal times the weight of the road on the lead it grew from; a deal without one is credited to the channel unknown.
CREATE VIEW figures_revenue AS
WITH credited AS (
    SELECT substr(d.closed_on, 1, 7) AS month, coalesce(c.channel, d.channel) AS channel, coalesce(c.campaign, d.campaign) AS campaign, d.currency,
           sum(d.amount * coalesce(c.first_touch, 1)) AS by_first, sum(d.amount * coalesce(c.last_touch, 1)) AS by_last,
           sum(d.amount * coalesce(c.linear, 1)) AS by_linear, sum(d.amount * coalesce(c.position, 1)) AS by_position
    FROM figures_deals AS d LEFT JOIN figures_credits AS c ON c.lead = d.lead_id
    WHERE d.is_won GROUP BY 1, 2, 3, 4
)
SELECT 'first' AS model, month, channel, campaign, currency, by_first AS revenue FROM credited WHERE by_first <> 0
UNION ALL SELECT 'last', month, channel, campaign, currency, by_last FROM credited WHERE by_last <> 0
UNION ALL SELECT 'linear', month, channel, campaign, currency, by_linear FROM credited WHERE by_linear <> 0
UNION ALL SELECT 'position', month, channel, campaign, currency, by_position FROM credited WHERE by_position <> 0;

-- New customers credited to roads: a row per model, month of the purchase, channel and campaign. Customers: the sum of
-- the weights, so that a customer of two roads is half a customer of each.
CREATE VIEW figures_customers AS
WITH credited AS (
    SELECT substr(l.bought_on, 1, 7) AS month, c.channel, c.campaign, sum(c.first_touch) AS by_first, sum(c.last_touch) AS by_last,
           sum(c.linear) AS by_linear, sum(c.position) AS by_position
    FROM figures_credits AS c JOIN figures_leads AS l ON l.lead = c.lead GROUP BY 1, 2, 3
)
SELECT 'first' AS model, month, channel, campaign, by_first AS customers FROM credited WHERE by_first <> 0
UNION ALL SELECT 'last', month, channel, campaign, by_last FROM credited WHERE by_last <> 0
UNION ALL SELECT 'linear', month, channel, campaign, by_linear FROM credited WHERE by_linear <> 0
UNION ALL SELECT 'position', month, channel, campaign, by_position FROM credited WHERE by_position <> 0;
