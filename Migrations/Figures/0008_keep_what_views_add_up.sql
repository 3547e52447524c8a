-- How long each handoff, and each offer to a rep, waited for an answer.
CREATE TABLE figures_answers (
    lead        INTEGER NOT NULL,
    cycle       INTEGER NOT NULL,
    offer       INTEGER NOT NULL,                 -- as in figures_offers; 0 for the handoff as a whole
    month       TEXT    NOT NULL,                 -- in which it was handed over: YYYY-MM
    rep         TEXT    NOT NULL,                 -- to whom it was offered; empty for the handoff as a whole
    hours       REAL,                             -- to the first contact, or to the acceptance where none is recorded; NULL so far
    is_accepted INTEGER NOT NULL,
    is_rejected INTEGER NOT NULL,                 -- of the handoff as a whole: a rep gave it back
    PRIMARY KEY (lead, cycle, offer)
) STRICT, WITHOUT ROWID;
CREATE INDEX figures_answers_by_hours ON figures_answers (month, rep, hours);

-- How many of them were answered within each band of hours: the median is then looked for in one band, and not in all.
CREATE TABLE figures_answer_bands (
    month    TEXT    NOT NULL,
    rep      TEXT    NOT NULL,                    -- empty for handoffs as a whole
    band     INTEGER NOT NULL,                    -- of figures_bands; 0 for not answered
    handoffs INTEGER NOT NULL,
    accepted INTEGER NOT NULL,                    -- of them
    rejected INTEGER NOT NULL,                    -- of them
    PRIMARY KEY (month, rep, band)
) STRICT, WITHOUT ROWID;
CREATE INDEX figures_answer_bands_empty ON figures_answer_bands (month) WHERE handoffs = 0;

INSERT INTO figures_answers (lead, cycle, offer, month, rep, hours, is_accepted, is_rejected)
SELECT lead, cycle, 0, substr(offered_at, 1, 7), '', (julianday(coalesce(contacted_at, accepted_at)) - julianday(offered_at)) * 24,
       accepted_at IS NOT NULL, rejected_at IS NOT NULL
FROM figures_handoffs
UNION ALL
SELECT lead, cycle, offer, substr(offered_at, 1, 7), rep, (julianday(coalesce(contacted_at, accepted_at)) - julianday(offered_at)) * 24,
       accepted_at IS NOT NULL, 0
FROM figures_offers WHERE offer > 0;

WITH bands (begins) AS (
    VALUES (-1e300), (0.25), (0.5), (1.0), (2.0), (3.0), (4.0), (6.0), (8.0), (12.0), (18.0), (24.0), (36.0), (48.0), (72.0), (120.0), (240.0), (480.0)
)
INSERT INTO figures_answer_bands (month, rep, band, handoffs, accepted, rejected)
SELECT month, rep, (SELECT count(*) FROM bands WHERE begins <= hours), count(*), sum(is_accepted), sum(is_rejected) FROM figures_answers GROUP BY 1, 2, 3;

-- Why handoffs are given back is asked of those alone that are.
CREATE INDEX figures_handoffs_rejected ON figures_handoffs (offered_at, reason, rejected_at) WHERE rejected_at IS NOT NULL AND reason IS NOT NULL;

-- Credits by the month of the purchase.
ALTER TABLE figures_credits ADD COLUMN month TEXT NOT NULL DEFAULT '';   -- of figures_leads.bought_on
UPDATE figures_credits SET month = coalesce((SELECT substr(bought_on, 1, 7) FROM figures_leads WHERE figures_leads.lead = figures_credits.lead), '');
CREATE INDEX figures_credits_by_month ON figures_credits (month, channel, campaign, lead, first_touch, last_touch, linear, position);

-- Contents are added up over all days. There are few rows of a day, whatever is imported.
CREATE INDEX figures_contents_by_content ON figures_contents (kind, content, sequence, stage, measure, count);
