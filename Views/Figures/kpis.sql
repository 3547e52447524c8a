-- The figures a team is judged by. Above each view stands what a row is, what is divided, and by what. A month is
-- YYYY-MM in UTC; a rate is NULL where its denominator is 0. Money is never converted: each currency has rows of its own,
-- and counts of leads or customers stand in the row of each: add them up over one currency only.

-- Lead volume: a row per month, channel and campaign of the first touch. Leads: those that arrived in the month. The others:
-- those that first reached the stage in the month, whenever they had arrived. Counts: they may be added up.
CREATE VIEW kpi_lead_volume AS
SELECT month, channel, campaign, coalesce(sum(leads) FILTER (WHERE step = '(arrived)'), 0) AS leads, coalesce(sum(leads) FILTER (WHERE step = 'mql'), 0) AS mql,
       coalesce(sum(leads) FILTER (WHERE step = 'sql'), 0) AS sql, coalesce(sum(leads) FILTER (WHERE step = '(bought)'), 0) AS customers
FROM figures_months WHERE step IN ('(arrived)', 'mql', 'sql', '(bought)') GROUP BY month, channel, campaign;

-- Cost per lead: a row per month, channel and currency, and one per campaign that money was booked on; campaign NULL is the
-- channel as a whole, what was booked on its campaigns included. Cost per lead: generation spend of the month / leads that
-- arrived in it by their first touch. Cost per mql: the same spend / leads that became mql in the month.
CREATE VIEW kpi_cost_per_lead AS
WITH paid AS (
    SELECT month, channel, NULL AS campaign, currency, sum(amount) AS spend FROM figures_spend WHERE half = 'generation' GROUP BY month, channel, currency
    UNION ALL
    SELECT month, channel, campaign, currency, sum(amount) FROM figures_spend WHERE half = 'generation' AND campaign <> '' GROUP BY 1, 2, 3, 4
), volume AS MATERIALIZED ( -- As in kpi_lead_volume, without the steps nobody asks for here.
    SELECT month, channel, campaign, coalesce(sum(leads) FILTER (WHERE step = '(arrived)'), 0) AS leads, coalesce(sum(leads) FILTER (WHERE step = 'mql'), 0) AS mql
    FROM figures_months WHERE step IN ('(arrived)', 'mql') GROUP BY month, channel, campaign
), came AS (
    SELECT month, channel, NULL AS campaign, sum(leads) AS leads, sum(mql) AS mql FROM volume GROUP BY month, channel
    UNION ALL
    SELECT month, channel, campaign, leads, mql FROM volume WHERE campaign <> ''
), listed AS ( -- A FULL JOIN would hold every row of the one against every row of the other.
    SELECT month, channel, campaign, currency, spend, NULL AS leads, NULL AS mql, true AS is_paid FROM paid
    UNION ALL SELECT month, channel, campaign, NULL, NULL, leads, mql, false FROM came
), joined AS (
    SELECT month, channel, campaign, currency, spend, max(leads) OVER road AS leads, max(mql) OVER road AS mql, is_paid, max(is_paid) OVER road AS has_spend
    FROM listed WINDOW road AS (PARTITION BY month, channel, campaign)
)
SELECT month, channel, campaign, currency, round(coalesce(spend, 0), 2) AS spend, coalesce(leads, 0) AS leads, coalesce(mql, 0) AS mql,
       round(spend / nullif(leads, 0), 2) AS cost_per_lead, round(spend / nullif(mql, 0), 2) AS cost_per_mql
FROM joined WHERE is_paid OR (NOT has_spend AND leads > 0);

-- Form conversion: a row per month and magnet. Conversion: forms that were filled in on a page of the magnet / times a person looked
-- at one. New leads: those of the forms that made a lead we did not know; confirmed: where an address is confirmed first.
CREATE VIEW kpi_form_conversion AS
SELECT month, magnet, sum(views) AS views, sum(submissions) AS submissions, sum(new_leads) AS new_leads, sum(confirmed) AS confirmed,
       round(100.0 * sum(submissions) / nullif(sum(views), 0), 1) AS conversion_percent
FROM (
    SELECT month, magnet, views, submissions, new_leads, 0 AS confirmed FROM kpi_form_conversion_by_channel
    UNION ALL
    SELECT month, content, 0, 0, 0, count FROM figures_content_months WHERE kind = 'form.confirmed' AND measure = 'done')
GROUP BY month, magnet;

-- The same by the channel of the visit, for looks and forms alike: a row per month, magnet and channel.
CREATE VIEW kpi_form_conversion_by_channel AS
SELECT month, magnet, channel, sum(views) AS views, sum(submissions) AS submissions, sum(new_leads) AS new_leads,
       round(100.0 * sum(submissions) / nullif(sum(views), 0), 1) AS conversion_percent
FROM (
    SELECT substr(day, 1, 7) AS month, magnet, channel, views, 0 AS submissions, 0 AS new_leads FROM figures_page_views WHERE magnet <> ''
    UNION ALL
    SELECT month, form, channel, 0, iif(measure = 'done', count, 0), iif(measure = 'new', count, 0) FROM figures_form_months)
GROUP BY month, magnet, channel;

-- Email engagement: a row per month of sending, mail and sequence (empty for none). Engaged: mails, each to one person, of
-- which a person opened the picture or followed a link; machines do not count. Delivered: the sent less those that came back.
-- Watched: those of them that hold the picture or links over this site; engaged and clicked are in percent of these, and NULL where
-- nobody can say.
CREATE VIEW kpi_email_engagement AS
SELECT month, mail, sequence, sent, bounced, sent - bounced AS delivered, opened, clicked, engaged, replied,
       round(100.0 * engaged / nullif(watched, 0), 1) AS engaged_percent, round(100.0 * clicked / nullif(watched, 0), 1) AS clicked_percent,
       round(100.0 * bounced / nullif(sent, 0), 1) AS bounced_percent, watched
FROM (
    SELECT month, content AS mail, sequence,
           coalesce(sum(count) FILTER (WHERE measure = 'sent'), 0) AS sent, coalesce(sum(count) FILTER (WHERE measure = 'bounced'), 0) AS bounced,
           coalesce(sum(CASE measure WHEN 'watched' THEN count WHEN 'watched_bounced' THEN -count END), 0) AS watched,
           coalesce(sum(count) FILTER (WHERE measure = 'opened'), 0) AS opened, coalesce(sum(count) FILTER (WHERE measure = 'clicked'), 0) AS clicked,
           coalesce(sum(count) FILTER (WHERE measure = 'engaged'), 0) AS engaged, coalesce(sum(count) FILTER (WHERE measure = 'replied'), 0) AS replied
    FROM figures_content_months WHERE kind = 'mail' GROUP BY month, content, sequence
);

-- Conversion of cohorts: a row per month of arrival, channel and campaign. Each rate: leads of the month that reached the stage
-- up to now / leads of the month. Counts may be added up, rates may not.
CREATE VIEW kpi_conversion AS
SELECT month, channel, campaign, leads, mql, sql, customers,
       round(100.0 * mql / nullif(leads, 0), 1) AS mql_percent, round(100.0 * sql / nullif(leads, 0), 1) AS sql_percent,
       round(100.0 * customers / nullif(leads, 0), 1) AS customer_percent, round(1.0 * days / nullif(customers, 0), 1) AS mean_days_to_customer
FROM (
    SELECT month, channel, campaign, coalesce(sum(leads) FILTER (WHERE step = '(arrived)'), 0) AS leads,
           coalesce(sum(leads) FILTER (WHERE step = 'mql'), 0) AS mql, coalesce(sum(leads) FILTER (WHERE step = 'sql'), 0) AS sql,
           coalesce(sum(leads) FILTER (WHERE step = '(bought)'), 0) AS customers, sum(days) FILTER (WHERE step = '(bought)') AS days
    FROM figures_cohorts GROUP BY month, channel, campaign
);

-- Customer acquisition cost: a row per model, month, channel and currency, and one per campaign; campaign NULL is the channel as a
-- whole, channel NULL the month as a whole, the only row to use where sales is paid for on no channel. CAC: spend of all halves
-- in the month / new customers of the month.
CREATE VIEW kpi_cac AS
WITH models (model) AS (VALUES ('first'), ('last'), ('linear'), ('position')),
by_campaign AS MATERIALIZED (
    SELECT model, month, channel, campaign, customers FROM figures_customers
), bought AS (
    SELECT model, month, channel, NULL AS campaign, sum(customers) AS customers FROM by_campaign GROUP BY model, month, channel
    UNION ALL SELECT model, month, NULL, NULL, sum(customers) FROM by_campaign GROUP BY model, month
    UNION ALL SELECT model, month, channel, campaign, customers FROM by_campaign WHERE campaign <> ''
), listed AS ( -- As in kpi_cost_per_lead.
    SELECT model, month, channel, campaign, currency, spend, NULL AS customers, true AS is_paid FROM models CROSS JOIN figures_paid
    UNION ALL SELECT model, month, channel, campaign, NULL, NULL, customers, false FROM bought
), joined AS (
    SELECT model, month, channel, campaign, currency, spend, max(customers) OVER road AS customers, is_paid, max(is_paid) OVER road AS has_spend
    FROM listed WINDOW road AS (PARTITION BY model, month, channel, campaign)
)
SELECT model, month, channel, campaign, currency, round(coalesce(spend, 0), 2) AS spend, round(coalesce(customers, 0), 3) AS new_customers,
       round(spend / nullif(customers, 0), 2) AS cac
FROM joined WHERE is_paid OR NOT has_spend;

-- Return on investment: a row per model, month, channel and currency, and one per campaign; campaign NULL is the channel as a
-- whole, channel NULL the month as a whole. ROI: (revenue of deals closed in the month, credited by the model - spend of all
-- halves in the month) / that spend. A deal counts once the worker has seen it.
CREATE VIEW kpi_roi AS
WITH models (model) AS (VALUES ('first'), ('last'), ('linear'), ('position')),
by_campaign AS MATERIALIZED (
    SELECT model, month, channel, campaign, currency, revenue FROM figures_revenue
), won AS (
    SELECT model, month, channel, NULL AS campaign, currency, sum(revenue) AS revenue FROM by_campaign GROUP BY model, month, channel, currency
    UNION ALL SELECT model, month, NULL, NULL, currency, sum(revenue) FROM by_campaign GROUP BY model, month, currency
    UNION ALL SELECT model, month, channel, campaign, currency, revenue FROM by_campaign WHERE campaign <> ''
), listed AS ( -- As in kpi_cac; of each road there is one row on either side.
    SELECT model, month, channel, campaign, currency, spend, NULL AS revenue FROM models CROSS JOIN figures_paid
    UNION ALL SELECT model, month, channel, campaign, currency, NULL, revenue FROM won
)
SELECT model, month, channel, campaign, currency, round(coalesce(max(spend), 0), 2) AS spend, round(coalesce(max(revenue), 0), 2) AS revenue,
       round(100.0 * (coalesce(max(revenue), 0) - max(spend)) / nullif(max(spend), 0), 1) AS roi_percent
FROM listed GROUP BY model, month, channel, campaign, currency;

-- Sales cycle: a row per month of closing and channel of the lead's first touch; channel NULL is all deals of the month, month
-- NULL all months. Days: medians over won deals, from their opening, and from the arrival of the lead they grew from.
-- A deal counts once the worker has seen it.
CREATE VIEW kpi_sales_cycle AS
WITH sizes AS MATERIALIZED (
    SELECT measure, scope, month, channel, sum(deals) AS deals, sum(days * deals) AS days FROM figures_cycles GROUP BY measure, scope, month, channel
), medians AS MATERIALIZED ( -- The days in the middle; of an even number of deals the mean of two.
    SELECT measure, scope, month, channel, deals, days, (
               SELECT avg(days) FROM (
                   SELECT days, deals, sum(deals) OVER (ORDER BY days) AS through FROM figures_cycles AS c
                   WHERE c.measure = s.measure AND c.scope = s.scope AND c.month = s.month AND c.channel = s.channel)
               WHERE through >= (s.deals + 1) / 2 AND through - deals < s.deals / 2 + 1) AS median
    FROM sizes AS s
)
SELECT nullif(month, '') AS month, iif(scope IN (1, 3), NULL, channel) AS channel, max(deals) FILTER (WHERE measure = 'won') AS deals,
       max(median) FILTER (WHERE measure = 'opening') AS median_days,
       round(max(1.0 * days / deals) FILTER (WHERE measure = 'opening'), 1) AS mean_days,
       max(median) FILTER (WHERE measure = 'arrival') AS median_days_from_arrival
FROM medians GROUP BY scope, month, channel HAVING max(deals) > 0;

-- What sales closed: a row per month, owner and currency. Won rate: won / (won + lost), by the day of closing. Revenue: the
-- amounts of the won. The quarter stands beside it to group by. A deal counts once the worker has seen it: until then
-- ladder_goals, which reads the deals as they are, may be ahead of this.
CREATE VIEW kpi_sales AS
SELECT month, substr(month, 1, 4) || '-Q' || ((substr(month, 6, 2) + 2) / 3) AS quarter, owner, currency, won, lost,
       round(100.0 * won / (won + lost), 1) AS won_percent, round(revenue, 2) AS revenue, round(revenue / nullif(won, 0), 2) AS mean_deal
FROM (
    SELECT month, owner, coalesce(currency, (SELECT currency FROM site)) AS currency, sum(won) AS won, sum(lost) AS lost, sum(revenue) AS revenue
    FROM ( -- As the index has them.
        SELECT month, owner, currency, sum(is_won) AS won, sum(NOT is_won) AS lost, coalesce(sum(amount) FILTER (WHERE is_won), 0) AS revenue
        FROM figures_closed_deals GROUP BY month, owner, currency)
    GROUP BY 1, 2, 3
);

-- Speed to lead: a row per month in which leads were handed over, and rep; rep NULL is everybody. Hours, nights and weekends
-- included: the median from the handoff to the first contact, or to the acceptance where no contact is recorded; of a rep, from
-- the offer to that rep, so that nobody answers for another. Within the goal: handoffs answered within goals.speed_to_lead / all
-- handoffs of the month, those nobody answered among them; NULL where the config has no such goal.
CREATE VIEW kpi_speed_to_lead AS
WITH sizes AS (
    SELECT month, rep, sum(handoffs) AS handoffs, coalesce(sum(handoffs) FILTER (WHERE band > 0), 0) AS answered
    FROM figures_answer_bands WHERE handoffs > 0 GROUP BY month, rep
), bounds AS MATERIALIZED (
    SELECT band, begins, ends FROM figures_bands
), sixteenths (part) AS (
    VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15)
), parts AS MATERIALIZED (
    SELECT band, CASE part WHEN 0 THEN begins ELSE first + part * width END AS begins,
           CASE part WHEN 15 THEN ends ELSE first + (part + 1) * width END AS ends
    FROM (SELECT band, begins, ends, max(begins, 0) AS first, (min(ends, 4800) - max(begins, 0)) / 16.0 AS width FROM bounds) CROSS JOIN sixteenths
), goal AS MATERIALIZED (
    SELECT (SELECT value FROM goals WHERE name = 'speed_to_lead') AS hours
)
-- What is asked for each row is asked for the rows alone that are read. The median: of the bands that hold the two answers in
-- the middle (of an odd number it is one), those two. Many answers may lie in one band: to count those of its sixteenths and to
-- number those of one takes half as long as to number them all. Within the goal: the bands that lie within it, and of the one it
-- lies in the answers up to it; hours are told apart to four places.
SELECT s.month, nullif(s.rep, '') AS rep, s.handoffs, s.answered,
       round((SELECT sum((SELECT sum(hours) FROM (
                              SELECT hours, row_number() OVER (ORDER BY hours) + n.through - n.answers AS place FROM figures_answers AS a
                              WHERE a.month = s.month AND a.rep = s.rep AND a.hours >= n.begins AND a.hours < n.ends)
                          WHERE place IN ((s.answered + 1) / 2, s.answered / 2 + 1)))
              FROM (SELECT begins, ends, answers, before + sum(answers) OVER (PARTITION BY band ORDER BY begins) AS through FROM (
                        SELECT p.band, p.begins, p.ends, b.through - b.handoffs AS before,
                               (SELECT count(*) FROM figures_answers AS a
                                WHERE a.month = s.month AND a.rep = s.rep AND a.hours >= p.begins AND a.hours < p.ends) AS answers
                        FROM (SELECT band, handoffs, sum(handoffs) OVER (ORDER BY begins) AS through FROM figures_answer_bands JOIN bounds USING (band)
                              WHERE month = s.month AND rep = s.rep) AS b JOIN parts AS p ON p.band = b.band
                        WHERE b.through >= (s.answered + 1) / 2 AND b.through - b.handoffs < s.answered / 2 + 1)) AS n
              WHERE n.through >= (s.answered + 1) / 2 AND n.through - n.answers < s.answered / 2 + 1) / (2 - s.answered % 2), 2) AS median_hours,
       g.hours AS goal_hours,
       CASE WHEN g.hours IS NOT NULL THEN round(100.0 * (
           SELECT coalesce(sum(CASE WHEN ends <= g.hours - 0.0001 THEN handoffs ELSE (
                      SELECT count(*) FROM figures_answers AS a
                      WHERE a.month = s.month AND a.rep = s.rep AND a.hours >= begins AND a.hours < min(ends, g.hours + 0.0001)
                        AND (a.hours <= g.hours - 0.0001 OR round(a.hours, 4) <= g.hours)) END), 0)
           FROM figures_answer_bands JOIN bounds USING (band) WHERE month = s.month AND rep = s.rep AND begins < g.hours + 0.0001)
           / s.handoffs, 1) END AS within_goal_percent
FROM sizes AS s CROSS JOIN goal AS g;
