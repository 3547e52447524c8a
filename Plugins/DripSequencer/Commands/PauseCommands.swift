import Foundation
import TrellisKernel

/// `trellis sequences pause` and `resume`.
struct PauseCommands {
    let sequences: SequenceCommands

    private var plugin: DripSequencer { sequences.plugin }

    var all: [Command] {
        [
            Command(
                "sequences pause", "Let a sequence stand still: nothing of it is sent until it is resumed.",
                arguments: ["NAME"]
            ) { call in try pause(call) },
            Command("sequences resume", "Let a paused sequence go on.", arguments: ["NAME"]) { call in
                try resume(call)
            },
        ]
    }

    private func pause(_ call: CommandCall) throws -> CommandResult {
        let name = try sequences.sequence(call.arguments[0]).name
        let isNew = try call.kernel.write(origin: "plugin:\(DripSequencer.name)") { tx in
            try Pauses(sequences: plugin.sequences, settings: plugin.settings, tx: tx).pause(name)
        }
        return .text(
            isNew
                ? "\(name) is paused: nothing of it is sent. Let it go on with: trellis sequences resume \(name)"
                : "\(name) is paused already.")
    }

    private func resume(_ call: CommandCall) throws -> CommandResult {
        let sequence = try sequences.sequence(call.arguments[0])
        let name = sequence.name
        let authors = try call.kernel.write(origin: "cli") { tx in
            let authors = try String.fetchAll(
                tx.db, sql: "SELECT paused_by FROM drip_pauses WHERE sequence = ? AND resumed_at IS NULL",
                arguments: [name])
            if authors.contains(Pauses.Author.hand.rawValue) { try tx.emit(Pauses.Ended(sequence: name, by: .hand)) }
            return authors
        }
        let home = "'paused' out of plugins.drip.sequences.\(name) in the config"
        guard !authors.isEmpty else { throw KernelError.data("\(name) is not paused.") }
        guard authors.contains(Pauses.Author.hand.rawValue) else {
            throw KernelError.data("\(name) is paused by the config. Take \(home).")
        }
        guard authors.count == 1 else {
            return .text("\(name) is paused by the config too. It goes on once you take \(home).")
        }
        let late =
            switch sequence.settings.late {
            case .shift: "what came due comes later by the time that was lost"
            case .send: "what came due is sent at once"
            case .skip: "what came due is passed over"
            }
        return .text("\(name) goes on once 'trellis work' or 'trellis serve' runs: \(late).")
    }
}
