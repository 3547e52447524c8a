-- One ledger and one table of totals for all models. What is there is of 'main'; the names people know it by go on as
-- views of that one.
DROP VIEW IF EXISTS scoring_accounts;
DROP VIEW IF EXISTS scoring_current;
DROP VIEW IF EXISTS scoring_weighed;

-- Views of the site go on reading by the name they say (https://www.sqlite.org/pragma.html#pragma_legacy_alter_table).
PRAGMA legacy_alter_table = ON;
ALTER TABLE scoring_entries RENAME TO scoring_ledger;
ALTER TABLE scoring_ledger ADD COLUMN model TEXT NOT NULL DEFAULT 'main'; -- its name under scoring.models

-- The sum of the ledger per lead and model, as of the last change.
CREATE TABLE scoring_totals (
    lead_id    INTEGER NOT NULL,
    model      TEXT    NOT NULL,
    fit        INTEGER NOT NULL,
    engagement REAL    NOT NULL,
    score      REAL    NOT NULL,                  -- fit + engagement
    decays     INTEGER NOT NULL CHECK (decays IN (0, 1)),
    as_of      TEXT    NOT NULL,
    review_at  TEXT,                              -- when time alone may take the lead over or under a threshold; NULL where it cannot
    PRIMARY KEY (lead_id, model)
) STRICT, WITHOUT ROWID;
INSERT INTO scoring_totals SELECT lead_id, 'main', fit, engagement, score, decays, as_of, review_at FROM scoring_scores ORDER BY lead_id;
DROP TABLE scoring_scores;
CREATE INDEX scoring_totals_by_score ON scoring_totals (score);
CREATE INDEX scoring_totals_by_review ON scoring_totals (review_at) WHERE review_at IS NOT NULL;

-- A lead that is above a threshold of a model. It goes when the score falls below it, and counts as new when the lead
-- was given back.
CREATE TABLE scoring_standings_by_model (
    lead_id    INTEGER NOT NULL,
    model      TEXT    NOT NULL,
    threshold  TEXT    NOT NULL,                  -- its name in config.yaml; in 'main' the stage it moves to
    since      TEXT    NOT NULL,
    is_rearmed INTEGER NOT NULL DEFAULT 0 CHECK (is_rearmed IN (0, 1)), -- 1 once the lead is back at an earlier stage: its next points count as a crossing
    PRIMARY KEY (lead_id, model, threshold)
) STRICT, WITHOUT ROWID;
INSERT INTO scoring_standings_by_model SELECT lead_id, 'main', threshold, since, is_rearmed FROM scoring_standings;
DROP TABLE scoring_standings;
ALTER TABLE scoring_standings_by_model RENAME TO scoring_standings;

ALTER TABLE scoring_adjustments ADD COLUMN model TEXT NOT NULL DEFAULT 'main';

DROP TABLE scoring_grades;
-- The grades of the config, written anew at every start: a lead has the best one whose least fit it reaches.
CREATE TABLE scoring_grades (
    model     TEXT    NOT NULL,
    grade     TEXT    NOT NULL,
    least_fit INTEGER NOT NULL,
    PRIMARY KEY (model, grade)
) STRICT, WITHOUT ROWID;

-- How far the scores of each model have followed the log.
CREATE TABLE scoring_clocks (
    model           TEXT PRIMARY KEY,
    at              TEXT NOT NULL,                -- the latest moment that an event handled so far has: points are weighed as of then
    settled_through INTEGER                       -- after a replay of the log: the last lead whose stage was looked at; NULL when all were
) STRICT, WITHOUT ROWID;
INSERT INTO scoring_clocks SELECT 'main', at, settled_through FROM scoring_clock;
DROP TABLE scoring_clock;
PRAGMA legacy_alter_table = OFF;
