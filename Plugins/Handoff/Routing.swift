import TrellisKernel

/// Chooses a rep for every lead of a batch that reached the stage: one statement per rule of the route, however many
/// leads.
struct Routing {
    let settings: HandoffSettings
    let tx: Transaction

    /// Leads that reached the stage, or a later one without a stop, and that nobody has.
    func offerFromBatch() throws {
        try tx.scratchTable(
            "handoff_candidates", columns: "lead_id INTEGER PRIMARY KEY, event_id INTEGER, rep TEXT, route TEXT")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.handoff_candidates (lead_id, event_id)
                SELECT b.lead_id, min(b.id) FROM batch AS b
                CROSS JOIN stages AS reached ON reached.name = coalesce(json_extract(b.body, '$.to'), json_extract(b.body, '$.stage'))
                CROSS JOIN stages AS wanted ON wanted.name = :at
                CROSS JOIN leads AS l ON l.id = b.lead_id
                WHERE NOT reached.is_side AND reached.position >= wanted.position
                  AND (SELECT NOT is_side FROM stages WHERE name = l.stage)
                  AND NOT EXISTS (SELECT 1 FROM handoff_handoffs AS h WHERE h.lead_id = b.lead_id AND h.state IN ('queued', 'offered', 'accepted', 'converted'))
                GROUP BY b.lead_id
                """
        ).execute(arguments: ["at": settings.at.value])
        guard tx.db.changesCount > 0 else { return }
        try route()
        try filter()
        try offer()
    }

    // MARK: - Rules

    private func route() throws {
        let rules = settings.route.isEmpty ? [HandoffSettings.Route()] : settings.route
        for (index, rule) in rules.enumerated() {
            let label = "route \(index + 1): \(rule.to.value)"
            let condition =
                rule.when.map { "lead_id IN (SELECT id FROM leads WHERE id = lead_id AND (\($0.value)\n))" } ?? "true"
            switch rule.to.value {
            case "queue": try assign("NULL", label, where: condition)
            case "account_owner": try assignToOwner(label, where: condition)
            case "round_robin": try deal(label, where: condition, order: "open_after - open_before, turn")
            case "least_loaded": try deal(label, where: condition, order: "open_after, turn")
            default: try assignWithinCapacity(rule.to.value, label, where: condition)
            }
        }
        // Whom no rule took, or whose reps are full, waits in the queue.
        try tx.db.cachedStatement(sql: "UPDATE temp.handoff_candidates SET route = 'queue' WHERE route IS NULL")
            .execute()
    }

    private func assign(_ rep: String, _ label: String, where condition: String) throws {
        try tx.db.cachedStatement(
            sql: "UPDATE temp.handoff_candidates SET rep = \(rep), route = ? WHERE route IS NULL AND \(condition)"
        ).execute(arguments: [label])
    }

    /// The owner of the lead's account, be it a rep of the config or a name the CRM already had.
    private func assignToOwner(_ label: String, where condition: String) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.handoff_candidates SET rep = owner.owner, route = ?
                FROM (SELECT l.id, a.owner FROM leads AS l JOIN accounts AS a ON a.id = l.account_id WHERE a.owner IS NOT NULL) AS owner
                WHERE owner.id = handoff_candidates.lead_id AND route IS NULL AND \(condition)
                """
        ).execute(arguments: [label])
    }

    private func assignWithinCapacity(_ rep: String, _ label: String, where condition: String) throws {
        let capacity = settings.reps.first { $0.name == rep }?.value.capacity ?? 0
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.handoff_candidates SET rep = :rep, route = :label
                WHERE lead_id IN (SELECT lead_id FROM temp.handoff_candidates WHERE route IS NULL AND \(condition) ORDER BY event_id
                                  LIMIT max(0, :capacity - (\(Routing.open(":rep")))))
                """
        ).execute(arguments: ["rep": rep, "label": label, "capacity": capacity])
    }

    /// Deals the leads out over free places. A rep with `capacity - open` free has so many places; the places of all
    /// reps are put in order, and the n-th lead takes the n-th place.
    private func deal(_ label: String, where condition: String, order: String) throws {
        let most = settings.reps.map(\.value.capacity).max() ?? 0
        guard most > 0 else { return }
        let reps = settings.reps.enumerated().map { "(\($0), \($1.name.sqlLiteral), \($1.value.capacity))" }.joined(
            separator: ", ")
        try tx.db.cachedStatement(
            sql: """
                WITH RECURSIVE reps (number, rep, capacity) AS (VALUES \(reps)),
                waiting AS (SELECT lead_id, row_number() OVER (ORDER BY event_id) AS nth FROM temp.handoff_candidates WHERE route IS NULL AND \(condition)),
                loads AS (SELECT rep, capacity, (\(Routing.open("reps.rep"))) AS open_before,
                                 (number - (SELECT next_rep FROM handoff_turns) % \(settings.reps.count) + \(settings.reps.count))
                                 % \(settings.reps.count) AS turn FROM reps),
                places (rep, open_before, open_after, turn, capacity) AS (
                    SELECT rep, open_before, open_before + 1, turn, capacity FROM loads WHERE open_before < capacity
                    UNION ALL
                    SELECT rep, open_before, open_after + 1, turn, capacity FROM places
                    WHERE open_after < capacity AND open_after - open_before < (SELECT count(*) FROM waiting)),
                ordered AS (SELECT rep, row_number() OVER (ORDER BY \(order)) AS nth FROM places)
                UPDATE temp.handoff_candidates SET rep = dealt.rep, route = :label
                FROM (SELECT lead_id, rep FROM waiting JOIN ordered USING (nth)) AS dealt WHERE dealt.lead_id = handoff_candidates.lead_id
                """
        ).execute(arguments: ["label": label])
        // Next comes the rep behind the one that got the last of these leads, whoever was full in between.
        try tx.db.cachedStatement(
            sql: """
                WITH reps (number, rep, capacity) AS (VALUES \(reps))
                UPDATE handoff_turns SET next_rep = (last.number + 1) % \(settings.reps.count)
                FROM (SELECT number FROM temp.handoff_candidates AS dealt JOIN reps ON reps.rep = dealt.rep
                      WHERE dealt.route = :label ORDER BY dealt.event_id DESC LIMIT 1) AS last
                """
        ).execute(arguments: ["label": label])
    }

    /// How many leads a rep has in hand, those just chosen among them.
    static func open(_ rep: String) -> String {
        """
        SELECT count(*) FROM (SELECT 1 FROM handoff_handoffs WHERE rep = \(rep) AND state IN ('offered', 'accepted')
                              UNION ALL SELECT 1 FROM temp.handoff_candidates WHERE rep = \(rep))
        """
    }

    // MARK: - Offers

    /// Asks the filters of other plugins, where there are any.
    private func filter() throws {
        guard tx.hasFilters(HandoffDraft.self) else { return }
        for row in try Row.fetchAll(tx.db, sql: "SELECT lead_id, rep FROM temp.handoff_candidates") {
            var draft = HandoffDraft(leadID: row[0], rep: row[1])
            do {
                try tx.filter(&draft)
                try tx.db.cachedStatement(sql: "UPDATE temp.handoff_candidates SET rep = ? WHERE lead_id = ?").execute(
                    arguments: [draft.rep, draft.leadID])
            } catch is Veto {
                try tx.db.cachedStatement(sql: "DELETE FROM temp.handoff_candidates WHERE lead_id = ?").execute(
                    arguments: [draft.leadID])
            }
        }
    }

    private func offer() throws {
        let last =
            try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT coalesce(max(id), 0) FROM handoff_handoffs")) ?? 0
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO handoff_handoffs (lead_id, cycle, rep, route, state, event_id, offered_at)
                SELECT lead_id, (SELECT coalesce(max(cycle), 0) + 1 FROM handoff_handoffs AS h WHERE h.lead_id = c.lead_id), rep, route,
                       CASE WHEN rep IS NULL THEN 'queued' ELSE 'offered' END, event_id, :now
                FROM temp.handoff_candidates AS c ORDER BY event_id
                """
        ).execute(arguments: ["now": tx.stamp])
        try Routing.announce("id > \(last)", settings, tx)
    }

    /// Sets the owner, states the fact and tells the rep, for handoffs that were just offered or queued.
    static func announce(_ condition: String, _ settings: HandoffSettings, _ tx: Transaction) throws {
        try tx.db.execute(
            sql: """
                UPDATE leads SET owner = h.rep, updated_at = ? FROM handoff_handoffs AS h
                WHERE h.\(condition) AND h.lead_id = leads.id AND h.rep IS NOT NULL AND leads.owner IS NOT h.rep
                """, arguments: [tx.stamp])
        try tx.emit(
            "handoff.offered",
            forEach: """
                SELECT lead_id, event_id AS cause_id, json_object('rep', rep, 'cycle', cycle) AS body FROM handoff_handoffs WHERE \(condition) AND state = 'offered'
                """)
        try tx.emit(
            "handoff.queued",
            forEach: """
                SELECT lead_id, event_id AS cause_id, json_object('cycle', cycle) AS body FROM handoff_handoffs WHERE \(condition) AND state = 'queued'
                """)
        let addresses = settings.reps.map { "WHEN \($0.name.sqlLiteral) THEN \($0.value.email.sqlLiteral)" }.joined(
            separator: " ")
        try tx.send(
            .internal,
            forEach: """
                SELECT 'handoff:' || id || ':offer to ' || rep AS key, lead_id, CASE rep \(addresses) END AS recipient, 'handoff-offer' AS template,
                       json_object('handoff', id) AS body, event_id AS cause_id
                FROM handoff_handoffs WHERE \(condition) AND state = 'offered' AND CASE rep \(addresses) END IS NOT NULL
                """)
    }
}
