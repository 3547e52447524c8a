-- The files that the views of this program were made by, as they were then: one that reads otherwise makes its views anew.
CREATE TABLE view_files (
    id  TEXT PRIMARY KEY,                         -- owner/name: figures/kpis
    sql TEXT NOT NULL
) STRICT;

-- What SQL has to know of the section `site:` of config.yaml, one row, put here whenever the file is opened.
CREATE TABLE site (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    currency TEXT NOT NULL                        -- ISO 4217: of the goals, and of a deal that names none
) STRICT;
INSERT INTO site VALUES (1, 'EUR');

DROP TABLE goals;
-- What marketing and sales agreed on: the section `goals:` of config.yaml, put here whenever the file is opened.
CREATE TABLE goals (
    name  TEXT PRIMARY KEY,                       -- leads_per_month, speed_to_lead, …
    value REAL NOT NULL CHECK (value > 0),
    unit  TEXT NOT NULL                           -- leads, hours, or the currency of the site: EUR
) STRICT, WITHOUT ROWID;
