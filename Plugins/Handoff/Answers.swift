import Foundation
import TrellisKernel

/// What becomes of a handoff: each answer is one transaction, and refuses a handoff that is no longer open.
struct Answers {
    let settings: HandoffSettings
    let tx: Transaction

    func accept(_ reference: String) throws -> CommandResult {
        let handoff = try find(reference, in: ["offered"])
        try settle(handoff.id, "accepted", reason: nil)
        try tx.emit("handoff.accepted", forEach: fact(handoff.id, "json_object('rep', rep)"))
        if try stageExists("sal") { try tx.moveStage(to: "sal", leads: "SELECT \(handoff.lead)") }
        return .text("\(handoff.rep ?? "") has lead \(handoff.lead).")
    }

    func reject(_ reference: String, reason: String) throws -> CommandResult {
        guard settings.rejectReasons.isEmpty || settings.rejectReasons.contains(reason) else {
            throw KernelError.usage(
                "'\(reason)' is no reason of this config.\(NearMiss.hint(reason, among: settings.rejectReasons)) "
                    + "There are: \(settings.rejectReasons.joined(separator: ", "))."
            )
        }
        let handoff = try find(reference, in: ["queued", "offered", "accepted"])
        try settle(handoff.id, "rejected", reason: reason)
        try tx.emit("handoff.rejected", forEach: fact(handoff.id, "json_object('rep', rep)"))
        try tx.db.execute(
            sql: "UPDATE leads SET stage = 'recycled', owner = NULL, updated_at = ? WHERE id = ?",
            arguments: [tx.stamp, handoff.lead])
        if let recycle = settings.recycle {
            try tx.schedule(
                "handoff.recycle_due",
                forEach: """
                    SELECT 'handoff ' || id AS key, :due AS due_at, lead_id, NULL AS cause_id, json_object('into', :into) AS body
                    FROM handoff_handoffs WHERE id = \(handoff.id)
                    """,
                arguments: ["due": Timestamp.text(tx.now + Double(recycle.after.seconds)), "into": recycle.into?.value])
        }
        return .text(
            "Lead \(handoff.lead) went back to marketing: \(reason)."
                + (settings.recycle.map { " It rests for \($0.after)." } ?? ""))
    }

    func assign(_ reference: String, to rep: String) throws -> CommandResult {
        guard settings.reps.contains(where: { $0.name == rep }) else {
            let names = settings.reps.map(\.name)
            throw KernelError.usage(
                "There is no rep '\(rep)'.\(NearMiss.hint(rep, among: names)) There are: \(names.joined(separator: ", "))."
            )
        }
        let handoff = try find(reference, in: ["queued", "offered"])
        try tx.db.execute(
            sql:
                "UPDATE handoff_handoffs SET rep = ?, state = 'offered', route = 'by hand', offered_at = ? WHERE id = ?",
            arguments: [rep, tx.stamp, handoff.id])
        try Routing.announce("id = \(handoff.id)", settings, tx)
        return .text("Lead \(handoff.lead) is offered to \(rep).")
    }

    func convert(_ reference: String, amount: String?) throws -> CommandResult {
        let handoff = try find(reference, in: ["accepted"])
        let number = amount.flatMap(Double.init)
        guard amount == nil || number != nil else { throw KernelError.usage("The amount must be a number.") }
        let conversion = try tx.convert(lead: handoff.lead, amount: number)
        try settle(handoff.id, "converted", reason: nil)
        return .text(
            "Lead \(handoff.lead) is contact \(conversion.contactID) with opportunity \(conversion.opportunityID).")
    }

    /// Withdraws the handoffs of leads that are gone, and lets recycled leads come back when their rest is over.
    func letGo() throws {
        let gone = "SELECT lead_id FROM batch WHERE kind IN ('lead.deleted', 'lead.erased', 'lead.merged')"
        try tx.emit(
            "handoff.withdrawn",
            forEach: """
                SELECT h.lead_id, max(b.id) AS cause_id, '{}' AS body FROM handoff_handoffs AS h JOIN batch AS b ON b.lead_id = h.lead_id
                WHERE b.kind IN ('lead.deleted', 'lead.erased', 'lead.merged') AND h.state IN ('queued', 'offered', 'accepted')
                GROUP BY h.id
                """)
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET state = 'withdrawn', reason = 'the lead is gone', answered_at = ?
                WHERE state IN ('queued', 'offered', 'accepted') AND lead_id IN (\(gone))
                """
        ).execute(arguments: [tx.stamp])
        // Somebody may have moved the lead meanwhile: only one that still rests comes back.
        try tx.emit(
            "lead.recycled",
            forEach: """
                SELECT b.lead_id, b.id AS cause_id, b.body FROM batch AS b JOIN leads AS l ON l.id = b.lead_id
                WHERE b.kind = 'handoff.recycle_due' AND l.stage = 'recycled'
                """)
        try tx.db.cachedStatement(
            sql: """
                UPDATE leads SET stage = 'lead', updated_at = ?
                WHERE stage = 'recycled' AND id IN (SELECT lead_id FROM batch WHERE kind = 'handoff.recycle_due')
                """
        ).execute(arguments: [tx.stamp])
    }

    // MARK: - Rows

    private func find(_ reference: String, in states: [String]) throws -> (id: Int64, lead: Int64, rep: String?) {
        guard let id = Int64(reference),
            let row = try Row.fetchOne(
                tx.db, sql: "SELECT lead_id, rep, state FROM handoff_handoffs WHERE id = ?", arguments: [id])
        else { throw KernelError.data("There is no handoff '\(reference)'. See: trellis handoff list.") }
        let state: String = row["state"]
        guard states.contains(state) else {
            throw KernelError.data(
                "Handoff \(id) is \(state); this needs one that is \(states.joined(separator: " or ")).")
        }
        return (id, row["lead_id"], row["rep"])
    }

    private func settle(_ id: Int64, _ state: String, reason: String?) throws {
        try tx.db.execute(
            sql: "UPDATE handoff_handoffs SET state = ?, reason = ?, answered_at = ? WHERE id = ?",
            arguments: [state, reason, tx.stamp, id])
    }

    private func fact(_ id: Int64, _ body: String) -> String {
        "SELECT lead_id, event_id AS cause_id, \(body) AS body FROM handoff_handoffs WHERE id = \(id)"
    }

    private func stageExists(_ name: String) throws -> Bool {
        try Bool.fetchOne(tx.db, sql: "SELECT EXISTS (SELECT 1 FROM stages WHERE name = ?)", arguments: [name]) ?? false
    }
}
