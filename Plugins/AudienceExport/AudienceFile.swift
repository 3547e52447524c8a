import Foundation
import TrellisKernel

/// One file for one platform: complete under its name, or not there at all, and readable by its owner alone.
struct AudienceFile {
    let audience: Named<AudienceSettings.Audience>
    let platform: Platform
    let path: String
    let eligible: String

    /// Bytes that are collected before they are written.
    private static let bufferBytes = 1 << 18

    /// Writes the file and its receipt. Returns what to tell the person who asked.
    func write(_ kernel: Kernel) throws -> String {
        let draftPath = path + ".part"
        guard FileManager.default.createFile(atPath: draftPath, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: draftPath)
        else {
            throw KernelError.folderNotWritable(
                (path as NSString).deletingLastPathComponent.isEmpty
                    ? "." : (path as NSString).deletingLastPathComponent)
        }
        do {
            let note = try kernel.write(origin: "plugin:audiences") { tx in
                try receipt(tx)
                let (members, withheld) = try stream(to: handle, tx)
                try handle.synchronize()
                try handle.close()
                try finish(members, withheld, tx)
                guard rename(draftPath, path) == 0 else {
                    throw KernelError.diskError(String(cString: strerror(errno)))
                }
                return "\(path): \(members) of \(try total(tx.db)) members for \(platform.name)."
                    + (withheld.isEmpty
                        ? ""
                        : " Withheld by a filter: "
                            + withheld.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(
                                separator: ", ") + ".")
            }
            return note
        } catch {
            try? FileManager.default.removeItem(atPath: draftPath)
            throw error
        }
    }

    /// The row of the export and a receipt per member, before the file is written from them.
    private func receipt(_ tx: Transaction) throws {
        try tx.db.execute(
            sql:
                "INSERT INTO audiences_exports (audience, platform, file, members, withheld, at) VALUES (?, ?, ?, 0, '{}', ?)",
            arguments: [audience.name, platform.name, path, tx.stamp])
        let id = tx.db.lastInsertedRowID
        try tx.scratchTable("audiences_current", columns: "id INTEGER")
        try tx.db.execute(sql: "INSERT INTO temp.audiences_current VALUES (?)", arguments: [id])
        try tx.db.execute(
            sql:
                """
                INSERT INTO audiences_receipts (export_id, lead_id, consent_id)
                SELECT (SELECT id FROM audiences_current), lead_id, consent_id FROM (\(eligible))
                """,
            arguments: ["consent": audience.value.consent])
    }

    private func stream(to handle: FileHandle, _ tx: Transaction) throws -> (members: Int, withheld: [String: Int]) {
        var buffer = Array((platform.header + "\n").utf8)
        var (members, withheld) = (0, [String: Int]())
        let asksFilters = tx.hasFilters(AudienceMemberDraft.self)
        let rows = try Row.fetchCursor(
            tx.db,
            sql: """
                SELECT l.id, lower(l.email) FROM audiences_receipts AS r CROSS JOIN leads AS l ON l.id = r.lead_id
                WHERE r.export_id = (SELECT id FROM audiences_current) ORDER BY r.lead_id
                """)
        var vetoed: [Int64] = []
        while let row = try rows.next() {
            if asksFilters {
                var draft = AudienceMemberDraft(leadID: row[0], audience: audience.name, platform: platform.name)
                do {
                    try tx.filter(&draft)
                } catch let veto as Veto {
                    withheld[veto.reason, default: 0] += 1
                    vetoed.append(row[0])
                    continue
                }
            }
            members += 1
            append(row[1], to: &buffer)
            if buffer.count >= AudienceFile.bufferBytes {
                try handle.write(contentsOf: Data(buffer))
                buffer.removeAll(keepingCapacity: true)
            }
        }
        try handle.write(contentsOf: Data(buffer))
        for lead in vetoed {
            try tx.db.cachedStatement(
                sql:
                    "DELETE FROM audiences_receipts WHERE lead_id = ? AND export_id = (SELECT id FROM audiences_current)"
            ).execute(arguments: [lead])
        }
        return (members, withheld)
    }

    private func append(_ email: String, to buffer: inout [UInt8]) {
        var normalised = platform.foldsGmail ? AudienceFile.foldGmail(email) : email
        normalised.withUTF8 { AddressHash.append(UnsafeRawBufferPointer($0), to: &buffer) }
        buffer.append(10)
    }

    /// `a.b+c@gmail.com` is the mailbox `ab@gmail.com`; every other domain keeps its dots and plus signs.
    static func foldGmail(_ email: String) -> String {
        guard email.hasSuffix("@gmail.com") || email.hasSuffix("@googlemail.com"), let at = email.lastIndex(of: "@")
        else { return email }
        return String(email[..<at].prefix { $0 != "+" }.filter { $0 != "." }) + email[at...]
    }

    private func finish(_ members: Int, _ withheld: [String: Int], _ tx: Transaction) throws {
        let reasons = String(decoding: try JSONEncoder().encode(withheld), as: UTF8.self)
        try tx.db.execute(
            sql: "UPDATE audiences_exports SET members = ?, withheld = ? WHERE id = (SELECT id FROM audiences_current)",
            arguments: [members, reasons])
        try tx.emit(
            "audience.exported",
            forEach:
                "SELECT NULL AS lead_id, NULL AS cause_id, json_object('audience', :audience, 'members', :members) AS body",
            arguments: ["audience": audience.name, "members": members])
    }

    private func total(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT count(DISTINCT lead_id) FROM (\(audience.value.sql.value))") ?? 0
    }
}
