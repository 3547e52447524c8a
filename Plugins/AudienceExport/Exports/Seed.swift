import Foundation
import TrellisKernel

/// A file to find more people like those in an audience, each with what they are worth, so that the best count most
/// (Meta's value-based source: a column `value`, not hashed and not negative).
struct Seed {
    let audience: Audiences.Audience
    let audiences: Audiences
    let platform: Platform
    /// Whether one too small to find anybody by is written all the same.
    var isAnyway = false
    let path: String

    /// What a lead is worth where the audience says nothing else.
    static let wonAmount = "(SELECT sum(amount) FROM opportunities WHERE lead_id = leads.id AND stage = 'won')"

    /// - Returns: how many leads are in it.
    func write(_ tx: Transaction) throws -> (export: Int64, members: Int) {
        guard let header = platform.valueHeader else {
            let names = Platform.all.filter { $0.valueHeader != nil }.map(\.name)
            throw KernelError.usage("\(platform.name) takes no values. These do: \(names.joined(separator: ", ")).")
        }
        try Publication.finish(tx)
        let eligibility = Eligibility(audience: audience, audiences: audiences, platform: platform)
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_exports (audience, platform, file, members, withheld, at, kind, purpose)
                VALUES (?, ?, ?, 0, '{}', ?, 'seed', ?)
                """,
            arguments: [audience.name, platform.name, Publication.absolute(path), tx.stamp, audience.value.consent])
        let export = tx.db.lastInsertedRowID
        let value = audience.value.value?.value ?? Seed.wonAmount
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_receipts (export_id, lead_id, consent_id)
                SELECT :export, e.lead_id, e.consent_id FROM (\(eligibility.select)) AS e
                JOIN leads ON leads.id = e.lead_id WHERE (\(value)) > 0 AND leads.email IS NOT NULL
                """, arguments: eligibility.arguments(at: tx.stamp, ["export": export]))
        var withheld = try MemberFilter(audience: audience.name, platform: platform.name, tx: tx)
            .ask(about: "audiences_receipts", where: "export_id = \(export)")
        var files = FileSet(path: path, opening: "email,\(header)\n", rowsMax: nil)
        do {
            let members = try stream(export, value, to: &files, tx)
            try refuse(members)
            withheld.merge(
                try eligibility.membersByReason(at: tx.stamp, tx.db).filter { $0.key != Eligibility.exportable }
            ) { $0 + $1 }
            try tx.db.execute(
                sql: "UPDATE audiences_exports SET members = ?, rows = ?, withheld = ? WHERE id = ?",
                arguments: [
                    members, members, String(decoding: try JSONEncoder().encode(withheld), as: UTF8.self), export,
                ])
            try files.publish(export, tx)
            return (export, members)
        } catch {
            files.discard()
            throw error
        }
    }

    private func refuse(_ members: Int) throws {
        let least = audience.value.membersMin ?? platform.membersMin ?? 0
        guard members < least, !isAnyway else { return }
        throw KernelError.data(
            "\(audience.name) has \(members) members with a value who may be in a file, "
                + "and \(platform.name) finds nobody by fewer than \(least). Wait until there are more, or add --anyway."
        )
    }

    private func stream(_ export: Int64, _ value: String, to files: inout FileSet, _ tx: Transaction) throws -> Int {
        var buffer: [UInt8] = []
        var members = 0
        let rows = try Row.fetchCursor(
            tx.db,
            sql: """
                SELECT leads.id, leads.email, (\(value)) FROM audiences_receipts AS r CROSS JOIN leads ON leads.id = r.lead_id
                WHERE r.export_id = ? ORDER BY 3 DESC, leads.id
                """, arguments: [export])
        var rejected: [Int64] = []
        while let row = try rows.next() {
            guard let email = platform.email.normalised(row[1]), let worth = row[2] as Double? else {
                rejected.append(row[0])
                continue
            }
            buffer += Array("\(Digest.hex(email)),\(String(format: "%.2f", worth))\n".utf8)
            try files.noteRow(&buffer)
            members += 1
        }
        try files.finish(&buffer)
        for lead in rejected {
            try tx.db.execute(
                sql: "DELETE FROM audiences_receipts WHERE export_id = ? AND lead_id = ?", arguments: [export, lead])
        }
        return members
    }
}
