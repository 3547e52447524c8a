import Foundation
import TrellisKernel

/// The prompt of `trellis sql`: statements that end with `;` on as many lines as they need, queries of the config by
/// their names, and commands that begin with a dot. Reads a pipe as well, without a word of its own.
struct Prompt {
    private var session: SQLSession
    /// What the first statement that failed would end a command with; nil while none did.
    private(set) var failure: Int32?
    /// Whether a person sits there: Ctrl-C then stops a statement, where it ends the program that reads a pipe.
    private var isConversing = false
    private let style = Terminal.attached(to: STDOUT_FILENO).style

    init(session: SQLSession) {
        self.session = session
        self.session.isChartOnly = false
    }

    mutating func run() throws {
        if Terminal.isTerminal(STDIN_FILENO), Terminal.isTerminal(STDOUT_FILENO) {
            converse()
        } else {
            session.overrun = .ends(saying: " What follows it was not run.")
            var statement = ""
            while let line = readLine() {
                guard take(line, into: &statement) else { return try end() }
            }
            if !statement.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty { perform(statement) }
            try end()
        }
    }

    /// Nobody sees what a pipe was told: the code of the process says that a statement failed.
    private func end() throws {
        if let failure { throw QuietExit(code: failure) }
    }

    /// Talks to a person.
    private mutating func converse() {
        isConversing = true
        session.overrun = .beginsAnew
        print("\(session.path). A statement ends with ';'. \(style.dim("Tab completes, .help helps, Ctrl-D leaves."))")
        let completion = words()
        var statement = ""
        let editor = LineEditor(
            history: LineHistory(path: LineHistory.defaultPath(ProcessInfo.processInfo.environment))
        ) { completion.complete($0, after: statement) }
        let mark = session.isWriting ? "trellis!" : "trellis>"
        while true {
            switch editor.readLine(prompt: statement.isEmpty ? mark + " " : "     ...> ") {
            case .end:
                print()
                return
            case .cancelled: statement = ""
            case .line(let line):
                let before = statement
                guard take(line, into: &statement) else { return }
                if statement.isEmpty { editor.history.append(before + line) }
            }
        }
    }

    /// Takes a line; false leaves.
    private mutating func take(_ line: String, into statement: inout String) -> Bool {
        if statement.isEmpty {
            let words = Prompt.words(of: line)
            guard let first = words.first else { return true }
            if first.hasPrefix(".") {
                guard ![".quit", ".exit"].contains(first) else { return false }
                do {
                    try answer(words)
                } catch {
                    complain(error)
                }
                return true
            }
            if session.queries.contains(where: { $0.name == first }) {
                let session = session
                attempt { try session.runNamed(words) }
                return true
            }
        }
        statement += line + "\n"
        if Prompt.isComplete(statement) {
            perform(statement)
            statement = ""
        }
        return true
    }

    /// Whether the last thing a text says is a semicolon, and nothing is left open.
    static func isComplete(_ text: String) -> Bool {
        let tokens = SQLTokens(text)
        var last: SQLTokens.Token?
        for token in tokens {
            guard token.isClosed else { return false }
            if token.kind != .comment { last = token }
        }
        guard let last else { return text.contains { !$0.isWhitespace } == false }
        return last.kind == .sign && tokens.letters(last) == ";"
    }

    /// Words as a shell has them: what stands in quotes is one.
    static func words(of line: String) -> [String] {
        var (words, word, quote) = ([String](), String?.none, Character?.none)
        for character in line {
            if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if quote == nil, character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }

    private mutating func perform(_ sql: String) {
        let session = session
        attempt { try session.run(sql) }
    }

    /// A mistake is said, and the next line read.
    private mutating func attempt(_ body: () throws -> Void) {
        do {
            if isConversing { try session.whileStoppable(body) } else { try body() }
        } catch {
            complain(error)
        }
    }

    private mutating func complain(_ error: any Error) {
        fflush(nil)
        TrellisProgram.complain("\(error)")
        failure = failure ?? (error as? KernelError)?.exitCode ?? 65
    }

    // MARK: - Commands

    private static let help = """
        SELECT …;              any SQL, on as many lines as it needs
        hot-leads --country DE a query of the config
        .tables                the tables and views
        .schema [TABLE]        how they are made, with their comments
        .queries               the queries of the config
        .mode FORMAT           table, line, csv, json, jsonl or markdown
        .chart                 bars in place of a table, and back
        .quit                  or Ctrl-D; Ctrl-C stops a statement
        """

    /// Answers a command outside the prompt. What only changes how the prompt answers is an option there.
    static func answer(_ words: [String], in session: SQLSession) throws {
        switch words.first {
        case ".mode", ".format":
            throw KernelError.usage("\(words[0]) is for the prompt. Here it is an option: --format csv.")
        case ".chart": throw KernelError.usage(".chart is for the prompt. Here it is an option: --chart.")
        case nil, ".quit", ".exit": return
        default:
            var prompt = Prompt(session: session)
            try prompt.answer(words)
        }
    }

    private mutating func answer(_ words: [String]) throws {
        switch words[0] {
        case ".help": print(Prompt.help)
        case ".tables":
            try session.table(
                "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY type, name"
            ).show(session.format)
        case ".schema": try showSchema(words.count > 1 ? words[1] : nil)
        case ".queries":
            let rows = session.queries.map { query -> [Cell] in
                let parameters = query.value.parameters.map { "--\($0.name)" }.joined(separator: " ")
                return [.text(query.name), .text(parameters), query.value.description.map(Cell.text) ?? .null]
            }
            Table(columns: ["query", "parameters", "description"], rows: rows).show(session.format)
        case ".mode", ".format":
            guard words.count > 1 else { return print(session.format.rawValue) }
            session.chosenFormat = try TableFormat(named: words[1])
        case ".chart":
            session.isChart.toggle()
            print(session.isChart ? "A label and a number are drawn as bars." : "Answers are tables again.")
        default:
            throw KernelError.usage(
                "There is no command '\(words[0])'.\(NearMiss.hint(words[0], among: SQLCompletion.commands)) See .help."
            )
        }
    }

    private func showSchema(_ table: String?) throws {
        let texts = try SchemaText(
            sources: session.table(SchemaText.sources).rows.compactMap { $0.first?.text },
            objects: session.table(SchemaText.objects).rows)
        let found = texts.statements(of: table)
        guard !found.isEmpty else {
            throw KernelError.usage(
                "There is no table '\(table ?? "")'.\(NearMiss.hint(table ?? "", among: texts.names))")
        }
        for (index, text) in found.enumerated() { print((index > 0 ? "\n" : "") + text) }
    }

    private func words() -> SQLCompletion {
        var completion = SQLCompletion()
        completion.queries = session.queries.map(\.name)
        let rows =
            (try? session.table(
                """
                SELECT lower(s.name), c.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS c
                WHERE s.type IN ('table', 'view') AND s.name NOT LIKE 'sqlite_%' ORDER BY 1, c.cid
                """))?.rows ?? []
        for row in rows {
            completion.tables[row[0].text ?? "", default: []].append(row[1].text ?? "")
        }
        return completion
    }
}
