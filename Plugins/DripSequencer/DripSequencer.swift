import Foundation
import TrellisKernel

/// Leads leads through sequences of mails: brought in by an event, taken further when a wait is over, let go by
/// another event.
public struct DripSequencer: Plugin {
    public static let name = "drip"
    public static let summary = "Sequences of mails and waits, begun and ended by events."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static let events = [EventDeclaration("drip.due"), EventDeclaration("drip.completed", ["sequence": .text])]
    public static var cardColumns: KeyValuePairs<String, String> {
        [
            "sequence":
                "SELECT group_concat(sequence, ', ') FROM drip_enrolments WHERE lead_id = leads.id AND state = 'active'"
        ]
    }
    public static let invariants = [
        Invariant(
            "a lead is in a sequence once at a time",
            violations:
                "SELECT lead_id, sequence FROM drip_enrolments WHERE state = 'active' GROUP BY lead_id, sequence HAVING count(*) > 1"
        ),
        Invariant(
            "cycles are counted without a gap",
            violations:
                "SELECT lead_id, sequence FROM drip_enrolments GROUP BY lead_id, sequence HAVING max(cycle) <> count(*)"
        ),
    ]

    private let sequences: [RunningSequence]

    public init(settings: DripSettings) {
        sequences = settings.sequences.map {
            RunningSequence(name: $0.name, settings: $0.value, program: Program($0.value.steps))
        }
    }

    public func check(_ check: ConfigCheck) {
        for sequence in sequences {
            let settings = sequence.settings
            check.kind(settings.enter.on)
            if let condition = settings.enter.condition {
                check.eventPredicate(condition, kind: settings.enter.on.value)
            }
            for kind in settings.exit + (settings.goal.map { [$0] } ?? []) { check.kind(kind) }
            self.check(settings.steps, check)
        }
    }

    private func check(_ steps: [DripSettings.Step], _ check: ConfigCheck) {
        for step in steps {
            if let mail = step.mail { check.mail(mail) }
            if let condition = step.condition { check.leadPredicate(condition) }
            for column in step.set { check.leadColumn(Located(column.name, at: column.place)) }
            self.check(step.then + step.otherwise, check)
        }
    }

    @HookBuilder public var hooks: [any Hook] {
        Subscribe("advance", to: kinds, from: .nextEvent) { _, tx in
            let kinds = try tx.kindsInBatch()
            for sequence in sequences {
                let journey = Journey(sequence: sequence, tx: tx)
                // Who was in it may leave and come again in one batch; who comes now may leave in it too.
                try journey.end(kinds)
                try journey.enrol(kinds)
                try journey.end(kinds)
            }
            try Journey.endForLostLeads(tx)
            if kinds.contains("lead.merged") { try Journey.endForMergedLeads(tx) }
            try Tick(sequences: sequences, tx: tx).run()
        }
        Answer("card-line", LeadCard.self) { card, db in
            try Row.fetchAll(
                db,
                sql:
                    "SELECT sequence, state, step, coalesce(due_at, ended_at) AS at FROM drip_enrolments WHERE lead_id = ? ORDER BY id",
                arguments: [card.leadID]
            ).map {
                CardLine(
                    "sequence",
                    "\($0["sequence"] as String): \($0["state"] as String), step \($0["step"] as Int), \($0["at"] as String? ?? "")"
                )
            }
        }
        Answer("sequences", Report.self) { _, db in [ReportSection("Sequences", try DripSequencer.overview(db))] }
    }

    /// What begins and ends a sequence, a lead that goes, and the appointment that takes the waiting ones further.
    private var kinds: [String] {
        let own = sequences.flatMap {
            [$0.settings.enter.on.value] + $0.settings.exit.map(\.value) + ($0.settings.goal.map { [$0.value] } ?? [])
        }
        return Array(Set(own + ["drip.due", "lead.recycled"] + Journey.lostKinds)).sorted()
    }

    static func overview(_ db: Database) throws -> Table {
        Table(
            columns: ["sequence", "active", "completed", "exited", "goal", "next_due"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT sequence, count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE state = 'completed'),
                           count(*) FILTER (WHERE state = 'exited'), count(*) FILTER (WHERE state = 'goal'), min(due_at)
                    FROM drip_enrolments GROUP BY sequence ORDER BY sequence
                    """))
    }

    public var commands: [Command] {
        [
            Command("sequences", "The sequences and how many leads are in each.") { call in
                .table(try call.kernel.read { try DripSequencer.overview($0) })
            },
            Command(
                "sequences show", "The operations of a sequence, and how many leads are at each.", arguments: ["NAME"]
            ) { call in
                guard let sequence = sequences.first(where: { $0.name == call.arguments[0] }) else {
                    throw KernelError.usage(
                        "There is no sequence '\(call.arguments[0])'. There are: \(sequences.map(\.name).joined(separator: ", "))."
                    )
                }
                let counts = try call.kernel.read { db in
                    try Row.fetchAll(
                        db,
                        sql:
                            "SELECT step, count(*) FROM drip_enrolments WHERE sequence = ? AND state = 'active' GROUP BY step",
                        arguments: [sequence.name]
                    )
                    .reduce(into: [Int: Int64]()) { $0[$1[0]] = $1[1] }
                }
                let rows = sequence.program.lines.enumerated().map {
                    [Cell.integer(Int64($0)), .text($1), .integer(counts[$0] ?? 0)]
                }
                return .table(Table(columns: ["step", "operation", "leads"], rows: rows))
            },
        ]
    }
}

/// A sequence of the config with its program.
struct RunningSequence: Sendable {
    let name: String
    let settings: DripSettings.Sequence
    let program: Program
}
