-- Forms that were filled in on pages, by the channel of the visit. Those of ad platforms, and those that somebody of the house fills in
-- under another origin, are none of these: no page showed them.
CREATE TABLE figures_forms (
    day     TEXT    NOT NULL,
    form    TEXT    NOT NULL,
    channel TEXT    NOT NULL,                     -- unknown where the event names none
    measure TEXT    NOT NULL CHECK (measure IN ('done', 'new')), -- new: it made a lead we did not know
    count   INTEGER NOT NULL,
    PRIMARY KEY (day, form, channel, measure)
) STRICT, WITHOUT ROWID;

-- All is counted anew.
UPDATE figures_basis SET stages = '';
