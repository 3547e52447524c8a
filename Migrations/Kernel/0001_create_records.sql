-- The stages a lead passes, in the order of config.yaml. A lead moves forward only; side stages (recycled, disqualified)
-- may be entered from anywhere and left for anywhere.
CREATE TABLE stages (
    name     TEXT    PRIMARY KEY,
    position INTEGER NOT NULL,
    is_side  INTEGER NOT NULL DEFAULT 0 CHECK (is_side IN (0, 1))
) STRICT, WITHOUT ROWID;

-- A company. A lead belongs to the account whose domain is the domain of its e-mail address.
CREATE TABLE accounts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    CHECK (length(name) <= 500),
    domain      TEXT    COLLATE NOCASE UNIQUE,    -- acme.example; NULL where only the name is known
    external_id TEXT    UNIQUE,                   -- the id another system knows it by
    industry    TEXT,
    employees   INTEGER,
    country     TEXT,                             -- ISO 3166-1 alpha-2
    city        TEXT,
    owner       TEXT,                             -- the rep who looks after it; handoff routes its leads there
    created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    CONSTRAINT an_account_has_a_name_or_a_domain CHECK (coalesce(name, domain) IS NOT NULL)
) STRICT;
CREATE INDEX accounts_by_name ON accounts (name COLLATE NOCASE);

-- A person at an account: what a lead converts into.
CREATE TABLE contacts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
    email       TEXT    COLLATE NOCASE UNIQUE,
    first_name  TEXT    CHECK (length(first_name) <= 500),
    last_name   TEXT    CHECK (length(last_name) <= 500),
    phone       TEXT,                             -- E.164
    title       TEXT,
    external_id TEXT    UNIQUE,
    owner       TEXT,
    created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
) STRICT;
CREATE INDEX contacts_by_account ON contacts (account_id);

-- A person we may sell to. Known by any of email, phone, external_id. The fields of config.yaml are columns here too.
CREATE TABLE leads (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    email       TEXT    COLLATE NOCASE UNIQUE,    -- as typed, the domain in lower case; NULL where only phone or external_id is known
    first_name  TEXT    CHECK (length(first_name) <= 500),
    last_name   TEXT    CHECK (length(last_name) <= 500),
    phone       TEXT,                             -- E.164: +493012345
    company     TEXT    CHECK (length(company) <= 500),
    title       TEXT    CHECK (length(title) <= 500),
    industry    TEXT,
    employees   INTEGER,
    country     TEXT,                             -- ISO 3166-1 alpha-2
    region      TEXT,
    city        TEXT,
    postal_code TEXT,
    timezone    TEXT,                             -- IANA: Europe/Berlin
    language    TEXT,                             -- BCP 47: de, en-GB
    external_id TEXT    UNIQUE,                   -- the id another system knows the lead by
    source      TEXT,                             -- source, medium and campaign of the first touch
    medium      TEXT,
    campaign    TEXT,
    stage       TEXT    NOT NULL DEFAULT 'lead',  -- one of stages.name
    owner       TEXT,                             -- the rep who has it; NULL while marketing nurtures it
    account_id  INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
    contact_id  INTEGER REFERENCES contacts (id) ON DELETE SET NULL,
    created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    CONSTRAINT email_is_one_address CHECK (
        email GLOB '?*@?*.?*' AND length(email) <= 320 AND instr(email, char(0)) = 0
        AND email NOT GLOB '*[' || char(1) || '-' || char(32) || char(127) || '<>(),;:"\]*'),
    CONSTRAINT a_lead_is_known_by_something CHECK (coalesce(email, phone, external_id) IS NOT NULL)
) STRICT;
CREATE INDEX leads_by_stage ON leads (stage);
CREATE INDEX leads_by_phone ON leads (phone) WHERE phone IS NOT NULL;
CREATE INDEX leads_by_account ON leads (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX leads_by_owner ON leads (owner) WHERE owner IS NOT NULL;

-- A deal: what a converted lead may buy.
CREATE TABLE opportunities (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    CHECK (length(name) <= 500),
    account_id  INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
    contact_id  INTEGER REFERENCES contacts (id) ON DELETE SET NULL,
    lead_id     INTEGER REFERENCES leads (id) ON DELETE SET NULL, -- the lead it grew from
    external_id TEXT    UNIQUE,
    owner       TEXT,
    stage       TEXT    NOT NULL DEFAULT 'open',  -- open stages are the site's own; won and lost are final
    amount      REAL,
    currency    TEXT,                             -- ISO 4217
    opened_at   TEXT,                             -- a day or a time, UTC
    closed_at   TEXT,                             -- NULL while open
    created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
) STRICT;
CREATE INDEX opportunities_by_account ON opportunities (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX opportunities_by_lead ON opportunities (lead_id) WHERE lead_id IS NOT NULL;

-- One attributed visit or submission of a lead.
CREATE TABLE touches (
    id            INTEGER PRIMARY KEY,
    lead_id       INTEGER NOT NULL,             -- no foreign key: the row outlives a lead deleted by hand, and goes when the person is erased
    at            TEXT    NOT NULL,
    kind          TEXT    NOT NULL,               -- form, import, manual
    channel       TEXT,                           -- organic_search, paid_social, email, outbound, …
    source        TEXT,
    medium        TEXT,
    campaign      TEXT,
    referrer      TEXT,
    landing_page  TEXT,
    click_id_kind TEXT,                           -- gclid, fbclid, li_fat_id, ttclid, msclkid
    click_id      TEXT
) STRICT;
CREATE INDEX touches_by_lead ON touches (lead_id);

-- The ledger of consent: a row each time a lead agreed to a purpose or took it back. Never updated; the last row counts.
CREATE TABLE consents (
    id      INTEGER PRIMARY KEY,
    lead_id INTEGER NOT NULL,             -- no foreign key: the row outlives a lead deleted by hand, and goes when the person is erased
    purpose TEXT    NOT NULL,                     -- newsletter, ads, …
    state   TEXT    NOT NULL CHECK (state IN ('requested', 'granted', 'withdrawn')),
    text    TEXT,                                 -- the sentence the lead agreed to; NULL where it came by import or command
    source  TEXT    NOT NULL DEFAULT 'sql',       -- form:sales-plan, import:3, …
    at      TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
) STRICT;
CREATE INDEX consents_by_lead ON consents (lead_id, purpose, id);

CREATE VIEW consents_now AS
SELECT lead_id, purpose, state, at, source
FROM consents AS c
WHERE id = (SELECT max(id) FROM consents WHERE lead_id = c.lead_id AND purpose = c.purpose);

-- Addresses nobody may mail. An erased person is kept out by a keyed hash of the address alone.
CREATE TABLE suppressions (
    id         INTEGER PRIMARY KEY,
    email      TEXT    COLLATE NOCASE,            -- NULL once the person is erased
    email_hash TEXT,                              -- HMAC-SHA-256 of the lower-case address under site.secret; NULL while email is kept
    reason     TEXT    NOT NULL CHECK (reason IN ('unsubscribed', 'bounced', 'complained', 'manual', 'erased')),
    origin     TEXT    NOT NULL DEFAULT 'sql',
    at         TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    CONSTRAINT either_address_or_hash CHECK ((email IS NULL) <> (email_hash IS NULL))
) STRICT;
CREATE UNIQUE INDEX suppressions_by_email ON suppressions (email, reason) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX suppressions_by_hash ON suppressions (email_hash) WHERE email_hash IS NOT NULL;

-- What was paid, per day, channel and campaign.
CREATE TABLE spend (
    id       INTEGER PRIMARY KEY,
    day      TEXT    NOT NULL CHECK (day IS date(day)),
    channel  TEXT    NOT NULL,
    campaign TEXT,                                -- NULL for the channel as a whole
    half     TEXT    NOT NULL DEFAULT 'generation' CHECK (half IN ('generation', 'nurturing', 'sales')),
    amount   REAL    NOT NULL CHECK (amount >= 0),
    currency TEXT    NOT NULL DEFAULT 'EUR'       -- ISO 4217
) STRICT;

-- Two leads that turned out to be one person: the row that went and the row that stayed.
CREATE TABLE lead_merges (
    gone_id INTEGER PRIMARY KEY,
    kept_id INTEGER NOT NULL,
    at      TEXT    NOT NULL
) STRICT;

-- Rows deleted from leads, contacts, accounts or opportunities, kept 30 days; `trellis trash restore` puts them back.
CREATE TABLE trash (
    id         INTEGER PRIMARY KEY,
    table_name TEXT    NOT NULL,
    row_id     INTEGER NOT NULL,
    row        TEXT    NOT NULL CHECK (json_valid(row)),
    origin     TEXT    NOT NULL,
    deleted_at TEXT    NOT NULL
) STRICT;

-- Each run of `trellis import`: how far it came, so that it can be resumed, and what file it was, so that twice is once.
CREATE TABLE imports (
    id          INTEGER PRIMARY KEY,
    file        TEXT    NOT NULL,
    digest      TEXT    NOT NULL,                 -- SHA-256 of the file and of its mapping
    target      TEXT    NOT NULL,                 -- leads, accounts, contacts, opportunities, activities
    rows_done   INTEGER NOT NULL DEFAULT 0,       -- data records read and committed
    created     INTEGER NOT NULL DEFAULT 0,
    changed     INTEGER NOT NULL DEFAULT 0,
    same        INTEGER NOT NULL DEFAULT 0,
    rejected    INTEGER NOT NULL DEFAULT 0,
    rejected_bytes INTEGER NOT NULL DEFAULT 0,    -- how much of the file of rejected rows is committed; a resumed import cuts it there
    started_at  TEXT    NOT NULL,
    finished_at TEXT                              -- NULL while it runs or was interrupted
) STRICT;
