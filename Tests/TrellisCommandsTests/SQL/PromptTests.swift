import Foundation
import Testing
import TrellisKernel

@testable import TrellisCommands

struct PromptTests {
    @Test(arguments: [
        ("SELECT 1;", true), ("SELECT 1", false), ("SELECT ';", false), ("SELECT ';';", true),
        ("SELECT 1; -- done", true),
        ("SELECT 1 -- ;", false), ("SELECT /* ;", false), ("\n  \n", true), ("SELECT 1\n;", true),
        ("-- note\nSELECT 1;", true),
        ("SELECT \"a;", false),
    ])
    func `a statement is complete at a semicolon that is none of a text`(_ text: String, _ isComplete: Bool) {
        #expect(Prompt.isComplete(text) == isComplete)
    }

    @Test func `words are those of a shell`() {
        #expect(
            Prompt.words(of: "  hot-leads --country 'New Zealand' --x=\"a b\" '' ") == [
                "hot-leads", "--country", "New Zealand", "--x=a b", "",
            ])
    }

    private let completion = SQLCompletion(
        tables: ["leads": ["id", "email", "country"], "events": ["id", "kind"], "lead_cards": ["score"]],
        queries: ["hot-leads", "sources"])

    @Test(arguments: [
        ("", 0, "hot-leads"), ("ho", 2, "hot-leads"), ("SEL", 3, "SELECT"), (".ta", 3, ".tables"),
        (".mode js", 2, "json jsonl"),
        ("SELECT * FROM le", 2, "lead_cards leads"), ("SELECT em", 2, "email"),
        ("SELECT * FROM leads AS l WHERE l.e", 3, "l.email"),
        ("SELECT * FROM leads l JOIN events e ON e.k", 3, "e.kind"), ("SELECT kin FROM leads WHERE ki", 2, ""),
        (".schema ev", 2, "events"),
        ("SELECT count(em", 2, "email"), ("SELECT * from LEADS where leads.co", 8, "leads.country"),
    ])
    func `a tab offers what may stand there`(_ line: String, _ count: Int, _ expected: String) {
        let found = completion.complete(line)
        #expect(found.count == count)
        let wanted = expected.split(separator: " ").map(String.init)
        if line.isEmpty || ["SEL", "ho"].contains(line) {
            #expect(found.candidates.first == wanted.first)
        } else {
            #expect(found.candidates == wanted)
        }
    }

    @Test func `tables of lines before count as well`() {
        #expect(completion.complete("WHERE k", after: "SELECT 1 FROM events\n").candidates == ["kind"])
    }

    @Test func `bars are as long as their numbers`() throws {
        let table = Table(
            columns: ["stage", "leads"], rows: [["lead", 40], ["mql", 10], ["sal", 0], [.null, .null]])
        #expect(
            try BarChart(table).rendered(width: nil) == """
                lead  40  \(String(repeating: "#", count: 62))
                mql   10  \(String(repeating: "#", count: 16))
                sal    0
                –      –

                """)
        #expect(try BarChart(table).rendered(width: 26).hasPrefix("lead  40  ████████████████\nmql   10  ████\n"))
        let problem = KernelError.usage("A chart takes a query of two columns: a label and a number.")
        for table in [
            Table(columns: ["a"]), Table(columns: ["a", "b"], rows: [["x", "y"]]), Table(columns: ["a", "b", "c"]),
        ] {
            #expect(throws: problem) { try BarChart(table) }
        }
    }

    // MARK: - A line on a terminal

    /// Types on a terminal of its own, and gives what became of it.
    private func typed(_ keys: String, history: [String] = []) throws -> String? {
        let terminal = try PseudoTerminal()
        var lines = LineHistory(path: nil)
        history.forEach { lines.append($0) }
        let completion = completion
        let editor = LineEditor(history: lines, input: terminal.end, width: { 40 }, write: { _ in }) {
            completion.complete($0)
        }
        // Waits for nobody: the line of a terminal that is not raw yet ends with its line feed.
        #expect(terminal.enter(keys + "\n"))
        guard case .line(let line) = editor.readLine(prompt: "> ") else { return nil }
        return line
    }

    @Test func `a line is edited, recalled and completed`() throws {
        #expect(try typed("SELECT 1;") == "SELECT 1;")
        #expect(try typed("\u{1B}[A\u{1B}[A\u{1B}[B", history: ["one", "two"]) == "two")
        #expect(try typed("bc\u{1B}[Ha\u{1B}[F!") == "abc!")
    }
}
