import Foundation

/// Mails of unknown kind, which are kept for a person to look at and go when one they name is erased.
struct KeptMail {
    /// How many are read at a time: one is 64 KiB at most.
    private static let readMax = 50

    /// Forgets what was said about leads, and every kept mail that names the address. The row of each mail stays: its
    /// kind is a count, and its digest keeps it from being taken in again.
    static func erase(naming address: String, leads: [Int64], _ tx: Transaction) throws {
        for lead in leads {
            try tx.db.execute(
                sql: "UPDATE mail_returns SET diagnostic = NULL, raw = NULL WHERE lead_id = ?", arguments: [lead])
        }
        var last: Int64 = 0
        while true {
            let rows = try Row.fetchAll(
                tx.db.cachedStatement(
                    sql:
                        "SELECT id, raw FROM mail_returns WHERE raw IS NOT NULL AND id > ? ORDER BY id LIMIT \(readMax)"
                ),
                arguments: [last])
            guard let end = rows.last else { return }
            last = end["id"]
            for row in rows where names(address, in: row["raw"]) {
                try tx.db.execute(
                    sql: "UPDATE mail_returns SET diagnostic = NULL, raw = NULL WHERE id = ?",
                    arguments: [row["id"] as Int64])
            }
        }
    }

    /// In any header, in any part, as it stands there or decoded; also as return addresses and links write it.
    private static func names(_ address: String, in raw: Data) -> Bool {
        let address = address.lowercased()
        let root = ReceivedMail(raw).root
        return [address, address.replacing("@", with: "="), address.replacing("@", with: "%40")].contains {
            let needle = Array($0.utf8)
            return contains(needle, raw) || isNamed(needle, in: root)
        }
    }

    private static func isNamed(_ needle: [UInt8], in part: MailPart) -> Bool {
        contains(needle, part.decoded)
            || part.headers.fields.contains { contains(needle, MailDecoding.words($0.value).utf8) }
            || part.parts.contains { isNamed(needle, in: $0) }
    }

    private static func contains(_ needle: [UInt8], _ bytes: some Sequence<UInt8>) -> Bool {
        let folded = bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 + 32 : $0 }
        return MailEncoding.contains(folded, needle)
    }
}
