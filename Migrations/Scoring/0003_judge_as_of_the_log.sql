-- How far the scores have followed the log. One row.
CREATE TABLE scoring_clock (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    at              TEXT NOT NULL,                -- the latest moment that an event handled so far has: points are weighed as of then
    settled_through INTEGER                       -- after a replay of the log: the last lead whose stage was looked at; NULL when all were
) STRICT;
INSERT INTO scoring_clock (id, at) SELECT 1, max(as_of) FROM scoring_scores HAVING count(*) > 0;
