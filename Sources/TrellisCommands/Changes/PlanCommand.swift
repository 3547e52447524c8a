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

    @Flag(help: "Say who enters, leaves or moves too: leads by their ids and masked addresses.")
    var who = false

    @Option(name: .customLong("who-most"), help: "With --who, how many leads of each change are named.")
    var whoMost = PlannedNames.usual

    @Flag(name: .customLong("and-json"), help: .hidden)
    var andJSON = false

    func validate() throws {
        guard (1...PlannedNames.most).contains(whoMost) else {
            throw ValidationError("--who-most: expected a number from 1 to \(PlannedNames.most), got \(whoMost).")
        }
    }

    func run() async throws {
        var change = try ProposedChange(global, file).change
        change.rebuilding = rebuild
        let leadsMax = who ? whoMost : 0
        guard let changes = try await change.shownPlan(global, naming: leadsMax) else {
            if andJSON { print("\n[]") }
            return
        }
        let exceeded = change.limits.exceeded(by: changes)
        guard !global.json else { return }
        for sentence in exceeded { print(sentence) }
        if andJSON {
            // Whoever asks for both is a program: a person puts it into force.
            print("Nothing was changed.\n")
            return PlannedNames(changes: changes).show(naming: leadsMax)
        }
        let command = (["trellis apply"] + [file].compactMap { $0 } + rebuild.map { "--rebuild \($0)" })
            .joined(separator: " ")
        print(
            exceeded.isEmpty
                ? "Nothing was changed. '\(command)' does it."
                : "Nothing was changed. '\(command) --confirm' does it all the same.")
    }
}
