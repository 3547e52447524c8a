-- The four ladders, each with a generation half and a nurturing half, and what they warn of, in figures and in words.

-- Ladder 1, cost-effectiveness. Generation: a row per month, channel and currency; outcomes are the customers won in the month
-- whose first touch was the channel, roi is (their revenue - spend) / spend. Nurturing: a row per test of a sequence with a
-- holdout and currency; leads are those who were mailed; lift is the rate of outcomes of the mailed less that of the holdout, in
-- points, and said to be one where it is above 1.96 standard errors of two pooled proportions
-- (https://en.wikipedia.org/wiki/Two-proportion_Z-test); extra outcomes are lift * mailed; spend is what was booked on half
-- nurturing for the campaign called like the sequence. A deal counts once the worker has seen it.
CREATE VIEW ladder_roi AS
WITH spent AS MATERIALIZED (
    SELECT month, channel, campaign, half, currency, amount FROM figures_spend
), paid AS (
    SELECT month, channel, currency, sum(amount) AS spend FROM spent WHERE half = 'generation' GROUP BY 1, 2, 3
), came AS MATERIALIZED (
    SELECT month, channel, sum(leads) AS leads FROM figures_cohorts WHERE step = '(arrived)' GROUP BY 1, 2 HAVING sum(leads) > 0
), bought AS (
    SELECT month, channel, sum(customers) AS customers FROM figures_customers JOIN figures_model USING (model) GROUP BY 1, 2
), won AS (
    SELECT month, channel, currency, sum(revenue) AS revenue FROM figures_revenue JOIN figures_model USING (model) GROUP BY 1, 2, 3
), moneyed AS MATERIALIZED ( -- A FULL JOIN would hold every row of the one against every row of the other.
    SELECT month, channel, currency, max(spend) AS spend, max(revenue) AS revenue FROM (
        SELECT month, channel, currency, spend, NULL AS revenue FROM paid UNION ALL SELECT month, channel, currency, NULL, revenue FROM won)
    GROUP BY 1, 2, 3
), listed AS (
    SELECT month, channel, currency, spend, revenue FROM moneyed
    UNION ALL SELECT month, channel, NULL, NULL, NULL FROM (SELECT month, channel FROM came EXCEPT SELECT month, channel FROM moneyed)
), generation AS (
    SELECT l.month, l.channel, l.currency, coalesce(l.spend, 0.0) AS spend, coalesce(c.leads, 0) AS leads, coalesce(b.customers, 0.0) AS outcomes,
           coalesce(l.revenue, 0.0) AS revenue
    FROM listed AS l LEFT JOIN came AS c ON c.month = l.month AND c.channel = l.channel
    LEFT JOIN bought AS b ON b.month = l.month AND b.channel = l.channel
), tests AS (
    SELECT sequence, test, sum(leads) FILTER (WHERE NOT is_holdout) AS leads, sum(outcomes) FILTER (WHERE NOT is_holdout) AS outcomes,
           sum(leads) FILTER (WHERE is_holdout) AS held, sum(outcomes) FILTER (WHERE is_holdout) AS held_outcomes
    FROM figures_tests GROUP BY sequence, test HAVING held > 0 AND leads > 0
), nurtured AS MATERIALIZED (
    SELECT campaign AS sequence, currency, sum(amount) AS spend FROM spent WHERE half = 'nurturing' GROUP BY 1, 2
), nurturing AS (
    SELECT t.*, s.currency, coalesce(s.spend, 0.0) AS spend, 1.0 * t.outcomes / t.leads - 1.0 * t.held_outcomes / t.held AS lift,
           sqrt(1.0 * (t.outcomes + t.held_outcomes) / (t.leads + t.held) * (1 - 1.0 * (t.outcomes + t.held_outcomes) / (t.leads + t.held))
                * (1.0 / t.leads + 1.0 / t.held)) AS error
    FROM tests AS t LEFT JOIN nurtured AS s ON s.sequence = t.sequence
), mailed AS (
    SELECT sequence, sum(count) AS mails FROM figures_content_months WHERE kind = 'mail' AND measure = 'sent' AND sequence <> '' GROUP BY 1
), untested AS (
    SELECT coalesce(n.sequence, m.sequence) AS sequence, n.currency, coalesce(n.spend, 0.0) AS spend, coalesce(m.mails, 0) AS mails
    FROM nurtured AS n FULL JOIN mailed AS m ON m.sequence = n.sequence
    WHERE coalesce(n.sequence, m.sequence) NOT IN (SELECT sequence FROM tests)
)
SELECT 'generation' AS half, month, channel, NULL AS sequence, currency, round(spend, 2) AS spend, leads, round(outcomes, 3) AS outcomes,
       round(revenue, 2) AS revenue, round(spend / nullif(leads, 0), 2) AS cost_per_lead, round(spend / nullif(outcomes, 0), 2) AS cost_per_outcome,
       round(100.0 * (revenue - spend) / nullif(spend, 0), 1) AS roi_percent, NULL AS lift_points,
       CASE WHEN spend > 0 AND leads = 0 THEN format('%s cost %.2f %s and brought no lead: stop it, or find out why.', channel, spend, currency)
            WHEN spend > 0 AND revenue >= spend THEN format('%s earned %.2f %s for %.2f: room to spend more.', channel, revenue, currency, spend)
            WHEN spend > 0 THEN format('%s brought %d lead%s at %.2f %s each, and %.2f %s so far.', channel, leads, iif(leads = 1, '', 's'),
                                       spend / leads, currency, revenue, currency)
            WHEN leads = 0 THEN format('%s earned %.2f %s by leads of before, or by none.', channel, revenue, currency)
            ELSE format('%s brought %d lead%s, and no spend is booked on it.', channel, leads, iif(leads = 1, '', 's')) END AS sentence
FROM generation
UNION ALL
SELECT 'nurturing', NULL, NULL, sequence || ': ' || test, currency, round(spend, 2), leads, outcomes, NULL, round(spend / leads, 2),
       round(spend / nullif(max(lift, 0) * leads, 0), 2), NULL, round(100 * lift, 1),
       format('%s: %d of %d mailed did it, %d of %d held out: ', sequence, outcomes, leads, held_outcomes, held)
       || CASE WHEN abs(lift) < 1.96 * error OR error = 0 THEN 'too early to say whether the mails do it.'
               WHEN lift > 0 THEN format('about %.1f more than without the mails.', lift * leads)
               ELSE 'the mails do harm. Change them, or save them.' END
FROM nurturing
UNION ALL
SELECT 'nurturing', NULL, NULL, nullif(sequence, ''), currency, round(spend, 2), NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       CASE WHEN sequence = '' THEN format('%.2f %s of nurturing is booked on no sequence: name it as the campaign.', spend, currency)
            ELSE format('%s: %d mail%s%s, no holdout: what it adds is not known; hold out 10 %%.', sequence, mails, iif(mails = 1, '', 's'),
                        CASE WHEN spend > 0 THEN format(' and %.2f %s', spend, currency) ELSE '' END) END
FROM untested;

-- Ladder 2, the channels together: a row per thing to see. Aspect mix: of generation the leads per month and channel, of
-- nurturing what people did per month and kind, with its share of the month. Path: customers by their first and last channel and
-- whether sales spoke with them. Gap: a channel that brought leads, or cost money, in the last 180 days and brought none in the
-- last 30. Silence: leads that have not bought and had no word with us for 30 days; handoffs that nobody answered.
CREATE VIEW ladder_channels AS
WITH paths AS (
    -- Of a purchase one road has the first touch and one the last, as a rule the same.
    SELECT f.channel || CASE WHEN f.last_touch > 0 THEN ''
                             ELSE coalesce((SELECT ' > ' || l.channel FROM figures_credits AS l
                                            WHERE l.lead = f.lead AND l.last_touch > 0 AND l.channel <> f.channel), '') END
               || CASE WHEN EXISTS (SELECT 1 FROM figures_handoffs AS h WHERE h.lead = f.lead AND coalesce(contacted_at, accepted_at) IS NOT NULL)
                       THEN ' > sales' ELSE '' END AS path, count(*) AS customers
    FROM figures_credits AS f WHERE f.first_touch > 0 GROUP BY 1
), recent AS (
    SELECT channel, max(day) AS last_day
    FROM (SELECT DISTINCT day, channel FROM figures_days WHERE step = '(arrived)' AND leads > 0) GROUP BY channel
), costly AS (
    SELECT channel, group_concat(format('%.2f %s', amount, currency), ' and ') AS amount FROM (
        SELECT channel, currency, sum(amount) AS amount FROM spend
        WHERE half = 'generation' AND day > date((SELECT day FROM figures_today), '-30 days') GROUP BY channel, currency HAVING sum(amount) > 0)
    GROUP BY channel
), quiet AS MATERIALIZED (
    SELECT coalesce(sum(leads), 0) AS leads, coalesce(sum(leads) FILTER (WHERE day <= (SELECT date(day, '-30 days') FROM figures_today)), 0) AS silent
    FROM figures_silences
)
SELECT 'generation' AS half, 'mix' AS aspect, month, channel AS name, leads AS figure,
       round(100.0 * leads / nullif(sum(leads) OVER (PARTITION BY month), 0), 1) AS share_percent,
       format('%s brought %d of the %d lead%s of %s.', channel, leads, sum(leads) OVER (PARTITION BY month),
              iif(sum(leads) OVER (PARTITION BY month) = 1, '', 's'), month) AS sentence
FROM (SELECT month, channel, sum(leads) AS leads FROM figures_cohorts WHERE step = '(arrived)' GROUP BY 1, 2 HAVING sum(leads) > 0)
UNION ALL
SELECT 'nurturing', 'mix', month, kind, done, round(100.0 * done / sum(done) OVER (PARTITION BY month), 1),
       format('%s: %d time%s in %s.', kind, done, iif(done = 1, '', 's'), month)
FROM (SELECT month, kind, sum(count) AS done FROM figures_content_months WHERE measure = CASE kind WHEN 'mail' THEN 'engaged' ELSE 'done' END GROUP BY kind, month)
UNION ALL
SELECT 'nurturing', 'path', NULL, path, customers, round(100.0 * customers / sum(customers) OVER (), 1),
       format('%d customer%s came by %s.', customers, iif(customers = 1, '', 's'), path)
FROM paths
UNION ALL
SELECT 'generation', 'gap', NULL, coalesce(r.channel, c.channel), julianday((SELECT day FROM figures_today)) - julianday(r.last_day), NULL,
       CASE WHEN c.amount IS NOT NULL THEN format('%s cost %s in the last 30 days and brought no lead%s.', coalesce(r.channel, c.channel), c.amount,
                                          coalesce(' since ' || r.last_day, ''))
            ELSE format('%s has brought no lead since %s.', r.channel, r.last_day) END
FROM recent AS r FULL JOIN costly AS c ON c.channel = r.channel
WHERE coalesce(r.last_day, '') <= date((SELECT day FROM figures_today), '-30 days')
  AND (r.last_day > date((SELECT day FROM figures_today), '-180 days') OR c.amount IS NOT NULL)
UNION ALL
SELECT 'nurturing', 'silence', NULL, 'leads', silent, round(100.0 * silent / leads, 1),
       format('%d of %d lead%s that may still buy had no word with us for 30 days or more.', silent, leads, iif(leads = 1, '', 's'))
FROM quiet WHERE silent > 0
UNION ALL
SELECT 'nurturing', 'silence', NULL, 'handoffs', count(*), NULL,
       format('%d lead%s handed to sales wait%s for a first word.', count(*), iif(count(*) = 1, '', 's'), iif(count(*) = 1, 's', ''))
FROM figures_handoffs WHERE accepted_at IS NULL AND contacted_at IS NULL AND rejected_at IS NULL AND expired_at IS NULL HAVING count(*) > 0;

-- Ladder 3, the goals of both teams: a row per month and goal of config.yaml, with what came of it; attainment is actual / target,
-- and target / actual for what should be small: cost_per_lead, speed_to_lead. Then the quality of the month's handoffs, without a
-- target: accepted and rejected in percent of all that were made. Money is that in the currency of the site; what came or went in
-- another one is named besides. Deals are read as they are in this moment: revenue may be ahead of kpi_sales and ladder_roi, where
-- a deal counts once the worker has seen it.
CREATE VIEW ladder_goals AS
WITH volume AS MATERIALIZED (
    SELECT month, sum(leads) AS leads, sum(mql) AS mql, sum(sql) AS sql, sum(customers) AS customers
    FROM kpi_lead_volume GROUP BY month
), won AS MATERIALIZED (
    -- As in figures_deals, without looking up the lead of each.
    SELECT substr(date(coalesce(closed_at, updated_at)), 1, 7) AS month, coalesce(currency, (SELECT currency FROM site)) AS currency,
           sum(coalesce(amount, 0.0)) AS amount
    FROM opportunities WHERE stage = 'won' GROUP BY 1, 2
), paid AS MATERIALIZED (
    SELECT substr(day, 1, 7) AS month, currency, coalesce(sum(amount) FILTER (WHERE half = 'generation'), 0) AS amount FROM spend GROUP BY 1, 2
), months AS (
    SELECT month FROM volume UNION SELECT month FROM won UNION SELECT month FROM paid
), actual AS MATERIALIZED (
    SELECT month, 'leads_per_month' AS goal, leads AS actual FROM volume
    UNION ALL SELECT month, 'mql_per_month', mql FROM volume
    UNION ALL SELECT month, 'sql_per_month', sql FROM volume
    UNION ALL SELECT month, 'customers_per_month', customers FROM volume
    UNION ALL SELECT month, 'revenue_per_month', amount FROM won JOIN site USING (currency)
    UNION ALL SELECT month, 'cost_per_lead', p.amount / nullif(v.leads, 0) FROM paid AS p JOIN site USING (currency) JOIN volume AS v USING (month)
    UNION ALL SELECT month, 'speed_to_lead', median_hours FROM kpi_speed_to_lead WHERE rep IS NULL
), foreign_money AS (
    SELECT month, goal, ', and ' || group_concat(format('%.2f %s', amount, currency), ' and ') || ' besides' AS besides FROM (
        SELECT month, 'revenue_per_month' AS goal, amount, currency FROM won
        UNION ALL SELECT month, 'cost_per_lead', amount, currency FROM paid)
    WHERE amount > 0 AND currency <> (SELECT currency FROM site) GROUP BY month, goal
), held AS (
    SELECT m.month, g.name AS goal, g.value AS target, g.unit, coalesce(f.besides, '') AS besides,
           CASE WHEN g.name IN ('cost_per_lead', 'speed_to_lead') THEN a.actual ELSE coalesce(a.actual, 0) END AS actual
    FROM months AS m CROSS JOIN goals AS g LEFT JOIN actual AS a ON a.month = m.month AND a.goal = g.name
    LEFT JOIN foreign_money AS f ON f.month = m.month AND f.goal = g.name
), attained AS (
    SELECT *, round(100.0 * CASE WHEN goal IN ('cost_per_lead', 'speed_to_lead') THEN target / nullif(actual, 0) ELSE actual / target END, 1) AS attainment
    FROM held
), quality AS (
    SELECT month, sum(handoffs) AS handoffs, sum(accepted) AS accepted, sum(rejected) AS rejected
    FROM figures_answer_bands WHERE rep = '' AND handoffs > 0 GROUP BY month
), reasons AS (
    SELECT substr(offered_at, 1, 7) AS month, reason, count(*) AS times,
           row_number() OVER (PARTITION BY substr(offered_at, 1, 7) ORDER BY count(*) DESC, reason) AS place
    FROM figures_handoffs WHERE rejected_at IS NOT NULL AND reason IS NOT NULL GROUP BY 1, 2
)
SELECT CASE WHEN goal IN ('leads_per_month', 'cost_per_lead') THEN 'generation' ELSE 'nurturing' END AS half,
       CASE WHEN goal IN ('speed_to_lead', 'customers_per_month', 'revenue_per_month') THEN 'sales' ELSE 'marketing' END AS team,
       month, goal, target, round(actual, 2) AS actual, unit, attainment AS attainment_percent,
       CASE WHEN actual IS NULL THEN format('%s: nothing to measure in %s%s.', goal, month, besides)
            ELSE format('%s of %s is %s: %.10g %s against %.10g%s.', goal, month,
                        CASE WHEN attainment >= 100 THEN 'reached' WHEN month >= (SELECT substr(day, 1, 7) FROM figures_today) THEN 'not yet reached'
                             ELSE 'missed' END, round(actual, 2), unit, target, besides) END AS sentence
FROM attained
UNION ALL
SELECT 'nurturing', 'marketing', month, 'handoffs_accepted', NULL, round(100.0 * accepted / handoffs, 1), 'percent', NULL,
       format('Sales accepted %d of %d handoffs of %s.', accepted, handoffs, month)
FROM quality
UNION ALL
SELECT 'nurturing', 'marketing', q.month, 'handoffs_rejected', NULL, round(100.0 * q.rejected / q.handoffs, 1), 'percent', NULL,
       format('Sales gave %d of %d handoffs of %s back%s.', q.rejected, q.handoffs, q.month, coalesce(', most often for: ' || r.reason, ''))
FROM quality AS q LEFT JOIN reasons AS r ON r.month = q.month AND r.place = 1;

-- Ladder 4, engagement: a row per stage and content. Generation: a magnet; reached are looks at its pages, engaged its forms,
-- moved on the leads that they made. Nurturing: reached are mails delivered to people of the stage (NULL for what people come
-- for themselves), engaged those who opened, followed a link or came, in percent of the delivered mails that are watched; moved on those whose
-- next stage followed on it as the last thing they had done. Test next says what to try, against the best mail of the stage with 20 delivered or more.
CREATE VIEW ladder_engagement AS
WITH told AS MATERIALIZED (
    SELECT kind, content, sequence, stage, measure, sum(count) AS count FROM figures_content_months
    WHERE kind NOT IN ('form.submitted', 'form.confirmed', 'lead.unsubscribed') GROUP BY 1, 2, 3, 4, 5
), contents AS MATERIALIZED (
    SELECT stage, kind, content, sequence, CASE WHEN kind = 'mail' THEN sum(CASE measure WHEN 'sent' THEN count WHEN 'bounced' THEN -count ELSE 0 END) END AS reached,
           nullif(sum(CASE measure WHEN 'watched' THEN count WHEN 'watched_bounced' THEN -count ELSE 0 END), 0) AS watched,
           coalesce(sum(count) FILTER (WHERE measure = CASE WHEN kind = 'mail' THEN 'engaged' ELSE 'done' END), 0) AS engaged,
           coalesce(sum(count) FILTER (WHERE measure = 'moved_on'), 0) AS moved_on
    FROM told GROUP BY stage, kind, content, sequence
), magnets AS ( -- As in kpi_form_conversion, over all months.
    SELECT magnet, sum(views) AS views, sum(submissions) AS submissions, sum(new_leads) AS new_leads FROM (
        SELECT magnet, sum(views) AS views, 0 AS submissions, 0 AS new_leads FROM figures_page_views WHERE magnet <> '' GROUP BY magnet
        UNION ALL
        SELECT form, 0, sum(iif(measure = 'done', count, 0)), sum(iif(measure = 'new', count, 0)) FROM figures_form_months GROUP BY form
        UNION ALL
        SELECT content, 0, 0, 0 FROM figures_content_months WHERE kind = 'form.confirmed' AND measure = 'done' GROUP BY content)
    GROUP BY magnet
), ranked AS (
    SELECT *, first_value(content) OVER best AS best, first_value(1.0 * engaged / watched) OVER best AS best_rate
    FROM contents
    WINDOW best AS (PARTITION BY stage, kind ORDER BY CASE WHEN watched >= 20 THEN 1.0 * engaged / watched END DESC NULLS LAST, content
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT 'generation' AS half, '' AS stage, 'magnet' AS kind, magnet AS content, '' AS sequence, views AS reached, submissions AS engaged,
       round(100.0 * submissions / nullif(views, 0), 1) AS engaged_percent, new_leads AS moved_on,
       round(100.0 * new_leads / nullif(submissions, 0), 1) AS moved_on_percent, 'lead' AS next_stage,
       CASE WHEN views < 100 THEN 'too few looked at it to say: bring people to it first'
            WHEN submissions * 20 < views THEN 'under 5 % fill in the form: test a shorter one, or another headline'
            ELSE 'it works: test a second headline against it' END AS test_next
FROM magnets
UNION ALL
SELECT 'nurturing', r.stage, r.kind, r.content, r.sequence, r.reached, r.engaged, round(100.0 * r.engaged / r.watched, 1), r.moved_on,
       round(100.0 * r.moved_on / nullif(r.engaged, 0), 1), s.next_stage,
       CASE WHEN r.kind IN ('lead.contacted', 'task.done') THEN 'done by people: see whether those it was done for move on more often'
            WHEN r.kind <> 'mail' THEN 'people come for it themselves: offer it in a mail of this stage'
            WHEN r.watched IS NULL THEN 'nobody can say: what is done with it is not watched'
            WHEN r.watched < 20 THEN format('too few to say: %d more to come to 20', 20 - r.watched)
            WHEN r.content = r.best THEN 'the best of its stage: test another subject against it'
            ELSE format('test it against %s, which engages %.1f %% at this stage', r.best, 100 * r.best_rate) END
FROM ranked AS r LEFT JOIN figures_stage_order AS s ON s.stage = r.stage;

-- The funnel with its leaks: a row per month of arrival and step, from awareness to action. People: looks at pages of magnets in
-- the month, then leads that arrived in it, then those of them that reached each further stage up to now, and bought. Rate:
-- people / people of the step before; it and lost are NULL where more came than the step before had: they came another way, as
-- by an import. The leak of a month is the step with the lowest rate, of those that 10 people or more could take and for which
-- the month is old enough: since its last day as many days have passed as it takes on average from arrival to the step.
CREATE VIEW funnel_steps AS
WITH steps AS (
    SELECT month, -2 AS position, 'awareness' AS phase, '(looked)' AS step, sum(views) AS people FROM kpi_form_conversion GROUP BY month HAVING sum(views) > 0
    UNION ALL
    SELECT month, -1, 'interest', '(arrived)', sum(leads) FROM kpi_conversion GROUP BY month
    UNION ALL
    SELECT m.month, s.position, s.phase, CASE WHEN s.is_last THEN '(bought)' ELSE s.stage END, coalesce(sum(c.leads), 0)
    FROM (SELECT DISTINCT month FROM figures_cohorts) AS m CROSS JOIN figures_stage_order AS s
    LEFT JOIN figures_cohorts AS c ON c.month = m.month AND c.step = CASE WHEN s.is_last THEN '(bought)' ELSE s.stage END
    WHERE s.phase <> 'interest' GROUP BY 1, 2, 3, 4
), followed AS (
    SELECT *, lag(people) OVER (PARTITION BY month ORDER BY position) AS before FROM steps
), usual AS MATERIALIZED (
    SELECT step, 1.0 * sum(days) / sum(leads) AS days FROM figures_cohorts GROUP BY step HAVING sum(leads) > 0
), rated AS (
    SELECT f.*, CASE WHEN people <= before THEN 1.0 * people / nullif(before, 0) END AS rate,
           before >= 10 AND julianday((SELECT day FROM figures_today)) - julianday(f.month || '-01', '+1 month', '-1 day') >= coalesce(u.days, 0) AS is_told
    FROM followed AS f LEFT JOIN usual AS u ON u.step = f.step
)
SELECT month, position, phase, step, people, round(100.0 * rate, 1) AS rate_percent, CASE WHEN people <= before THEN before - people END AS lost,
       coalesce(is_told AND rate < 1 AND rate = min(rate) FILTER (WHERE is_told) OVER (PARTITION BY month), 0) AS is_leak
FROM rated;

-- What is alarming today: a row per alarm that is raised, with its figure, the limit it is beyond, and a sentence. No row is
-- good news. A month is 30 days here, and the time before it the 90 days before. Deals and spend are weighed in each currency by
-- itself.
CREATE VIEW pipeline_alarms AS
WITH t AS MATERIALIZED (
    SELECT day AS today, date(day, '-30 days') AS d30, date(day, '-90 days') AS d90, date(day, '-120 days') AS d120 FROM figures_today
), arrivals AS (
    SELECT coalesce(sum(leads) FILTER (WHERE day > d30), 0) AS recent, coalesce(sum(leads) FILTER (WHERE day <= d30), 0) / 3.0 AS usual
    FROM t LEFT JOIN figures_days ON step = '(arrived)' AND day > d120
), qualified AS (
    SELECT coalesce(sum(leads) FILTER (WHERE day > d30), 0) AS recent, coalesce(sum(leads) FILTER (WHERE day <= d30), 0) / 3.0 AS usual
    FROM t LEFT JOIN figures_days ON step = 'mql' AND day > d120
), deals AS (
    SELECT coalesce(o.currency, s.currency) AS currency, coalesce(sum(amount) FILTER (WHERE stage NOT IN ('won', 'lost')), 0) AS open,
           coalesce(sum(amount) FILTER (WHERE stage = 'won' AND date(closed_at) > d90), 0) / 3 AS won
    FROM t CROSS JOIN site AS s JOIN opportunities AS o GROUP BY 1
    UNION ALL SELECT currency, 0, 0 FROM site
), wanted AS (
    SELECT d.currency, coalesce(g.value, sum(d.won)) AS revenue, sum(d.open) AS open
    FROM deals AS d LEFT JOIN goals AS g ON g.name = 'revenue_per_month' AND g.unit = d.currency GROUP BY d.currency
), quiet AS MATERIALIZED (
    SELECT coalesce(sum(leads), 0) AS leads, coalesce(sum(leads) FILTER (WHERE day <= d30), 0) AS silent FROM t, figures_silences
), money AS (
    SELECT currency, sum(amount) AS spend, coalesce(sum(amount) FILTER (WHERE half = 'generation'), 0) AS generation
    FROM t JOIN spend ON day > d90 GROUP BY currency
), mix AS (
    SELECT channel, leads, sum(leads) OVER () AS all_leads FROM (
        SELECT channel, sum(leads) AS leads FROM t, figures_days WHERE step = '(arrived)' AND day > d90 GROUP BY channel) ORDER BY leads DESC LIMIT 1
), unanswered AS MATERIALIZED (
    -- By themselves, or the hours of every handoff that ever was would be worked out.
    SELECT offered_at FROM figures_handoffs WHERE accepted_at IS NULL AND contacted_at IS NULL AND rejected_at IS NULL AND expired_at IS NULL
), answers AS (
    SELECT count(*) AS waiting, g.value AS hours FROM goals AS g CROSS JOIN unanswered
    WHERE g.name = 'speed_to_lead' AND julianday('now') - julianday(offered_at) > g.value / 24 GROUP BY g.value
)
SELECT 'leads run dry' AS alarm, recent AS figure, round(usual / 2, 1) AS "limit",
       format('%d lead%s came in the last 30 days; usual were %.0f.', recent, iif(recent = 1, '', 's'), usual) AS sentence
FROM arrivals WHERE usual >= 1 AND recent < usual / 2
UNION ALL
SELECT 'qualified leads run dry', recent, round(usual / 2, 1),
       format('%d lead%s became mql in the last 30 days; usual were %.0f.', recent, iif(recent = 1, '', 's'), usual)
FROM qualified WHERE usual >= 1 AND recent < usual / 2
UNION ALL
SELECT 'pipeline runs dry', open, round(3 * revenue, 2),
       format('Open deals are worth %.2f %s; three times what is to be won in a month would be %.2f.', open, currency, 3 * revenue)
FROM wanted WHERE revenue > 0 AND open < 3 * revenue
UNION ALL
SELECT 'nurturing starves', round(100.0 * silent / leads, 1), 50,
       format('%d of %d lead%s that may still buy had no word with us for 30 days or more.', silent, leads, iif(leads = 1, '', 's'))
FROM quiet WHERE silent * 2 > leads
UNION ALL
SELECT 'spend is unbalanced', round(100.0 * generation / spend, 1), CASE WHEN generation > 0.9 * spend THEN 90 ELSE 30 END,
       format('%.0f %% of the %.2f %s spent in 90 days went into bringing leads, the rest into bringing them on.', 100.0 * generation / spend, spend, currency)
FROM money WHERE spend > 0 AND (generation > 0.9 * spend OR generation < 0.3 * spend)
UNION ALL
SELECT 'one channel carries all', round(100.0 * leads / all_leads, 1), 70, format('%s brought %d of the %d leads of 90 days.', channel, leads, all_leads)
FROM mix WHERE all_leads >= 10 AND leads > 0.7 * all_leads
UNION ALL
SELECT 'handoffs wait', waiting, 0,
       format('%d lead%s wait%s for sales longer than the %.10g hours agreed on.', waiting, iif(waiting = 1, '', 's'), iif(waiting = 1, 's', ''), hours)
FROM answers;
