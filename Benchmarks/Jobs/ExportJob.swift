import AudienceExport
import CTrellisSQLite
import Crypto
import Foundation
import TrellisKernel

/// Every lead who agreed to it, hashed for an ad platform, with a receipt each.
enum ExportJob {
    static let ours = Phase("export") { workspace in
        let kernel = try workspace.kernel(.ours, at: Workspace.tickedAt, for: .everyday)
        guard let export = kernel.plugins.flatMap({ $0.commands }).first(where: { $0.path == ["audiences", "export"] })
        else {
            throw BenchError("there is no command 'audiences export'.")
        }
        var watch = Stopwatch()
        let options = ["platform": "google", "output": workspace.folder + "/ours.csv"]
        _ = try export(CommandCall(kernel: kernel, arguments: ["everyone"], options: options))
        watch.note("export")
        try kernel.close()
        watch.note("close")
        return watch.measurement
    }

    static let limit = Phase("export-limit") { workspace in
        let database = try RawDatabase(path: workspace.limitPath)
        var watch = Stopwatch()
        let now = "'\(Workspace.tickedAt)'"
        try database.run(
            """
            BEGIN IMMEDIATE;
            INSERT INTO audiences_exports (id, audience, platform, file, members, withheld, at, purpose)
            VALUES (1, 'everyone', 'google', 'limit.csv', 0, '{}', \(now), 'ads');
            INSERT INTO audiences_lists (id, audience, platform) VALUES (1, 'everyone', 'google');
            INSERT INTO audiences_receipts (export_id, lead_id, consent_id)
            SELECT 1, c.lead_id, c.id
            FROM (SELECT lead_id, max(id) AS id, state FROM consents WHERE purpose = 'ads' GROUP BY lead_id) AS c
            CROSS JOIN lead_mailboxes AS l ON l.lead_id = c.lead_id
            WHERE c.state = 'granted' AND l.email IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.mailbox IN (l.email, l.mailbox));
            """)
        watch.note("receipts")
        let path = workspace.folder + "/limit.csv"
        let members = try write(to: path, database)
        watch.note("file")
        try database.run(
            """
            UPDATE audiences_exports SET members = \(members),
                withheld = json_object('without consent', (SELECT count(*) FROM leads) - \(members)) WHERE id = 1;
            INSERT INTO events (kind, origin, at, body)
            VALUES ('audience.exported', 'plugin:audiences', \(now),
                    '{"audience":"everyone","members":\(members),"platform":"google","export":1,"removals":0}');
            COMMIT
            """)
        watch.note("commit")
        guard FileManager.default.contentsEqual(atPath: path, andPath: workspace.folder + "/ours.csv") else {
            throw BenchError("the two files of the audience differ.")
        }
        return watch.measurement
    }

    private static func write(to path: String, _ database: RawDatabase) throws -> Int {
        let statement = try database.prepare(
            """
            SELECT l.email, l.id FROM audiences_receipts AS r CROSS JOIN leads AS l ON l.id = r.lead_id
            WHERE r.export_id = 1 ORDER BY r.lead_id
            """)
        defer { sqlite3_finalize(statement) }
        let upload = try database.prepare(
            "INSERT INTO audiences_uploads (list_id, lead_id, key, first_export_id, export_id) VALUES (1, ?, ?, 1, 1)")
        defer { sqlite3_finalize(upload) }
        guard let file = fopen(path, "w") else { throw BenchError("\(path) cannot be written.") }
        defer { fclose(file) }
        fputs("Email\n", file)
        let digits = Array("0123456789abcdef".utf8)
        var line = [UInt8](repeating: 10, count: 65)
        var members = 0
        while sqlite3_step(statement) == SQLITE_ROW {
            guard let text = sqlite3_column_text(statement, 0) else { continue }
            var bytes = UnsafeMutableBufferPointer(
                mutating: UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, 0))))
            for index in bytes.indices where (65...90).contains(bytes[index]) { bytes[index] |= 32 }
            fold(&bytes)
            var position = 0
            let hash = SHA256.hash(data: UnsafeRawBufferPointer(bytes))
            sqlite3_bind_int64(upload, 1, sqlite3_column_int64(statement, 1))
            let code = hash.withUnsafeBytes { digest in
                // Nil as the destructor is SQLITE_STATIC: the row is written before the digest goes.
                sqlite3_bind_blob(upload, 2, digest.baseAddress, Int32(digest.count), nil)
                return sqlite3_step(upload)
            }
            guard code == SQLITE_DONE else { throw database.problem("an upload") }
            sqlite3_reset(upload)
            for byte in hash {
                line[position] = digits[Int(byte >> 4)]
                line[position + 1] = digits[Int(byte & 15)]
                position += 2
            }
            fwrite(line, 1, 65, file)
            members += 1
        }
        fflush(file)
        fsync(fileno(file))
        return members
    }

    /// Gmail knows no dots and nothing after a plus sign: they are taken out in place.
    private static func fold(_ bytes: inout UnsafeMutableBufferPointer<UInt8>) {
        let at = bytes.lastIndex(of: 64) ?? 0
        guard bytes[at...].elementsEqual("@gmail.com".utf8) || bytes[at...].elementsEqual("@googlemail.com".utf8) else {
            return
        }
        var end = 0
        for index in 0..<at {
            if bytes[index] == 43 { break }
            if bytes[index] == 46 { continue }
            bytes[end] = bytes[index]
            end += 1
        }
        let tail = bytes.count - at
        for index in 0..<tail { bytes[end + index] = bytes[at + index] }
        bytes = UnsafeMutableBufferPointer(rebasing: bytes[..<(end + tail)])
    }
}
