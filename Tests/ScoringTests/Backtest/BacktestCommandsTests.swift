import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// The two commands as people call them.
@Suite struct BacktestCommandsTests {
    @Test func `a backtest shows the rules, and other tables where asked for`() throws {
        let crm = try MadeCRM.make()
        let lines = try crm.run("scoring backtest", options: ["outcome": "column:converted"])
        #expect(lines.prefix(3).map { $0.prefix(9) } == ["fit|fair|", "fit|mail|", "fit|busy|"])
        #expect(lines.count == 4)
        let model = try crm.run("scoring backtest", options: ["outcome": "column:converted", "show": "model"])
        #expect(model.first == "leads|600.0")
        let tenths = try crm.run("scoring backtest", options: ["outcome": "column:converted", "show": "calibration"])
        #expect(tenths.count > 2)
    }

    @Test func `without an outcome named it is the last stage`() throws {
        let crm = try MadeCRM.make()
        #expect(
            throws: KernelError.data(
                "Too few leads for a backtest: 0 reached stage:customer and 600 did not. At least 10 of each are needed."
            )
        ) { try crm.run("scoring backtest") }
    }

    @Test func `without rules there is nothing to test`() throws {
        let crm = try TestKernel("plugins: {scoring: {fit: {}}}", plugins: [Scoring.self])
        #expect(
            throws: KernelError.usage(
                "There are no rules to test: plugins.scoring has neither fit: nor engagement:. 'trellis scoring fit' learns some."
            )
        ) { try crm.run("scoring backtest") }
    }

    /// What is printed is a section of a config: it is read by the program that runs it, and scores as was said.
    @Test func `learnt rules can be pasted`() throws {
        let crm = try MadeCRM.make("    fit: {}", leads: 1000)
        let options = ["outcome": "column:converted", "columns": "source,visits", "precision": "0.5"]
        let yaml = try #require(try crm.run("scoring fit", options: options).first)
        #expect(yaml.contains("# Learnt by 'trellis scoring fit': 1000 leads, "))
        #expect(
            yaml.contains(
                /source-fair: \{when: "source = 'fair'", points: \d+\} +# \d+ leads, \d+\.\d % converted; others/))
        let again = try crm.reopened("\(MadeCRM.fields)\nplugins:\n  scoring:\n\(yaml)\n")
        let settings = try #require((again.kernel.plugins.first as? Scoring)?.settings.main)
        #expect(settings.fit.map(\.value.when.value).sorted() == ["source = 'fair'", "visits >= 5"])
        #expect(settings.thresholds.map(\.name) == ["mql"])
        let backtest = try again.run("scoring backtest", options: ["outcome": "column:converted"])
        #expect(backtest.dropLast().allSatisfy { $0.hasSuffix("|holds") })
        // Learnt again from the same leads, they are what they were.
        let twice = try #require(try again.run("scoring fit", options: options).first)
        let rules = { (text: String) in text.split(separator: "\n").filter { $0.contains("when:") }.sorted() }
        #expect(rules(twice) == rules(yaml))
    }

    /// The points of engagement are on the scale that the threshold is on, or the figures said with it are none.
    @Test func `learnt rules of engagement can be pasted too, and score as was said`() throws {
        let rules = """
                fit: {}
                groups: {calls: 500, talks: 20 per week}
                engagement:
                  demo: {on: demo.booked, where: "slot <> 'no'", points: 5, half_life: 30 days, at_most: 2 per week, group: talks}
                  held: {on: call.held, points: 100, group: calls, once: true}
            """
        let fields = MadeCRM.fields.replacing("demo.booked: {}", with: "demo.booked: {slot: text}")
        let crm = try MadeCRM.make(rules, leads: 1000, fields: fields)
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(
                sql: """
                    INSERT INTO events (kind, lead_id, origin, at, body)
                    SELECT 'demo.booked', id, 'cli', '2026-03-01 09:00:00.000', '{"slot":"monday"}' FROM leads WHERE (id % 3 = 0) <> converted
                    """)
        }
        try crm.pump()
        let options = ["outcome": "column:converted", "columns": "source,visits"]
        let yaml = try #require(try crm.run("scoring fit", options: options).first)
        #expect(
            yaml.contains(
                /"demo": \{on: demo\.booked, where: "slot <> 'no'", points: \d+, half_life: 30 days, at_most: 2/
            ))
        #expect(
            yaml.contains(
                "\"held\": {on: call.held, points: 0, group: \"calls\", once: true}  # tells nothing beside the others; now 100"
            ))
        #expect(
            yaml.contains("# Put it in the place of fit:, engagement:, groups: and thresholds: under plugins.scoring."))
        // The cap of a group grows with its rules, and stays where they give nothing.
        let points = try #require(yaml.firstMatch(of: /"demo": \{.*points: (\d+)/).flatMap { Int($0.output.1) })
        #expect(
            yaml.contains(
                "    groups:\n      \"calls\": 500\n      \"talks\": \(points * 4) per week  # now 20; its rules give"))
        let said = try #require(
            yaml.firstMatch(of: /Suggested threshold: (\d+) \(precision (\d+\.\d) %, recall (\d+\.\d) %\)/))
        let again = try crm.reopened("\(fields)\nplugins:\n  scoring:\n\(yaml)\n")
        let rows = try again.run(
            "scoring backtest", options: ["outcome": "column:converted", "show": "thresholds"])
        // Here leads are scored by rules learnt from all, and there by those learnt without them: a rule may differ
        // by a step.
        let found = try #require(rows.first { $0.contains("mql now") }).split(separator: "|")
        #expect(found[0] == "\(said.output.1).0")
        let precision = try #require(Double(found[3])) * 100 - (try #require(Double(said.output.2)))
        let recall = try #require(Double(found[4])) * 100 - (try #require(Double(said.output.3)))
        #expect(abs(precision) < 5 && abs(recall) < 15, "\(found) \(said.output.0)")
        // And the ledger made anew by them gives what the backtest scored.
        _ = try Rebuild(again.kernel).run("scoring")
        let settings = try #require((again.kernel.plugins.first as? Scoring)?.settings.main)
        #expect(settings.engagement.map(\.value.on.value) == ["demo.booked", "call.held"])
        let least = try #require(Int(said.output.1))
        #expect(
            try again.rows("SELECT count(*) FROM scoring_scores WHERE score >= \(least)") == [
                String(try #require(Double(found[1])).formatted(.number.grouping(.never)))
            ])
    }

    @Test func `the same seed learns the same, to the letter`() throws {
        let crm = try MadeCRM.make("    fit: {}", leads: 600)
        let options = ["outcome": "column:converted", "seed": "3"]
        #expect(try crm.run("scoring fit", options: options) == crm.run("scoring fit", options: options))
    }

    @Test func `a column written after the outcome is left out, and said so`() throws {
        let crm = try MadeCRM.make("    fit: {}", leads: 600)
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "UPDATE leads SET stage = 'customer' WHERE converted")
        }
        crm.clock.advance(by: "1 hour")
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "UPDATE leads SET campaign = 'closed' WHERE converted")
        }
        try crm.foreign("UPDATE leads SET converted = NULL")
        let yaml = try #require(try crm.run("scoring fit").first)
        #expect(yaml.contains("# Left out: campaign, changed after the outcome for "))
        #expect(!yaml.contains("campaign-closed"))
        #expect(yaml.contains("stage:customer."))
        #expect(yaml.contains("# Points count up to the moment the outcome was reached."))
    }

    @Test func `a rule that nearly all convert by deserves a second look`() throws {
        let crm = try MadeCRM.make("    fit: {}", leads: 600)
        try crm.foreign(
            "UPDATE leads SET campaign = CASE WHEN converted AND id % 2 THEN 'contract' WHEN id % 3 THEN 'none' ELSE 'some' END"
        )
        let yaml = try #require(
            try crm.run("scoring fit", options: ["outcome": "column:converted", "columns": "campaign"]).first)
        #expect(yaml.contains("# Look twice: 100.0 % of the leads of campaign-contract converted."))
    }

    @Test func `the drawing goes into a file, or the refusal says why not`() throws {
        let crm = try MadeCRM.make()
        let path = crm.folder + "/backtest.svg"
        try crm.run("scoring backtest", options: ["outcome": "column:converted", "svg": path])
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("<svg xmlns="))
        let nowhere = crm.folder + "/none/x.svg"
        #expect(
            throws: KernelError.usage(
                "--svg: '\(nowhere)' cannot be written. Name a file in a folder that is there.")
        ) { try crm.run("scoring fit", options: ["outcome": "column:converted", "svg": nowhere]) }
    }

    @Test func `a young lead has no outcome yet`() throws {
        let crm = try MadeCRM.make()
        let count = try #require(
            try crm.value("SELECT count(*) FROM leads WHERE created_at < '2026-02-15 09:00:00.000'"))
        let model = try crm.run(
            "scoring backtest", options: ["outcome": "column:converted", "show": "model", "older-than": "15d"])
        #expect(model.first == "leads|\(count).0")
    }
}
