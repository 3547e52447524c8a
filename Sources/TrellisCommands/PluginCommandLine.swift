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
        guard let shape = ranked.first else {
            throw KernelError.usage(
                "There is no command '\(parsed.words.prefix(2).joined(separator: " "))'.\n\(PluginCommandLine.usage(commands))"
            )
        }
        if parsed.wantsHelp {
            print(PluginCommandLine.usage(commands))
            return
        }
        parsed.words.removeFirst(shape.path.count)
        try check(parsed, against: shape, among: commands)
        var global = try GlobalOptions.parse([])
        global.config = parsed.options["config"] ?? global.config
        global.database = parsed.options["database"]
        let kernel = try global.open(checks: false)
        guard let plugin = kernel.plugins.first(where: { Swift.type(of: $0).name == type.name }),
            let command = plugin.commands.first(where: { $0.path == shape.path })
        else {
            throw KernelError.usage(
                "The plugin '\(type.name)' is off. Add a section '\(type.name):' under plugins: in \(global.config), or set enabled: true."
            )
        }
        let call = CommandCall(kernel: kernel, arguments: parsed.words, options: parsed.options)
        let format: TableFormat =
            parsed.isJSON ? .json : parsed.options["format"].flatMap(TableFormat.init(rawValue:)) ?? .table
        switch try command(call) {
        case .table(let table): table.show(format)
        case .tableWithNote(let table, let note):
            table.show(format)
            if format == .table { print(note) }
        case .text(let text): print(text)
        case .page(let name, let values):
            print(try Pages(config: kernel.config, plugins: kernel.pluginTypes).render(name, values) ?? "")
        }
    }

    private func check(_ parsed: Parsed, against command: Command, among commands: [Command]) throws {
        let needed = command.arguments.count { !$0.hasSuffix("?") }
        guard (needed...command.arguments.count).contains(parsed.words.count) else {
            let extra = parsed.words.dropFirst(command.arguments.count).first
            throw KernelError.usage(
                (extra.map { "Unexpected '\($0)'." } ?? "Missing \(command.arguments[parsed.words.count]).") + "\n"
                    + PluginCommandLine.usage([command]))
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

    private static func usage(_ commands: [Command]) -> String {
        "USAGE:\n"
            + commands.map { command in
                ([line(command)]
                    + (Array(command.options) + Array(command.flags)).map {
                        "      --\($0.key.padding(toLength: 18, withPad: " ", startingAt: 0)) \($0.value)"
                    }).joined(separator: "\n")
            }.joined(separator: "\n")
    }

    private static func line(_ command: Command) -> String {
        let words = (command.path + command.arguments.map { $0.hasSuffix("?") ? "[\($0.dropLast())]" : $0 }).joined(
            separator: " ")
        return "  \(words.padding(toLength: max(words.count + 1, 24), withPad: " ", startingAt: 0)) \(command.summary)"
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
