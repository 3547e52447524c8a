-- How the points of an entry lose their weight: evenly down to nothing within `fade` seconds, or all at once when
-- `lifetime` seconds are over. At most one of these and `half_life` is given.
ALTER TABLE scoring_entries ADD COLUMN fade INTEGER;
ALTER TABLE scoring_entries ADD COLUMN lifetime INTEGER;
-- The group of rules that share a cap; NULL where the rule is in none.
ALTER TABLE scoring_entries ADD COLUMN rule_group TEXT;

-- When time alone may take the lead over or under a threshold: it is looked at again then. NULL where it cannot.
ALTER TABLE scoring_scores ADD COLUMN review_at TEXT;
CREATE INDEX scoring_scores_by_review ON scoring_scores (review_at) WHERE review_at IS NOT NULL;

-- A lead that is above a threshold. It goes when the score falls below it, and counts as new when the lead was given back.
CREATE TABLE scoring_standings (
    lead_id    INTEGER NOT NULL,
    threshold  TEXT    NOT NULL,                  -- the stage it moves to
    since      TEXT    NOT NULL,
    is_rearmed INTEGER NOT NULL DEFAULT 0 CHECK (is_rearmed IN (0, 1)), -- 1 once the lead is back at an earlier stage: its next points count as a crossing
    PRIMARY KEY (lead_id, threshold)
) STRICT, WITHOUT ROWID;

-- Points a person gave or took, with the reason. The ledger has an entry for each, by the rule 'by hand'.
CREATE TABLE scoring_adjustments (
    id      INTEGER PRIMARY KEY,
    lead_id INTEGER NOT NULL,
    axis    TEXT    NOT NULL CHECK (axis IN ('fit', 'engagement')),
    points  INTEGER NOT NULL,
    author  TEXT    NOT NULL,
    reason  TEXT    NOT NULL,                     -- emptied when the person is erased
    at      TEXT    NOT NULL
) STRICT;
CREATE INDEX scoring_adjustments_by_lead ON scoring_adjustments (lead_id);

-- The grades of the config: a lead has the best one whose least fit it reaches.
CREATE TABLE scoring_grades (
    grade     TEXT    PRIMARY KEY,
    least_fit INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What every entry is worth at this moment. Halved once per half-life (https://en.wikipedia.org/wiki/Half-life), or less
-- by the same amount every second, or whole until its time is over.
CREATE VIEW scoring_weighed AS
SELECT id, lead_id, rule, axis, points, event_id, at,
       points * CASE WHEN half_life IS NOT NULL THEN pow(0.5, (julianday('now') - julianday(at)) * 86400 / half_life)
                     WHEN fade IS NOT NULL THEN max(0.0, 1 - (julianday('now') - julianday(at)) * 86400 / fade)
                     WHEN lifetime IS NOT NULL THEN strftime('%Y-%m-%d %H:%M:%f', at, '+' || lifetime || ' seconds') > strftime('%Y-%m-%d %H:%M:%f', 'now')
                     ELSE 1 END AS now
FROM scoring_entries;

-- Every score as it is at this moment: the sum of what the entries are worth now. The grade is that of the fit.
DROP VIEW scoring_current;
CREATE VIEW scoring_current AS
SELECT s.lead_id, s.fit, s.engagement, s.score,
       (SELECT grade FROM scoring_grades WHERE least_fit <= s.fit ORDER BY least_fit DESC LIMIT 1) AS grade
FROM scoring_scores AS s WHERE NOT decays
UNION ALL
SELECT s.lead_id, s.fit, e.engagement, s.fit + e.engagement,
       (SELECT grade FROM scoring_grades WHERE least_fit <= s.fit ORDER BY least_fit DESC LIMIT 1)
FROM scoring_scores AS s
JOIN (SELECT lead_id, sum(now) AS engagement FROM scoring_weighed WHERE axis = 'engagement' GROUP BY lead_id) AS e ON e.lead_id = s.lead_id
WHERE s.decays;

-- The scores of accounts: of all their leads together, and of the best one.
CREATE VIEW scoring_accounts AS
SELECT a.id AS account_id, a.name, count(*) AS leads, max(s.fit) AS fit, sum(s.engagement) AS engagement, sum(s.score) AS score,
       max(s.score) AS best_score
FROM accounts AS a JOIN leads AS l ON l.account_id = a.id JOIN scoring_scores AS s ON s.lead_id = l.id
GROUP BY a.id;
