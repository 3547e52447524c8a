-- Which columns of leads a visitor with a cookie has told in forms, and of which lead: not what was said. Kept as long as the cookie.
CREATE TABLE magnets_told (
    visitor TEXT    NOT NULL,                     -- random, in the visitor's cookie alone
    lead_id INTEGER NOT NULL,                     -- the lead whose form it was
    field   TEXT    NOT NULL,                     -- a column of leads
    at      TEXT    NOT NULL,                     -- when it was told last
    PRIMARY KEY (visitor, lead_id, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX magnets_told_by_time ON magnets_told (at);
CREATE INDEX magnets_told_by_lead ON magnets_told (lead_id);
