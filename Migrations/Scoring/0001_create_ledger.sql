-- The ledger of points: why a lead has the score it has. A rule that no longer fits is taken back by a row of its own.
CREATE TABLE scoring_entries (
    id        INTEGER PRIMARY KEY,
    lead_id   INTEGER NOT NULL,
    rule      TEXT    NOT NULL,                   -- its name in config.yaml
    axis      TEXT    NOT NULL CHECK (axis IN ('fit', 'engagement')),
    points    INTEGER NOT NULL,
    half_life INTEGER,                            -- seconds in which the points halve; NULL where they stay
    event_id  INTEGER NOT NULL,                   -- the event that gave them
    at        TEXT    NOT NULL                    -- when that was; decay counts from here
) STRICT;
CREATE INDEX scoring_entries_by_lead ON scoring_entries (lead_id);

-- The sum of the ledger per lead, as of the last change. Where points decay, scoring_current says what they are now.
CREATE TABLE scoring_scores (
    lead_id    INTEGER PRIMARY KEY,
    fit        INTEGER NOT NULL,
    engagement REAL    NOT NULL,
    score      REAL    NOT NULL,                  -- fit + engagement
    decays     INTEGER NOT NULL CHECK (decays IN (0, 1)),
    as_of      TEXT    NOT NULL
) STRICT;
CREATE INDEX scoring_scores_by_score ON scoring_scores (score);

-- Every score as it is at this moment: score = sum of points, each halved once per half-life (https://en.wikipedia.org/wiki/Half-life).
CREATE VIEW scoring_current AS
SELECT lead_id, fit, engagement, score
FROM scoring_scores WHERE NOT decays
UNION ALL
SELECT s.lead_id, s.fit, e.engagement, s.fit + e.engagement
FROM scoring_scores AS s JOIN (
    SELECT lead_id, sum(points * CASE WHEN half_life IS NULL THEN 1
                                      ELSE pow(0.5, (julianday('now') - julianday(at)) * 86400 / half_life) END) AS engagement
    FROM scoring_entries WHERE axis = 'engagement' GROUP BY lead_id) AS e ON e.lead_id = s.lead_id
WHERE s.decays;
