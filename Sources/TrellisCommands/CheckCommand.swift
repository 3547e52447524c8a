import ArgumentParser
import TrellisKernel

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the whole config against schema and files, its SQL prepared. Exit 78 with file:line:column.")

    @OptionGroup var global: GlobalOptions

    func run() throws {
        guard !global.json else { return try printJSON() }
        let (config, notes) = try checked()
        for warning in config.warnings { print("warning: \(warning)") }
        for note in notes { print("note: \(note)") }
        let on = TrellisProgram.plugins.filter { config.isOn($0.name) }.map { $0.name }
        print("\(global.config) is sound. Plugins on: \(on.isEmpty ? "none" : on.joined(separator: ", ")).")
    }

    /// The config with the files it names, and what of it is worth knowing.
    private func checked() throws -> (config: Config, notes: [ConfigProblem]) {
        let checked = try Config.checked(file: global.config, plugins: TrellisProgram.plugins)
        try checked.config.checkParts()
        return checked
    }

    /// One document, whatever was found.
    private func printJSON() throws {
        do {
            let (config, found) = try checked()
            let on = TrellisProgram.plugins.filter { config.isOn($0.name) }.map { JSONValue.string($0.name) }
            let notes = found.map { JSONValue.string("\($0)") }
            let document: [(key: String, value: JSONValue)] = [
                ("is_sound", .bool(true)), ("problems", .array([])),
                ("warnings", .array(config.warnings.map(CheckCommand.json))), ("notes", .array(notes)),
                ("plugins_on", .array(on)),
            ]
            print(JSONValue.object(document).text(isIndented: true))
        } catch let found as ConfigProblems {
            let document: [(key: String, value: JSONValue)] = [
                ("is_sound", .bool(false)), ("problems", .array(found.problems.map(CheckCommand.json))),
            ]
            print(JSONValue.object(document).text(isIndented: true))
            throw QuietExit(code: 78)
        }
    }

    private static func json(_ problem: ConfigProblem) -> JSONValue {
        .object([
            ("file", .string(problem.place.file)), ("line", .integer(Int64(problem.place.line))),
            ("column", .integer(Int64(problem.place.column))), ("path", .string(problem.place.path)),
            ("message", .string(problem.message)),
        ])
    }
}
