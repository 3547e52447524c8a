-- Who is in an audience, and since when. A lead that left keeps its row with the time.
CREATE TABLE audiences_members (
    audience TEXT    NOT NULL,                    -- its name in config.yaml
    lead_id  INTEGER NOT NULL,
    since    TEXT    NOT NULL,
    until    TEXT,                                -- NULL while the lead is in it
    PRIMARY KEY (audience, lead_id, since)
) STRICT, WITHOUT ROWID;

-- Each file that was written for an ad platform.
CREATE TABLE audiences_exports (
    id       INTEGER PRIMARY KEY,
    audience TEXT    NOT NULL,
    platform TEXT    NOT NULL,
    file     TEXT    NOT NULL,
    members  INTEGER NOT NULL,                    -- rows in the file
    withheld TEXT    NOT NULL CHECK (json_valid(withheld)), -- how many were left out, by reason
    at       TEXT    NOT NULL
) STRICT;

-- The receipt: who was in which file, and by which consent.
CREATE TABLE audiences_receipts (
    export_id  INTEGER NOT NULL,
    lead_id    INTEGER NOT NULL,
    consent_id INTEGER NOT NULL,                  -- the row of consents that allowed it
    PRIMARY KEY (export_id, lead_id)
) STRICT, WITHOUT ROWID;
