-- Each time a lead was put into the hands of a rep, with what that rep did: so that nobody answers for another.
CREATE TABLE figures_offers (
    lead         INTEGER NOT NULL,
    cycle        INTEGER NOT NULL,
    offer        INTEGER NOT NULL,                -- the how manieth of the cycle
    rep          TEXT    NOT NULL,
    event_id     INTEGER NOT NULL,                -- the handoff.offered
    offered_at   TEXT    NOT NULL,
    accepted_at  TEXT,
    contacted_at TEXT,                            -- the first lead.contacted while this rep had it
    PRIMARY KEY (lead, cycle, offer)
) STRICT, WITHOUT ROWID;

-- What is in the log already is counted again: offers, and which mails are watched.
UPDATE figures_basis SET stages = '';
