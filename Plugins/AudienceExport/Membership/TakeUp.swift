import Foundation
import TrellisKernel

/// Makes what the file knows of the audiences fit the config: how each is kept, the triggers this takes, and the
/// members of those that are new or were changed. One that left the config lets its members go.
struct TakeUp {
    let audiences: Audiences
    let tx: Transaction

    /// How each audience is kept, after whatever had to be done about a new config. Mostly one small query.
    ///
    /// - Parameter force: looks at the schema and at everybody again, whatever is noted.
    func run(force: Bool = false) throws -> [String: Upkeep] {
        let known = try Row.fetchAll(tx.db.cachedStatement(sql: "SELECT * FROM audiences_audiences"))
        let digests = Dictionary(known.map { ($0["name"] as String, $0["definition"] as String) }) { first, _ in first }
        let isCurrent =
            digests.count == audiences.inOrder.count
            && audiences.inOrder.allSatisfy { digests[$0.name] == audiences.digest($0) }
        if isCurrent, !force, try !wasOff(since: known.map { $0["taken_up_at"] as String }.min()) {
            return Dictionary(known.map { ($0["name"] as String, Upkeep($0)) }) { first, _ in first }
        }
        try letGo(Set(digests.keys).subtracting(audiences.inOrder.map(\.name)))
        var upkeeps: [String: Upkeep] = [:]
        for audience in audiences.inOrder {
            var upkeep = try Upkeep(audiences.clockText(audience), hasList: true, tx.db)
            // What is made of an audience that asks the clock hears of it through that one.
            if audience.value.sql == nil { upkeep.tables = ["audiences_members"] }
            upkeeps[audience.name] = upkeep
        }
        try watch(upkeeps)
        for audience in audiences.inOrder {
            guard let upkeep = upkeeps[audience.name] else { continue }
            let isNew = try digests[audience.name] == nil && !hasMembers(audience)
            try note(audience, upkeep)
            try Look(audience: audience, audiences: audiences, upkeep: upkeep, tx: tx).atAll(isFirst: isNew)
        }
        try ExportSchedule(audiences: audiences, tx: tx).plan()
        return upkeeps
    }

    /// At the start of a worker: also looks whether the triggers are still there, which go when somebody makes a table
    /// anew.
    func begin() throws {
        if try watch(run()) { _ = try run(force: true) }
        try ExportSchedule(audiences: audiences, tx: tx).plan()
    }

    @discardableResult
    private func watch(_ upkeeps: [String: Upkeep]) throws -> Bool {
        let kept = upkeeps.values.filter { $0.obstacle == nil }
        let tables = kept.reduce(into: Set<String>()) { $0.formUnion($1.tables) }
        return try Watches.install(tables.subtracting(["audiences_members"]), tx.db)
    }

    /// Whether the plugin was off since, and may not have heard of everything.
    private func wasOff(since: String?) throws -> Bool {
        guard let since else { return false }
        return try Bool.fetchOne(
            tx.db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM plugins WHERE name = 'audiences' AND changed_at > ?)"),
            arguments: [since]) ?? false
    }

    private func hasMembers(_ audience: Audiences.Audience) throws -> Bool {
        try Bool.fetchOne(
            tx.db, sql: "SELECT EXISTS (SELECT 1 FROM audiences_members WHERE audience = ? AND until IS NULL)",
            arguments: [audience.name]) ?? false
    }

    private func note(_ audience: Audiences.Audience, _ upkeep: Upkeep) throws {
        let tables = String(decoding: try JSONEncoder().encode(upkeep.tables.sorted()), as: UTF8.self)
        try tx.db.execute(
            sql: """
                INSERT OR REPLACE INTO audiences_audiences
                    (name, definition, kept_by, reason, tables, asks_clock, by_lead, has_moments, taken_up_at, looked_at)
                VALUES (:name, :definition, iif(:reason IS NULL, 'log', 'scan'), :reason, :tables, :clock, :byLead, :hasMoments, :now, :now)
                """,
            arguments: [
                "name": audience.name, "definition": audiences.digest(audience), "reason": upkeep.obstacle,
                "tables": tables, "clock": upkeep.asksClock, "byLead": upkeep.isByLead,
                "hasMoments": upkeep.hasMoments, "now": tx.stamp,
            ])
    }

    /// Whoever is in an audience that is no more has left it.
    private func letGo(_ names: Set<String>) throws {
        let list = String(decoding: try JSONEncoder().encode(names.sorted()), as: UTF8.self)
        let known = String(decoding: try JSONEncoder().encode(audiences.inOrder.map(\.name)), as: UTF8.self)
        // Also what an earlier version of the program left open.
        let gone = "audience NOT IN (SELECT value FROM json_each(:known)) AND until IS NULL"
        try tx.emit(
            "audience.left",
            forEach: """
                SELECT lead_id, NULL AS cause_id, json_object('audience', audience) AS body FROM audiences_members WHERE \(gone)
                """, arguments: ["known": known])
        try tx.db.execute(
            sql: "UPDATE audiences_members SET until = :now WHERE \(gone)",
            arguments: ["known": known, "now": tx.stamp])
        try tx.db.execute(
            sql: "DELETE FROM audiences_audiences WHERE name IN (SELECT value FROM json_each(?))", arguments: [list])
        try tx.db.execute(
            sql: "DELETE FROM audiences_moments WHERE audience IN (SELECT value FROM json_each(?))", arguments: [list])
    }
}
