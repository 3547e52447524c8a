import Foundation
import TrellisKernel

/// The sequences in tables.
struct Overview {
    let sequences: [RunningSequence]
    let db: Database

    func counts() throws -> Table {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT sequence, count(*) FILTER (WHERE state = 'active') AS active,
                       count(*) FILTER (WHERE state = 'completed') AS completed, count(*) FILTER (WHERE state = 'exited') AS exited,
                       count(*) FILTER (WHERE state = 'goal') AS goal, min(due_at) AS next_due
                FROM drip_enrolments GROUP BY sequence
                """
        ).reduce(into: [String: Row]()) { $0[$1["sequence"]] = $1 }
        let versions = try Row.fetchAll(
            db, sql: "SELECT sequence, max(version) FROM drip_versions GROUP BY sequence"
        ).reduce(into: [String: Int64]()) { $0[$1[0]] = $1[1] }
        let held = try Row.fetchAll(db, sql: "SELECT sequence, leads FROM drip_held").reduce(into: [String: Int64]()) {
            $0[$1[0]] = $1[1]
        }
        let paused = try Pauses.open(db)
        let names = sequences.map(\.name) + rows.keys.filter { name in !sequences.contains { $0.name == name } }
        return Table(
            columns: [
                "sequence", "version", "active", "completed", "exited", "goal", "next_due", "paused_since",
                "behind_held",
            ],
            rows: names.sorted().map { name in
                let since = paused[name].map(Cell.text) ?? .null
                let version = versions[name].map(Cell.integer) ?? .null
                let behind = Cell.integer(held[name] ?? 0)
                guard let row = rows[name] else {
                    return [.text(name), version] + (0..<4).map { _ in .integer(0) } + [.null, since, behind]
                }
                let next: String? = row["next_due"]
                return [.text(name), version]
                    + ["active", "completed", "exited", "goal"].map { .integer(row[$0]) }
                    + [next.map { $0 == Rest.never ? .text("when it happens") : .text($0) } ?? .null, since, behind]
            })
    }

    /// What became of a sequence that is not in the config any more; nil where there never was one of that name.
    func end(of name: String) throws -> String? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT count(*) AS leads, count(*) FILTER (WHERE state = 'active') AS active, max(ended_at) AS last_end,
                       count(*) FILTER (WHERE reason = '\(Departure.removed)') AS dismissed,
                       EXISTS (SELECT 1 FROM drip_versions WHERE sequence = :name) AS is_known
                FROM drip_enrolments WHERE sequence = :name
                """, arguments: ["name": name])
        guard let row, row["is_known"] || (row["leads"] as Int64) > 0 else { return nil }
        let (leads, active, dismissed): (Int64, Int64, Int64) = (row["leads"], row["active"], row["dismissed"])
        var sentences = ["\(name) is not in the config any more. \(leads) leads were in it."]
        if dismissed > 0 { sentences.append("\(dismissed) of them left when it was taken out.") }
        if active > 0 {
            sentences.append("\(active) are still, and leave when 'trellis work' or 'trellis serve' starts.")
        }
        if let last: String = row["last_end"] { sentences.append("The last left on \(last.prefix(10)).") }
        return sentences.joined(separator: " ")
    }

    /// The operations of a version, and how many leads come to each next.
    ///
    /// - Parameter current: the program of the config; nil where the sequence is not there any more.
    func operations(of name: String, _ current: Program?, version: Int?) throws -> Table {
        let newest = try Int.fetchOne(
            db, sql: "SELECT max(version) FROM drip_versions WHERE sequence = ?", arguments: [name])
        let version = version ?? newest ?? 1
        let text = try String.fetchOne(
            db, sql: "SELECT program FROM drip_versions WHERE sequence = ? AND version = ?",
            arguments: [name, version])
        guard text != nil || version == newest ?? 1 else {
            throw KernelError.usage("\(name) has no version \(version). The newest is \(newest ?? 1).")
        }
        let program = try text.map { try Program(text: $0) } ?? current ?? Program(operations: [])
        let counts = try Row.fetchAll(
            db,
            sql: """
                SELECT step, count(*) FROM drip_enrolments WHERE sequence = ? AND version = ? AND state = 'active' GROUP BY step
                """, arguments: [name, version]
        ).reduce(into: [Int: Int64]()) { $0[$1[0]] = $1[1] }
        let rows = program.lines.enumerated().map {
            [Cell.integer(Int64($0)), .text($1), .integer(counts[$0] ?? 0)]
        }
        return Table(columns: ["step", "operation", "leads"], rows: rows)
    }

    /// In words, which leads stand still in a version of a sequence because a step of theirs fails; nil where none
    /// does.
    func failures(of name: String, version: Int?) throws -> String? {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT failed_step, failure, count(*) AS leads, min(lead_id) AS lead, min(due_at) AS retry_at FROM drip_enrolments
                WHERE sequence = :name AND failures > 0
                  AND version = coalesce(:version, (SELECT max(version) FROM drip_versions WHERE sequence = :name))
                GROUP BY failed_step, failure ORDER BY failed_step, leads DESC
                """, arguments: ["name": name, "version": version])
        guard !rows.isEmpty else { return nil }
        let sentences = rows.map { row in
            let (step, error): (Int, String) = (row["failed_step"], row["failure"])
            let (leads, lead, retry): (Int, Int64, String) = (row["leads"], row["lead"], row["retry_at"])
            let who = leads == 1 ? "lead \(lead)" : "\(leads) leads, such as \(lead)"
            return "Step \(step) fails for \(who): \(error). It is tried again at \(retry.prefix(16)) UTC."
        }
        return (sentences + ["At once: trellis sequences retry \(name)"]).joined(separator: "\n")
    }

    static func leads(_ count: Int) -> String { count == 1 ? "1 lead" : "\(count) leads" }

    func card(_ lead: Int64) throws -> [CardLine] {
        let paused = try Pauses.open(db)
        return try Row.fetchAll(
            db,
            sql: """
                SELECT e.sequence, state, reason, step, resting_at, substr(nullif(coalesce(due_at, ended_at), '\(Rest.never)'), 1, 16) AS at,
                       program
                FROM drip_enrolments AS e LEFT JOIN drip_versions AS v ON v.sequence = e.sequence AND v.version = e.version
                WHERE lead_id = ? ORDER BY e.id
                """, arguments: [lead]
        ).map { row in
            let program = try (row["program"] as String?).map { try Program(text: $0) }
            let next = program?.next(step: row["step"], restingAt: row["resting_at"]).map { ": \($0)" } ?? ""
            let reason = (row["reason"] as String?).map { " (\($0))" } ?? ""
            let time = (row["at"] as String?).map { ", \($0)" } ?? ""
            let name: String = row["sequence"]
            let state: String = row["state"]
            let isPaused = state == "active" && paused[name] != nil
            return CardLine(
                "sequence",
                "\(name): \(state)\(isPaused ? ", paused" : "")\(reason)\(time)\(state == "active" ? next : "")")
        }
            + Row.fetchAll(
                db,
                sql:
                    "SELECT kind, text_template, due_at FROM drip_tasks WHERE lead_id = ? AND state = 'open' ORDER BY due_at",
                arguments: [lead]
            ).map {
                let text = try LineTemplate($0["text_template"]).filled(for: lead, db)
                return CardLine("task", "\($0["kind"] as String): \(text), by \(($0["due_at"] as String).prefix(16))")
            }
    }
}
