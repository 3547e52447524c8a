import Foundation

/// What is kept about one person, and how it is given out (GDPR articles 15 and 20) or removed (article 17).
///
/// Plugins keep names, addresses and free text in no table but such as have a `lead_id`, found in the schema, or such
/// as they name (``Plugin/addressTables``). They name what goes with the person too (``Plugin/personTables``).
public struct Person: Sendable {
    private let email: String

    public init(email: String) throws {
        do {
            self.email = try EmailAddress(email).address
        } catch {
            throw KernelError.usage("\(error)")
        }
    }

    /// Every row about the person, by table.
    public func export(_ kernel: Kernel) throws -> JSONValue {
        try kernel.write(origin: "export-person") { tx in
            let ids = try leadIDs(tx.db)
            let list = "[" + ids.map(String.init).joined(separator: ",") + "]"
            var tables: [(key: String, value: JSONValue)] = []
            let ofLeads = try tx.tablesOfLeads() + ["events"]
            for table in ["leads"] + ofLeads {
                let column = table == "leads" ? "id" : "lead_id"
                let rows = try Row.fetchAll(
                    tx.db,
                    sql: "SELECT * FROM \(table.sqlIdentifier) WHERE \(column) IN (SELECT value FROM json_each(?))",
                    arguments: [list])
                if !rows.isEmpty { tables.append((table, .array(rows.map(Person.json)))) }
            }
            for table in ["contacts", "suppressions"] {
                let rows = try Row.fetchAll(
                    tx.db, sql: "SELECT * FROM \(table.sqlIdentifier) WHERE email = ?", arguments: [email])
                if !rows.isEmpty { tables.append((table, .array(rows.map(Person.json)))) }
            }
            for table in try Person.tablesOfAddresses(tx) {
                let rows = try Row.fetchAll(
                    tx.db, sql: "SELECT * FROM \(table.sqlIdentifier) WHERE email = ?", arguments: [email])
                if !rows.isEmpty { tables.append((table, .array(rows.map(Person.json)))) }
            }
            let trash = try Row.fetchAll(
                tx.db, sql: "SELECT * FROM trash WHERE json_extract(row, '$.email') = ? COLLATE NOCASE",
                arguments: [email])
            if !trash.isEmpty { tables.append(("trash", .array(trash.map(Person.json)))) }
            return .object(tables)
        }
    }

    /// Files outside the database that hold the person, and that ``erase(_:)`` leaves where they are: paths, sorted.
    public func files(_ kernel: Kernel) throws -> [String] {
        let ids = try kernel.read { try leadIDs($0) }
        guard !ids.isEmpty else { return [] }
        return try kernel.ask(PersonFiles(leadIDs: ids)).flatMap { $0 }.sorted()
    }

    /// Removes the person and keeps the counts: the lead, its contact, consents, touches and mail contents go; the
    /// log, which holds no personal data, stays. A keyed hash of the address keeps the person out.
    ///
    /// - Returns: how many leads and contacts were removed.
    public func erase(_ kernel: Kernel) throws -> Int {
        let hash = try kernel.signer.hashes(ofAddress: email)[0]
        let removed = try kernel.write(KernelContext(origin: "erase", mode: "erasing")) { tx in
            try tx.db.execute(sql: "PRAGMA secure_delete = ON")
            let ids = try leadIDs(tx.db)
            try KeptMail.erase(naming: email, leads: ids, tx)
            try Undo.erase(naming: email, leads: ids, tx)
            for id in ids { try erase(lead: id, tx) }
            try tx.db.execute(sql: "DELETE FROM contacts WHERE email = ?", arguments: [email])
            let contacts = tx.db.changesCount
            try keepOthersOut(tx)
            try tx.db.execute(sql: "DELETE FROM suppressions WHERE email = ?", arguments: [email])
            for table in try Person.tablesOfAddresses(tx) {
                try tx.db.execute(sql: "DELETE FROM \(table.sqlIdentifier) WHERE email = ?", arguments: [email])
            }
            try tx.db.execute(
                sql: "DELETE FROM trash WHERE json_extract(row, '$.email') = ? COLLATE NOCASE", arguments: [email])
            try tx.db.execute(
                sql:
                    "INSERT INTO suppressions (email_hash, reason, origin, at) VALUES (?, 'erased', 'erase', ?) ON CONFLICT DO NOTHING",
                arguments: [hash, tx.stamp])
            return ids.count + contacts
        }
        // What was overwritten in the file must leave the write-ahead log too.
        try kernel.store.pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA secure_delete = OFF")
            _ = try? db.checkpoint(.truncate)
        }
        return removed
    }

    /// What the suppression of the address kept out by another spelling of its mailbox stays out by its own.
    private func keepOthersOut(_ tx: Transaction) throws {
        try tx.db.execute(
            sql: """
                INSERT INTO suppressions (email, reason, origin, at)
                SELECT l.email, s.reason, s.origin, s.at
                FROM suppressions AS s JOIN suppressed_leads AS v ON v.suppression_id = s.id JOIN leads AS l ON l.id = v.lead_id
                WHERE s.email = :email AND l.email <> :email ON CONFLICT DO NOTHING
                """, arguments: ["email": email])
    }

    private func erase(lead id: Int64, _ tx: Transaction) throws {
        for table in try ["touches", "consents"] + Person.tablesOfPeople(tx) {
            try tx.db.execute(sql: "DELETE FROM \(table.sqlIdentifier) WHERE lead_id = ?", arguments: [id])
        }
        try tx.db.execute(
            sql: """
                UPDATE outbox_messages SET content = NULL, recipient = NULL, body = '{}',
                    state = CASE WHEN state IN ('waiting', 'held') THEN 'cancelled' ELSE state END,
                    settled_at = CASE WHEN state IN ('waiting', 'held') THEN :now ELSE settled_at END,
                    reason = CASE WHEN state IN ('waiting', 'held') THEN 'the person was erased' ELSE reason END
                WHERE lead_id = :id
                """, arguments: ["now": tx.stamp, "id": id])
        try tx.db.execute(sql: "UPDATE mail_hits SET agent = NULL, network = NULL WHERE lead_id = ?", arguments: [id])
        try tx.db.execute(sql: "DELETE FROM scheduled_events WHERE lead_id = ?", arguments: [id])
        try tx.db.execute(sql: "DELETE FROM trash WHERE table_name = 'leads' AND row_id = ?", arguments: [id])
        try tx.db.execute(sql: "DELETE FROM leads WHERE id = ?", arguments: [id])
        try tx.db.execute(sql: "DELETE FROM replaced_rows")
        try tx.emit("lead.erased", lead: id)
    }

    /// Tables of plugins that hold an address before there is a lead, such as forms held back.
    private static func tablesOfAddresses(_ tx: Transaction) throws -> [String] {
        try tx.kernel.pluginTypes.flatMap { $0.addressTables }.filter { try tx.db.tableExists($0) }
    }

    /// Tables of plugins whose rows go with their lead. One that was never on has none.
    private static func tablesOfPeople(_ tx: Transaction) throws -> [String] {
        try tx.kernel.pluginTypes.flatMap { $0.personTables }.filter { try tx.db.tableExists($0) }
    }

    private func leadIDs(_ db: Database) throws -> [Int64] {
        try Int64.fetchAll(
            db,
            sql: """
                SELECT id FROM leads WHERE email = :email
                UNION SELECT m.gone_id FROM lead_merges AS m JOIN leads AS l ON l.id = m.kept_id WHERE l.email = :email
                """, arguments: ["email": email])
    }

    private static func json(_ row: Row) -> JSONValue {
        .object(row.map { column, value in (column, JSONValue(value)) })
    }
}
