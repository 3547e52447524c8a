-- How a message is watched, which is what its clicks and opens are counted against.
ALTER TABLE outbox_messages ADD COLUMN links_watched INTEGER NOT NULL DEFAULT 0;  -- different links that lead over this site
ALTER TABLE outbox_messages ADD COLUMN opens_watched INTEGER NOT NULL DEFAULT 0 CHECK (opens_watched IN (0, 1)); -- 1 where it holds the picture that tells of an opening

-- Where the watched links of mails lead: the same address is the same row, and no address stands here that no mail had.
CREATE TABLE mail_links (
    id  INTEGER PRIMARY KEY,
    url TEXT    NOT NULL UNIQUE CHECK (url GLOB 'http://*' OR url GLOB 'https://*')
) STRICT;

-- One request for a watched link, or for the picture of a mail: as it came, by a person or by a machine.
CREATE TABLE mail_hits (
    id          INTEGER PRIMARY KEY,
    message_id  INTEGER NOT NULL,                 -- outbox_messages.id
    lead_id     INTEGER NOT NULL,                 -- whom the message was to; no foreign key: the count outlives the lead
    link_id     INTEGER,                          -- mail_links.id; NULL for an opening
    method      TEXT    NOT NULL,                 -- GET or HEAD
    is_prefetch INTEGER NOT NULL DEFAULT 0 CHECK (is_prefetch IN (0, 1)), -- whether the browser said it only fetches ahead
    agent       TEXT,                             -- the program as it named itself, cut at 300 characters; NULL where it named none, and once forgotten
    network     TEXT,                             -- a /24 of IPv4, a /48 of IPv6; NULL once forgotten
    at          TEXT    NOT NULL,
    verdict     TEXT    CHECK (verdict IN ('person', 'machine')), -- NULL until it is judged, a minute or two later
    reason      TEXT,                             -- why a machine
    CONSTRAINT a_machine_has_a_reason CHECK ((verdict IS 'machine') = (reason IS NOT NULL))
) STRICT;
CREATE INDEX mail_hits_by_message ON mail_hits (message_id, at);
CREATE INDEX mail_hits_by_lead ON mail_hits (lead_id);
CREATE INDEX mail_hits_by_network ON mail_hits (network, at) WHERE network IS NOT NULL;
CREATE INDEX mail_hits_remembered ON mail_hits (at) WHERE network IS NOT NULL;
CREATE INDEX mail_hits_unjudged ON mail_hits (at) WHERE verdict IS NULL;

-- A program that follows links or fetches pictures without a person, known by how it names itself. A site may add rows.
CREATE TABLE mail_machine_agents (
    pattern TEXT PRIMARY KEY,                     -- for LIKE, without case
    name    TEXT NOT NULL,
    watches TEXT NOT NULL DEFAULT 'all' CHECK (watches IN ('all', 'opens')) -- opens: its clicks are those of persons
) STRICT, WITHOUT ROWID;
INSERT INTO mail_machine_agents (pattern, name, watches) VALUES
    -- Pictures are fetched for the person, whether they look or not: such an opening counts as nobody's.
    ('%GoogleImageProxy%', 'Gmail image proxy', 'opens'),
    ('%YahooMailProxy%', 'Yahoo image proxy', 'opens'),
    ('Mozilla/5.0', 'Apple Mail Privacy Protection', 'opens'),
    ('%DuckDuckGo Email Protection%', 'DuckDuckGo image proxy', 'opens'),
    -- Gates that look into mail before its reader does.
    ('%barracuda%', 'Barracuda', 'all'),
    ('%mimecast%', 'Mimecast', 'all'),
    ('%proofpoint%', 'Proofpoint', 'all'),
    ('%safelinks%', 'Microsoft Safe Links', 'all'),
    ('%BingPreview%', 'Microsoft preview', 'all'),
    ('%SkypeUriPreview%', 'Microsoft preview', 'all'),
    ('%Microsoft Office Existence Discovery%', 'Microsoft Office', 'all'),
    ('%MicrosoftPreview%', 'Microsoft preview', 'all'),
    ('%symantec%', 'Symantec', 'all'),
    ('%messagelabs%', 'Symantec', 'all'),
    ('%trendmicro%', 'Trend Micro', 'all'),
    ('%sophos%', 'Sophos', 'all'),
    ('%zscaler%', 'Zscaler', 'all'),
    ('%ironport%', 'Cisco', 'all'),
    ('%fireeye%', 'Trellix', 'all'),
    ('%cloudmark%', 'Cloudmark', 'all'),
    ('%forcepoint%', 'Forcepoint', 'all'),
    ('%websense%', 'Forcepoint', 'all'),
    ('%urlscan%', 'a scanner of links', 'all'),
    ('%virustotal%', 'a scanner of links', 'all'),
    -- Chats that show a preview of what was pasted into them.
    ('%Slackbot%', 'Slack preview', 'all'),
    ('%facebookexternalhit%', 'Facebook preview', 'all'),
    ('%Twitterbot%', 'X preview', 'all'),
    ('%LinkedInBot%', 'LinkedIn preview', 'all'),
    ('%WhatsApp/%', 'WhatsApp preview', 'all'),
    ('%TelegramBot%', 'Telegram preview', 'all'),
    ('%Discordbot%', 'Discord preview', 'all'),
    ('%Applebot%', 'Apple preview', 'all'),
    ('%Googlebot%', 'Google', 'all'),
    ('%Google-Safety%', 'Google', 'all'),
    ('%bingbot%', 'Bing', 'all'),
    -- Programs, not browsers.
    ('%HeadlessChrome%', 'a browser without a screen', 'all'),
    ('%PhantomJS%', 'a browser without a screen', 'all'),
    ('curl/%', 'curl', 'all'),
    ('Wget/%', 'Wget', 'all'),
    ('python%', 'a program', 'all'),
    ('%aiohttp%', 'a program', 'all'),
    ('Go-http-client%', 'a program', 'all'),
    ('Java/%', 'a program', 'all'),
    ('%okhttp/%', 'a program', 'all'),
    ('%Apache-HttpClient%', 'a program', 'all'),
    ('libwww-perl%', 'a program', 'all'),
    ('Ruby%', 'a program', 'all'),
    ('axios/%', 'a program', 'all'),
    ('node-fetch%', 'a program', 'all'),
    ('%crawler%', 'a crawler', 'all'),
    ('%spider%', 'a crawler', 'all');

-- What is to be seen of each hit: the columns that rules are written over, those of the site too.
CREATE VIEW mail_hit_signs AS
SELECT h.id, h.message_id, h.lead_id, h.link_id, m.template AS mail, CASE WHEN h.link_id IS NULL THEN 'open' ELSE 'click' END AS kind,
       l.url, h.method, h.is_prefetch, h.agent, h.network, h.at, h.verdict, h.reason,
       -- Negative where the link was followed before the mail server had said that it takes the mail.
       (julianday(h.at) - julianday(coalesce(m.settled_at, m.leased_at))) * 86400.0 AS seconds_after_sending,
       (SELECT a.name FROM mail_machine_agents AS a
        WHERE h.agent LIKE a.pattern AND (a.watches = 'all' OR h.link_id IS NULL) LIMIT 1) AS machine_agent,
       m.links_watched,
       -- Whether it stands in 5 seconds in which every link of the mail was followed.
       m.links_watched >= 2 AND EXISTS (
           SELECT 1 FROM mail_hits AS first
           WHERE first.message_id = h.message_id AND first.link_id IS NOT NULL
             AND first.at BETWEEN strftime('%Y-%m-%d %H:%M:%f', h.at, '-5 seconds') AND h.at
             AND (SELECT count(DISTINCT other.link_id) FROM mail_hits AS other
                  WHERE other.message_id = h.message_id
                    AND other.at BETWEEN first.at AND strftime('%Y-%m-%d %H:%M:%f', first.at, '+5 seconds')) >= m.links_watched
       ) AS hit_every_link,
       -- Leads whose mails were fetched from the same network, 5 seconds before and after.
       (SELECT count(DISTINCT near.lead_id) FROM mail_hits AS near
        WHERE near.network = h.network
          AND near.at BETWEEN strftime('%Y-%m-%d %H:%M:%f', h.at, '-5 seconds') AND strftime('%Y-%m-%d %H:%M:%f', h.at, '+5 seconds')
       ) AS leads_of_network
FROM mail_hits AS h
JOIN outbox_messages AS m ON m.id = h.message_id
LEFT JOIN mail_links AS l ON l.id = h.link_id;

-- Why each hit would be taken for that of a machine, the first rule that fits; NULL for a person.
CREATE VIEW mail_hit_reasons AS
SELECT s.*, CASE
           WHEN s.method = 'HEAD' THEN 'asked by HEAD, as no person does'
           WHEN s.is_prefetch THEN 'fetched ahead by a browser'
           WHEN s.agent IS NULL THEN 'named no program'
           WHEN s.machine_agent IS NOT NULL THEN s.machine_agent
           WHEN s.seconds_after_sending < 10 THEN 'within 10 seconds of being sent'
           WHEN s.hit_every_link THEN 'every link of the mail within 5 seconds'
           -- Two colleagues may press at the same moment; three are a gate.
           WHEN s.leads_of_network >= 3 THEN 'mails of 3 leads or more from one network within 5 seconds'
       END AS machine_reason
FROM mail_hit_signs AS s;

-- What became of each mail. Clicks are counted against people whose mail had watched links, openings against people whose
-- mail had the picture: who was not watched stands in neither figure.
CREATE VIEW mail_engagement AS
SELECT m.template AS mail,
       count(*) AS sent,
       count(DISTINCT m.lead_id) AS people_sent,
       count(DISTINCT m.lead_id) FILTER (WHERE m.links_watched > 0) AS people_with_links,
       count(DISTINCT m.lead_id) FILTER (WHERE h.person_clicks > 0) AS people_clicked,
       round(100.0 * count(DISTINCT m.lead_id) FILTER (WHERE h.person_clicks > 0)
           / nullif(count(DISTINCT m.lead_id) FILTER (WHERE m.links_watched > 0), 0), 1) AS clicked_percent,
       count(DISTINCT m.lead_id) FILTER (WHERE m.opens_watched) AS people_with_picture,
       count(DISTINCT m.lead_id) FILTER (WHERE h.person_opens > 0) AS people_opened,
       round(100.0 * count(DISTINCT m.lead_id) FILTER (WHERE h.person_opens > 0)
           / nullif(count(DISTINCT m.lead_id) FILTER (WHERE m.opens_watched), 0), 1) AS opened_percent,
       coalesce(sum(h.machine_hits), 0) AS machine_hits
FROM outbox_messages AS m
LEFT JOIN (
    SELECT message_id,
           count(*) FILTER (WHERE verdict = 'person' AND link_id IS NOT NULL) AS person_clicks,
           count(*) FILTER (WHERE verdict = 'person' AND link_id IS NULL) AS person_opens,
           count(*) FILTER (WHERE verdict = 'machine') AS machine_hits
    FROM mail_hits GROUP BY message_id
) AS h ON h.message_id = m.id
WHERE m.state = 'sent' AND m.purpose <> 'internal' AND m.lead_id IS NOT NULL
GROUP BY m.template;
