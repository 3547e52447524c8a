-- Scores as they are at this moment: of the model 'main' under the names that need no model, and of all of them.

-- The ledger of the model 'main': why a lead has the score it has.
CREATE VIEW scoring_entries AS
SELECT id, lead_id, rule, axis, points, half_life, event_id, at, fade, lifetime, rule_group
FROM scoring_ledger WHERE model = 'main';

-- Its sum per lead, as of the last change.
CREATE VIEW scoring_scores AS
SELECT lead_id, fit, engagement, score, decays, as_of, review_at
FROM scoring_totals WHERE model = 'main';

-- What every entry of every model is worth at this moment. Halved once per half-life
-- (https://en.wikipedia.org/wiki/Half-life), or less by the same amount every second, or whole until its time is over.
CREATE VIEW scoring_worth AS
SELECT id, model, lead_id, rule, axis, points, event_id, at,
       points * CASE WHEN half_life IS NOT NULL THEN pow(0.5, (julianday('now') - julianday(at)) * 86400 / half_life)
                     WHEN fade IS NOT NULL THEN max(0.0, 1 - (julianday('now') - julianday(at)) * 86400 / fade)
                     WHEN lifetime IS NOT NULL THEN strftime('%Y-%m-%d %H:%M:%f', at, '+' || lifetime || ' seconds') > strftime('%Y-%m-%d %H:%M:%f', 'now')
                     ELSE 1 END AS now
FROM scoring_ledger;

-- The same of the model 'main'.
CREATE VIEW scoring_weighed AS
SELECT id, lead_id, rule, axis, points, event_id, at, now FROM scoring_worth WHERE model = 'main';

-- Every score of every model as it is at this moment: the sum of what the entries are worth now. The grade is that of
-- the fit.
CREATE VIEW scoring_models AS
SELECT s.model, s.lead_id, s.fit, s.engagement, s.score,
       (SELECT grade FROM scoring_grades AS g WHERE g.model = s.model AND least_fit <= s.fit ORDER BY least_fit DESC LIMIT 1) AS grade
FROM scoring_totals AS s WHERE NOT decays
UNION ALL
SELECT s.model, s.lead_id, s.fit, e.engagement, s.fit + e.engagement,
       (SELECT grade FROM scoring_grades AS g WHERE g.model = s.model AND least_fit <= s.fit ORDER BY least_fit DESC LIMIT 1)
FROM scoring_totals AS s
JOIN (SELECT lead_id, model, sum(now) AS engagement FROM scoring_worth WHERE axis = 'engagement' GROUP BY lead_id, model) AS e
    ON e.lead_id = s.lead_id AND e.model = s.model
WHERE s.decays;

-- The same of the model 'main'.
CREATE VIEW scoring_current AS
SELECT lead_id, fit, engagement, score, grade FROM scoring_models WHERE model = 'main';

-- The scores of accounts at this moment, by the model 'main': of all their leads together, and of the best one. The grade
-- is that of the best fit.
CREATE VIEW scoring_accounts AS
SELECT account_id, name, leads, fit, engagement, score, best_score,
       (SELECT grade FROM scoring_grades WHERE model = 'main' AND least_fit <= of_account.fit ORDER BY least_fit DESC LIMIT 1) AS grade
FROM (
    SELECT a.id AS account_id, a.name, count(*) AS leads, max(s.fit) AS fit, sum(s.engagement) AS engagement, sum(s.score) AS score,
           max(s.score) AS best_score
    FROM accounts AS a JOIN leads AS l ON l.account_id = a.id JOIN scoring_current AS s ON s.lead_id = l.id
    GROUP BY a.id) AS of_account;
