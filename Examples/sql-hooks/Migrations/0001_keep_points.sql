-- Why a lead has the points it has.
CREATE TABLE points (
    id       INTEGER PRIMARY KEY,
    lead_id  INTEGER NOT NULL,
    rule     TEXT    NOT NULL,
    points   INTEGER NOT NULL,
    event_id INTEGER NOT NULL
) STRICT;
CREATE INDEX points_by_lead ON points (lead_id);

-- The points a lead has for what it is.
CREATE VIEW fit AS
SELECT id AS lead_id, 'head' AS rule, 20 AS points FROM leads WHERE title LIKE '%head%'
UNION ALL
SELECT id, 'free-mail', -10 FROM leads WHERE email LIKE '%@gmail.com';

-- Leads with enough points that are not at the stage yet.
CREATE VIEW ready AS
SELECT l.id AS lead_id FROM leads AS l
WHERE l.stage IN ('subscriber', 'lead') AND (SELECT sum(points) FROM points WHERE lead_id = l.id) >= 50;

-- A lead in the audience of German leads.
CREATE TABLE german_leads (lead_id INTEGER PRIMARY KEY) STRICT;

-- A lead given to a rep.
CREATE TABLE deals (
    lead_id INTEGER PRIMARY KEY,
    rep     TEXT NOT NULL
) STRICT;
