import Foundation
import TrellisKernel

/// `trellis tasks …`: what people are to do for leads.
struct TaskCommands {
    var all: [Command] {
        [
            Command(
                "tasks", "What is to be done, the most urgent first.",
                options: ["to": "Only what this person is to do.", "lead": "Only about this lead."]
            ) { call in
                let table = try call.kernel.read { try TaskList(db: $0, now: call.kernel.clock.now()).open(for: call) }
                return table.rows.isEmpty ? .tableWithNote(table, "Nothing is to be done.") : .table(table)
            },
            Command(
                "tasks done", "Note that a task is done.", arguments: ["TASK"],
                options: ["outcome": "What came of it, in a word: connected, no_answer."]
            ) { call in
                try close(call, as: "done", outcome: call.options["outcome"])
            },
            Command("tasks skip", "Note that a task will not be done.", arguments: ["TASK"]) { call in
                try close(call, as: "skipped", outcome: nil)
            },
        ]
    }

    private func close(_ call: CommandCall, as state: String, outcome: String?) throws -> CommandResult {
        guard let id = Int64(call.arguments[0]) else {
            throw KernelError.usage("A task is known by its number, not '\(call.arguments[0])'. See 'trellis tasks'.")
        }
        try call.kernel.write(origin: "cli") { try $0.closeTask(id, as: state, outcome: outcome) }
        return .text("Task \(id) is \(state).")
    }
}

/// The open tasks, with their texts filled in for whom they are about.
struct TaskList {
    let db: Database
    let now: Date

    func open(for call: CommandCall) throws -> Table {
        let lead = try call.options["lead"].map { try LeadReference($0).find(db) }
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT t.id, t.kind, coalesce(t.assignee, l.owner, 'nobody yet') AS assignee, t.lead_id, t.text_template, t.due_at,
                       t.due_at < :now AS is_overdue
                FROM drip_tasks AS t LEFT JOIN leads AS l ON l.id = t.lead_id
                WHERE t.state = 'open' AND (:to IS NULL OR coalesce(t.assignee, l.owner) = :to) AND (:lead IS NULL OR t.lead_id = :lead)
                ORDER BY t.due_at, t.id
                """, arguments: ["now": Timestamp.text(now), "to": call.options["to"], "lead": lead])
        return Table(
            columns: ["task", "kind", "who", "lead", "due", "text"],
            rows: try rows.map { row in
                let due: String = row["due_at"]
                return [
                    .integer(row["id"]), .text(row["kind"]), .text(row["assignee"]), .integer(row["lead_id"]),
                    .text(due.prefix(16) + (row["is_overdue"] ? " (overdue)" : "")),
                    .text(try LineTemplate(row["text_template"]).filled(for: row["lead_id"], db)),
                ]
            })
    }
}

extension Transaction {
    /// Closes a task, as a fact of its lead: a sequence may wait for `task.done`.
    ///
    /// - Throws: ``KernelError/data(_:)`` where there is no such task, or it is closed already.
    func closeTask(_ id: Int64, as state: String, outcome: String?) throws {
        let was = try String.fetchOne(db, sql: "SELECT state FROM drip_tasks WHERE id = ?", arguments: [id])
        guard let was else { throw KernelError.data("There is no task \(id). See 'trellis tasks'.") }
        guard was == "open" else { throw KernelError.data("Task \(id) is \(was) already.") }
        try db.execute(
            sql: "UPDATE drip_tasks SET state = ?, closed_at = ?, outcome = ? WHERE id = ?",
            arguments: [state, stamp, outcome, id])
        try tellClosedTasks(as: state, where: "t.id = :task", arguments: ["task": id])
    }

    /// The events of tasks that were closed, those of sequences and those of hooks.
    ///
    /// - Parameter condition: over `drip_tasks AS t`.
    func tellClosedTasks(as state: String, where condition: String, arguments: StatementArguments = [:]) throws {
        try emit(
            "task.\(state)",
            forEach: """
                SELECT t.lead_id, coalesce(t.event_id, e.event_id) AS cause_id,
                       json_object('task', t.id, 'task_kind', t.kind, 'outcome', t.outcome) AS body
                FROM drip_tasks AS t LEFT JOIN drip_enrolments AS e ON e.id = t.enrolment_id WHERE \(condition) ORDER BY t.id
                """, arguments: arguments)
    }
}
