-- An owner of accounts whom a route asked for and who is no rep of the config: the leads went by the next rule. The row goes when the
-- config knows the name, or asks for no owners any more.
CREATE TABLE handoff_unknown_owners (
    owner TEXT    PRIMARY KEY,
    leads INTEGER NOT NULL,                       -- how many came since
    since TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
