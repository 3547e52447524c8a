-- What became of mails, and what stands still.

-- How the hosts of each domain take our mail.
CREATE VIEW mail_bounces AS
SELECT lower(substr(l.email, instr(l.email, '@') + 1)) AS domain, count(*) AS sent,
       sum(coalesce(r.hard, 0)) AS hard, sum(coalesce(r.soft, 0)) AS soft, sum(coalesce(r.blocked, 0)) AS blocked,
       sum(coalesce(r.complaints, 0)) AS complaints,
       round(100.0 * sum(coalesce(r.hard, 0)) / count(*), 2) AS hard_percent,
       round(100.0 * sum(coalesce(r.complaints, 0)) / count(*), 2) AS complaint_percent
FROM outbox_messages AS m JOIN leads AS l ON l.id = m.lead_id
LEFT JOIN (
    SELECT message_id, max(kind = 'hard_bounce') AS hard, max(kind = 'soft_bounce') AS soft, max(kind = 'blocked') AS blocked,
           max(kind = 'complaint') AS complaints
    FROM mail_returns WHERE message_id IS NOT NULL GROUP BY message_id) AS r ON r.message_id = m.id
WHERE m.state = 'sent' AND m.transport = 'mail' AND m.purpose <> 'internal' AND l.email IS NOT NULL
GROUP BY 1;

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

-- What came back of the last 500 mails to leads. Where marketing mail was paused, complaints about what was sent before a person let it go
-- on are settled; bounces and refusals are not. Leads that were merged are one person.
CREATE VIEW mail_health AS
WITH latest AS (
    SELECT json_extract(body, '$.message_id') AS message_id, lead_id, at,
           id > (SELECT coalesce(max(settled_event), 0) FROM mail_pauses) AS is_measured
    FROM events WHERE kind = 'mail.sent' ORDER BY id DESC LIMIT 500)
SELECT count(DISTINCT l.message_id) AS sent, min(l.at) AS since,
       count(DISTINCT CASE WHEN r.kind = 'hard_bounce' THEN l.message_id END) AS hard,
       count(DISTINCT CASE WHEN r.kind = 'blocked' THEN l.message_id END) AS blocked,
       count(DISTINCT CASE WHEN r.kind = 'complaint' AND l.is_measured THEN l.message_id END) AS complaints,
       count(DISTINCT CASE WHEN r.kind = 'complaint' AND l.is_measured THEN coalesce(g.kept_id, l.lead_id) END) AS people_complained
FROM latest AS l LEFT JOIN mail_returns AS r ON r.message_id = l.message_id LEFT JOIN lead_merges AS g ON g.gone_id = l.lead_id;

-- What of the newest 500 marketing mails to leads was not taken for good, by people and not by mails: who has no such address, and who besides
-- has a host that refused the mail for what it is or for who sends it, whether the relay said so or a bounce. What was decided before a person
-- let marketing mail go on is settled. Leads that were merged are one person.
CREATE VIEW mail_rejections AS
WITH latest AS (
    -- Two walks down the log that are merged, so that no more of it is read than is counted; and no further than 50,000 events back, where
    -- such mail is rare among others.
    SELECT e.id, e.lead_id, e.at, m.id AS message_id, NULL AS class
    FROM events AS e CROSS JOIN outbox_messages AS m ON m.id = json_extract(e.body, '$.message_id') AND m.purpose = 'marketing'
    WHERE e.kind = 'mail.sent' AND e.id > max((SELECT coalesce(max(settled_event), 0) FROM mail_pauses), (SELECT max(id) - 50000 FROM events))
    UNION ALL
    SELECT e.id, e.lead_id, e.at, m.id, json_extract(e.body, '$.class')
    FROM events AS e CROSS JOIN outbox_messages AS m ON m.id = json_extract(e.body, '$.message_id') AND m.purpose = 'marketing'
    WHERE e.kind = 'mail.refused' AND e.id > max((SELECT coalesce(max(settled_event), 0) FROM mail_pauses), (SELECT max(id) - 50000 FROM events))
    ORDER BY 1 DESC LIMIT 500),
people AS (
    SELECT count(*) AS mails, min(l.at) AS since,
           max(l.class IS 'hard' OR EXISTS (SELECT 1 FROM mail_returns WHERE message_id = l.message_id AND kind = 'hard_bounce')) AS bounced,
           max(l.class IS 'blocked' OR EXISTS (SELECT 1 FROM mail_returns WHERE message_id = l.message_id AND kind = 'blocked')) AS blocked
    FROM latest AS l LEFT JOIN lead_merges AS g ON g.gone_id = l.lead_id GROUP BY coalesce(g.kept_id, l.lead_id))
SELECT coalesce(sum(mails), 0) AS mails, min(since) AS since, coalesce(sum(bounced), 0) AS people_bounced,
       coalesce(sum(blocked AND NOT bounced), 0) AS people_blocked
FROM people;

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

-- What of it needs a person. Providers block a sender of whose mail more than 0.3 % is called spam or more than 5 % goes
-- to nobody; of 500 that is 2 and 26. Fewer mails are measured as 500, so that the first few bounces are no alarm.
CREATE VIEW mail_stops AS
SELECT 'mail called spam' AS stop, complaints || ' of the last ' || sent || ' mails' AS subject,
       'the receivers complain: stop what they were sent, ask for consent more clearly, and see mail_bounces' AS reason, since
FROM mail_health
WHERE complaints * 1000 > 3 * 500 AND NOT EXISTS (SELECT 1 FROM mail_pauses WHERE settled_at IS NULL AND cause = 'complaints')
UNION ALL
SELECT 'marketing mail paused',
       CASE cause WHEN 'complaints' THEN complaints || ' of the last ' || sent || ' mails'
           ELSE (people_bounced + people_blocked) || ' people of the last ' || sent || ' marketing mails' END,
       'more than ' || printf('%g', percent_max) || ' % '
           || CASE cause WHEN 'complaints' THEN 'is called spam'
               ELSE 'bounced or was refused (no such address: ' || people_bounced || ', refused: ' || people_blocked || ')' END
           || '; marketing mails that wait: '
           || (SELECT count(*) FROM outbox_messages WHERE state IN ('unknown', 'failed', 'held') AND state = 'held' AND held_by = 'kernel')
           || CASE cause WHEN 'complaints' THEN '. Stop what was called so, ask for consent more clearly'
               ELSE '. Stop mailing the list they came from, check SPF, DKIM and DMARC where it was refused' END
           || ', then ''trellis outbox resume''; transactional mail goes on',
       noticed_at
FROM mail_pauses WHERE settled_at IS NULL
UNION ALL
SELECT 'mail to nobody', hard || ' of the last ' || sent || ' mails',
       'the addresses do not exist: stop mailing the list they came from, and see mail_bounces', since
FROM mail_health WHERE hard * 100 > 5 * 500 AND NOT EXISTS (SELECT 1 FROM mail_pauses WHERE settled_at IS NULL AND cause = 'bounces')
UNION ALL
SELECT 'mail blocked', blocked || ' of the last ' || sent || ' mails',
       'the receivers refuse what we send or who we are: read mail_returns.diagnostic, and check SPF, DKIM and DMARC', since
FROM mail_health WHERE blocked * 100 > 5 * 500 AND NOT EXISTS (SELECT 1 FROM mail_pauses WHERE settled_at IS NULL AND cause = 'bounces')
UNION ALL
SELECT 'mail to the house came back', m.key, coalesce(r.diagnostic, r.status, 'there is no such address') || '; correct the address in the config', r.at
FROM mail_returns AS r JOIN outbox_messages AS m ON m.id = r.message_id
WHERE r.kind = 'hard_bounce' AND m.purpose = 'internal'
  AND NOT EXISTS (
      SELECT 1 FROM outbox_messages AS later
      WHERE later.id > m.id AND later.purpose = 'internal' AND later.origin = m.origin AND later.state = 'sent'
        AND NOT EXISTS (SELECT 1 FROM mail_returns AS again WHERE again.message_id = later.id AND again.kind = 'hard_bounce'));

-- What stands still and needs a person: shown by `trellis status`. An import that was begun anew under the same name and finished is none;
-- what a plugin holds, it says itself.
CREATE VIEW kernel_stops AS
SELECT 'parked event' AS stop, p.subscriber || ' at event ' || p.event_id AS subject, p.error AS reason, p.parked_at AS since
FROM parked_events AS p
UNION ALL
SELECT 'mail ' || state, key, reason, coalesce(settled_at, ready_at)
FROM outbox_messages WHERE state IN ('unknown', 'failed', 'held') AND held_by IS NULL
UNION ALL
SELECT 'import interrupted', i.file, i.rows_done || ' rows done; the same import again goes on', i.started_at
FROM imports AS i
WHERE i.finished_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM imports AS later
    WHERE later.file = i.file AND later.target = i.target AND later.id > i.id AND later.finished_at IS NOT NULL)
UNION ALL
SELECT 'no way out', transport, reason || '; tried ' || tries || ' times, again at ' || retry_at, since
FROM transport_stalls
UNION ALL
SELECT 'the clock jumped', expected_at || ' to ' || noticed_at,
       'nothing is sent and no appointment is due until the clock is right again, or ''trellis clock accept''', noticed_at
FROM clock_jumps WHERE settled_at IS NULL AND settled_by IS NULL
UNION ALL
SELECT stop, subject, reason, since FROM mail_stops
UNION ALL
SELECT stop, subject, reason, since FROM plugin_stops;
