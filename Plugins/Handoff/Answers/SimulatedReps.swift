import TrellisKernel

/// What reps do with handoffs in a simulation, and what became of them.
struct SimulatedReps {
    let settings: HandoffSettings

    /// Measured by when things happen on the clock of the wall: a rep's night counts too.
    var acts: [SimulatedAct] {
        let offer = "chance.body ->> 'cycle' || ':' || coalesce(chance.body ->> 'offer', 1)"
        let (offered, accepted) = (
            SimulatedAct.Chance("handoff.offered", subject: offer),
            SimulatedAct.Chance("handoff.accepted", subject: offer)
        )
        let converted = SimulatedAct.Chance("handoff.converted", subject: "chance.body ->> 'cycle'")
        let contacts = ["lead.contacted"] + settings.clocks.contactOn.map(\.value).filter { $0 != "lead.contacted" }
        let (hour, day) = (3600.0, 86_400.0)
        return [
            SimulatedAct(
                "handoff.accepted", ofEach: "handoffs offered", after: offered, knownBy: trace("handoff.accepted"),
                usual: .init(0.7, after: 4 * hour), choice: "answer", perform: accept),
            SimulatedAct(
                "handoff.rejected", ofEach: "handoffs offered", after: offered, knownBy: trace("handoff.rejected"),
                usual: .init(0.15, after: 8 * hour), choice: "answer", perform: reject),
            SimulatedAct(
                "lead.contacted", ofEach: "handoffs accepted", after: accepted, knownBy: .init(contacts),
                usual: .init(0.8, after: day), perform: contact),
            SimulatedAct(
                "handoff.converted", ofEach: "handoffs accepted", after: accepted,
                knownBy: trace("handoff.converted"), usual: .init(0.25, after: 10 * day), perform: convert),
            SimulatedAct(
                "handoff.won", ofEach: "opportunities", after: converted, knownBy: trace("handoff.won"),
                usual: .init(0.25, after: 30 * day), choice: "outcome"
            ) { try close("won", $0) },
            SimulatedAct(
                "handoff.lost", ofEach: "opportunities", after: converted, knownBy: trace("handoff.lost"),
                usual: .init(0.4, after: 30 * day), choice: "outcome"
            ) { try close("lost", $0) },
        ]
    }

    private func trace(_ kind: String) -> SimulatedAct.Trace {
        .init([kind], where: "trace.body ->> 'cycle' = chance.body ->> 'cycle'")
    }

    // MARK: - Acts

    /// The handoffs that are still where the chance was given.
    private static func found(_ states: String) -> String {
        """
        SELECT h.id FROM temp.simulated AS s JOIN events AS chance ON chance.id = s.chance_id
        JOIN handoff_handoffs AS h ON h.lead_id = s.lead_id AND h.cycle = chance.body ->> 'cycle' AND h.offer = coalesce(chance.body ->> 'offer', 1)
        WHERE (\(states))
        """
    }

    private static let unanswered = "h.state = 'offered' OR (h.state = 'escalated' AND h.accepted_at IS NULL)"
    private static let inHand = "h.state = 'accepted' OR (h.state = 'escalated' AND h.accepted_at IS NOT NULL)"

    private func accept(_ tx: Transaction) throws {
        try tx.db.execute(
            sql:
                "UPDATE handoff_handoffs SET state = 'accepted' WHERE id IN (\(SimulatedReps.found(SimulatedReps.unanswered)))"
        )
    }

    private func reject(_ tx: Transaction) throws {
        guard try SimulatedReps.gather(SimulatedReps.unanswered, tx) else { return }
        let answers = Answers(settings: settings, tx: tx)
        let condition = SimulatedReps.isGathered
        try tx.db.execute(
            sql: "UPDATE handoff_handoffs SET state = 'rejected', reason = ?, reason_is_code = ? WHERE \(condition)",
            arguments: [settings.rejectReasons.first ?? "simulated", !settings.rejectReasons.isEmpty])
        try answers.giveBack(
            Int64.fetchAll(tx.db, sql: "SELECT id FROM handoff_handoffs WHERE \(condition)"),
            resting: settings.afterRejection)
    }

    private func contact(_ tx: Transaction) throws {
        guard try SimulatedReps.gather(SimulatedReps.inHand, tx) else { return }
        try tx.emit(
            "lead.contacted",
            forEach: """
                SELECT lead_id, NULL AS cause_id, '{}' AS body FROM handoff_handoffs WHERE \(SimulatedReps.isGathered) ORDER BY id
                """)
        try Contacts(tx: tx).note(SimulatedReps.isGathered, at: "'\(tx.stamp)'")
    }

    /// A contact, an account and an opportunity each, as a rep makes them: one by one, for reps have few at a time.
    private func convert(_ tx: Transaction) throws {
        let hasNoDeal =
            "NOT EXISTS (SELECT 1 FROM opportunities WHERE lead_id = h.lead_id AND stage NOT IN ('won', 'lost'))"
        for id in try Int64.fetchAll(
            tx.db, sql: SimulatedReps.found("(\(SimulatedReps.inHand)) AND \(hasNoDeal)"))
        {
            _ = try Answers(settings: settings, tx: tx).convert(.init(String(id)), amount: nil)
        }
    }

    /// The plugin learns of it from the opportunity, whoever closes it.
    private func close(_ outcome: String, _ tx: Transaction) throws {
        try tx.db.execute(
            sql: """
                UPDATE opportunities SET stage = :outcome, closed_at = :now, updated_at = :now
                WHERE stage NOT IN ('won', 'lost') AND id IN (
                    SELECT h.opportunity_id FROM temp.simulated AS s JOIN events AS chance ON chance.id = s.chance_id
                    JOIN handoff_handoffs AS h ON h.lead_id = s.lead_id AND h.cycle = chance.body ->> 'cycle'
                    WHERE h.state = 'converted' AND h.outcome IS NULL)
                """, arguments: ["outcome": outcome, "now": tx.stamp])
    }

    /// Keeps which handoffs those are, for they move while they are worked at. False where there are none.
    private static func gather(_ states: String, _ tx: Transaction) throws -> Bool {
        try tx.scratchTable("handoff_simulated", columns: "id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(sql: "INSERT OR IGNORE INTO temp.handoff_simulated \(found(states))").execute()
        return tx.db.changesCount > 0
    }

    private static let isGathered = "id IN (SELECT id FROM temp.handoff_simulated)"

    // MARK: - Result

    /// What happened to each rep's handoffs.
    static func section(_ question: SimulationReport, _ db: Database) throws -> SimulationSection {
        let states = ["offered", "accepted", "rejected", "expired", "converted", "won", "lost"]
        let counts = states.map { "count(*) FILTER (WHERE state = '\($0)')" }
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT coalesce(rep, '(queue)'), \(counts.joined(separator: ", ")),
                       (SELECT count(*) FROM handoff_handoffs AS h WHERE h.rep IS t.rep AND h.state IN ('queued', 'offered', 'escalated', 'accepted'))
                FROM handoff_transitions AS t WHERE at > :from AND at <= :until GROUP BY rep ORDER BY rep IS NULL, rep
                """, arguments: ["from": question.from, "until": question.until])
        return SimulationSection(
            "Handoffs by rep", drawing: .bars, Table(columns: ["rep"] + states + ["open_at_end"], rows))
    }
}
