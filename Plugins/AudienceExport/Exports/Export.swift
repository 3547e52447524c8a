import Foundation
import TrellisKernel

/// One export of an audience for a platform: the file of who is on the list, or of who came to it since, and the file
/// of who must be taken off it; with a receipt for each of them.
struct Export {
    let audience: Audiences.Audience
    let audiences: Audiences
    let platform: Platform
    var isDifference = false
    /// Whether the file is split where the platform takes so many rows at once.
    var isSplit = false
    /// Whether a list too small to reach anybody is written all the same.
    var isAnyway = false
    /// Whether files are written; otherwise only who is in them, because a webhook is told.
    var hasFiles = true
    let path: String

    /// What came of it.
    struct Outcome {
        var id: Int64 = 0
        var members = 0
        /// Rows in the file: fewer than members where two of them have one address to the platform.
        var rows = 0
        /// Everybody in the audience.
        var total = 0
        var removals = 0
        var removalReasons: [(reason: String, leads: Int)] = []
        var withheld: [String: Int] = [:]
        var files: [String] = []
        var removalFiles: [String] = []

        /// Takes over how many members there are by the reason that leaves them out.
        fileprivate mutating func count(_ members: [String: Int]) {
            total = members.values.reduce(0, +)
            withhold(members.filter { $0.key != Eligibility.exportable })
        }

        fileprivate mutating func withhold(_ leads: [String: Int]) {
            withheld.merge(leads, uniquingKeysWith: +)
        }
    }

    var eligibility: Eligibility {
        Eligibility(audience: audience, audiences: audiences, platform: platform)
    }

    /// Writes the files and their receipts; both are there once it is committed, or neither.
    func write(_ tx: Transaction) throws -> Outcome {
        if isDifference, platform.isOfCompanies {
            throw KernelError.usage("\(platform.name) takes lists of companies as a whole. Export it without --diff.")
        }
        try Publication.finish(tx)
        var outcome = Outcome()
        outcome.id = try begin(tx)
        let list = try ListOnPlatform.id(audience.name, platform.name, tx)
        try choose(&outcome, list: list, tx)
        var files = FileSet(path: path, opening: opening("Add"), rowsMax: rowsMax, isKept: hasFiles)
        var removals = FileSet(
            path: Export.removalPath(path), opening: removalOpening, rowsMax: rowsMax, isKept: hasFiles)
        do {
            try stream(to: &files, &outcome, list: list, tx)
            if !isDifference { try refuseSize(outcome.rows, tx) }
            try takeOff(to: &removals, &outcome, list: list, tx)
            try refuse(bytes: files.bytes)
            try finish(&outcome, tx)
            try files.publish(outcome.id, tx)
            try removals.publish(outcome.id, tx)
        } catch {
            files.discard()
            removals.discard()
            throw error
        }
        (outcome.files, outcome.removalFiles) = (files.paths, removals.paths)
        return outcome
    }

    private var rowsMax: Int? { isSplit ? platform.batchRows : nil }

    var writer: RowWriter { RowWriter(platform: platform, audience: audience.value, list: listName) }

    private var listName: String? { audience.value.lists.first { $0.name == platform.name }?.value }

    func opening(_ action: String) -> String {
        platform.opening(columns: writer.columns, name: audience.name, list: listName, action: action)
    }

    var removalOpening: String {
        platform.opening(columns: writer.removalColumns, name: audience.name, list: listName, action: "Remove")
    }

    /// `people.csv` takes `people-remove.csv` along.
    static func removalPath(_ path: String) -> String {
        let suffix = (path as NSString).pathExtension
        return (path as NSString).deletingPathExtension + "-remove" + (suffix.isEmpty ? "" : ".\(suffix)")
    }

    // MARK: - Who

    private func begin(_ tx: Transaction) throws -> Int64 {
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_exports (audience, platform, file, members, withheld, at, kind, purpose)
                VALUES (?, ?, ?, 0, '{}', ?, ?, ?)
                """,
            arguments: [
                audience.name, platform.name, hasFiles ? Publication.absolute(path) : path, tx.stamp,
                isDifference ? "difference" : "full", audience.value.consent,
            ])
        let id = tx.db.lastInsertedRowID
        try tx.scratchTable("audiences_current", columns: "id INTEGER")
        try tx.db.execute(sql: "INSERT INTO temp.audiences_current VALUES (?)", arguments: [id])
        return id
    }

    /// The receipts of those who are to be in the file.
    private func choose(_ outcome: inout Outcome, list: Int64, _ tx: Transaction) throws {
        let filter = MemberFilter(audience: audience.name, platform: platform.name, tx: tx)
        guard isDifference else {
            outcome.count(
                try eligibility.choose(
                    "INSERT INTO audiences_receipts (export_id, lead_id, consent_id)", ":export, lead_id, consent_id",
                    tx, ["export": outcome.id]))
            outcome.withhold(
                try filter.ask(
                    about: "audiences_receipts", where: "export_id = (SELECT id FROM temp.audiences_current)"))
            return
        }
        try tx.db.execute(sql: "DELETE FROM audiences_next")
        outcome.count(
            try eligibility.choose("INSERT INTO audiences_next (lead_id, consent_id)", "lead_id, consent_id", tx))
        outcome.withhold(try filter.ask(about: "audiences_next", where: "true"))
        try refuseSize(try Keys(export: self, tx: tx).collect(), tx)
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_receipts (export_id, lead_id, consent_id)
                SELECT :export, n.lead_id, n.consent_id FROM audiences_next AS n
                JOIN audiences_keys AS k ON k.lead_id = n.lead_id
                WHERE NOT EXISTS (SELECT 1 FROM audiences_uploads AS u JOIN audiences_exports AS x ON x.id = u.export_id
                                  WHERE u.list_id = :list AND u.lead_id = n.lead_id AND u.key = k.key AND u.is_accepted AND x.at > :fresh)
                """,
            arguments: ["export": outcome.id, "list": list, "fresh": Lifetime.freshSince(platform, tx.now)])
    }

    // MARK: - What is refused

    /// - Parameter members: how many the list would have, whether or not they are all in this file.
    private func refuseSize(_ members: Int, _ tx: Transaction) throws {
        // Where the platform has a list, whoever must be taken off it comes first, however few are left.
        let hasList = try hasUploads(tx)
        if members == 0 {
            guard !hasList else { return }
            try refuseNobody(tx)
        }
        let least = audience.value.membersMin ?? platform.membersMin ?? 0
        if members < least, !isAnyway, !(isDifference && hasList) {
            throw KernelError.data(
                "\(audience.name) has \(members) members who may be in a file, "
                    + "and \(platform.name) shows no ads to fewer than \(least). Wait until there are more, or add --anyway."
            )
        }
        if let most = platform.membersMax, members > most {
            throw KernelError.data(
                "\(audience.name) has \(members) members who may be in a file, and \(platform.name) takes \(most) at most. Make audiences of parts of it."
            )
        }
    }

    /// An empty list, of which it is said what is missing.
    private func refuseNobody(_ tx: Transaction) throws {
        let isAsked = try Bool.fetchOne(
            tx.db, sql: "SELECT EXISTS (SELECT 1 FROM consents WHERE purpose = ? AND state = 'granted')",
            arguments: [audience.value.consent])
        guard isAsked == true else {
            throw KernelError.data(
                "Nobody has ever agreed to '\(audience.value.consent)', so that nobody may be in a file. "
                    + "Ask for it in a form (consent: {\(audience.value.consent): …}), or name another purpose under consent: of the audience."
            )
        }
        guard isAnyway else {
            throw KernelError.data(
                "\(audience.name) has nobody who may be in a file. 'trellis audiences show \(audience.name)' says why.")
        }
    }

    private func refuse(bytes: Int) throws {
        guard let most = platform.bytesMax, bytes > most else { return }
        throw KernelError.data(
            "The file would have \(bytes) bytes, and \(platform.name) takes \(most) at most. Make audiences of parts of it."
        )
    }

    private func hasUploads(_ tx: Transaction) throws -> Bool {
        try Bool.fetchOne(
            tx.db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM audiences_uploads AS u JOIN audiences_lists AS t ON t.id = u.list_id
                               WHERE t.audience = ? AND t.platform = ?)
                """, arguments: [audience.name, platform.name]) ?? false
    }

    // MARK: - The files

    private func stream(to files: inout FileSet, _ outcome: inout Outcome, list: Int64, _ tx: Transaction) throws {
        var writer = self.writer
        var uploads = UploadChunk(
            list: list, export: outcome.id, keyBytes: writer.keyBytes, isKept: !platform.isOfCompanies)
        var rejected: [Int64] = []
        let rows = try Row.fetchCursor(
            tx.db,
            sql: platform.isOfCompanies
                ? Export.companies(writer, "true") + " ORDER BY min(l.id)"
                : writer.select(from: Export.receipts, phones: audience.value.phones)
                    + " WHERE r.export_id = :export ORDER BY r.lead_id",
            arguments: ["export": outcome.id])
        while let row = try rows.next() {
            switch writer.append(row) {
            case .written:
                outcome.members += 1
                outcome.rows += 1
                try files.noteRow(&writer.buffer)
            case .repeated: outcome.members += 1
            case .refused: rejected.append(row[0])
            }
            try uploads.note(row[0], &writer.keys, tx)
        }
        try uploads.write(&writer.keys, tx)
        if !isDifference || outcome.members > 0 { try files.finish(&writer.buffer) }
        guard !platform.isOfCompanies else {
            outcome.members =
                try Int.fetchOne(
                    tx.db, sql: "SELECT count(*) FROM audiences_receipts WHERE export_id = ?", arguments: [outcome.id])
                ?? 0
            return
        }
        try drop(rejected, &outcome, list: list, tx)
    }

    /// The members of a file with their leads, for ``RowWriter/select(from:phones:)``.
    static let receipts = "audiences_receipts AS r CROSS JOIN leads AS l ON l.id = r.lead_id"

    /// A row per company that a member of `:export` is of.
    static func companies(_ writer: RowWriter, _ condition: String) -> String {
        writer.select(from: receipts, phones: [])
            + " WHERE r.export_id = :export AND \(condition) GROUP BY coalesce(l.account_id, lower(l.company))"
    }

    /// Whose address the platform would not take is in no file, and has no receipt.
    private func drop(_ rejected: [Int64], _ outcome: inout Outcome, list: Int64, _ tx: Transaction) throws {
        guard !rejected.isEmpty else { return }
        outcome.withhold(["the address is none for \(platform.name)": rejected.count])
        for lead in rejected {
            try tx.db.cachedStatement(sql: "DELETE FROM audiences_receipts WHERE export_id = ? AND lead_id = ?")
                .execute(arguments: [outcome.id, lead])
            try tx.db.cachedStatement(
                sql: "DELETE FROM audiences_uploads WHERE list_id = ? AND lead_id = ? AND key = zeroblob(length(key))"
            ).execute(arguments: [list, lead])
        }
    }

    /// Who is on the list, or may be, and is not to be there any more.
    private func takeOff(to files: inout FileSet, _ outcome: inout Outcome, list: Int64, _ tx: Transaction) throws {
        guard !platform.isOfCompanies else { return }
        let current =
            isDifference
            ? "SELECT lead_id FROM audiences_next"
            : "SELECT lead_id FROM audiences_receipts WHERE export_id = (SELECT id FROM temp.audiences_current)"
        let stays =
            isDifference
            ? "EXISTS (SELECT 1 FROM audiences_keys AS k WHERE k.lead_id = u.lead_id AND k.key = u.key)"
            : "u.export_id = (SELECT id FROM temp.audiences_current)"
        let reason = eligibility.removalReason(current: current)
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_removals (export_id, lead_id, reason, key)
                SELECT (SELECT id FROM temp.audiences_current), u.lead_id, \(reason), u.key
                FROM audiences_uploads AS u WHERE u.list_id = :list AND NOT \(stays) ORDER BY u.lead_id
                """,
            arguments: audiences.arguments(reason, at: tx.stamp, ["list": list, "consent": audience.value.consent]))
        let hasRemovals = tx.db.changesCount > 0
        if isDifference { try tx.db.execute(sql: "DELETE FROM audiences_next; DELETE FROM audiences_keys") }
        guard hasRemovals else { return }
        var removals = Removals(export: outcome.id, list: list, writer: writer, tx: tx)
        var buffer: [UInt8] = []
        outcome.removals = try removals.write { row in
            buffer += row
            try files.noteRow(&buffer)
        }
        if outcome.removals > 0 { try files.finish(&buffer) }
        try removals.noteNothingLeft()
        outcome.removalReasons = try Row.fetchAll(
            tx.db,
            sql: """
                SELECT reason, count(*) AS leads FROM audiences_removals WHERE export_id = ? AND reason <> ?
                GROUP BY reason ORDER BY reason
                """, arguments: [outcome.id, Removals.nothingLeft]
        ).map { ($0["reason"], $0["leads"]) }
    }

    private func finish(_ outcome: inout Outcome, _ tx: Transaction) throws {
        let reasons = String(decoding: try JSONEncoder().encode(outcome.withheld), as: UTF8.self)
        try tx.db.execute(
            sql: "UPDATE audiences_exports SET members = ?, rows = ?, removals = ?, withheld = ? WHERE id = ?",
            arguments: [outcome.members, outcome.rows, outcome.removals, reasons, outcome.id])
        try tx.emit(
            "audience.exported",
            forEach: """
                SELECT NULL AS lead_id, NULL AS cause_id,
                       json_object('audience', :audience, 'members', :members, 'platform', :platform, 'export', :export, 'removals', :removals) AS body
                """,
            arguments: [
                "audience": audience.name, "members": outcome.members, "platform": platform.name,
                "export": outcome.id, "removals": outcome.removals,
            ])
    }
}
