import Foundation
import TrellisKernel

/// A sequence of the config with its program.
struct RunningSequence: Sendable {
    let name: String
    let settings: SequenceSettings
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

    /// Events that let a lead go, the goal first: an event that is both ends the sequence as a success.
    var endings: [(kind: String, state: String)] {
        (settings.goal.map { [($0.value, "goal")] } ?? []) + settings.exit.map { ($0.value, "exited") }
    }

    /// What the sequence has to hear of.
    var kinds: Set<String> {
        let entry = settings.enter.on.map { [$0.value] } ?? Entrance.watchedKinds
        return Set(entry + endings.map(\.kind)).union(program.awaitedKinds).union(testKinds)
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
}
