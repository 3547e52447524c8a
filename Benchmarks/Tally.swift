/// Compares what both sides left behind: the same rows, ids and times apart.
struct Tally {
    /// A SELECT whose rows must be the same on both sides.
    struct Question: Sendable {
        let name: String
        let sql: String

        init(_ name: String, _ sql: String) {
            self.name = name
            self.sql = sql
        }
    }

    let questions: [Question]

    static let everything = [
        Question(
            "leads",
            """
            SELECT count(*), sum(length(email)), sum(unicode(email) * 7 + unicode(substr(email, 3))), sum(employees),
                   sum(length(first_name || last_name)), sum(length(company)), sum(length(title || industry)), sum(length(city || country || source)) FROM leads
            """),
        Question(
            "leads by stage and owner",
            "SELECT stage, coalesce(owner, ''), count(*) FROM leads GROUP BY 1, 2 ORDER BY 1, 2"),
        Question("touches", "SELECT kind, source, count(*) FROM touches GROUP BY 1, 2 ORDER BY 1, 2"),
        Question(
            "consents",
            "SELECT purpose, state, source, count(*), sum(lead_id) FROM consents GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"),
        Question(
            "events",
            """
            SELECT kind, origin, count(*), sum(lead_id), sum(depth), count(cause_id), sum(length(body)) FROM events
            WHERE kind NOT IN ('drip.due', 'audiences.refresh_due', 'audiences.moment_due', 'scoring.review_due') AND kind NOT LIKE 'plugin.%' GROUP BY 1, 2 ORDER BY 1, 2
            """),
        Question(
            "scoring_entries",
            "SELECT axis, rule, count(*), sum(points), sum(lead_id) FROM scoring_entries GROUP BY 1, 2 ORDER BY 1, 2"),
        Question(
            "scoring_scores",
            "SELECT count(*), sum(fit), sum(engagement), sum(score), sum(score * lead_id), sum(decays) FROM scoring_scores"
        ),
        Question(
            "drip_enrolments",
            """
            SELECT sequence, state, cycle, step, due_at, version, resting_at, substr(arrived_at, 1, 16), count(*), sum(lead_id)
            FROM drip_enrolments GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
            """),
        Question(
            "scoring_standings",
            "SELECT threshold, is_rearmed, count(*), sum(lead_id) FROM scoring_standings GROUP BY 1, 2 ORDER BY 1, 2"),
        Question(
            "outbox_messages",
            """
            SELECT template, purpose, origin, state, coalesce(recipient, ''), count(*), sum(lead_id), count(cause_id), count(DISTINCT key)
            FROM outbox_messages GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
            """),
        Question(
            "handoff_handoffs",
            "SELECT rep, route, state, cycle, count(*) FROM handoff_handoffs GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"),
        Question("who is handed off", "SELECT count(*), sum(lead_id) FROM handoff_handoffs"),
        Question("handoff_turns", "SELECT * FROM handoff_turns"),
        Question(
            "handoff_transitions",
            """
            SELECT t.state, t.rep, t.route, t.offer, t.origin, e.kind, count(*), sum(t.lead_id) FROM handoff_transitions AS t
            JOIN events AS e ON e.id = t.event_id AND e.lead_id = t.lead_id GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
            """),
        Question(
            "audiences_members",
            "SELECT audience, count(*), sum(lead_id), count(until) FROM audiences_members GROUP BY 1 ORDER BY 1"),
        Question(
            "audiences_exports", "SELECT audience, platform, members, withheld FROM audiences_exports ORDER BY id"),
        Question("audiences_receipts", "SELECT count(*), sum(lead_id) FROM audiences_receipts"),
    ]

    /// What differs, a sentence each.
    func differences(_ workspace: Workspace) throws -> [String] {
        guard !questions.isEmpty else { return [] }
        let ours = try RawDatabase(path: workspace.oursPath)
        let limit = try RawDatabase(path: workspace.limitPath)
        return try questions.compactMap { question in
            let (mine, theirs) = (try ours.rows(question.sql), try limit.rows(question.sql))
            if mine == theirs { return nil }
            let (only, missing) = (mine.filter { !theirs.contains($0) }, theirs.filter { !mine.contains($0) })
            return
                "\(question.name): ours \(only.prefix(5).joined(separator: "; ")) / limit \(missing.prefix(5).joined(separator: "; "))"
        }
    }
}
