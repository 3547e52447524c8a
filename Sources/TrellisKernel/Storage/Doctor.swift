import CTrellisSQLite
import Foundation

/// Checks the promises of a file as SQL: what was promised, and the rows that break it.
public struct Doctor {
    private let kernel: Kernel

    public init(_ kernel: Kernel) {
        self.kernel = kernel
    }

    public struct Finding: Sendable, Hashable {
        public let promise: String
        public let isKept: Bool
        /// The first few rows that break it, or what was measured.
        public let detail: String
    }

    /// - Parameter isStrict: also what takes long on a big file: the integrity of every page, every row against the
    ///   log.
    public func examine(isStrict: Bool) throws -> [Finding] {
        var findings = try storage()
        for invariant in Doctor.invariants + kernel.pluginTypes.flatMap(ownInvariants) {
            findings.append(try check(invariant))
        }
        if isStrict { findings.append(try integrity()) }
        return findings
    }

    /// Puts back triggers that somebody dropped or changed. Returns their names.
    public func fix() throws -> [String] {
        try kernel.write(origin: "doctor") { tx in
            let names = try ChangeTriggers.vandalised(tx.db)
            try ChangeTriggers.install(tx.db)
            return names
        }
    }

    private func ownInvariants(_ type: any Plugin.Type) -> [Invariant] {
        let isThere = try? kernel.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM migrations WHERE id GLOB ?)", arguments: ["\(type.name)/*"])
        }
        return isThere == true ? type.invariants : []
    }

    private func check(_ invariant: Invariant) throws -> Finding {
        let rows = try kernel.read { db in try Row.fetchAll(db, sql: "SELECT * FROM (\(invariant.violations)) LIMIT 5")
        }
        let detail = rows.map { row in row.map { "\($0) \(Cell($1).text ?? "NULL")" }.joined(separator: ", ") }.joined(
            separator: "; ")
        return Finding(promise: invariant.promise, isKept: rows.isEmpty, detail: detail)
    }

    private func storage() throws -> [Finding] {
        let version = String(cString: sqlite3_libversion())
        return try kernel.store.pool.writeWithoutTransaction { db in
            let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous")
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode")
            let triggers = try ChangeTriggers.vandalised(db)
            return [
                Finding(
                    promise: "what is acknowledged survives a power cut", isKept: synchronous == 2,
                    detail: "synchronous = \(synchronous ?? -1)"),
                Finding(promise: "the file is in WAL mode", isKept: mode == "wal", detail: mode ?? ""),
                Finding(
                    promise: "every change is logged, whoever makes it", isKept: triggers.isEmpty,
                    detail: triggers.isEmpty
                        ? "" : "missing or changed: \(triggers.joined(separator: ", ")); put back with doctor --fix"),
                Finding(
                    promise: "the SQLite library is sound", isKept: true,
                    detail: version
                        + (sqlite3_libversion_number() < 3_051_003
                            ? ": before 3.51.3 two programs that write and checkpoint at the same instant can, rarely, damage the WAL; a newer library is safer"
                            : "")),
            ]
        }
    }

    private func integrity() throws -> Finding {
        let problems = try kernel.read { db in
            try String.fetchAll(db, sql: "PRAGMA integrity_check(5)").filter { $0 != "ok" }
                + Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { "foreign key of \($0[0] as String)" }
        }
        return Finding(
            promise: "every page of the file is whole", isKept: problems.isEmpty,
            detail: problems.joined(separator: "; "))
    }

    /// The kernel's own promises. Names after the failure model in Documentation/Reliability.md. What is asked once per
    /// row says `+e.kind`, so that events are looked up by their lead and not by their kind, of which there may be a
    /// million (https://www.sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_).
    static let invariants: [Invariant] = [
        Invariant(
            "every lead has exactly one event of its creation",
            violations: """
                SELECT l.id FROM leads AS l
                WHERE (SELECT count(*) FROM events AS e WHERE e.lead_id = l.id AND e.kind = 'lead.created') <> 1
                """),
        Invariant(
            "a lead that is gone has an event that says so",
            violations: """
                SELECT e.lead_id FROM events AS e
                WHERE e.kind = 'lead.created' AND NOT EXISTS (SELECT 1 FROM leads AS l WHERE l.id = e.lead_id)
                  AND NOT EXISTS (SELECT 1 FROM events AS g WHERE g.lead_id = e.lead_id AND g.kind IN ('lead.deleted', 'lead.erased'))
                """),
        Invariant(
            "the stage of a lead is what the log says last",
            violations: """
                SELECT l.id, l.stage, h.to_stage FROM leads AS l
                JOIN stage_history AS h ON h.event_id = (
                    SELECT max(id) FROM events WHERE lead_id = l.id AND kind IN ('lead.created', 'lead.stage_changed'))
                WHERE h.to_stage <> l.stage
                  AND NOT EXISTS (SELECT 1 FROM events AS r WHERE r.lead_id = l.id AND r.kind = 'lead.restored' AND r.id > h.event_id)
                """),
        Invariant(
            "no cursor is beyond the log",
            violations:
                "SELECT id, last_event_id FROM subscribers WHERE last_event_id > (SELECT coalesce(max(id), 0) FROM events)"
        ),
        Invariant(
            "nothing was sent to a suppressed address",
            violations: """
                SELECT m.id FROM outbox_messages AS m JOIN leads AS l ON l.id = m.lead_id JOIN suppressions AS s ON s.email = l.email
                WHERE m.state = 'sent' AND m.transport = 'mail' AND m.purpose = 'marketing' AND m.leased_at > s.at
                UNION
                SELECT m.id FROM outbox_messages AS m JOIN suppressed_leads AS s ON s.lead_id = m.lead_id
                WHERE m.state = 'sent' AND m.transport = 'mail' AND m.purpose = 'marketing' AND m.leased_at > s.at
                  AND m.leased_at > (SELECT applied_at FROM migrations WHERE id = 'kernel/0010_suppress_mailboxes')
                """),
        Invariant(
            "nothing was sent to an address after it bounced or complained",
            violations: """
                SELECT m.id, s.reason FROM suppressions AS s JOIN leads AS l ON l.email = s.email JOIN outbox_messages AS m ON m.lead_id = l.id
                WHERE s.reason IN ('bounced', 'complained') AND m.state = 'sent' AND m.purpose <> 'internal' AND m.leased_at > s.at
                """),
        Invariant(
            "every hard bounce is a fact",
            violations: """
                SELECT r.id FROM mail_returns AS r
                WHERE r.kind = 'hard_bounce' AND r.lead_id IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM events AS e
                    WHERE +e.kind = 'mail.bounced'
                      AND e.lead_id IN (SELECT r.lead_id UNION SELECT gone_id FROM lead_merges WHERE kept_id = r.lead_id)
                      AND json_extract(e.body, '$.message_id') = r.message_id AND json_extract(e.body, '$.class') = 'hard')
                """),
        Invariant(
            "every mail sent has one event",
            violations: """
                SELECT m.id FROM outbox_messages AS m
                WHERE m.state = 'sent' AND m.transport = 'mail' AND m.purpose <> 'internal' AND m.lead_id IS NOT NULL
                  AND (SELECT count(*) FROM events AS e
                       WHERE +e.kind = 'mail.sent'
                         AND e.lead_id IN (SELECT m.lead_id UNION SELECT gone_id FROM lead_merges WHERE kept_id = m.lead_id)
                         AND json_extract(e.body, '$.message_id') = m.id) <> 1
                """),
        Invariant("no chain of causes is broken", violations: "SELECT id FROM events WHERE cause_id >= id"),
        Invariant(
            "nobody writes in the name of the kernel",
            violations:
                "SELECT origin FROM kernel_context WHERE origin IS NOT NULL OR cause_id IS NOT NULL OR mode IS NOT NULL"
        ),
    ]
}
