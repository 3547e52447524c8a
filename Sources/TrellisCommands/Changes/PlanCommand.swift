import ArgumentParser
import Foundation
import TrellisKernel

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract:
            "What applying this config would change: schema, plugins, who enters or leaves what, scores, mails within a day.",
        discussion: """
            Without a file, the configuration as it stands is held against the one in force: that of the last worker.
            Everything is done on two copies of the file, of which one goes on without the change; nothing is sent, and
            the file itself is only read.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "A configuration that is to take the place of this one; - for one on the standard input.")
    var file: String?

    @Option(help: "A plugin that is made anew from the log with it, such as scoring; may be given again.")
    var rebuild: [String] = []

    @Flag(name: .customLong("and-json"), help: .hidden)
    var andJSON = false

    func run() async throws {
        var change = try ProposedChange(global, file).change
        change.rebuilding = rebuild
        guard let changes = try await change.shownPlan(global) else {
            if andJSON { print("\n[]") }
            return
        }
        let exceeded = change.limits.exceeded(by: changes)
        guard !global.json else { return }
        for sentence in exceeded { print(sentence) }
        if andJSON {
            // Whoever asks for both is a program: a person puts it into force.
            print("Nothing was changed.\n")
            return PlannedChange.table(changes).show(.json)
        }
        let command = (["trellis apply"] + [file].compactMap { $0 } + rebuild.map { "--rebuild \($0)" })
            .joined(separator: " ")
        print(
            exceeded.isEmpty
                ? "Nothing was changed. '\(command)' does it."
                : "Nothing was changed. '\(command) --confirm' does it all the same.")
    }
}
