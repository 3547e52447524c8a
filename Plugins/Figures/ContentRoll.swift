import TrellisKernel

/// Counts what people did with each content, by the furthest stage they had reached. It is read from the log and the
/// outbox alone, neither of which forgets, so that a replay counts the same.
struct ContentRoll {
    /// Kinds of event by which people do something for themselves.
    let visits: [String]
    let tx: Transaction

    // The plus signs in the SQL below keep SQLite from reading all events of a kind where those of one lead are meant.

    static let mailKinds = [
        "mail.sent", "mail.opened", "mail.clicked", "mail.bounced", "mail.replied", "lead.unsubscribed",
    ]
    static let visits = [
        "asset.downloaded", "form.submitted", "form.confirmed", "webinar.registered", "webinar.attended",
        "trial.started",
        "lead.contacted", "task.done",
    ]
    /// A word between us and a lead, ours to them or theirs to us, as a list in SQL.
    static func words(_ visits: [String]) -> String {
        (["mail.sent", "mail.opened", "mail.clicked", "mail.replied"] + visits).map(\.sqlLiteral).joined(
            separator: ", ")
    }

    func keep(_ kinds: Set<String>) throws {
        if kinds.contains("mail.sent") {
            try countMails("mail.sent", as: "sent")
            try countMails("mail.sent", as: "watched", where: ContentRoll.isWatched)
        }
        if kinds.contains("mail.bounced") {
            try countMails("mail.bounced", as: "bounced", where: "m.state = 'sent'")
            try countMails(
                "mail.bounced", as: "watched_bounced", where: "m.state = 'sent' AND \(ContentRoll.isWatched)")
        }
        if kinds.contains("mail.opened") { try countMails("mail.opened", as: "opened") }
        if kinds.contains("mail.clicked") { try countMails("mail.clicked", as: "clicked") }
        if kinds.contains("mail.replied") { try countMails("mail.replied", as: "replied") }
        for kind in ["mail.opened", "mail.clicked"] where kinds.contains(kind) {
            try countMails(kind, as: "engaged", unlessAfter: "'mail.opened', 'mail.clicked'")
        }
        if kinds.contains("lead.unsubscribed") { try countVisits(["lead.unsubscribed"]) }
        let come = visits.filter(kinds.contains)
        if !come.isEmpty { try countVisits(come) }
        if kinds.contains("form.submitted") {
            try countNewLeads()
            try countForms()
        }
        if kinds.contains("lead.stage_changed") { try countMoves() }
        if !kinds.isDisjoint(with: Self.mailKinds + visits) { try SilenceRoll(tx: tx).hear(ContentRoll.words(visits)) }
    }

    // MARK: - Mails

    /// Of a mail without the picture and without links over this site nobody knows whether it is read.
    private static let isWatched = "(m.opens_watched OR m.links_watched > 0)"

    /// Each mail once, on the day it was sent, whatever is done with it again. It is sent once by itself.
    ///
    /// - Parameter others: kinds of event after which it does not count either.
    private func countMails(
        _ kind: String, as measure: String, where condition: String = "true", unlessAfter others: String? = nil
    )
        throws
    {
        let message = "json_extract(b.body, '$.message_id')"
        let isFirst =
            kind == "mail.sent"
            ? "true"
            : """
            NOT EXISTS (
                SELECT 1 FROM events AS p
                WHERE p.lead_id = b.lead_id AND p.id < b.id AND +p.kind IN (\(others ?? "'\(kind)'"))
                  AND json_extract(p.body, '$.message_id') = \(message))
            """
        try add(
            """
            SELECT date(coalesce(m.settled_at, b.at)), 'mail', m.template, \(ContentRoll.sequence),
                   \(ContentRoll.stage(of: "b.lead_id", before: kind == "mail.sent" ? "b.id" : ContentRoll.sending)), '\(measure)'
            FROM batch AS b CROSS JOIN outbox_messages AS m ON m.id = \(message)
            WHERE b.kind = '\(kind)' AND b.lead_id IS NOT NULL AND \(condition) AND \(isFirst)
            """)
    }

    /// The event by which the mail of an event was sent: of an opening the stage counts at which the mail was sent.
    private static let sending = """
        coalesce((SELECT max(id) FROM events WHERE lead_id = b.lead_id AND +kind = 'mail.sent' AND id <= b.id
                  AND json_extract(body, '$.message_id') = json_extract(b.body, '$.message_id')), b.id)
        """

    /// `drip:welcome:3:lead 42:cycle 1` is a mail of the sequence welcome.
    private static let sequence = """
        CASE WHEN m.key GLOB 'drip:*:*' THEN substr(m.key, 6, instr(substr(m.key, 6), ':') - 1) ELSE '' END
        """

    // MARK: - What people come for

    private func countVisits(_ kinds: [String]) throws {
        try add(
            """
            SELECT date(b.at), b.kind, \(ContentRoll.content), '', \(ContentRoll.stage(of: "b.lead_id", before: "b.id")),
                   CASE b.kind WHEN 'lead.unsubscribed' THEN 'unsubscribed' ELSE 'done' END
            FROM batch AS b WHERE b.kind IN (\(kinds.map(\.sqlLiteral).joined(separator: ", "))) AND b.lead_id IS NOT NULL
            """)
    }

    /// Forms that made a lead nobody knew: it was created in the same moment.
    private func countNewLeads() throws {
        try add(
            """
            SELECT date(b.at), b.kind, \(ContentRoll.content), '', \(ContentRoll.stage(of: "b.lead_id", before: "b.id")), 'new'
            FROM batch AS b WHERE b.kind = 'form.submitted' AND \(ContentRoll.isNew)
            """)
    }

    private static let isNew = """
        EXISTS (SELECT 1 FROM events AS e WHERE e.lead_id = b.lead_id AND e.id < b.id AND +e.kind = 'lead.created' AND e.at = b.at)
        AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.lead_id = b.lead_id AND e.id < b.id AND +e.kind = 'form.submitted')
        """

    /// Forms of pages by the channel of the visit, to be held against looks at the page by that channel.
    private func countForms() throws {
        let form = "json_extract(b.body, '$.form')"
        let told = { (measure: String, condition: String) in
            """
            SELECT date(b.at) AS day, \(form) AS form, coalesce(json_extract(b.body, '$.channel'), 'unknown') AS channel, '\(measure)' AS measure
            FROM batch AS b WHERE b.kind = 'form.submitted' AND b.lead_id IS NOT NULL AND b.origin = 'form:' || \(form) AND \(condition)
            """
        }
        try tx.scratchTable(
            "figures_forms_told", columns: "day TEXT, form TEXT, channel TEXT, measure TEXT, count INTEGER")
        try tx.run(
            """
            INSERT INTO temp.figures_forms_told
            SELECT day, form, channel, measure, count(*)
            FROM (\(told("done", "true")) UNION ALL \(told("new", ContentRoll.isNew))) WHERE true GROUP BY 1, 2, 3, 4
            """)
        try tx.run(
            """
            INSERT INTO figures_forms (day, form, channel, measure, count)
            SELECT day, form, channel, measure, count FROM temp.figures_forms_told WHERE true
            ON CONFLICT (day, form, channel, measure) DO UPDATE SET count = count + excluded.count
            """)
        try tx.run(
            """
            INSERT INTO figures_form_months (month, form, channel, measure, count)
            SELECT substr(day, 1, 7), form, channel, measure, sum(count) FROM temp.figures_forms_told WHERE true GROUP BY 1, 2, 3, 4
            ON CONFLICT (month, form, channel, measure) DO UPDATE SET count = count + excluded.count
            """)
    }

    private static let content = """
        coalesce(json_extract(b.body, '$.magnet'), json_extract(b.body, '$.form'), json_extract(b.body, '$.webinar'),
                 json_extract(b.body, '$.task_kind'), json_extract(b.body, '$.channel'), '')
        """

    // MARK: - Stages

    /// A lead that reached a further stage: credited to the last thing it had done before, where it did that at the
    /// stage it left.
    private func countMoves() throws {
        let before = ContentRoll.stage(of: "m.lead_id", before: "m.id")
        let engaged = (["mail.opened", "mail.clicked"] + visits).map(\.sqlLiteral).joined(separator: ", ")
        try tx.scratchTable("figures_moves", columns: "event_id INTEGER, stage TEXT")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.figures_moves
                SELECT (SELECT max(id) FROM events WHERE lead_id = m.lead_id AND id < m.id AND +kind IN (\(engaged))) AS done, \(before)
                FROM batch AS m WHERE m.kind = 'lead.stage_changed' AND done IS NOT NULL
                  AND (SELECT position FROM stages WHERE name = json_extract(m.body, '$.to') AND NOT is_side)
                    > coalesce((SELECT position FROM stages WHERE name = \(before)), -1)
                """
        ).execute()
        guard tx.db.changesCount > 0 else { return }
        try add(
            """
            SELECT date(coalesce(m.settled_at, b.at)), CASE WHEN m.id IS NULL THEN b.kind ELSE 'mail' END,
                   coalesce(m.template, \(ContentRoll.content)), CASE WHEN m.id IS NULL THEN '' ELSE \(ContentRoll.sequence) END,
                   CASE WHEN m.id IS NULL THEN d.stage ELSE \(ContentRoll.stage(of: "b.lead_id", before: ContentRoll.sending)) END, 'moved_on'
            FROM temp.figures_moves AS d CROSS JOIN events AS b ON b.id = d.event_id
            LEFT JOIN outbox_messages AS m ON b.kind GLOB 'mail.*' AND m.id = json_extract(b.body, '$.message_id')
            WHERE d.stage = \(ContentRoll.stage(of: "b.lead_id", before: "b.id"))
            """)
    }

    /// The furthest stage a lead had reached when an event came; empty for none.
    private static func stage(of lead: String, before event: String) -> String {
        """
        coalesce((SELECT s.name FROM events AS e
                  JOIN stages AS s ON s.name = coalesce(json_extract(e.body, '$.to'), json_extract(e.body, '$.stage')) AND NOT s.is_side
                  WHERE e.lead_id = \(lead) AND e.id < \(event) AND +e.kind IN ('lead.created', 'lead.stage_changed')
                  ORDER BY s.position DESC LIMIT 1), '')
        """
    }

    /// Adds up rows that each stand for one, by day and by month: told first, or SQLite would look each stage up twice.
    private func add(_ select: String) throws {
        try tx.scratchTable(
            "figures_told",
            columns: "day TEXT, kind TEXT, content TEXT, sequence TEXT, stage TEXT, measure TEXT, count INTEGER")
        try tx.run(
            """
            WITH told (day, kind, content, sequence, stage, measure) AS MATERIALIZED (\(select))
            INSERT INTO temp.figures_told
            SELECT day, kind, content, sequence, stage, measure, count(*) FROM told WHERE true GROUP BY 1, 2, 3, 4, 5, 6
            """)
        try tx.run(
            """
            INSERT INTO figures_contents (day, kind, content, sequence, stage, measure, count)
            SELECT day, kind, content, sequence, stage, measure, count FROM temp.figures_told WHERE true
            ON CONFLICT (day, kind, content, sequence, stage, measure) DO UPDATE SET count = count + excluded.count
            """)
        try tx.run(
            """
            INSERT INTO figures_content_months (month, kind, content, sequence, stage, measure, count)
            SELECT substr(day, 1, 7), kind, content, sequence, stage, measure, sum(count) FROM temp.figures_told
            WHERE true GROUP BY 1, 2, 3, 4, 5, 6
            ON CONFLICT (kind, month, content, sequence, stage, measure) DO UPDATE SET count = count + excluded.count
            """)
    }
}
