import TrellisKernel

/// Chooses a rep for every lead of a batch that reached the stage, or that lost its rep: a statement or two per rule of
/// the route, however many leads there are.
struct Routing {
    let settings: HandoffSettings
    let tx: Transaction

    /// Leads of the queue that are looked at together.
    static let queueMax = 500

    /// What a lead is looked at after.
    static func kinds(_ settings: HandoffSettings) -> [String] {
        ["lead.created", "lead.stage_changed", "lead.restored"] + (settings.condition == nil ? [] : ["lead.updated"])
    }

    /// Leads that reached the stage, or a later one without a stop, and that nobody has.
    func offerFromBatch() throws {
        try withdrawPastSales()
        // Nobody is overtaken: who waits in the queue comes before who is new.
        try drainQueue()
        try begin()
        // Where a condition must hold too, any change of a lead that has the stage may be what makes it hold.
        let (stage, gate) =
            settings.condition.map {
                (
                    "(SELECT stage FROM leads WHERE leads.id = b.lead_id AND b.kind = 'lead.updated')",
                    "AND b.lead_id IN (SELECT id FROM leads WHERE id = b.lead_id AND (\($0.value)\n))"
                )
            } ?? ("NULL", "")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.handoff_candidates (lead_id, event_id)
                SELECT b.lead_id, min(b.id) FROM batch AS b
                CROSS JOIN stages AS reached
                    ON reached.name = coalesce(json_extract(b.body, '$.to'), json_extract(b.body, '$.stage'), \(stage))
                CROSS JOIN stages AS wanted ON wanted.name = :at
                CROSS JOIN leads AS l ON l.id = b.lead_id
                WHERE NOT reached.is_side AND reached.position >= wanted.position
                  AND (SELECT NOT is_side FROM stages WHERE name = l.stage) AND NOT \(PastSales.holds(for: "l.stage", at: settings.at.value))
                  AND NOT EXISTS (SELECT 1 FROM handoff_handoffs AS h WHERE h.lead_id = b.lead_id
                                  AND h.state IN ('queued', 'offered', 'escalated', 'accepted', 'expired', 'converted'))
                  \(gate)
                GROUP BY b.lead_id
                """
        ).execute(arguments: ["at": settings.at.value])
        guard tx.db.changesCount > 0 else { return }
        try finish()
    }

    /// Who got a deal or became a customer before a rep had accepted them is taken out of the queue and the offers. A
    /// conversion is not meant: it is told as one.
    private func withdrawPastSales() throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET state = 'withdrawn', reason = 'the lead is past sales'
                WHERE lead_id IN (
                    SELECT l.id FROM batch AS b CROSS JOIN leads AS l ON l.id = b.lead_id
                    WHERE b.kind = 'lead.stage_changed' AND l.contact_id IS NULL AND \(PastSales.holds(for: "l.stage", at: settings.at.value)))
                  AND (state IN ('queued', 'offered') OR state = 'escalated' AND accepted_at IS NULL)
                """
        ).execute()
    }

    /// Handoffs that need another rep, as SQL over `handoff_handoffs AS h`: by the rules, and to nobody who let them
    /// lapse, as long as somebody else can take them. Who finds none waits in the queue.
    func again(_ condition: String, arguments: StatementArguments = [:]) throws {
        try begin()
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.handoff_candidates (lead_id, event_id, handoff_id, barred)
                SELECT h.lead_id, h.event_id, h.id, (
                    SELECT group_concat(t.rep, char(31)) FROM handoff_transitions AS t WHERE t.handoff_id = h.id AND t.state = 'expired')
                FROM handoff_handoffs AS h WHERE \(condition)
                """
        ).execute(arguments: arguments)
        guard tx.db.changesCount > 0 else { return }
        try finish()
    }

    /// Leads that wait because nobody was free, the longest first, while somebody is. Who stands in the queue by a rule
    /// stays there until a person takes them.
    func drainQueue() throws {
        guard try isAnybodyWaiting() else { return }
        try begin()
        let roster = Roster(settings: settings, calendars: try Calendars(settings, tx), tx: tx)
        guard try roster.places().values.contains(where: { $0 > 0 }) else {
            if settings.offHours == .queue { try wake() }
            return
        }
        try again(
            """
            h.id IN (SELECT id FROM handoff_handoffs WHERE state = 'queued' AND route = 'queue' ORDER BY offered_at, id LIMIT \(Routing.queueMax))
            """)
        let isMore = try Bool.fetchOne(
            tx.db.cachedStatement(
                sql: """
                    SELECT (SELECT count(*) FROM temp.handoff_candidates WHERE rep IS NOT NULL) = \(Routing.queueMax)
                    """))
        if isMore == true { try appoint(at: tx.stamp, key: nil) }
    }

    /// To the queue, until a person gives it to somebody.
    func toQueue(_ condition: String, because route: String) throws {
        try begin()
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.handoff_candidates (lead_id, event_id, handoff_id, route)
                SELECT h.lead_id, h.event_id, h.id, ? FROM handoff_handoffs AS h WHERE \(condition)
                """
        ).execute(arguments: [route])
        if tx.db.changesCount > 0 { try write() }
    }

    private func begin() throws {
        try tx.scratchTable(
            "handoff_candidates",
            columns:
                "lead_id INTEGER PRIMARY KEY, event_id INTEGER, handoff_id INTEGER, rep TEXT, route TEXT, barred TEXT")
    }

    private func finish() throws {
        try Roster.note(settings, tx)
        try route()
        try filter()
        try write()
        if settings.offHours == .queue { try wake() }
    }

    // MARK: - Rules

    private func route() throws {
        let roster = Roster(settings: settings, calendars: try Calendars(settings, tx), tx: tx)
        try ask(roster)
        // Where nobody else has a place, one who let the lead lapse has it again: in the queue it would be nobody's.
        try tx.db.cachedStatement(
            sql: "UPDATE temp.handoff_candidates SET barred = NULL WHERE route IS NULL AND barred IS NOT NULL"
        ).execute()
        if tx.db.changesCount > 0 { try ask(roster) }
        // Whom no rule took, or whose reps are full, waits in the queue.
        try tx.db.cachedStatement(sql: "UPDATE temp.handoff_candidates SET route = 'queue' WHERE route IS NULL")
            .execute()
    }

    /// Asks the rules in their order for the leads that none took yet.
    private func ask(_ roster: Roster) throws {
        if settings.keepsOwner { try keepOwners(roster) }
        let rules = settings.route.isEmpty ? [HandoffSettings.Route()] : settings.route
        for (index, rule) in rules.enumerated() {
            let label = "route \(index + 1): \(rule.to.value)"
            let condition =
                rule.when.map { "lead_id IN (SELECT id FROM leads WHERE id = lead_id AND (\($0.value)\n))" } ?? "true"
            switch rule.to.value {
            case "queue": try assign(label, where: condition)
            case HandoffSettings.Target.accountOwner: try assignToOwner(label, roster, where: condition)
            case let target:
                if let pool = Dealing.Pool(rawValue: target) {
                    try Dealing(pool: pool, roster: roster, label: label).run(where: condition)
                } else {
                    try assign(to: target, label, roster, where: condition)
                }
            }
        }
    }

    /// A lead that has a rep, or had one who accepted it, goes there again while that rep has a place.
    private func keepOwners(_ roster: Roster) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.handoff_candidates SET rep = kept.rep, route = 'the rep it had'
                FROM (
                    SELECT had.lead_id, had.rep, row_number() OVER (PARTITION BY had.rep ORDER BY had.event_id) AS nth, place.value AS places
                    FROM (
                        SELECT c.lead_id, c.event_id, c.barred, coalesce(l.owner, (
                            SELECT h.rep FROM handoff_handoffs AS h WHERE h.lead_id = c.lead_id AND h.accepted_at IS NOT NULL ORDER BY h.cycle DESC LIMIT 1)) AS rep
                        FROM temp.handoff_candidates AS c CROSS JOIN leads AS l ON l.id = c.lead_id WHERE c.route IS NULL) AS had
                    CROSS JOIN json_each(:places) AS place ON place.key = had.rep
                    WHERE instr(char(31) || coalesce(had.barred, '') || char(31), char(31) || had.rep || char(31)) = 0) AS kept
                WHERE kept.lead_id = handoff_candidates.lead_id AND kept.nth <= kept.places
                """
        ).execute(arguments: ["places": try Routing.json(roster.places())])
    }

    /// Into the queue, by a rule.
    private func assign(_ label: String, where condition: String) throws {
        try tx.db.cachedStatement(
            sql: "UPDATE temp.handoff_candidates SET route = ? WHERE route IS NULL AND \(condition)"
        ).execute(arguments: [label])
    }

    /// The owner of the lead's account, as far as that one is a rep and has places. An owner whom the config does not
    /// know has no address and no capacity: the lead goes by the next rule, and the name is noted for `trellis status`.
    private func assignToOwner(_ label: String, _ roster: Roster, where condition: String) throws {
        let owned = """
            temp.handoff_candidates AS c CROSS JOIN leads AS l ON l.id = c.lead_id CROSS JOIN accounts AS a ON a.id = l.account_id
            """
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO handoff_unknown_owners (owner, leads, since)
                SELECT a.owner, sum(c.handoff_id IS NULL), :now FROM \(owned)
                WHERE c.route IS NULL AND a.owner NOT IN (SELECT rep FROM handoff_reps) AND \(condition) GROUP BY a.owner
                ON CONFLICT (owner) DO UPDATE SET leads = leads + excluded.leads WHERE excluded.leads > 0
                """
        ).execute(arguments: ["now": tx.stamp])
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.handoff_candidates SET rep = chosen.owner, route = :label
                FROM (
                    SELECT c.lead_id, a.owner, row_number() OVER (PARTITION BY a.owner ORDER BY c.event_id, c.lead_id) AS nth, place.value AS places
                    FROM \(owned) CROSS JOIN json_each(:places) AS place ON place.key = a.owner
                    WHERE c.route IS NULL AND \(Routing.isNotBarred("a.owner", in: "c")) AND \(condition)) AS chosen
                WHERE chosen.lead_id = handoff_candidates.lead_id AND chosen.nth <= chosen.places
                """
        ).execute(arguments: ["label": label, "places": try Routing.json(roster.places())])
    }

    /// Places by rep, as SQL reads them.
    private static func json(_ places: [String: Int]) -> String {
        JSONValue.object(places.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) }).text()
    }

    /// To the rep that the rule names, as far as that one has places.
    private func assign(to rep: String, _ label: String, _ roster: Roster, where condition: String) throws {
        guard let places = try roster.places()[rep], places > 0 else { return }
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.handoff_candidates SET rep = :rep, route = :label
                WHERE lead_id IN (SELECT lead_id FROM temp.handoff_candidates
                                  WHERE route IS NULL AND \(Routing.isNotBarred(":rep")) AND \(condition) ORDER BY event_id LIMIT :places)
                """
        ).execute(arguments: ["rep": rep, "label": label, "places": places])
    }

    private static func isNotBarred(_ rep: String, in table: String = "handoff_candidates") -> String {
        "instr(char(31) || coalesce(\(table).barred, '') || char(31), char(31) || \(rep) || char(31)) = 0"
    }

    // MARK: - Offers

    /// Asks the filters of other plugins, where there are any. What somebody had before waits where it is vetoed.
    private func filter() throws {
        guard tx.hasFilters(HandoffDraft.self) else { return }
        // Who goes on waiting in the queue was asked about when they came there.
        for row in try Row.fetchAll(
            tx.db,
            sql: """
                SELECT lead_id, rep FROM temp.handoff_candidates AS c WHERE rep IS NOT NULL OR NOT EXISTS (
                    SELECT 1 FROM handoff_handoffs AS h WHERE h.id = c.handoff_id AND h.state = 'queued')
                """)
        {
            var draft = HandoffDraft(leadID: row[0], rep: row[1])
            do {
                try tx.filter(&draft)
                try tx.db.cachedStatement(sql: "UPDATE temp.handoff_candidates SET rep = ? WHERE lead_id = ?").execute(
                    arguments: [draft.rep, draft.leadID])
            } catch is Veto {
                try tx.db.cachedStatement(
                    sql: "DELETE FROM temp.handoff_candidates WHERE lead_id = ? AND handoff_id IS NULL"
                ).execute(arguments: [draft.leadID])
                try tx.db.cachedStatement(
                    sql: "UPDATE temp.handoff_candidates SET rep = NULL, route = 'kept back' WHERE lead_id = ?"
                ).execute(arguments: [draft.leadID])
            }
        }
    }

    /// The owners of the leads, the handoffs, and with them by their triggers the events.
    private func write() throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE leads SET owner = (SELECT rep FROM temp.handoff_candidates AS c WHERE c.lead_id = leads.id), updated_at = :now
                WHERE id IN (
                    SELECT l.id FROM temp.handoff_candidates AS c CROSS JOIN leads AS l ON l.id = c.lead_id
                    WHERE l.owner IS NOT c.rep
                      AND (c.rep IS NOT NULL OR l.owner = (SELECT rep FROM handoff_handoffs AS h WHERE h.id = c.handoff_id)))
                """
        ).execute(arguments: ["now": tx.stamp])
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET state = CASE WHEN c.rep IS NULL THEN 'queued' ELSE 'offered' END, rep = c.rep, route = c.route
                FROM temp.handoff_candidates AS c
                WHERE c.handoff_id = handoff_handoffs.id AND (c.rep IS NOT NULL OR handoff_handoffs.state <> 'queued')
                """
        ).execute()
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO handoff_handoffs (lead_id, cycle, offer, rep, route, state, event_id, offered_at)
                SELECT lead_id, (SELECT coalesce(max(cycle), 0) + 1 FROM handoff_handoffs AS h WHERE h.lead_id = c.lead_id), rep IS NOT NULL, rep, route,
                       CASE WHEN rep IS NULL THEN 'queued' ELSE 'offered' END, event_id, :now
                FROM temp.handoff_candidates AS c WHERE handoff_id IS NULL ORDER BY event_id
                """
        ).execute(arguments: ["now": tx.stamp])
    }

    // MARK: - The queue

    /// While leads wait for the morning, the queue is looked at when the first rep begins to work.
    private func wake() throws {
        guard try isAnybodyWaiting() else { return }
        let calendars = try Calendars(settings, tx)
        let openings = settings.reps.filter { !calendars.isGone($0.name) }.map {
            calendars.of($0.name).instant(after: tx.now, working: 0)
        }
        guard let first = openings.filter({ $0 > tx.now }).min() else { return }
        let due = Timestamp.text(first)
        try appoint(at: due, key: "handoff.queue_due \(due)")
    }

    private func isAnybodyWaiting() throws -> Bool {
        try Bool.fetchOne(
            tx.db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM handoff_handoffs WHERE state = 'queued' AND route = 'queue')"))
            ?? false
    }

    private func appoint(at due: String, key: String?) throws {
        try tx.schedule(
            "handoff.queue_due",
            forEach: "SELECT :key AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body",
            arguments: ["key": key, "due": due])
    }
}
