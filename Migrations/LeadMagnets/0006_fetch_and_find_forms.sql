-- The forms that are held still: counted every few seconds by whoever watches.
CREATE INDEX magnets_quarantine_held ON magnets_quarantine (id) WHERE released_at IS NULL;

-- Leads of which an ad platform told only that they are there: what was typed is still to be fetched from it.
CREATE TABLE magnets_fetches (
    platform    TEXT    NOT NULL,                 -- meta
    platform_id TEXT    NOT NULL,                 -- the platform's id of the lead
    form        TEXT    NOT NULL,                 -- its name under lead_forms
    noted_at    TEXT    NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_at     TEXT    NOT NULL,                 -- when it is asked for next
    problem     TEXT,                             -- why it could not be had the last time
    PRIMARY KEY (platform, platform_id)
) STRICT, WITHOUT ROWID;
