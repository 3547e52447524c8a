import ArgumentParser
import Foundation
import Synchronization
import TrellisKernel

/// The program: all commands, for a list of plugins. An embedder's own binary is one line:
/// ```swift
/// await TrellisProgram.run(plugins: [Scoring.self, MyPlugin.self])
/// ```
public enum TrellisProgram {
    private static let types = Mutex<[any Plugin.Type]>([])
    /// The command that was called; nil where the page of help is wanted, which shows them all.
    fileprivate static let called = Mutex<String?>(nil)

    /// The commands of the plugins, for the page of help alone: to make them all takes a millisecond.
    fileprivate static var pluginOverview: String {
        called.withLock { $0 } == nil ? PluginCommandLine.overview(plugins) : ""
    }

    /// The plugins of this program.
    static var plugins: [any Plugin.Type] { types.withLock { $0 } }

    /// Runs the command line and ends the process with its exit code (after sysexits(3)).
    public static func run(plugins: [any Plugin.Type], arguments: [String] = Array(CommandLine.arguments.dropFirst()))
        async -> Never
    {
        if arguments == [GuardedQuery.command] { AnswerQuery.run() }
        types.withLock { $0 = plugins }
        let arguments = GlobalOptions.behindCommand(arguments)
        let wantsHelp = !Set(arguments).isDisjoint(with: ["help", "--help", "-h"])
        called.withLock { $0 = wantsHelp ? nil : arguments.first }
        do {
            if !RootCommand.has(arguments.first), let call = try PluginCommandLine(arguments, plugins: plugins) {
                try call.run()
            } else {
                try RootCommand.check(arguments.first)
                var command = try RootCommand.parseAsRoot(arguments)
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
            }
            fflush(nil)
            exit(0)
        } catch {
            fflush(nil)
            end(with: error)
        }
    }

    /// Says what went wrong in one sentence, and ends with the code that fits.
    private static func end(with error: any Error) -> Never {
        switch error {
        case let problems as ConfigProblems:
            complain(
                "\(problems)\n\(problems.problems.count) problem\(problems.problems.count == 1 ? "" : "s") in the configuration. Nothing was changed."
            )
            exit(78)
        case let error as KernelError:
            complain("\(error)")
            exit(error.exitCode)
        case is FieldProblem, is Veto, is HookFailure, is CSVProblem, is MailTemplateProblem:
            complain(UntoldWords.instead(of: error) ?? "\(error)")
            exit(65)
        case let failure as DatabaseError:
            complain(
                UntoldWords.instead(of: failure)
                    ?? "SQLite: \(failure.message ?? "error \(failure.resultCode.rawValue)")")
            exit(failure.resultCode == .SQLITE_CONSTRAINT ? 65 : 74)
        case let quiet as QuietExit:
            exit(quiet.code)
        default:
            RootCommand.exit(withError: error)
        }
    }

    static func complain(_ sentence: String) {
        FileHandle.standardError.write(Data(complaint(sentence).utf8))
    }

    /// A line of what went wrong, for the standard error.
    static func complaint(_ sentence: String) -> String {
        let style = TextStyle(isColoured: Terminal.attached(to: STDERR_FILENO).allowsColour)
        return "\(style.red("trellis:")) \(sentence)\n"
    }

    static func note(_ sentence: String) {
        FileHandle.standardError.write(Data("\(sentence)\n".utf8))
    }

    /// What is being done, on a terminal alone; nil takes the line away.
    static func progress(_ phase: String?) {
        guard Terminal.attached(to: STDERR_FILENO).isTerminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(phase.map { "\($0) …" } ?? "")".utf8))
    }
}

/// Ends with a code after everything was said already.
struct QuietExit: Error {
    let code: Int32
}

struct RootCommand: AsyncParsableCommand {
    /// Made once: the parser asks for it several times. It knows no command but the one that was called, for to look
    /// each of them over takes a millisecond.
    static let configuration = CommandConfiguration(
        commandName: "trellis", abstract: "A CRM in one SQLite file, configured in YAML and queried in SQL.",
        discussion: "PLUGIN COMMANDS:\n" + TrellisProgram.pluginOverview
            + "\n\nExit codes: 0 done, 64 usage, 65 data, 66 no input, 73 cannot create, 74 I/O, 75 try later, 77 permission, 78 config.",
        version: TrellisProgram.version,
        subcommands: TrellisProgram.called.withLock { word in
            has(word) ? commands.filter { $0.configuration.commandName == word } : commands
        })

    private static let commands: [any ParsableCommand.Type] = [
        InitCommand.self, CheckCommand.self, PlanCommand.self, ApplyCommand.self, ConfigCommand.self,
        ImportCommand.self, CaptureCommand.self, RecordCommand.self,
        ServeCommand.self, WorkCommand.self, SimulateCommand.self,
        ReportCommand.self, SQLCommand.self, AsOfCommand.self, TraceCommand.self, MCPCommand.self,
        StatusCommand.self,
        PluginsCommand.self, EventsCommand.self,
        HooksCommand.self, OutboxCommand.self, MailsCommand.self, MailInCommand.self, PagesCommand.self,
        ClockCommand.self, MergeCommand.self,
        ConvertCommand.self, SuppressCommand.self,
        TrashCommand.self, UndoCommand.self,
        DoctorCommand.self,
        BackupCommand.self, EraseCommand.self, ExportPersonCommand.self, SchemaCommand.self,
    ]

    /// Whether a word is a command of the kernel: plugins bring others.
    static func has(_ word: String?) -> Bool { commands.contains { $0.configuration.commandName == word } }

    /// - Throws: ``KernelError/usage(_:)`` with the command that was probably meant.
    static func check(_ word: String?) throws {
        guard let word, !word.hasPrefix("-"), word != "help", !has(word) else { return }
        let own = commands.compactMap { $0.configuration.commandName } + ["help"]
        let all = own + PluginCommandLine.names(TrellisProgram.plugins)
        throw KernelError.usage(
            "There is no command '\(word)'.\(NearMiss.hint(word, among: all)) 'trellis help' lists them all.")
    }
}

extension TrellisProgram {
    static let version = "0.1.0"
}

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(help: "The configuration.")
    var config = "config.yaml"

    @Option(help: "The SQLite file, in place of the one the configuration names.")
    var database: String?

    @Flag(help: "Print JSON.")
    var json = false

    init() {}

    /// What a command gives that reads these options by itself.
    init(config: String? = nil, database: String?) {
        self.config = config ?? "config.yaml"
        self.database = database
        json = false
    }

    /// Moves global options that stand before the command behind its words: `trellis --database x status`.
    static func behindCommand(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var leading: [String] = []
        while let word = rest.first {
            let name = word.prefix { $0 != "=" }
            guard ["--config", "--database", "--json"].contains(name), rest.count > 1 else { break }
            leading.append(rest.removeFirst())
            if name != "--json", name == word, let value = rest.popFirst() { leading.append(value) }
        }
        return rest + leading
    }

    /// Reads and checks the configuration, and opens the file.
    ///
    /// - Parameters:
    ///   - checks: whether the SQL and the mails of the config are checked too; every command that runs hooks does.
    ///   - makesFile: whether the file is made where there is none. Whoever asks for what is not there has misspelt it.
    func open(checks: Bool = true, for workload: Workload = .everyday, makesFile: Bool = false) throws -> Kernel {
        let loaded = try load()
        if !makesFile, !FileManager.default.fileExists(atPath: loaded.databasePath) {
            throw KernelError.noDatabase(loaded.databasePath)
        }
        if checks { try loaded.check(plugins: TrellisProgram.plugins) }
        for warning in loaded.warnings { TrellisProgram.note("warning: \(warning)") }
        return try Kernel(config: loaded, plugins: TrellisProgram.plugins, workload: workload)
    }

    /// - Parameter file: in place of the configuration.
    func load(file: String? = nil) throws -> Config {
        guard let file else { return on(database, try Config.load(file: config, plugins: TrellisProgram.plugins)) }
        return on(
            database, try GlobalOptions.present(file) { try Config.load(file: $0, plugins: TrellisProgram.plugins) })
    }

    /// Reads a config that is named besides the configuration: 'trellis init' would not write that one.
    static func present<T>(_ file: String, _ read: (String) throws -> T) throws -> T {
        do {
            return try read(file)
        } catch KernelError.noConfig(let file) {
            throw KernelError.unreadable(file)
        }
    }

    /// A text as the configuration, in the place of the file.
    func placed(_ text: String) throws -> Config {
        on(
            database,
            try Config.parse(text, inPlaceOf: config, called: "the new config", plugins: TrellisProgram.plugins))
    }

    private func on(_ database: String?, _ config: Config) -> Config {
        guard let database else { return config }
        var config = config
        config.site.database =
            database.hasPrefix("/") ? database : FileManager.default.currentDirectoryPath + "/" + database
        return config
    }

    /// The path of the database, without reading more of the config than that.
    func databasePath() throws -> String {
        if let database { return database }
        return try Config.databasePath(ofFile: config)
    }

    var format: TableFormat { json ? .json : .table }
}

extension Table {
    /// Prints the table for people on a terminal and plainly into a pipe.
    func show(_ format: TableFormat = .table) {
        let terminal = Terminal.attached(to: STDOUT_FILENO)
        let text = format.rendered(self, width: terminal.width, colour: terminal.allowsColour)
        print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
    }
}
