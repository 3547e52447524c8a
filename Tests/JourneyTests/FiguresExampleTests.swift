import DripSequencer
import Figures
import Foundation
import LeadMagnets
import Testing
import TrellisKernel
import TrellisTesting

/// Documentation/Figures.md is the definition of the figures: its statements are run, its tables compared, its sums
/// worked out.
@Suite struct FiguresExampleTests {
    private let page: String

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        page = try String(contentsOf: root.appending(path: "Documentation/Figures.md"), encoding: .utf8)
    }

    private struct Example {
        var config = ""
        /// What is written at a moment.
        var steps: [(at: String, sql: String)] = []
        var questions: [(sql: String, rows: [String])] = []
    }

    private func example() -> Example {
        var example = Example()
        var lines = page.split(separator: "\n", omittingEmptySubsequences: false)[...]
        while let line = lines.popFirst() {
            guard line == "```yaml" || line == "```sql" else { continue }
            let block = lines.prefix { $0 != "```" }
            lines = lines.dropFirst(block.count + 1)
            if line == "```yaml" {
                example.config += block.joined(separator: "\n")
            } else if block.first?.hasPrefix("-- ") == true {
                for line in block {
                    if line.hasPrefix("-- ") { example.steps.append((String(line.dropFirst(3)), "")) }
                    example.steps[example.steps.count - 1].sql += line + "\n"
                }
            } else {
                let table = lines.drop { $0.isEmpty }.prefix { $0.hasPrefix("|") }
                example.questions.append((block.joined(separator: "\n"), table.dropFirst(2).map(Self.row)))
            }
        }
        return example
    }

    /// `| a | | 2 |` is `a||2`.
    private static func row(_ line: Substring) -> String {
        line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "|")
    }

    private func crm(_ example: Example, pumpsBetween: Bool) throws -> TestKernel {
        let crm = try TestKernel(
            example.config, plugins: [LeadMagnets.self, DripSequencer.self, Figures.self], at: "2026-03-01 00:00:00")
        for step in example.steps {
            crm.clock.set(step.at)
            try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: step.sql) }
            if pumpsBetween { try crm.pump() }
        }
        try crm.pump()
        return crm
    }

    @Test(arguments: [true, false])
    func `every table of the page is what the program makes`(pumpsBetween: Bool) throws {
        let example = example()
        #expect(example.steps.count >= 8)
        #expect(example.questions.count >= 15)
        let crm = try crm(example, pumpsBetween: pumpsBetween)
        for question in example.questions {
            #expect(!question.rows.isEmpty, "\(question.sql)")
            // Inside a write the figures know the day of the example.
            let rows = try crm.kernel.write(origin: "test") { tx in
                try Row.fetchAll(tx.db, sql: question.sql).map { row in
                    row.databaseValues.map { Cell($0).text ?? "" }.joined(separator: "|")
                }
            }
            #expect(rows == question.rows, "\(question.sql)")
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `every sum in the text is right`() throws {
        let crm = try TestKernel()
        let sums = page.matches(of: /`([0-9 .()+*\/-]+) = ([0-9.]+)`/)
        #expect(sums.count >= 25)
        for sum in sums {
            // SQLite divides whole numbers to whole numbers.
            let expression = String(sum.1).replacing(/\d+(\.\d+)?/) { $0.1 == nil ? "\($0.0).0" : "\($0.0)" }
            let decimals = sum.2.split(separator: ".").dropFirst().first?.count ?? 0
            let value = try crm.value("SELECT round(\(expression), \(decimals))").flatMap(Double.init)
            #expect(value == Double(sum.2), "\(sum.0)")
        }
    }
}
