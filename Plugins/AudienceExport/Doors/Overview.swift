import Foundation
import TrellisKernel

/// What people are shown of the audiences.
struct Overview {
    let audiences: Audiences
    /// The moment it is asked, as the database writes it.
    let stamp: String

    /// Sizes as they are now, not as of the last look.
    func table(_ db: Database) throws -> Table {
        let kept = try Row.fetchAll(db, sql: "SELECT * FROM audiences_audiences").reduce(into: [String: Row]()) {
            $0[$1["name"]] = $1
        }
        var table = Table(
            columns: ["audience", "members", "may_be_exported", "platforms", "last_export", "looked_at", "kept_by"])
        for audience in audiences.inOrder {
            let members = audiences.members(audience)
            let eligibility = Eligibility(audience: audience, audiences: audiences, platform: nil)
            let count = try Int64.fetchOne(
                db, sql: "SELECT count(*) FROM (\(members))", arguments: audiences.arguments(members, at: stamp))
            let exportable = try Int64.fetchOne(
                db, sql: "SELECT count(*) FROM (\(eligibility.select))", arguments: eligibility.arguments(at: stamp))
            let last = try String.fetchOne(
                db, sql: "SELECT max(at) FROM audiences_exports WHERE audience = ?", arguments: [audience.name])
            let upkeep = kept[audience.name].map { Upkeep($0) }
            table.rows.append([
                .text(audience.name), .integer(count ?? 0), .integer(exportable ?? 0),
                .text(audience.value.platforms.map(\.value).joined(separator: ", ")), last.map(Cell.text) ?? .null,
                (kept[audience.name]?["looked_at"] as String?).map(Cell.text) ?? .null,
                (upkeep?.description(every: audience.value.every)).map(Cell.text) ?? .null,
            ])
        }
        // In the order of the config.
        let names = audiences.all.map(\.name)
        table.rows.sort {
            (names.firstIndex(of: $0[0].text ?? "") ?? 0) < (names.firstIndex(of: $1[0].text ?? "") ?? 0)
        }
        return table
    }

    /// Members by the reason that leaves them out.
    func reasons(_ audience: Audiences.Audience, _ db: Database) throws -> Table {
        let eligibility = Eligibility(audience: audience, audiences: audiences, platform: nil)
        let rows = try Row.fetchAll(db, sql: eligibility.reasons, arguments: eligibility.arguments(at: stamp))
        let total: Int64 = rows.reduce(0) { $0 + ($1["leads"] as Int64) }
        return Table(
            columns: ["reason", "leads"],
            rows: [[.text("members"), .integer(total)]] + rows.map { [.text($0["reason"]), .integer($0["leads"])] })
    }

    /// How its members follow the clock; nil where they do not, or it is not taken up yet.
    func clock(_ audience: Audiences.Audience, _ db: Database) throws -> String? {
        try Row.fetchOne(db, sql: "SELECT * FROM audiences_audiences WHERE name = ?", arguments: [audience.name])
            .flatMap { Upkeep($0).clockSentence(every: audience.value.every) }
    }

    /// The last files of an audience, a line each.
    func files(_ audience: Audiences.Audience, _ db: Database) throws -> String {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT id, platform, kind, members, removals, at, accepted_at FROM audiences_exports WHERE audience = ?
                ORDER BY id DESC LIMIT 10
                """, arguments: [audience.name])
        guard !rows.isEmpty else { return "No file was written yet." }
        return rows.map { row in
            let isList = ["full", "difference"].contains(row["kind"] as String)
            let state = (row["accepted_at"] as String?).map { "accepted \($0.prefix(16))" }
            let (id, platform, kind): (Int64, String, String) = (row["id"], row["platform"], row["kind"])
            let (members, removals, at): (Int64, Int64, String) = (row["members"], row["removals"], row["at"])
            return "Export \(id): \(platform), \(kind), \(at.prefix(16)), +\(members) −\(removals)"
                + (isList ? ", \(state ?? "not accepted")" : "")
        }.joined(separator: "\n")
    }

    /// Lists whose members end soon.
    func endingSoon(_ db: Database) throws -> Table? {
        let rows = try Lifetime.endingSoon(Timestamp.date(stamp) ?? .distantPast, db)
        guard !rows.isEmpty else { return nil }
        return Table(
            columns: ["audience", "platform", "members", "end_on"],
            rows: rows.map { row in
                ["audience", "platform", "members", "end_on"].map { Cell(row[$0] as DatabaseValue) }
            })
    }
}
