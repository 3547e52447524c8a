import ArgumentParser
import Foundation
import TrellisKernel

struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql",
        abstract: "Ask the file in SQL, or run a query of the config by its name. Without a query: a prompt.",
        discussion:
            "trellis sql \"SELECT stage, count(*) FROM leads GROUP BY stage\" --chart\ntrellis sql hot-leads --country DE --watch 5"
    )

    @Option(help: "The configuration.")
    var config = "config.yaml"
    @Option(help: "The SQLite file, in place of the one the configuration names.")
    var database: String?
    @Option(help: "table, line, csv, json, jsonl or markdown.")
    var format: String?
    @Flag(help: "Print JSON.")
    var json = false
    @Flag(help: "CSV for a program: text that a spreadsheet would calculate gets no ' in front.")
    var raw = false
    @Flag(help: "Draw bars from a query of two columns, a label and a number.")
    var chart = false
    // Numbers are taken with their sign, so that one that cannot be is named.
    @Option(parsing: .unconditional, help: "Ask again every so many seconds, until Ctrl-C.")
    var watch: Double?
    @Flag(help: "Allow writes. They are logged, fire the same hooks as any other, and can be undone: trellis undo.")
    var write = false
    @Option(
        parsing: .unconditional,
        help: "Rows at most on a terminal; 0 means all. The default is 1000; csv, json and jsonl are whole.")
    var limit: Int?
    @Option(
        parsing: .unconditional,
        help: "MB of memory that reading may take; the default is 1024, at most half of the machine.")
    var memory: Int?
    @Option(
        parsing: .unconditional,
        help: "Seconds after which a statement is stopped, of which nothing is written then; the default is 300.")
    var seconds: Double?
    @Argument(help: "SQL, or the name of a query; then --parameter value. Or .tables, .schema TABLE, .queries.")
    var query: String?
    @Argument(parsing: .captureForPassthrough)
    var parameters: [String] = []

    mutating func run() throws {
        try ask()
    }

    /// - Parameter moment: when the file is to be read as it was; nil means now.
    mutating func ask(asOf moment: String? = nil) throws {
        // No statement begins with a dot.
        let isDotCommand = query?.hasPrefix(".") ?? false
        let isNamed = query.map { !isDotCommand && !$0.contains(where: \.isWhitespace) } ?? false
        try takeOwnOptions(but: isNamed ? try declaredParameters() : [])
        let global = GlobalOptions(config: config, database: database)
        if let watch, !(0.1...86_400).contains(watch) {
            throw KernelError.usage("--watch takes seconds, from 0.1 to 86400.")
        }
        guard watch == nil || !write else {
            throw KernelError.usage("--watch would write again and again. Leave it out, or leave out --write.")
        }
        if let limit, limit < 0 {
            throw KernelError.usage("--limit takes a number of rows, 0 meaning all, got '\(limit)'.")
        }
        let words = query.map { [$0] + parameters } ?? []
        let limits = try readingLimits()
        if !write { limits.limitMemory() }
        let path = try global.databasePath()
        let past = try moment.map {
            try PastAccess($0, path: path, config: try global.load(), limits: limits)
        }
        guard past == nil || !write else {
            throw KernelError.usage("What was cannot be written: --write is for today.")
        }
        try past?.begin()
        let session = SQLSession(
            path: path, access: try past.map { .past($0) } ?? access(to: path, global, limits),
            queries: isNamed
                ? try global.load().site.queries
                : words.isEmpty || isDotCommand ? (try? global.load().site.queries) ?? [] : [],
            chosenFormat: try chosenFormat(), isRaw: raw, isChart: chart, rowsMax: limit, limits: write ? nil : limits)
        guard let first = words.first else {
            var prompt = Prompt(session: session)
            try prompt.run()
            return
        }
        let ask = { () throws -> Void in
            if isDotCommand {
                try Prompt.answer(Prompt.words(of: first) + words.dropFirst(), in: session)
            } else if isNamed {
                try session.runNamed(words)
            } else {
                let values = try SQLSession.values(of: Array(words.dropFirst()))
                try session.run(first, values.mapValues(Cell.init(guessing:)))
            }
        }
        guard let watch else { return try ask() }
        try Watch(seconds: watch, title: first).run(ask)
    }

    /// - Throws: ``KernelError/usage(_:)`` for a limit that cannot be, or that nothing would hold.
    private func readingLimits() throws -> ReadingLimits {
        guard !write || memory == nil else {
            throw KernelError.usage("--memory limits reading. Leave it out, or leave out --write.")
        }
        if let memory, !(16...1_048_576).contains(memory) {
            throw KernelError.usage("--memory takes MB, from 16 to 1048576, got '\(memory)'.")
        }
        if let seconds, !(0.1...86_400).contains(seconds) {
            throw KernelError.usage("--seconds takes seconds, from 0.1 to 86400, got '\(seconds)'.")
        }
        return ReadingLimits(
            seconds: seconds ?? ReadingLimits.secondsDefault, megabytes: memory ?? ReadingLimits.megabytesDefault)
    }

    private func access(to path: String, _ global: GlobalOptions, _ limits: ReadingLimits) throws -> SQLSession.Access {
        guard write else { return .reading(try SQLConnection(path: path, access: .read, limits: limits)) }
        let clock = KernelClock.system
        if try !HandWriting.isReady(path) { try global.open(checks: false).close() }
        let advice = "Do it in parts, or give it longer with --seconds."
        return .writing(
            try HandWriting(
                path: path, user: SQLCommand.user, seconds: limits.seconds, advice: advice, now: { clock.now() }))
    }

    /// Whoever sits at the terminal, also behind sudo.
    static var user: String {
        let environment = ProcessInfo.processInfo.environment
        return environment["SUDO_USER"] ?? environment["USER"] ?? NSUserName()
    }

    /// What the query of the config declares: after its name, a parameter goes before an option that is called like it.
    private func declaredParameters() throws -> Set<String> {
        // Where the config is named after the query, it is that one whose query is asked.
        let named = zip(parameters, parameters.dropFirst()).first { $0.0 == "--config" }?.1
        let global = GlobalOptions(config: named ?? config, database: nil)
        guard let declared = try? global.load().site.queries.first(where: { $0.name == query }) else { return [] }
        return Set(declared.value.parameters.map { "--\($0.name)" })
    }

    /// Options that take a value: `--memory 64`, or `--memory=64`.
    private static let valued: Set<String> = [
        "--watch", "--format", "--config", "--database", "--memory", "--seconds", "--limit",
    ]

    /// Options of the command itself may also stand after the query, among its parameters.
    ///
    /// - Parameter declared: options that are parameters of the query, and stay.
    mutating func takeOwnOptions(but declared: Set<String> = []) throws {
        var rest: [String] = []
        var words = parameters[...]
        func value(of option: String) throws -> String {
            guard let value = words.popFirst() else { throw KernelError.usage("\(option) needs a value.") }
            return value
        }
        while var word = words.popFirst() {
            if let equals = word.firstIndex(of: "="), SQLCommand.valued.contains(String(word[..<equals])),
                !declared.contains(String(word[..<equals]))
            {
                words.insert(String(word[word.index(after: equals)...]), at: words.startIndex)
                word = String(word[..<equals])
            }
            switch word {
            case _ where declared.contains(word): rest += [word] + [words.popFirst()].compactMap { $0 }
            case "--json": json = true
            case "--raw": raw = true
            case "--write": write = true
            case "--chart": chart = true
            case "--watch":
                let text = try value(of: word)
                guard let seconds = Double(text) else {
                    throw KernelError.usage("--watch takes seconds, got '\(text)'.")
                }
                watch = seconds
            case "--format": format = try value(of: word)
            case "--config": config = try value(of: word)
            case "--database": database = try value(of: word)
            case "--memory":
                let text = try value(of: word)
                guard let number = Int(text) else { throw KernelError.usage("--memory takes MB, got '\(text)'.") }
                memory = number
            case "--seconds":
                let text = try value(of: word)
                guard let number = Double(text) else {
                    throw KernelError.usage("--seconds takes seconds, got '\(text)'.")
                }
                seconds = number
            case "--limit":
                let text = try value(of: word)
                guard let number = Int(text) else {
                    throw KernelError.usage("--limit takes a number of rows, 0 meaning all, got '\(text)'.")
                }
                limit = number
            default: rest.append(word)
            }
        }
        parameters = rest
    }

    private func chosenFormat() throws -> TableFormat? {
        if json { return .json }
        return try format.map(TableFormat.init(named:))
    }
}

extension TableFormat {
    /// - Throws: ``KernelError/usage(_:)`` with the formats there are.
    init(named name: String) throws {
        guard let format = TableFormat(rawValue: name) else {
            let names = TableFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw KernelError.usage("There is no format '\(name)'. There are: \(names).")
        }
        self = format
    }
}

/// Asks the same again and again, on a terminal in the same place.
struct Watch {
    let seconds: Double
    let title: String

    func run(_ ask: () throws -> Void) throws -> Never {
        let terminal = Terminal.attached(to: STDOUT_FILENO)
        while true {
            if terminal.isTerminal { print("\u{1B}[H\u{1B}[2J", terminator: "") }
            let stamp = String(Timestamp.text(KernelClock.system.now()).prefix(19))
            print(terminal.style.dim("\(stamp)  every \(seconds) s: \(title.prefix(60))"))
            try ask()
            fflush(nil)
            Thread.sleep(forTimeInterval: seconds)
        }
    }
}
