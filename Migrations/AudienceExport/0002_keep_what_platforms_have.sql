-- Each audience of the config as it was last taken up, and how its members are kept.
CREATE TABLE audiences_audiences (
    name        TEXT    PRIMARY KEY,
    definition  TEXT    NOT NULL,                 -- a digest of its SELECT and of the audiences it is made of
    kept_by     TEXT    NOT NULL CHECK (kept_by IN ('log', 'scan')), -- log: changed leads alone are looked at again; scan: all, once a minute at most
    reason      TEXT,                             -- why all are looked at; NULL where only changed leads are
    tables      TEXT    NOT NULL CHECK (json_valid(tables)), -- what its SELECT reads
    asks_clock  INTEGER NOT NULL CHECK (asks_clock IN (0, 1)), -- 1 where its members change with time alone
    by_lead     INTEGER NOT NULL CHECK (by_lead IN (0, 1)), -- 1 where its SELECT is run for one lead after another
    taken_up_at TEXT    NOT NULL,
    looked_at   TEXT    NOT NULL,                 -- when all leads were last looked at
    CONSTRAINT a_scan_has_a_reason CHECK ((kept_by = 'scan') = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX audiences_members_of_leads ON audiences_members (lead_id) WHERE until IS NULL;

-- Leads with a row that changed in a table whose changes the log does not tell, noted by triggers; they are looked at next.
CREATE TABLE audiences_changes (
    lead_id INTEGER PRIMARY KEY
) STRICT;

-- A list on a platform: what an audience's files for it make there.
CREATE TABLE audiences_lists (
    id       INTEGER PRIMARY KEY,
    audience TEXT    NOT NULL,
    platform TEXT    NOT NULL,
    CONSTRAINT one_list_per_audience_and_platform UNIQUE (audience, platform)
) STRICT;

-- Who is on a list there, or may be, by the files so far: the platform's hash alone, so that the person can be taken off
-- after the address is gone. The row goes with the accepted removal.
CREATE TABLE audiences_uploads (
    list_id         INTEGER NOT NULL,
    lead_id         INTEGER NOT NULL,
    key             BLOB    NOT NULL,             -- SHA-256 of the address, then of each telephone number; zeros where there is none
    first_export_id INTEGER NOT NULL,             -- the first file it was in
    export_id       INTEGER NOT NULL,             -- the last
    is_accepted     INTEGER NOT NULL DEFAULT 0 CHECK (is_accepted IN (0, 1)), -- 1 once the platform is known to have it
    PRIMARY KEY (list_id, lead_id, key)
) STRICT, WITHOUT ROWID;

ALTER TABLE audiences_exports ADD COLUMN kind TEXT NOT NULL DEFAULT 'full' CHECK (kind IN ('full', 'difference', 'seed', 'conversions'));
ALTER TABLE audiences_exports ADD COLUMN removals INTEGER NOT NULL DEFAULT 0; -- rows in the file of removals
ALTER TABLE audiences_exports ADD COLUMN purpose TEXT; -- the consent that was asked for; NULL for files of before
ALTER TABLE audiences_exports ADD COLUMN accepted_at TEXT; -- when the platform was said to have taken it; NULL until then
CREATE INDEX audiences_exports_by_list ON audiences_exports (audience, platform);

-- In audiences_receipts, consent_id is 0 once the person was erased, and the consent with them.

-- The receipt of a removal: who was to be taken off which list, and why.
CREATE TABLE audiences_removals (
    export_id INTEGER NOT NULL,
    lead_id   INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    key       BLOB                                -- as in audiences_uploads; NULL once the removal was accepted
) STRICT;
CREATE INDEX audiences_removals_by_export ON audiences_removals (export_id);
CREATE INDEX audiences_removals_by_lead ON audiences_removals (lead_id);

-- Conversions that were reported to a platform, so that each is reported once.
CREATE TABLE audiences_conversions (
    platform  TEXT    NOT NULL,
    event_id  INTEGER NOT NULL,                   -- the change of stage that is reported
    lead_id   INTEGER NOT NULL,
    export_id INTEGER NOT NULL,
    PRIMARY KEY (platform, event_id)
) STRICT, WITHOUT ROWID;
