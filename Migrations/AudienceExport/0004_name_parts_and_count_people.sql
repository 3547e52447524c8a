-- What a webhook is told of an export, part by part: which leads are in it. The rows themselves are kept nowhere: they are
-- written when the part leaves, of those who may be in it then.
CREATE TABLE audiences_parts (
    export_id  INTEGER NOT NULL,
    action     TEXT    NOT NULL CHECK (action IN ('audience.add', 'audience.remove')),
    part       INTEGER NOT NULL,                  -- from 1
    first_lead INTEGER NOT NULL,                  -- the least lead_id in it
    last_lead  INTEGER NOT NULL,                  -- the greatest
    PRIMARY KEY (export_id, action, part)
) STRICT, WITHOUT ROWID;

-- Who has a receipt and was left out when the part was sent: somebody who was erased, or withdrew, while it waited.
CREATE TABLE audiences_left_out (
    export_id INTEGER NOT NULL,
    lead_id   INTEGER NOT NULL,
    PRIMARY KEY (export_id, lead_id)
) STRICT, WITHOUT ROWID;

-- Work tables of an export, empty at all other times: in the file, because a difference of a million leads does not belong
-- into the memory.
-- Who may be on the list now.
CREATE TABLE audiences_next (
    lead_id    INTEGER PRIMARY KEY,
    consent_id INTEGER NOT NULL
) STRICT;
-- By which key.
CREATE TABLE audiences_keys (
    lead_id INTEGER PRIMARY KEY,
    key     BLOB    NOT NULL                      -- as in audiences_uploads
) STRICT;
-- Hashes that are to be taken off and that nobody who stays has.
CREATE TABLE audiences_leaving (
    hash BLOB PRIMARY KEY                         -- 32 bytes of a key
) STRICT, WITHOUT ROWID;

ALTER TABLE audiences_exports ADD COLUMN rows INTEGER; -- rows in the file: fewer than members where two of them have one address to the platform; NULL for files of before

-- Rows about people wait in messages no longer. A part that is still to be sent has none any more and is refused when it is
-- its turn; the next file of the list says all of it again.
UPDATE outbox_messages SET body = json_remove(body, '$.rows'), content = NULL WHERE key >= 'audiences:' AND key < 'audiences;';
