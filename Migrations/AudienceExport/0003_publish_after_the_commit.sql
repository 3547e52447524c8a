-- A file that is written whole beside its name, NAME.part, and gets the name once the receipts are committed. The row goes when the next export begins or the program starts: what a crash left without its name gets it then.
CREATE TABLE audiences_unpublished (
    export_id INTEGER NOT NULL,
    path      TEXT    NOT NULL,                   -- absolute, as it is to be called
    PRIMARY KEY (export_id, path)
) STRICT, WITHOUT ROWID;
