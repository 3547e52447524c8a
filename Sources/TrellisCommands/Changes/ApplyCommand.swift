import ArgumentParser
import Foundation
import TrellisKernel

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Put a config into force: show what it changes, note who did it, and have the worker read it again.",
        discussion: """
            With a file, its text takes the place of the configuration. What would touch more than limits: allows needs
            --confirm. 'trellis config rollback' takes it back.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "A configuration that is to take the place of this one; - for one on the standard input.")
    var file: String?
    @OptionGroup var options: AdoptionOptions

    func run() async throws {
        let change = try ProposedChange(global, file).change
        try await Application(change: change, way: .apply, global: global, options: options, note: options.note).run()
    }
}

/// What whoever puts a config into force may say.
struct AdoptionOptions: ParsableArguments {
    @Option(help: "A plugin that is made anew from the log with it, such as scoring; may be given again.")
    var rebuild: [String] = []
    @Flag(help: "Do it without being asked.")
    var yes = false
    @Flag(help: "Do it although it touches more than limits: allows.")
    var confirm = false
    @Option(help: "Why; it is noted with the config.")
    var note: String?
    @Option(help: "Who; the user of the machine without it.")
    var author: String?
}
