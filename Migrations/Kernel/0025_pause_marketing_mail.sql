-- Each time marketing mail paused by itself because too much mail was called spam. Until a person lets it go on (`trellis outbox resume`) it is held.
CREATE TABLE mail_pauses (
    id            INTEGER PRIMARY KEY,
    noticed_at    TEXT    NOT NULL,
    complaints    INTEGER NOT NULL,               -- mails called spam
    sent          INTEGER NOT NULL,               -- of so many, the newest to leads
    percent_max   REAL    NOT NULL,               -- mail.complaints_max at the time
    settled_at    TEXT,                           -- NULL while it pauses
    settled_by    TEXT,                           -- NULL while it pauses
    settled_event INTEGER,                        -- the last event then: what was sent before it is not measured again; NULL while it pauses
    CONSTRAINT settled_as_a_whole CHECK ((settled_at IS NULL) = (settled_by IS NULL) AND (settled_at IS NULL) = (settled_event IS NULL))
) STRICT;
CREATE UNIQUE INDEX mail_pauses_open ON mail_pauses ((settled_at IS NULL)) WHERE settled_at IS NULL;
