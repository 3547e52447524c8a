-- Each config this file was worked with, oldest first. `trellis config log` shows it, and `trellis config rollback` goes back.
CREATE TABLE config_history (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TEXT    NOT NULL,
    author  TEXT    NOT NULL,                     -- the user of the machine, or whom --author names
    way     TEXT    NOT NULL CHECK (way IN ('start', 'apply', 'rollback')), -- start: a worker found it changed
    note    TEXT,                                 -- why, where somebody said so
    planned TEXT    CHECK (planned IS NULL OR json_valid(planned)),  -- what `trellis plan` announced: [[area, item, change, count, instead of], …]
    rebuild TEXT    CHECK (rebuild IS NULL OR json_valid(rebuild)), -- plugins that the next worker makes anew from the log; NULL once it began
    digest  TEXT    NOT NULL,                     -- SHA-256 of the text
    text    TEXT    NOT NULL                      -- config.yaml as it stood; secrets belong into ${VARIABLES}
) STRICT;
