-- Leads whose answer to an audience's own SELECT changes by time alone before all leads are looked at again, and when it does.
CREATE TABLE audiences_moments (
    audience TEXT    NOT NULL,
    lead_id  INTEGER NOT NULL,
    due_at   TEXT    NOT NULL,                    -- the first full second with the other answer
    PRIMARY KEY (lead_id, audience)
) STRICT, WITHOUT ROWID;
CREATE INDEX audiences_moments_by_time ON audiences_moments (due_at);

-- 1 where leads are looked at again at their moments; 0 where nothing asks the clock, or moments cannot be found.
ALTER TABLE audiences_audiences ADD COLUMN has_moments INTEGER NOT NULL DEFAULT 0 CHECK (has_moments IN (0, 1));
-- These are taken up anew, so that their moments are looked for.
UPDATE audiences_audiences SET definition = '' WHERE asks_clock = 1;
