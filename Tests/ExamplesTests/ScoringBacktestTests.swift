import Foundation
import Testing
import TrellisKernel

/// Examples/scoring-backtest, with leads that this test makes in the shape of the public file.
struct ScoringBacktestTests {
    /// 800 leads by the numbers of a linear congruential generator (Knuth, MMIX): working people, those who came by the
    /// form, and those who stayed long enrol more often; the notes of sales tell the outcome.
    private static let leads: String = {
        var state: UInt64 = 42
        func draw(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var lines = [
            "Prospect ID,Lead Number,Lead Origin,Lead Source,Do Not Email,Do Not Call,Converted,TotalVisits,"
                + "Total Time Spent on Website,Page Views Per Visit,Last Activity,Country,Specialization,"
                + "How did you hear about X Education,What is your current occupation,"
                + "What matters most to you in choosing a course,Search,Tags,Lead Quality,City,"
                + "A free copy of Mastering The Interview"
        ]
        for number in 0..<800 {
            let origin = ["API", "Landing Page Submission", "Landing Page Submission", "Lead Add Form"][Int(draw(4))]
            let occupation = ["Unemployed", "Unemployed", "Working Professional", "Select"][Int(draw(4))]
            let seconds = draw(1500)
            let odds =
                10 + (origin == "Lead Add Form" ? 30 : 0) + (occupation == "Working Professional" ? 30 : 0)
                + (seconds >= 900 ? 25 : 0)
            let converted = draw(100) < UInt64(odds)
            lines.append(
                "p\(number),\(600_000 + number),\(origin),Google,No,No,\(converted ? 1 : 0),\(draw(9)),\(seconds),\(draw(4)),SMS Sent,India,"
                    + "Select,Select,\(occupation),Select,No,\(converted ? "Closed by Horizzon" : "Ringing"),Might be,Mumbai,"
                    + "\(draw(2) == 0 ? "No" : "Yes")")
        }
        return lines.joined(separator: "\n") + "\n"
    }()

    private func crm() async throws -> ExampleFolder {
        let crm = try ExampleFolder(
            "Examples/scoring-backtest", at: "2026-03-02 09:00:00", files: ["leads.csv": ScoringBacktestTests.leads])
        let report = try crm.importing("leads.csv", mapping: "mapping.yaml")
        #expect(report.created == 800 && report.rejected == 0)
        try await crm.work()
        return crm
    }

    private func run(_ path: String, _ crm: ExampleFolder, _ options: [String: String]) throws -> CommandResult {
        let commands = crm.kernel.plugins.flatMap { $0.commands }
        let command = try #require(commands.first { $0.path.joined(separator: " ") == path })
        return try command(CommandCall(kernel: crm.kernel, options: options))
    }

    @Test func `the rules written by hand are held against what became of the leads`() async throws {
        let result = try run("scoring backtest", await crm(), ["outcome": "column:converted=1", "precision": "0.5"])
        guard case .tableWithNote(let table, let note) = result else {
            Issue.record("expected a table")
            return
        }
        let verdicts = table.rows.reduce(into: [String: String]()) { $0[$1[1].text ?? ""] = $1.last?.text }
        #expect(verdicts.count == 13)
        #expect(verdicts["came-by-form"] == "holds" && verdicts["in-work"] == "holds")
        #expect(verdicts["came-by-chat"] == "no leads")
        #expect(note.contains("800 leads with a known outcome"))
        #expect(note.contains("AUC 0."))
    }

    /// The program pastes them as run.sh does.
    @Test func `learnt rules take the place of those written by hand`() async throws {
        let crm = try await crm()
        guard case .text(let yaml) = try run("scoring fit", crm, ["outcome": "column:converted=1", "rules": "6"]) else {
            Issue.record("expected YAML")
            return
        }
        #expect(!yaml.contains("Horizzon") && !yaml.contains("SMS Sent"))
        let config = try String(contentsOfFile: crm.folder + "/config.yaml", encoding: .utf8)
        let begin = try #require(config.range(of: "# begin of the rules"))
        let end = try #require(config.range(of: "    # end of the rules"))
        let begun = try #require(config[begin.upperBound...].firstIndex(of: "\n"))
        try Data((config[...begun] + yaml + "\n" + config[end.lowerBound...]).utf8).write(
            to: URL(filePath: crm.folder + "/config.yaml"))
        let pasted = try ExampleFolder.config(crm.folder)
        #expect(pasted.warnings.isEmpty)
        #expect((3...6).contains(yaml.matches(of: /when:/).count))
    }
}
