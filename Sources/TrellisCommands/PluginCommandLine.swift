import ArgumentParser
import Foundation
import TrellisKernel
import TrellisServer

/// Runs the commands that plugins bring as values: finds the command by its words, and takes its arguments and
/// options apart.
struct PluginCommandLine {
    private let arguments: [String]
    private let type: any Plugin.Type

    /// Nil where the first word is no plugin's.
    init?(_ arguments: [String], plugins: [any Plugin.Type]) throws {
        guard let family = arguments.first,
            let type = plugins.first(where: { PluginCommandLine.families(of: $0).contains(family) })
        else { return nil }
        self.arguments = arguments
        self.type = type
    }

    func run() throws {
        let commands = PluginCommandLine.commands(of: type)
        var parsed = try Parsed(arguments, flags: Set(commands.flatMap { $0.flags.map(\.key) }))
        let ranked = commands.filter { parsed.words.starts(with: $0.path) }.sorted { $0.path.count > $1.path.count }
        if parsed.wantsHelp {
            let below = commands.filter { $0.path.starts(with: parsed.words) }
            let meant = below.isEmpty ? ranked.filter { $0.path.count > 1 }.prefix(1) + [] : below
            print(PluginCommandLine.usage(meant.isEmpty ? PluginCommandLine.below(parsed.words, commands) : meant))
            return
        }
        guard let shape = ranked.first else { throw PluginCommandLine.unknown(parsed.words, among: commands) }
        parsed.words.removeFirst(shape.path.count)
        try check(parsed, against: shape, among: commands)
        if let option = shape.otherConfig { takeOtherConfig(as: option, &parsed) }
        let global = GlobalOptions(config: parsed.options["config"], database: parsed.options["database"])
        let kernel = try global.open(checks: false)
        guard let plugin = kernel.plugins.first(where: { Swift.type(of: $0).name == type.name }),
            let command = plugin.commands.first(where: { $0.path == shape.path })
        else {
            throw KernelError.usage(
                "The plugin '\(type.name)' is off. Add a section '\(type.name):' under plugins: in \(global.config), or set enabled: true."
            )
        }
        let call = CommandCall(kernel: kernel, arguments: parsed.words, options: parsed.options)
        let format = try parsed.isJSON ? .json : parsed.options["format"].map(TableFormat.init(named:)) ?? .table
        switch try command(call) {
        case .table(let table): table.show(format)
        case .tableWithNote(let table, let note):
            table.show(format)
            if format == .table { print(note) }
        case .text(let text): print(parsed.isJSON ? JSONValue.object([("text", .string(text))]).text() : text)
        case .page(let name, let values):
            let page = try Pages(config: kernel.config, plugins: kernel.pluginTypes).render(name, values) ?? ""
            print(parsed.isJSON ? JSONValue.object([("html", .string(page))]).text() : page)
        }
    }

    /// Takes the file of `--config` for the other config that a command asks for, and holds it against the config.yaml
    /// beside it, or that of the present folder where none is beside it. To open the file with the other one would fit
    /// it to it, and what it changes would be seen no more.
    private func takeOtherConfig(as option: String, _ parsed: inout Parsed) {
        guard parsed.words.isEmpty, parsed.options[option] == nil, let named = parsed.options["config"],
            let text = FileManager.default.contents(atPath: named)
        else { return }
        let beside = ((named as NSString).deletingLastPathComponent as NSString).appendingPathComponent("config.yaml")
        guard let present = [beside, "config.yaml"].first(where: FileManager.default.fileExists(atPath:)),
            text != FileManager.default.contents(atPath: present),
            let database = try? parsed.options["database"] ?? Config.databasePath(ofFile: present)
        else { return }
        let inForce = (try? ConfigHistory(of: database))?.current?.text
        guard inForce.map({ Data($0.utf8) }) != text else { return }
        parsed.options["config"] = present
        parsed.options[option] = named
        TrellisProgram.note("\(named) is held against \(present).")
    }

    private func check(_ parsed: Parsed, against command: Command, among commands: [Command]) throws {
        let needed = command.arguments.count { !$0.hasSuffix("?") && !$0.hasSuffix("…") }
        let most = command.arguments.last?.hasSuffix("…") == true ? Int.max : command.arguments.count
        guard (needed...most).contains(parsed.words.count) else {
            guard let extra = parsed.words.dropFirst(command.arguments.count).first else {
                let missing = command.arguments[parsed.words.count]
                throw KernelError.usage("Missing \(missing).\n\(PluginCommandLine.usage([command]))")
            }
            // A mistyped word of a longer command looks like an argument of a shorter one.
            let below = PluginCommandLine.below(command.path, commands)
            let hint = NearMiss.hint(extra, among: below.compactMap { $0.path.dropFirst(command.path.count).first })
            throw KernelError.usage("Unexpected '\(extra)'.\(hint)\n\(PluginCommandLine.usage(below))")
        }
        let known = command.options.map(\.key) + command.flags.map(\.key) + ["config", "database", "format"]
        for option in parsed.options.keys where !known.contains(option) {
            throw KernelError.usage(
                "Unknown option '--\(option)'.\(NearMiss.hint(option, among: known))\n\(PluginCommandLine.usage([command]))"
            )
        }
    }

    /// Words, `--name value`, `--name=value`, and flags, which take no value.
    private struct Parsed {
        var words: [String] = []
        var options: [String: String] = [:]
        var isJSON = false
        var wantsHelp = false

        init(_ arguments: [String], flags: Set<String>) throws {
            var rest = arguments[...]
            while let argument = rest.popFirst() {
                switch argument {
                case "--json": isJSON = true
                case "--help", "-h": wantsHelp = true
                case "--":
                    words += rest
                    rest = []
                default:
                    guard argument.hasPrefix("--") else {
                        words.append(argument)
                        continue
                    }
                    let parts = argument.dropFirst(2).split(
                        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    if parts.count == 1, flags.contains(String(parts[0])) {
                        options[String(parts[0])] = "true"
                        continue
                    }
                    guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                        throw KernelError.usage("\(argument) needs a value.")
                    }
                    options[String(parts[0])] = value
                }
            }
        }
    }

    // MARK: - Help

    static func overview(_ plugins: [any Plugin.Type]) -> String {
        plugins.map { type in commands(of: type).map(line).joined(separator: "\n") }.joined(separator: "\n")
    }

    /// What the words of the families are called, for whoever mistypes one.
    static func names(_ plugins: [any Plugin.Type]) -> [String] {
        plugins.flatMap { PluginCommandLine.families(of: $0) }.sorted()
    }

    /// The commands that begin as the words do; those of the family where none does.
    private static func below(_ words: [String], _ commands: [Command]) -> [Command] {
        let below = commands.filter { $0.path.starts(with: words) }
        return below.isEmpty ? commands.filter { $0.path.first == words.first } : below
    }

    private static func unknown(_ words: [String], among commands: [Command]) -> KernelError {
        let found = below(words, commands)
        guard words.count > 1 else {
            return .usage("'\(words[0])' takes another word:\n\(usage(found))")
        }
        let meant = NearMiss.of(words[1], among: found.compactMap { $0.path.dropFirst().first })
        let hint = meant.map { " Did you mean '\(words[0]) \($0)'?" } ?? ""
        return .usage("There is no command '\(words.prefix(2).joined(separator: " "))'.\(hint)\n\(usage(found))")
    }

    private static func usage(_ commands: [Command]) -> String {
        let everywhere = [
            ("config FILE", "The configuration: config.yaml without it."),
            ("database FILE", "The SQLite file, in place of the one the configuration names."),
            ("format FORMAT", "table, line, csv, json, jsonl or markdown."), ("json", "Print JSON."),
        ]
        let lines = commands.flatMap { command in
            [line(command)]
                + (Array(command.options) + Array(command.flags)).map { entry("    --\($0.key)", $0.value) }
        }
        return (["USAGE:"] + lines + ["OPTIONS OF ALL:"] + everywhere.map { entry("    --\($0.0)", $0.1) })
            .joined(separator: "\n")
    }

    private static func line(_ command: Command) -> String {
        let words =
            command.path
            + command.arguments.map { argument in
                if argument.hasSuffix("…") { return "[\(argument)]" }
                return argument.hasSuffix("?") ? "[\(argument.dropLast())]" : argument
            }
        return entry(words.joined(separator: " "), command.summary)
    }

    /// Where what is said about a command begins.
    private static let column = 27

    /// A name and what is said about it, which goes on below its own beginning.
    private static func entry(_ name: String, _ text: String) -> String {
        let width = max(column + 30, (Terminal.attached(to: STDOUT_FILENO).width ?? Terminal.widthDefault) - 1)
        var lines = ["  " + name]
        if lines[0].count + 1 < column {
            lines[0] += String(repeating: " ", count: column - lines[0].count)
        } else {
            lines.append(String(repeating: " ", count: column))
        }
        var isEmpty = true
        for word in text.split(separator: " ") {
            let last = lines.count - 1
            if !isEmpty, lines[last].count + 1 + word.count > width {
                lines.append(String(repeating: " ", count: column) + word)
            } else {
                lines[last] += (isEmpty ? "" : " ") + word
            }
            isEmpty = false
        }
        return lines.joined(separator: "\n")
    }

    private static func families(of type: any Plugin.Type) -> Set<String> {
        Set(commands(of: type).compactMap(\.path.first))
    }

    /// The commands of a plugin whether it is on or not: their shape does not depend on its settings.
    private static func commands(of type: any Plugin.Type) -> [Command] {
        func made<P: Plugin>(_ type: P.Type) -> [Command] { P(settings: P.Settings()).commands }
        return made(type)
    }
}
