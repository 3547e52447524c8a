-- Each statement that changed rows and that somebody wrote by hand: `trellis sql --write`.
CREATE TABLE sql_writes (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           TEXT    NOT NULL,
    origin       TEXT    NOT NULL,                -- sql:anna; the events of its rows have the same
    statement    TEXT,                            -- NULL once a person it was about is erased
    rows_changed INTEGER NOT NULL,                -- by the statement itself, without what its triggers did
    undo         TEXT    NOT NULL CHECK (undo IN ('possible', 'nothing', 'too_many_rows', 'schema', 'erased', 'done')),
    undone_at    TEXT,
    undone_by    TEXT,
    CONSTRAINT undone_iff_done CHECK ((undo = 'done') = (undone_at IS NOT NULL) AND (undo = 'done') = (undone_by IS NOT NULL))
) STRICT;

-- A row that such a statement changed, before and after it, kept 30 days: what `trellis undo` puts back.
CREATE TABLE sql_undo_rows (
    write_id   INTEGER NOT NULL REFERENCES sql_writes (id) ON DELETE CASCADE,
    table_name TEXT    NOT NULL,
    row_key    TEXT    NOT NULL CHECK (json_valid(row_key)),         -- its rowid or primary key, as an array
    before     TEXT    CHECK (before IS NULL OR json_valid(before)), -- NULL where there was no such row
    after      TEXT    CHECK (after IS NULL OR json_valid(after)),   -- NULL where there is no such row any more
    is_gone    INTEGER NOT NULL DEFAULT 0 CHECK (is_gone IN (0, 1)), -- while the statement runs: whether it has deleted the row
    PRIMARY KEY (write_id, table_name, row_key)
) STRICT, WITHOUT ROWID;
