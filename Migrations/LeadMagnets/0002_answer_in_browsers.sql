-- Which words of the landing page the person saw; NULL for the plain ones.
ALTER TABLE magnets_submissions ADD COLUMN variant TEXT;
-- waiting until the address is confirmed (double opt-in), then delivered; rejected where its owner said: not me.
ALTER TABLE magnets_submissions ADD COLUMN state TEXT NOT NULL DEFAULT 'delivered' CHECK (state IN ('waiting', 'delivered', 'rejected'));
-- The event that let it be delivered: the form.submitted itself, or the form.confirmed. NULL while it waits.
ALTER TABLE magnets_submissions ADD COLUMN delivered_by INTEGER;
-- The kind of event the delivery is: asset.downloaded, webinar.registered, trial.started.
ALTER TABLE magnets_submissions ADD COLUMN delivered_as TEXT NOT NULL DEFAULT 'asset.downloaded';
-- When it was handed over. NULL before.
ALTER TABLE magnets_submissions ADD COLUMN handed_at TEXT;
UPDATE magnets_submissions SET delivered_by = event_id, handed_at = at;
CREATE INDEX magnets_submissions_due ON magnets_submissions (magnet) WHERE state = 'delivered' AND handed_at IS NULL;
CREATE INDEX magnets_submissions_waiting ON magnets_submissions (lead_id) WHERE state = 'waiting';

-- Forms that were taken in, so that a double click, a retry and the back button are one submission. Kept a week.
CREATE TABLE magnets_receipts (
    receipt TEXT    PRIMARY KEY,                  -- a digest of the token of the form and of the address
    token   TEXT    NOT NULL,                     -- a digest of the token alone: several addresses on one form are no person
    lead_id INTEGER NOT NULL,
    at      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX magnets_receipts_by_token ON magnets_receipts (token);
CREATE INDEX magnets_receipts_by_time ON magnets_receipts (at);

-- Forms that look like no person filled them in: no lead, no mail. `trellis magnets release ID` takes one in; kept 30 days.
CREATE TABLE magnets_quarantine (
    id          INTEGER PRIMARY KEY,
    magnet      TEXT    NOT NULL,
    reasons     TEXT    NOT NULL,                 -- why, joined by commas
    email       TEXT    COLLATE NOCASE,
    fields      TEXT    NOT NULL CHECK (json_valid(fields)), -- what was typed, by field
    page        TEXT,                             -- the page the form was on, with its parameters
    referrer    TEXT,
    network     TEXT,
    agent       TEXT,
    at          TEXT    NOT NULL,
    released_at TEXT,                             -- NULL while it is held
    lead_id     INTEGER                           -- the lead it became; NULL while it is held
) STRICT;
CREATE INDEX magnets_quarantine_by_time ON magnets_quarantine (at);
CREATE INDEX magnets_quarantine_by_email ON magnets_quarantine (email);

-- Leads from forms on ad platforms, by the platform's id, so that one that is sent twice is one.
CREATE TABLE magnets_platform_leads (
    platform    TEXT    NOT NULL,                 -- google, meta, linkedin
    platform_id TEXT    NOT NULL,
    lead_id     INTEGER,                          -- NULL where it could not be taken in and is in quarantine
    at          TEXT    NOT NULL,
    PRIMARY KEY (platform, platform_id)
) STRICT, WITHOUT ROWID;

-- How often a page was looked at, a row per day, page, variant and channel: counted without cookies.
CREATE TABLE magnets_views (
    day     TEXT    NOT NULL,
    page    TEXT    NOT NULL,                     -- /offers/sales-plan, or the path of an article
    magnet  TEXT    NOT NULL DEFAULT '',          -- '' for a page that is no landing page
    variant TEXT    NOT NULL DEFAULT '',
    channel TEXT    NOT NULL,
    views   INTEGER NOT NULL,
    PRIMARY KEY (day, page, magnet, variant, channel)
) STRICT, WITHOUT ROWID;

-- Pages a visitor with a cookie of this site looked at. Once they fill in a form the rows are their lead's.
CREATE TABLE magnets_visits (
    id       INTEGER PRIMARY KEY,
    visitor  TEXT    NOT NULL,                    -- random, in the visitor's cookie alone
    lead_id  INTEGER,                             -- NULL while nobody knows who it is
    at       TEXT    NOT NULL,
    page     TEXT    NOT NULL,
    channel  TEXT    NOT NULL,
    source   TEXT,
    medium   TEXT,
    campaign TEXT,
    referrer TEXT
) STRICT;
CREATE INDEX magnets_visits_by_visitor ON magnets_visits (visitor, lead_id);
CREATE INDEX magnets_visits_by_lead ON magnets_visits (lead_id) WHERE lead_id IS NOT NULL;

-- Each lead's code for links to share.
CREATE TABLE magnets_referral_codes (
    lead_id INTEGER PRIMARY KEY,
    code    TEXT    NOT NULL UNIQUE
) STRICT;

-- Who came by whose link: the credit for a new lead.
CREATE TABLE magnets_referrals (
    lead_id     INTEGER PRIMARY KEY,              -- the new lead
    referrer_id INTEGER NOT NULL,                 -- the lead whose link it was
    magnet      TEXT    NOT NULL,
    at          TEXT    NOT NULL
) STRICT;
CREATE INDEX magnets_referrals_by_referrer ON magnets_referrals (referrer_id);

-- How often a link to a file was followed. Mail scanners follow links too: this counts, it means nothing by itself.
CREATE TABLE magnets_downloads (
    lead_id  INTEGER NOT NULL,
    magnet   TEXT    NOT NULL,
    fetches  INTEGER NOT NULL,
    first_at TEXT    NOT NULL,
    last_at  TEXT    NOT NULL,
    PRIMARY KEY (lead_id, magnet)
) STRICT, WITHOUT ROWID;

-- Kinds of address that seldom are a person at work. The rows are data: add to them and take from them as you like.
CREATE TABLE magnets_address_list (
    kind  TEXT NOT NULL CHECK (kind IN ('disposable', 'role', 'free_mail')),
    value TEXT NOT NULL COLLATE NOCASE,           -- a domain; for role the part before the @
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

-- What is known about the domain of an address: whether it takes mail at all.
CREATE TABLE magnets_domains (
    domain     TEXT    PRIMARY KEY COLLATE NOCASE,
    takes_mail INTEGER CHECK (takes_mail IN (0, 1)), -- NULL while it is not known
    checked_at TEXT                               -- NULL until it was asked
) STRICT, WITHOUT ROWID;

-- Leads whose address is of such a kind, or cannot take mail.
CREATE VIEW magnets_address_flags AS
SELECT l.id AS lead_id, a.kind AS flag
FROM leads AS l JOIN magnets_address_list AS a
  ON a.kind IN ('disposable', 'free_mail') AND a.value = substr(l.email, instr(l.email, '@') + 1)
UNION ALL
SELECT l.id, a.kind FROM leads AS l JOIN magnets_address_list AS a ON a.kind = 'role' AND a.value = substr(l.email, 1, instr(l.email, '@') - 1)
UNION ALL
SELECT l.id, 'no_mail' FROM leads AS l JOIN magnets_domains AS d ON d.domain = substr(l.email, instr(l.email, '@') + 1) WHERE d.takes_mail = 0;

-- Views against submissions of each landing page, by day.
CREATE VIEW magnets_conversion AS
SELECT day, magnet, variant, sum(views) AS views, sum(submissions) AS submissions,
       CASE WHEN sum(views) > 0 THEN round(1.0 * sum(submissions) / sum(views), 4) END AS conversion -- NULL where nobody looked
FROM (SELECT day, magnet, variant, views, 0 AS submissions FROM magnets_views WHERE magnet <> ''
      UNION ALL
      SELECT date(at), magnet, coalesce(variant, ''), 0, 1 FROM magnets_submissions)
GROUP BY day, magnet, variant;
