-- The steps of a sequence as they were written: each change of them in config.yaml is a further version. Leads finish what they began, or move on to the new one, as on_edit says.
CREATE TABLE drip_versions (
    sequence   TEXT    NOT NULL,
    version    INTEGER NOT NULL,                  -- from 1
    digest     TEXT    NOT NULL,                  -- SHA-256 of program
    program    TEXT    NOT NULL CHECK (json_valid(program)), -- the operations, as `trellis sequences show` lists them
    adopted_at TEXT    NOT NULL,
    PRIMARY KEY (sequence, version)
) STRICT, WITHOUT ROWID;

ALTER TABLE drip_enrolments ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
-- The version the lead came in with.
ALTER TABLE drip_enrolments ADD COLUMN first_version INTEGER NOT NULL DEFAULT 1;
-- The wait it rests at; NULL between two steps, which lasts no longer than a tick, and once it is over.
ALTER TABLE drip_enrolments ADD COLUMN resting_at INTEGER;
-- When it came there.
ALTER TABLE drip_enrolments ADD COLUMN arrived_at TEXT;
-- The last event of the log when it came to a wait_for: only what happens afterwards counts. NULL at other waits.
ALTER TABLE drip_enrolments ADD COLUMN since_event INTEGER;
-- Whether what comes next came due while nobody worked, and is to be passed over up to the next wait.
ALTER TABLE drip_enrolments ADD COLUMN is_late INTEGER NOT NULL DEFAULT 0 CHECK (is_late IN (0, 1));
-- Whether the wait was lengthened by the time nobody worked: once a wait, so that no lead waits for ever.
ALTER TABLE drip_enrolments ADD COLUMN is_shifted INTEGER NOT NULL DEFAULT 0 CHECK (is_shifted IN (0, 1));
UPDATE drip_enrolments SET resting_at = step - 1, arrived_at = entered_at WHERE state = 'active' AND step > 0;
CREATE INDEX drip_enrolments_resting ON drip_enrolments (sequence, version, resting_at) WHERE state = 'active';

-- Leads for whom the predicate of a sequence with `enter: {when: …}` holds: only who becomes one of them enters.
CREATE TABLE drip_matches (
    sequence TEXT    NOT NULL,
    lead_id  INTEGER NOT NULL,
    PRIMARY KEY (sequence, lead_id)
) STRICT, WITHOUT ROWID;

-- The sequences whose predicate was looked at once for all leads there were: who matched then was there before.
CREATE TABLE drip_watches (
    sequence  TEXT PRIMARY KEY,
    predicate TEXT NOT NULL,                      -- as it was then: another one begins anew
    at        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Something a person is to do for a lead: an invitation on LinkedIn, a call, a letter of their own. Its text is a template, filled in when it is shown, so that no name stands here.
CREATE TABLE drip_tasks (
    id            INTEGER PRIMARY KEY,
    key           TEXT    NOT NULL UNIQUE,        -- the intent: drip:outreach:3:lead 42:cycle 1
    lead_id       INTEGER NOT NULL,
    enrolment_id  INTEGER NOT NULL,
    sequence      TEXT    NOT NULL,
    kind          TEXT    NOT NULL,               -- linkedin.connect, linkedin.message, call, mail, …
    assignee      TEXT,                           -- a rep; NULL where the lead has no owner yet: read the lead's when it is shown
    text_template TEXT    NOT NULL,
    state         TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'skipped', 'withdrawn')),
    due_at        TEXT    NOT NULL,
    created_at    TEXT    NOT NULL,
    closed_at     TEXT,
    outcome       TEXT,                           -- in a word: connected, no_answer; NULL where nobody said
    CONSTRAINT closed_iff_not_open CHECK ((state = 'open') = (closed_at IS NULL))
) STRICT;
CREATE INDEX drip_tasks_open ON drip_tasks (due_at) WHERE state = 'open';
CREATE INDEX drip_tasks_by_lead ON drip_tasks (lead_id);

-- The arm of a test each lead is in. It never changes, however often the lead comes again.
CREATE TABLE drip_arms (
    sequence     TEXT    NOT NULL,
    test         TEXT    NOT NULL,                -- its name, or the place of the step
    lead_id      INTEGER NOT NULL,
    arm          TEXT    NOT NULL,                -- the mail; empty for the holdout, who get none
    event_id     INTEGER NOT NULL,                -- the last event of the log when it was given: what comes after it may be its outcome
    at           TEXT    NOT NULL,
    round        INTEGER NOT NULL,                -- the shares of the arms were the same for all leads of a round: they are compared within it
    converted_at TEXT,                            -- the first outcome the test asks for, within its time; NULL so far or for ever
    PRIMARY KEY (sequence, test, lead_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX drip_arms_by_lead ON drip_arms (lead_id);

-- What is thought of each arm now: written by the worker as outcomes come in.
CREATE TABLE drip_arm_shares (
    sequence    TEXT    NOT NULL,
    test        TEXT    NOT NULL,
    arm         TEXT    NOT NULL,
    share       REAL    NOT NULL,                 -- of the leads that come to the test from now on
    round       INTEGER NOT NULL DEFAULT 1,       -- since when it has been so
    counted     INTEGER NOT NULL DEFAULT 0,       -- leads of the test whose outcome was known when the round began
    mean        REAL,                             -- expected rate of outcomes; this and the next three are NULL for as long as nobody was in it
    low         REAL,                             -- 95 % interval of it
    high        REAL,
    probability REAL,                             -- of being the best
    is_winner   INTEGER NOT NULL DEFAULT 0 CHECK (is_winner IN (0, 1)),
    decided_by  TEXT,                             -- test or a person; NULL while undecided
    verdict     TEXT,                             -- in a plain sentence
    updated_at  TEXT    NOT NULL,
    PRIMARY KEY (sequence, test, arm)
) STRICT, WITHOUT ROWID;

-- The tests of sequences with their numbers: leads given an arm, how many of them did what the test asks for, and the verdict.
CREATE VIEW drip_tests AS
SELECT s.sequence, s.test, CASE s.arm WHEN '' THEN '(holdout)' ELSE s.arm END AS arm,
       count(a.lead_id) AS leads, count(a.converted_at) AS outcomes,
       round(100.0 * count(a.converted_at) / nullif(count(a.lead_id), 0), 1) AS percent,
       round(100 * s.low, 1) AS low_percent, round(100 * s.high, 1) AS high_percent,
       round(100 * s.probability, 1) AS best_percent, round(100 * s.share, 1) AS share_percent, s.is_winner, s.decided_by, s.verdict
FROM drip_arm_shares AS s
LEFT JOIN drip_arms AS a ON a.sequence = s.sequence AND a.test = s.test AND a.arm = s.arm
GROUP BY s.sequence, s.test, s.arm;
