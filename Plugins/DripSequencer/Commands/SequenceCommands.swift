import Foundation
import TrellisKernel

/// `trellis sequences …`
struct SequenceCommands {
    let plugin: DripSequencer

    var all: [Command] {
        [
            list("sequences"), list("sequences list"),
            Command(
                "sequences show", "The operations of a sequence, and how many leads are at each.", arguments: ["NAME"],
                options: ["version": "An older version that leads are still in."]
            ) { call in
                let version = try call.options["version"].map(number)
                return try show(call, version)
            },
            Command(
                "sequences plan",
                "What the steps in the config would change: new versions, and which leads go on where. Changes nothing."
            ) { call in try plan(call) },
            Command(
                "sequences enter",
                "Bring a lead into a sequence, whatever its entry says, where reentry and group let it.",
                arguments: ["NAME", "LEAD"]
            ) { call in
                .text(
                    try tell(call, "drip.invited") { lead, sequence, tx in
                        try Invitation(sequence: sequence, sequences: plugin.sequences, lead: lead, tx: tx)
                            .consequence()
                    })
            },
            Command("sequences exit", "Take a lead out of a sequence.", arguments: ["NAME", "LEAD"]) { call in
                .text(
                    try tell(call, "drip.dismissed") { lead, sequence, _ in
                        "Lead \(lead) will leave \(sequence.name) once 'trellis work' or 'trellis serve' runs."
                    })
            },
            Command("sequences tests", "The tests of mails: their numbers, and what they say.") { call in
                .table(try call.kernel.read(tests))
            },
            Command(
                "sequences winner", "Decide a test by hand: all leads from now on get this mail.",
                arguments: ["NAME", "TEST", "MAIL"]
            ) { call in try decide(call) },
            Command(
                "sequences retry",
                "Try the failing steps of a sequence again now, and forget which events its conditions failed on.",
                arguments: ["NAME"]
            ) { call in .text(try retry(call)) },
        ] + PauseCommands(sequences: self).all
    }

    private func list(_ path: String) -> Command {
        Command(path, "The sequences and how many leads are in each.") { call in
            .table(try call.kernel.read { try Overview(sequences: plugin.sequences, db: $0).counts() })
        }
    }

    private func show(_ call: CommandCall, _ version: Int?) throws -> CommandResult {
        let name = call.arguments[0]
        let program = plugin.sequences.first { $0.name == name }?.program
        return try call.kernel.read { db in
            let overview = Overview(sequences: plugin.sequences, db: db)
            if program == nil, let end = try overview.end(of: name) {
                return .tableWithNote(try overview.operations(of: name, nil, version: version), end)
            }
            let sequence = try sequence(name)
            let table = try overview.operations(of: sequence.name, program, version: version)
            let failures = try overview.failures(of: sequence.name, version: version)
            return failures.map { .tableWithNote(table, $0) } ?? .table(table)
        }
    }

    /// - Throws: ``KernelError/usage(_:)`` where the config has none of that name.
    func sequence(_ name: String) throws -> RunningSequence {
        let names = plugin.sequences.map(\.name)
        guard let sequence = plugin.sequences.first(where: { $0.name == name }) else {
            throw KernelError.usage(
                "There is no sequence '\(name)'.\(NearMiss.hint(name, among: names)) There are: \(names.sorted().joined(separator: ", "))."
            )
        }
        return sequence
    }

    private func number(_ text: String) throws -> Int {
        guard let number = Int(text), number > 0 else {
            throw KernelError.usage("--version: expected a number, got '\(text)'.")
        }
        return number
    }

    // MARK: - Plan

    private func plan(_ call: CommandCall) throws -> CommandResult {
        let (changes, removed, pauses) = try call.kernel.read { db in
            let editions = plugin.editions(db)
            return (try editions.changes(), try editions.removed(), try Pauses.changes(plugin.sequences, db))
        }
        guard !changes.isEmpty || !removed.isEmpty || !pauses.isEmpty else {
            return .text("The steps are those the database knows. Nothing would change.")
        }
        var rows = removed.map { name, leads -> [Cell] in
            [.text(name), .text("not in the config"), .null, .integer(leads), .text("leave the sequence")]
        }
        rows += try pauses.map { name, isPaused in
            [
                .text(name), .text(isPaused ? "paused" : "not paused any more"), .null, .integer(try count(name, call)),
                .text(isPaused ? "stand still" : "go on"),
            ]
        }
        for change in changes {
            let name = change.sequence.name
            let staying = try count(name, call)
            let moving = change.moves.reduce(0) { $0 + Int64($1.leads) }
            guard change.version > 1 else {
                rows.append([.text(name), .text("new"), .null, .integer(staying), .text("begin here")])
                continue
            }
            if change.isNew {
                rows.append([
                    .text(name), .text("version \(change.version)"), .null, .integer(staying - moving),
                    .text("keep their steps"),
                ])
            }
            for move in change.moves.sorted(by: { ($0.version, $0.step) < ($1.version, $1.step) }) {
                rows.append([
                    .text(name), .text("move"), .text("\(move.step): \(move.before)"), .integer(Int64(move.leads)),
                    .text(
                        "\(move.place.step): \(move.after)"
                            + (move.reason.map { " (\($0))" } ?? "")),
                ])
            }
        }
        return .tableWithNote(
            Table(columns: ["sequence", "change", "next_now", "leads", "next_then"], rows: rows),
            "Nothing was changed. It will be when 'trellis work' or 'trellis serve' starts with this config.")
    }

    /// How many leads are in a sequence.
    private func count(_ name: String, _ call: CommandCall) throws -> Int64 {
        try call.kernel.read { db in
            try Int64.fetchOne(
                db, sql: "SELECT count(*) FROM drip_enrolments WHERE sequence = ? AND state = 'active'",
                arguments: [name]
            ) ?? 0
        }
    }

    // MARK: - By hand

    /// States a fact about a lead and a sequence.
    ///
    /// - Parameter sentence: what follows from it; where it throws, nothing is stated.
    private func tell(
        _ call: CommandCall, _ kind: String, _ sentence: (Int64, RunningSequence, Transaction) throws -> String
    ) throws -> String {
        let sequence = try sequence(call.arguments[0])
        return try call.kernel.write(origin: "cli") { tx in
            let lead = try LeadReference(call.arguments[1]).find(tx.db)
            let consequence = try sentence(lead, sequence, tx)
            try tx.emit(
                kind, forEach: "SELECT :lead AS lead_id, NULL AS cause_id, json_object('sequence', :name) AS body",
                arguments: ["lead": lead, "name": sequence.name])
            return consequence
        }
    }

    private func retry(_ call: CommandCall) throws -> String {
        let name = try sequence(call.arguments[0]).name
        let (leads, missed) = try call.kernel.write(origin: "plugin:\(DripSequencer.name)") { tx in
            (try FailingSteps.retry(of: name, tx), try MissedEvents.forget(name, tx))
        }
        guard leads > 0 || missed > 0 else { throw KernelError.data("No step and no condition of \(name) fails.") }
        var sentences: [String] = []
        if leads > 0 {
            sentences.append(
                "The step of \(Overview.leads(leads)) is tried again once 'trellis work' or 'trellis serve' runs.")
        }
        if missed > 0 {
            sentences.append(
                "What \(name) missed of \(Overview.leads(missed)) is forgotten: 'trellis sequences enter' brings a lead in."
            )
        }
        return sentences.joined(separator: " ")
    }

    // MARK: - Tests

    private func tests(_ db: Database) throws -> Table {
        Table(
            columns: [
                "sequence", "test", "mail", "leads", "outcomes", "percent", "interval", "best", "gets", "verdict",
            ],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT sequence, test, arm, leads, outcomes, percent, low_percent || ' to ' || high_percent, best_percent,
                           share_percent, CASE WHEN is_winner THEN 'winner: ' ELSE '' END || coalesce(verdict, 'too early to say')
                    FROM drip_tests ORDER BY sequence, test, arm
                    """))
    }

    private func decide(_ call: CommandCall) throws -> CommandResult {
        let sequence = try sequence(call.arguments[0])
        let tests = sequence.program.tests
        guard let test = tests.first(where: { $0.name == call.arguments[1] }) else {
            throw KernelError.usage(
                "\(sequence.name) has no test '\(call.arguments[1])'."
                    + (tests.isEmpty ? "" : " There are: \(tests.map(\.name).joined(separator: ", "))."))
        }
        let mails = test.mails.map(\.mail)
        guard mails.contains(call.arguments[2]) else {
            throw KernelError.usage(
                "'\(call.arguments[2])' is no mail of this test.\(NearMiss.hint(call.arguments[2], among: mails)) There are: \(mails.joined(separator: ", "))."
            )
        }
        try call.kernel.write(origin: "plugin:drip") { tx in
            try Experiment(test: test, sequence: sequence, tx: tx).decide(for: call.arguments[2], by: "a person")
        }
        return .text("From now on \(call.arguments[2]) is sent. Who has an arm keeps it.")
    }
}
