-- What became of forms and addresses.

-- Leads whose address is of such a kind, or cannot take mail.
CREATE VIEW magnets_address_flags AS
SELECT l.id AS lead_id, a.kind AS flag
FROM leads AS l JOIN magnets_address_list AS a
  ON a.kind IN ('disposable', 'free_mail') AND a.value = substr(l.email, instr(l.email, '@') + 1)
UNION ALL
SELECT l.id, a.kind FROM leads AS l JOIN magnets_address_list AS a ON a.kind = 'role' AND a.value = substr(l.email, 1, instr(l.email, '@') - 1)
UNION ALL
SELECT l.id, 'no_mail' FROM leads AS l JOIN magnets_domains AS d ON d.domain = substr(l.email, instr(l.email, '@') + 1) WHERE d.takes_mail = 0
UNION ALL
SELECT l.id, 'mixed_script' FROM leads AS l WHERE EXISTS (SELECT 1 FROM magnets_mixed_scripts AS m WHERE m.lead_id = l.id);

-- Views against submissions of each landing page, by day. What ad platforms, the shell and imports bring was on no page of ours.
CREATE VIEW magnets_conversion AS
SELECT day, magnet, variant, sum(views) AS views, sum(submissions) AS submissions,
       CASE WHEN sum(views) > 0 THEN round(1.0 * sum(submissions) / sum(views), 4) END AS conversion -- NULL where nobody looked
FROM (SELECT day, magnet, variant, views, 0 AS submissions FROM magnets_views WHERE magnet <> ''
      UNION ALL
      SELECT date(s.at), s.magnet, coalesce(s.variant, ''), 0, 1 FROM magnets_submissions AS s JOIN events AS e ON e.id = s.event_id
      WHERE e.origin = 'form:' || s.magnet)
GROUP BY day, magnet, variant;

-- Who registered for a webinar, and what became of it. Who attended has not missed it, whichever the log learnt first.
CREATE VIEW magnets_attendance AS
SELECT json_extract(e.body, '$.webinar') AS webinar, coalesce(m.kept_id, e.lead_id) AS lead_id,
       min(e.at) FILTER (WHERE e.kind = 'webinar.registered') AS registered_at, -- NULL where nobody knows of it
       CASE WHEN count(*) FILTER (WHERE e.kind = 'webinar.attended') > 0 THEN 'attended'
            WHEN count(*) FILTER (WHERE e.kind = 'webinar.missed') > 0 THEN 'missed' ELSE 'registered' END AS state,
       max(CASE e.kind WHEN 'webinar.attended' THEN json_extract(e.body, '$.minutes') END) AS minutes -- NULL where nobody says
FROM events AS e LEFT JOIN lead_merges AS m ON m.gone_id = e.lead_id
WHERE e.kind IN ('webinar.registered', 'webinar.attended', 'webinar.missed') AND e.lead_id IS NOT NULL
GROUP BY 1, 2;

-- What stands still, for trellis status: leads of an ad platform that cannot be fetched.
CREATE VIEW lead_magnets_stops AS
SELECT 'lead not fetched' AS stop, form || ' ' || platform_id AS subject, problem AS reason, noted_at AS since
FROM magnets_fetches WHERE attempts >= 3;
