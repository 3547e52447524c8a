import Foundation
import TrellisKernel

/// Keeps the members of all audiences in step with the log.
struct Membership {
    let audiences: Audiences
    let tx: Transaction

    /// Kinds after which a lead, or what belongs to it, is there or not there any more: any audience may have been
    /// about it.
    private static let upheavals: Set<String> = ["lead.merged", "lead.erased", "lead.deleted", "lead.restored"]

    /// Looks again at the leads that the batch is about.
    func follow() throws {
        let kinds = try tx.kindsInBatch()
        try gather(kinds, try tablesRead())
        let upkeeps = try TakeUp(audiences: audiences, tx: tx).run()
        if kinds.contains("lead.merged") { try merge() }
        if kinds.contains("lead.erased") { try forgetConsents() }
        try look(upkeeps, after: kinds)
        try planScan(upkeeps)
    }

    /// Looks at what is due: the leads that triggers noted or whose moment came, audiences that are looked at as a
    /// whole, for the clock or always.
    func refreshDue() throws {
        try tx.scratchTable("audiences_changed", columns: Upkeep.changedColumns)
        let upkeeps = try TakeUp(audiences: audiences, tx: tx).run()
        let due = try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT DISTINCT CAST(json_extract(body, '$.audience') AS TEXT) AS audience FROM batch WHERE kind = 'audiences.refresh_due'
                    """)
        ).map { $0["audience"] as String? }
        for audience in audiences.inOrder {
            guard let upkeep = upkeeps[audience.name] else { continue }
            let isDue = due.contains(audience.name) || (due.contains(nil) && upkeep.obstacle != nil)
            if isDue { try Look(audience: audience, audiences: audiences, upkeep: upkeep, tx: tx).atAll() }
        }
        try look(upkeeps, after: [], turned: Turns.takeDue(tx))
    }

    /// Looks at every lead for every audience.
    func refreshAll() throws {
        try tx.scratchTable("audiences_changed", columns: Upkeep.changedColumns)
        _ = try TakeUp(audiences: audiences, tx: tx).run(force: true)
    }

    // MARK: - Which leads

    /// The leads of the events that tell of a table that an audience reads.
    private func gather(_ kinds: Set<String>, _ read: Set<String>?) throws {
        try tx.scratchTable("audiences_changed", columns: Upkeep.changedColumns)
        let concerning = kinds.filter { kind in
            guard let read, let touched = Membership.tables(touchedBy: [kind]) else { return true }
            return !touched.isDisjoint(with: read)
        }
        let list = String(decoding: try JSONEncoder().encode(concerning.sorted()), as: UTF8.self)
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.audiences_changed (lead_id, cause_id)
                SELECT lead_id, max(id) FROM batch
                WHERE lead_id IS NOT NULL AND kind IN (SELECT value FROM json_each(?)) GROUP BY lead_id
                """
        ).execute(arguments: [list])
        if kinds.contains("lead.merged") {
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO temp.audiences_changed (lead_id, cause_id)
                    SELECT json_extract(body, '$.into'), max(id) FROM batch WHERE kind = 'lead.merged' GROUP BY 1
                    ON CONFLICT (lead_id) DO NOTHING
                    """
            ).execute()
        }
        if concerning.contains(where: { $0.hasPrefix("account.") }) {
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO temp.audiences_changed (lead_id, cause_id)
                    SELECT l.id, max(b.id) FROM batch AS b CROSS JOIN leads AS l ON l.account_id = json_extract(b.body, '$.account_id')
                    WHERE b.kind GLOB 'account.*' GROUP BY l.id
                    ON CONFLICT (lead_id) DO NOTHING
                    """
            ).execute()
        }
    }

    /// The tables that audiences read, as they were last taken up; nil where one is not taken up yet.
    private func tablesRead() throws -> Set<String>? {
        let known = try String.fetchAll(tx.db.cachedStatement(sql: "SELECT name FROM audiences_audiences"))
        guard Set(known) == Set(audiences.inOrder.map(\.name)) else { return nil }
        return Set(
            try String.fetchAll(
                tx.db.cachedStatement(
                    sql: "SELECT DISTINCT t.value FROM audiences_audiences AS a, json_each(a.tables) AS t")))
    }

    /// Takes over what triggers noted; false where that is nothing.
    private func takeNoted() throws -> Bool {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.audiences_changed (lead_id) SELECT lead_id FROM audiences_changes WHERE true
                ON CONFLICT (lead_id) DO NOTHING
                """
        ).execute()
        try tx.db.cachedStatement(sql: "DELETE FROM audiences_changes").execute()
        return tx.db.changesCount > 0
    }

    /// Of two leads that became one, the memberships are one: that which began first. The kernel has put the rows of
    /// the one that went under the one that stayed.
    private func merge() throws {
        try tx.db.execute(
            sql: """
                DELETE FROM audiences_members WHERE (audience, lead_id, since) IN (
                    SELECT m.audience, m.lead_id, m.since FROM batch AS b
                    CROSS JOIN audiences_members AS m INDEXED BY audiences_members_of_leads
                    ON m.lead_id = json_extract(b.body, '$.into') AND m.until IS NULL
                    WHERE b.kind = 'lead.merged' AND EXISTS (
                        SELECT 1 FROM audiences_members AS o WHERE o.audience = m.audience AND o.lead_id = m.lead_id
                                                               AND o.until IS NULL AND o.since < m.since))
                """)
    }

    /// With a person their consents were erased, whose numbers may be given out again: a receipt must not name those of
    /// somebody else.
    private func forgetConsents() throws {
        try tx.db.execute(
            sql: """
                UPDATE audiences_receipts SET consent_id = 0
                WHERE export_id IN (SELECT id FROM audiences_exports) AND lead_id IN (SELECT lead_id FROM batch WHERE kind = 'lead.erased')
                """)
    }

    /// Looks at the leads of the list for the audiences that read what changed, and for those whose moment came.
    private func look(_ upkeeps: [String: Upkeep], after kinds: Set<String>, turned: Set<String> = []) throws {
        var touched = Membership.tables(touchedBy: kinds)
        if try takeNoted() {
            touched?.formUnion(upkeeps.values.flatMap { $0.tables.subtracting(Watches.logged) })
        }
        let isEmpty = try Bool.fetchOne(
            tx.db.cachedStatement(sql: "SELECT NOT EXISTS (SELECT 1 FROM temp.audiences_changed)"))
        guard isEmpty == false else { return }
        for audience in audiences.inOrder {
            guard let upkeep = upkeeps[audience.name] else { continue }
            let isConcerned =
                touched.map { !$0.isDisjoint(with: upkeep.tables) } ?? true || !audience.value.partNames.isEmpty
                || turned.contains(audience.name)
            guard isConcerned else { continue }
            try Look(audience: audience, audiences: audiences, upkeep: upkeep, tx: tx).atChanged()
        }
    }

    /// Of the tables whose changes the log tells, those that events of these kinds tell of; nil for any.
    private static func tables(touchedBy kinds: Set<String>) -> Set<String>? {
        guard kinds.isDisjoint(with: upheavals) else { return nil }
        var tables: Set<String> = kinds.isEmpty ? [] : ["events"]
        for (opening, table) in [("lead.", "leads"), ("consent.", "consents"), ("account.", "accounts")]
        where kinds.contains(where: { $0.hasPrefix(opening) }) {
            tables.insert(table)
        }
        return tables
    }

    /// Audiences that are looked at as a whole are due at the next full minute after a change.
    private func planScan(_ upkeeps: [String: Upkeep]) throws {
        guard upkeeps.values.contains(where: { $0.obstacle != nil }) else { return }
        let minute = String(Timestamp.text(tx.now + 60).prefix(17)) + "00.000"
        try tx.schedule(
            "audiences.refresh_due",
            forEach: """
                SELECT 'audiences ' || :minute AS key, :minute AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body
                WHERE EXISTS (SELECT 1 FROM batch WHERE kind NOT GLOB 'audiences.*' AND kind <> 'audience.exported')
                """,
            arguments: ["minute": minute])
    }
}
