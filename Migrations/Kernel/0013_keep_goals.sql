-- What marketing and sales agreed on: the section `goals:` of config.yaml, put here whenever the file is opened.
CREATE TABLE goals (
    name  TEXT PRIMARY KEY,                       -- leads_per_month, speed_to_lead, …
    value REAL NOT NULL CHECK (value > 0),
    unit  TEXT NOT NULL                           -- leads, hours, money: of what currency is that of the figures it is held against
) STRICT, WITHOUT ROWID;

-- Spend is looked up by what a line of a platform's export is about.
CREATE INDEX spend_by_day ON spend (day, channel);
