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
    @Argument(help: "A configuration that is to take the place of this one.")
    var file: String?

    @Option(help: "A plugin that is made anew from the log with it, such as scoring; may be given again.")
    var rebuild: [String] = []

    func run() async throws {
        var change = try ProposedChange(global, file).change
        change.rebuilding = rebuild
        guard let changes = try await change.shownPlan(global) else { return }
        let exceeded = change.after.site.limits.exceeded(by: changes)
        guard !global.json else { return }
        for sentence in exceeded { print(sentence) }
        print(
            exceeded.isEmpty
                ? "Nothing was changed. 'trellis apply' does it."
                : "Nothing was changed. 'trellis apply --confirm' does it all the same.")
    }
}

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Put a config into force: show what it changes, note who did it, and have the worker read it again.",
        discussion: """
            With a file, its text takes the place of the configuration. What would touch more than limits: allows needs
            --confirm. 'trellis config rollback' takes it back.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "A configuration that is to take the place of this one.")
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

/// The config that a command proposes: a file, or the configuration as it stands.
struct ProposedChange {
    let change: ConfigChange

    init(_ global: GlobalOptions, _ file: String?) throws {
        let current = try global.load(file: file)
        try current.check(plugins: TrellisProgram.plugins)
        var after = current
        if file != nil {
            // A file of another folder is to stand where the configuration stands.
            after = try global.placed(current.text)
            try after.check(plugins: TrellisProgram.plugins)
        }
        for warning in after.warnings { TrellisProgram.note("warning: \(warning)") }
        change = try ConfigChange(to: after, plugins: TrellisProgram.plugins)
    }
}

extension ConfigChange {
    /// Plans, and prints the plan; nil where there is nothing to plan, which is said.
    func shownPlan(_ global: GlobalOptions) async throws -> [PlannedChange]? {
        if isInForce {
            global.json ? print("[]") : print("This config is in force. Nothing would change.")
            return nil
        }
        guard before != nil else {
            global.json
                ? print("[]")
                : print("No config was in force for this file yet: this is the first, and changes nothing.")
            return []
        }
        let changes = try await plan { TrellisProgram.progress($0) }
        TrellisProgram.progress(nil)
        if changes.isEmpty, !global.json {
            print("No row would change at once, and no other mail would go out within a day.")
        } else {
            PlannedChange.table(changes).show(global.format)
        }
        for name in rebuildable where !rebuilding.contains(name) {
            TrellisProgram.note("What \(name) made of the log so far stays as it is; --rebuild \(name) makes it anew.")
        }
        return changes
    }
}

/// Putting a config into force, with all that is asked and told on the way.
struct Application {
    let change: ConfigChange
    let way: ConfigHistory.Way
    let global: GlobalOptions
    let options: AdoptionOptions
    let note: String?

    func run() async throws {
        var change = change
        change.rebuilding = options.rebuild
        guard let changes = try await change.shownPlan(global) else { return }
        let exceeded = change.after.site.limits.exceeded(by: changes)
        guard exceeded.isEmpty || options.confirm else {
            throw KernelError.data(
                (exceeded + ["Nothing was changed. --confirm does it all the same."]).joined(separator: "\n"))
        }
        if !options.yes, !options.confirm {
            guard Terminal.attached(to: STDIN_FILENO).isTerminal else {
                throw KernelError.usage("Nobody is there to be asked. --yes does it without.")
            }
            print("Put this config into force? [y/N] ", terminator: "")
            fflush(nil)
            guard let answer = readLine()?.lowercased(), ["y", "yes"].contains(answer) else {
                print("Nothing was changed.")
                return
            }
        }
        let pid = try change.adopt(
            as: way, by: options.author ?? NSUserName(), note: note, planned: changes, writing: global.config)
        guard !global.json else { return }
        print("In force: 'trellis config log' shows it, and 'trellis config rollback' goes back.")
        print(
            pid.map { "The process that works on the file (pid \($0)) reads it again now." }
                ?? "It takes effect when 'trellis work' or 'trellis serve' starts.")
    }
}
