import Foundation
import TrellisKernel

/// A sequence of the config with its program.
struct RunningSequence: Sendable {
    let name: String
    private(set) var settings: SequenceSettings
    let program: Program
    /// The program as it is written to the database, and what tells it from others.
    let text: String
    let digest: String

    init(_ named: Named<SequenceSettings>) {
        name = named.name
        settings = named.value
        program = Program(named.value.steps)
        // A program of texts and numbers can always be written.
        text = (try? program.text) ?? "[]"
        digest = Digest.hex(text)
    }

    /// An event that lets a lead go.
    struct Ending: Sendable {
        let kind: String
        /// A SQL expression over the fields of the event and the columns of the lead.
        let condition: String?
        /// What becomes of the enrolment.
        let state: String

        /// A SELECT of `lead_id, ending_event`: the last such event of each lead in the batch.
        func events(_ tx: Transaction) -> String {
            let events =
                condition.map { condition in
                    "SELECT event_lead_id AS lead_id, event_id AS id FROM \(tx.relation(of: kind)) WHERE (\(condition)\n)"
                } ?? "SELECT lead_id, id FROM batch WHERE kind = \(kind.sqlLiteral)"
            return "SELECT lead_id, max(id) AS ending_event FROM (\(events)) GROUP BY lead_id"
        }
    }

    /// The goal comes first: an event that is both ends the sequence as a success.
    var endings: [Ending] {
        (settings.goal.map { [Ending(kind: $0.value, condition: nil, state: "goal")] } ?? [])
            + settings.exit.map { Ending(kind: $0.on.value, condition: $0.condition?.value, state: "exited") }
    }

    /// What the sequence has to hear of.
    var kinds: Set<String> {
        let entry = settings.enter.on.map { [$0.value] } ?? Entrance.watchedKinds
        return Set(entry + endings.map(\.kind)).union(program.awaitedKinds).union(testKinds)
    }

    /// The same sequence with other conditions on the events that begin and end it.
    func mapConditions(_ transform: (String) -> String) -> RunningSequence {
        var sequence = self
        if let condition = settings.enter.condition?.value {
            sequence.settings.enter.condition?.value = transform(condition)
        }
        for (index, exit) in settings.exit.enumerated() {
            guard let condition = exit.condition?.value else { continue }
            sequence.settings.exit[index].condition?.value = transform(condition)
        }
        return sequence
    }

    /// The outcomes its tests ask for.
    private var testKinds: Set<String> {
        Set(program.tests.compactMap { outcomeKind(of: $0) })
    }

    /// The event that counts as success of a test; nil where it asks for a goal and the sequence has none.
    func outcomeKind(of test: Operation.SplitTest) -> String? {
        switch test.optimise {
        case .goal: settings.goal?.value
        case .clicks: "mail.clicked"
        case .opens: "mail.opened"
        case .replies: "mail.replied"
        }
    }
}

/// A program as leads run through it, with the number of its version.
struct Edition: Sendable {
    let sequence: RunningSequence
    let version: Int
    let program: Program

    /// The enrolments in it, as a condition on `drip_enrolments` or on a temp table with its columns.
    var condition: String { "sequence = \(sequence.name.sqlLiteral) AND version = \(version)" }

    /// The same for enrolments that are found by their leads: what one lead is in is few, what one version holds may be
    /// a million, so that its index is not to be taken (https://www.sqlite.org/optoverview.html, 2.1).
    func condition(on table: String) -> String {
        "\(table).sequence = \(sequence.name.sqlLiteral) AND +\(table).version = \(version)"
    }
}
