-- Each time a lead filled in the form of a magnet.
CREATE TABLE magnets_submissions (
    id       INTEGER PRIMARY KEY,
    magnet   TEXT    NOT NULL,                    -- its name in config.yaml
    lead_id  INTEGER NOT NULL,
    event_id INTEGER NOT NULL UNIQUE,             -- the form.submitted it came with
    at       TEXT    NOT NULL
) STRICT;
CREATE INDEX magnets_submissions_by_lead ON magnets_submissions (lead_id);
