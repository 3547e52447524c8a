import TrellisKernel

/// The SQL of the report, as it is run and as it is shown: the days stand in it, so that it can be pasted anywhere.
struct PeriodQueries {
    let period: ReportPeriod

    private var periods: String {
        """
        WITH period (name, first_day, end_day) AS (
            VALUES ('now', '\(period.begin)', '\(period.end)'), ('before', '\(period.before)', '\(period.begin)')
        )
        """
    }

    /// A row per figure and currency, with that of the period before.
    var figures: String {
        """
        \(periods), raw AS (
            SELECT 1 AS place, 'New leads' AS figure, '' AS unit, p.name, coalesce(sum(d.leads), 0) AS value
            FROM period AS p LEFT JOIN figures_days AS d ON d.step = '(arrived)' AND d.day >= p.first_day AND d.day < p.end_day GROUP BY p.name
            UNION ALL
            SELECT 2, 'Qualified by marketing', '', p.name, coalesce(sum(d.leads), 0)
            FROM period AS p LEFT JOIN figures_days AS d ON d.step = 'mql' AND d.day >= p.first_day AND d.day < p.end_day GROUP BY p.name
            UNION ALL
            SELECT 3, 'New customers', '', p.name, coalesce(sum(d.leads), 0)
            FROM period AS p LEFT JOIN figures_days AS d ON d.step = '(bought)' AND d.day >= p.first_day AND d.day < p.end_day GROUP BY p.name
            UNION ALL
            SELECT 4, 'Revenue', d.currency, p.name, sum(d.amount)
            FROM period AS p JOIN figures_deals AS d ON d.is_won AND d.closed_on >= p.first_day AND d.closed_on < p.end_day GROUP BY p.name, d.currency
            UNION ALL
            SELECT 5, 'Spend', s.currency, p.name, sum(s.amount)
            FROM period AS p JOIN spend AS s ON s.day >= p.first_day AND s.day < p.end_day GROUP BY p.name, s.currency
            UNION ALL
            SELECT 6, 'Cost per lead', s.currency, p.name, sum(s.amount) / nullif((
                SELECT sum(leads) FROM figures_days WHERE step = '(arrived)' AND day >= p.first_day AND day < p.end_day), 0)
            FROM period AS p JOIN spend AS s ON s.half = 'generation' AND s.day >= p.first_day AND s.day < p.end_day GROUP BY p.name, s.currency
            UNION ALL
            SELECT 7, 'Deals won, of those decided', '%', p.name, 100.0 * sum(d.is_won) / count(*)
            FROM period AS p JOIN figures_deals AS d ON d.closed_on >= p.first_day AND d.closed_on < p.end_day GROUP BY p.name
            UNION ALL
            SELECT 8, 'Forms filled in', '', p.name, coalesce(sum(c.count), 0)
            FROM period AS p LEFT JOIN figures_contents AS c
              ON c.kind = 'form.submitted' AND c.measure = 'done' AND c.day >= p.first_day AND c.day < p.end_day GROUP BY p.name
            UNION ALL
            SELECT 9, 'Mails engaged with', '%', p.name, 100.0 * sum(CASE measure WHEN 'engaged' THEN c.count ELSE 0 END)
                / nullif(sum(CASE measure WHEN 'watched' THEN c.count WHEN 'watched_bounced' THEN -c.count ELSE 0 END), 0)
            FROM period AS p JOIN figures_contents AS c ON c.kind = 'mail' AND c.day >= p.first_day AND c.day < p.end_day GROUP BY p.name
            UNION ALL
            SELECT 10, 'Hours until sales answers', 'h', name, avg(hours) FROM (
                SELECT p.name, (julianday(coalesce(h.contacted_at, h.accepted_at)) - julianday(h.offered_at)) * 24 AS hours,
                       row_number() OVER (PARTITION BY p.name ORDER BY julianday(coalesce(h.contacted_at, h.accepted_at)) - julianday(h.offered_at)) AS place,
                       count(*) OVER (PARTITION BY p.name) AS places
                FROM period AS p JOIN figures_handoffs AS h ON h.offered_at >= p.first_day AND h.offered_at < p.end_day
                WHERE coalesce(h.contacted_at, h.accepted_at) IS NOT NULL)
            WHERE place IN ((places + 1) / 2, places / 2 + 1) GROUP BY name
        )
        SELECT figure, unit, round(max(value) FILTER (WHERE name = 'now'), 2) AS now, round(max(value) FILTER (WHERE name = 'before'), 2) AS before
        FROM raw GROUP BY place, figure, unit HAVING max(value) IS NOT NULL ORDER BY place, unit
        """
    }

    /// What each channel had to do with a change: leads, qualified leads and revenue.
    var reasons: String {
        """
        \(periods), moved AS (
            SELECT 'leads' AS what, d.channel AS cause, p.name, sum(d.leads) AS value
            FROM period AS p JOIN figures_days AS d ON d.step = '(arrived)' AND d.day >= p.first_day AND d.day < p.end_day GROUP BY 2, 3
            UNION ALL
            SELECT 'qualified leads', d.channel, p.name, sum(d.leads)
            FROM period AS p JOIN figures_days AS d ON d.step = 'mql' AND d.day >= p.first_day AND d.day < p.end_day GROUP BY 2, 3
            UNION ALL
            SELECT 'revenue in ' || d.currency, coalesce(d.owner, 'nobody'), p.name, sum(d.amount)
            FROM period AS p JOIN figures_deals AS d ON d.is_won AND d.closed_on >= p.first_day AND d.closed_on < p.end_day GROUP BY 1, 2, 3
        )
        SELECT what, cause, round(coalesce(sum(value) FILTER (WHERE name = 'now'), 0), 2) AS now,
               round(coalesce(sum(value) FILTER (WHERE name = 'before'), 0), 2) AS before,
               round(coalesce(sum(value) FILTER (WHERE name = 'now'), 0) - coalesce(sum(value) FILTER (WHERE name = 'before'), 0), 2) AS change
        FROM moved GROUP BY what, cause
        HAVING change <> 0 ORDER BY what, abs(change) DESC, cause LIMIT 200
        """
    }

    var channels: String {
        """
        WITH came AS (
            SELECT channel, sum(leads) FILTER (WHERE step = '(arrived)') AS leads, sum(leads) FILTER (WHERE step = 'mql') AS mql
            FROM figures_days WHERE step IN ('(arrived)', 'mql') AND day >= '\(period.begin)' AND day < '\(period.end)' GROUP BY channel
        ), bought AS (
            SELECT c.channel, sum(CASE m.model WHEN 'first' THEN c.first_touch WHEN 'last' THEN c.last_touch WHEN 'linear' THEN c.linear ELSE c.position END) AS customers
            FROM figures_model AS m CROSS JOIN figures_leads AS l JOIN figures_credits AS c ON c.lead = l.lead
            WHERE l.bought_on >= '\(period.begin)' AND l.bought_on < '\(period.end)' GROUP BY c.channel
        ), roads AS (
            SELECT channel FROM came UNION SELECT channel FROM bought WHERE customers > 0
        ), paid AS (
            SELECT channel, currency, sum(amount) AS spend, sum(amount) FILTER (WHERE half = 'generation') AS for_leads
            FROM spend WHERE day >= '\(period.begin)' AND day < '\(period.end)' GROUP BY channel, currency
        )
        SELECT coalesce(r.channel, p.channel) AS channel, coalesce(c.leads, 0) AS leads, coalesce(c.mql, 0) AS mql,
               round(coalesce(b.customers, 0), 2) AS customers,
               round(p.spend, 2) AS spend, p.currency, round(p.for_leads / nullif(c.leads, 0), 2) AS cost_per_lead
        FROM roads AS r FULL JOIN paid AS p ON p.channel = r.channel
        LEFT JOIN came AS c ON c.channel = coalesce(r.channel, p.channel) LEFT JOIN bought AS b ON b.channel = coalesce(r.channel, p.channel)
        ORDER BY 2 DESC, 1 LIMIT 20
        """
    }

    var goals: String {
        """
        SELECT goal, target, actual, unit, attainment_percent AS attained_percent FROM ladder_goals
        WHERE month = '\(period.month)' ORDER BY target IS NULL, half, goal
        """
    }

    var alarms: String { "SELECT alarm, figure, \"limit\", sentence FROM pipeline_alarms" }

    var funnel: String {
        """
        SELECT phase, step, people, rate_percent, lost, iif(is_leak, 'here', '') AS leak FROM funnel_steps WHERE month = '\(period.month)' ORDER BY position
        """
    }

    var mails: String {
        """
        SELECT mail, sequence, sum(sent) AS sent, sum(sent) - sum(bounced) AS delivered, sum(engaged) AS engaged,
               round(100.0 * sum(engaged) / nullif(sum(watched), 0), 1) AS engaged_percent, sum(clicked) AS clicked
        FROM (SELECT content AS mail, sequence, sum(count) FILTER (WHERE measure = 'sent') AS sent,
                     coalesce(sum(count) FILTER (WHERE measure = 'bounced'), 0) AS bounced,
                     sum(CASE measure WHEN 'watched' THEN count WHEN 'watched_bounced' THEN -count ELSE 0 END) AS watched,
                     coalesce(sum(count) FILTER (WHERE measure = 'engaged'), 0) AS engaged, coalesce(sum(count) FILTER (WHERE measure = 'clicked'), 0) AS clicked
              FROM figures_contents WHERE kind = 'mail' AND day >= '\(period.begin)' AND day < '\(period.end)' GROUP BY 1, 2)
        GROUP BY 1, 2 HAVING sum(sent) > 0 ORDER BY 3 DESC, 1 LIMIT 12
        """
    }

    var sales: String {
        """
        SELECT coalesce(owner, 'nobody') AS owner, sum(is_won) AS won, sum(NOT is_won) AS lost, round(100.0 * sum(is_won) / count(*), 1) AS won_percent,
               round(coalesce(sum(amount) FILTER (WHERE is_won), 0), 2) AS revenue, currency, round(avg(days) FILTER (WHERE is_won), 1) AS mean_days
        FROM figures_deals WHERE closed_on >= '\(period.begin)' AND closed_on < '\(period.end)' GROUP BY owner, currency ORDER BY 5 DESC, 1 LIMIT 15
        """
    }

    /// What the ladders say is to be done next.
    var next: String {
        """
        SELECT 'cost' AS ladder, sentence AS what_they_say FROM ladder_roi WHERE month = '\(period.month)' OR half = 'nurturing'
        UNION ALL SELECT 'channels', sentence FROM ladder_channels WHERE aspect IN ('gap', 'silence')
        UNION ALL SELECT 'goals', sentence FROM ladder_goals WHERE month = '\(period.month)' AND coalesce(attainment_percent, 100) < 100
        UNION ALL SELECT * FROM (
            SELECT 'engagement', kind || ' ' || content || CASE WHEN stage <> '' THEN ' at ' || stage ELSE '' END || ': ' || test_next
            FROM ladder_engagement WHERE kind IN ('mail', 'magnet') ORDER BY reached DESC LIMIT 6)
        """
    }

    /// Leads, and revenue and spend in the currency of the site, of this period and the eleven before it, by its first
    /// day.
    var course: String {
        let begins = period.begins(12)
        let ends = begins.dropFirst() + [period.end]
        let rows = zip(begins, ends).map { "('\($0)', '\($1)')" }.joined(separator: ", ")
        return """
            WITH period (first_day, end_day) AS (VALUES \(rows)),
            came AS (SELECT first_day, sum(leads) AS leads FROM period JOIN figures_days ON step = '(arrived)' AND day >= first_day AND day < end_day GROUP BY 1),
            won AS (SELECT first_day, sum(amount) AS revenue FROM period JOIN figures_deals ON is_won AND closed_on >= first_day AND closed_on < end_day
                    JOIN site USING (currency) GROUP BY 1),
            paid AS (SELECT first_day, sum(amount) AS spend FROM period JOIN spend ON day >= first_day AND day < end_day JOIN site USING (currency) GROUP BY 1)
            SELECT p.first_day, coalesce(c.leads, 0) AS leads, round(coalesce(w.revenue, 0), 2) AS revenue, round(coalesce(s.spend, 0), 2) AS spend,
                   t.currency
            FROM period AS p CROSS JOIN site AS t LEFT JOIN came AS c ON c.first_day = p.first_day LEFT JOIN won AS w ON w.first_day = p.first_day
            LEFT JOIN paid AS s ON s.first_day = p.first_day ORDER BY 1
            """
    }
}
