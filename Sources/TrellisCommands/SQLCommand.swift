import ArgumentParser
import Foundation
import TrellisKernel

struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql",
        abstract: "Ask the file in SQL, or run a query of the config by its name. Without a query: a prompt.",
        discussion:
            "trellis sql \"SELECT stage, count(*) FROM leads GROUP BY stage\"\ntrellis sql hot-leads --country DE")

    @Option(help: "The configuration.")
    var config = "config.yaml"
    @Option(help: "The SQLite file, in place of the one the configuration names.")
    var database: String?
    @Option(help: "table, csv, json, jsonl or markdown.")
    var format: String?
    @Flag(help: "Print JSON.")
    var json = false
    @Flag(help: "Allow writes. They are logged and fire the same hooks as any other.")
    var write = false
    @Option(help: "Rows at most on a terminal; 0 means all.")
    var limit = 1000
    @Argument(help: "SQL, or the name of a query; then --parameter value.")
    var query: String?
    @Argument(parsing: .captureForPassthrough)
    var parameters: [String] = []

    mutating func run() throws {
        try takeOwnOptions()
        var global = try GlobalOptions.parse([])
        global.config = config
        global.database = database
        let connection = try SQLConnection(path: try global.databasePath(), access: write ? .write : .read)
        let given = try values()
        guard let query else {
            try Prompt(
                connection: connection, format: try chosenFormat(), queries: (try? global.load().site.queries) ?? []
            ).run()
            return
        }
        if query.contains(where: \.isWhitespace) {
            try show(connection, query, given)
        } else {
            let named = try named(query, global)
            var values = Dictionary(named.parameters.map { ($0.name, $0.value) }) { first, _ in first }
            for (name, value) in given {
                guard values.keys.contains(name) else {
                    throw KernelError.usage(
                        "'\(query)' has no parameter '\(name)'.\(NearMiss.hint(name, among: values.keys))")
                }
                values[name] = value
            }
            try show(connection, named.sql.value, values)
        }
    }

    /// Options of the command itself may also stand after the query, among its parameters.
    mutating func takeOwnOptions() throws {
        var rest: [String] = []
        var words = parameters[...]
        func value(of option: String) throws -> String {
            guard let value = words.popFirst() else { throw KernelError.usage("\(option) needs a value.") }
            return value
        }
        while let word = words.popFirst() {
            switch word {
            case "--json": json = true
            case "--write": write = true
            case "--format": format = try value(of: word)
            case "--config": config = try value(of: word)
            case "--database": database = try value(of: word)
            case "--limit": limit = Int(try value(of: word)) ?? limit
            default: rest.append(word)
            }
        }
        parameters = rest
    }

    private func named(_ name: String, _ global: GlobalOptions) throws -> NamedQuery {
        let queries = try global.load().site.queries
        guard let query = queries.first(where: { $0.name == name }) else {
            let names = queries.map(\.name)
            throw KernelError.usage(
                "There is no query '\(name)' in the config.\(NearMiss.hint(name, among: names))"
                    + (names.isEmpty ? "" : " There are: \(names.joined(separator: ", "))."))
        }
        return query.value
    }

    private func values() throws -> [String: String?] {
        var values: [String: String?] = [:]
        var rest = parameters[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                throw KernelError.usage("Unexpected '\(word)'. Parameters are given as --name value.")
            }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                throw KernelError.usage("\(word) needs a value.")
            }
            values[String(parts[0])] = value == "null" ? .some(nil) : value
        }
        return values
    }

    private func chosenFormat() throws -> TableFormat {
        if json { return .json }
        guard let format else { return .table }
        guard let chosen = TableFormat(rawValue: format) else {
            throw KernelError.usage(
                "There is no format '\(format)'. There are: \(TableFormat.allCases.map(\.rawValue).joined(separator: ", "))."
            )
        }
        return chosen
    }

    private func show(_ connection: SQLConnection, _ sql: String, _ values: [String: String?]) throws {
        let terminal = Terminal.attached(to: STDOUT_FILENO)
        let most = terminal.isTerminal && limit > 0 ? limit : Int.max
        var writer: RowWriter?
        let format = try chosenFormat()
        var count = 0
        var isCut = false
        let changed = try connection.run(
            sql, parameters: values.mapValues(Cell.init(guessing:)),
            columns: { columns in
                guard !columns.isEmpty else { return }
                writer = RowWriter(
                    format: format, columns: columns, width: terminal.width, colour: terminal.allowsColour
                ) { print($0, terminator: "") }
            },
            row: { cells in
                guard count < most else {
                    isCut = true
                    return false
                }
                count += 1
                writer?.append(cells)
                return true
            })
        writer?.finish(isTruncated: isCut)
        if writer == nil { print("\(changed) row\(changed == 1 ? "" : "s") changed.") }
    }
}

/// A small prompt: statements end with `;`, `.tables` and `.schema` help, Ctrl-D leaves.
struct Prompt {
    let connection: SQLConnection
    let format: TableFormat
    let queries: [Named<NamedQuery>]

    func run() throws {
        let isTerminal = Terminal.isTerminal(STDIN_FILENO)
        if isTerminal { print("SQL ends with ';'.  .tables  .schema TABLE  .queries  .quit") }
        var statement = ""
        while true {
            if isTerminal {
                print(statement.isEmpty ? "trellis> " : "    ...> ", terminator: "")
                fflush(nil)
            }
            guard let line = readLine() else { break }
            if statement.isEmpty, line.hasPrefix(".") {
                if line == ".quit" || line == ".exit" { break }
                answer(line)
                continue
            }
            statement += line + "\n"
            guard line.trimmingCharacters(in: .whitespaces).hasSuffix(";") else { continue }
            perform(statement)
            statement = ""
        }
        if !statement.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty { perform(statement) }
    }

    private func perform(_ sql: String) {
        do {
            let table = try connection.table(sql, limit: 1000)
            if !table.columns.isEmpty { table.show(format) }
        } catch {
            TrellisProgram.complain("\(error)")
        }
    }

    private func answer(_ line: String) {
        let words = line.split(separator: " ").map(String.init)
        switch words[0] {
        case ".tables":
            perform(
                "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY type, name"
            )
        case ".schema":
            let name = words.count > 1 ? words[1] : "%"
            let table = try? connection.table(
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name LIKE :name AND type IN ('table', 'view') ORDER BY type, name",
                parameters: ["name": .text(name)])
            for row in table?.rows ?? [] { print((row.first?.text ?? "") + ";\n") }
        case ".queries":
            for query in queries { print("\(query.name): \(query.value.description ?? "")") }
        default: print("There are: .tables  .schema TABLE  .queries  .quit")
        }
    }
}
