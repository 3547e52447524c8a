import Foundation
import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// `trellis scoring diff`.
@Suite struct ScoreDifferenceTests {
    private static func rules(_ demo: Int, mql: Int) -> String {
        """
        activities: {demo.booked: {}}
        plugins:
          scoring:
            fit: {head: {when: "title = 'Head'", points: 20}}
            engagement: {demo: {on: demo.booked, points: \(demo)}}
            thresholds: {mql: {score: \(mql)}}
        """
    }

    private func crm(_ config: String) throws -> TestKernel {
        let crm = try TestKernel(
            Self.rules(50, mql: 60), plugins: [Scoring.self], files: ["new.yaml": TestKernel.site + "\n" + config])
        for (name, title) in [("ann", "Head"), ("bob", "Clerk"), ("cleo", "Head"), ("dan", "")] {
            try crm.capture(["email": "\(name)@a.example", "title": title])
        }
        for lead in [1, 2] as [Int64] { try crm.record("demo.booked", lead: lead) }
        try crm.pump()
        return crm
    }

    @Test func `it says who would come over and fall under, and changes nothing`() throws {
        setenv("TRELLIS_SECRET", TestKernel.environment["TRELLIS_SECRET"] ?? "", 1)
        let crm = try crm(Self.rules(65, mql: 65))
        let before = try crm.rows("SELECT * FROM scoring_entries")
        let events = try crm.lastEvent
        #expect(
            try crm.run("scoring diff", options: ["with": crm.folder + "/new.yaml"]) == [
                "mql|1|2|1|0|1|main",
                """
                1 lead comes over mql:
                  bob@a.example: 50.0 → 65.0
                2 of 4 leads get another score, these the most:
                  ann@a.example: 70.0 → 85.0
                  bob@a.example: 50.0 → 65.0
                """,
            ])
        #expect(try crm.rows("SELECT * FROM scoring_entries") == before)
        #expect(try crm.lastEvent == events)
        #expect(try crm.rows("SELECT stage FROM leads ORDER BY id") == ["mql", "lead", "lead", "lead"])
    }

    @Test func `who crosses is named where the threshold alone is another`() throws {
        setenv("TRELLIS_SECRET", TestKernel.environment["TRELLIS_SECRET"] ?? "", 1)
        let lower = try crm(Self.rules(50, mql: 20))
        let (new, same) = (lower.folder + "/new.yaml", "No lead gets another score.")
        #expect(
            try lower.run("scoring diff", new) == [
                "mql|1|3|2|0|2|main",
                "2 leads come over mql:\n  bob@a.example: 50.0 → 50.0\n  cleo@a.example: 20.0 → 20.0\n\(same)",
            ])
        #expect(
            try lower.run("scoring diff", new, options: ["leads": "true"]) == [
                "mql|come_over|bob@a.example|50.0|50.0|main|2", "mql|come_over|cleo@a.example|20.0|20.0|main|3",
            ])
        let higher = try crm(Self.rules(50, mql: 75))
        #expect(
            try higher.run("scoring diff", higher.folder + "/new.yaml") == [
                "mql|1|0|0|1|0|main", "1 lead falls under mql:\n  ann@a.example: 70.0 → 70.0\n\(same)",
            ])
        #expect(
            try higher.run("scoring diff", higher.folder + "/new.yaml", options: ["leads": "true"]) == [
                "mql|fall_under|ann@a.example|70.0|70.0|main|1"
            ])
    }

    @Test func `of many who cross ten are named, and all are listed`() throws {
        setenv("TRELLIS_SECRET", TestKernel.environment["TRELLIS_SECRET"] ?? "", 1)
        let crm = try crm(Self.rules(50, mql: 20))
        for number in 1...11 { try crm.capture(["email": "head\(number)@a.example", "title": "Head"]) }
        try crm.pump()
        let note = try #require(try crm.run("scoring diff", crm.folder + "/new.yaml").last)
        let lines = note.split(separator: "\n")
        #expect(lines.first == "13 leads come over mql, 10 of them:")
        #expect(lines.count { $0.hasPrefix("  ") } == 10 && lines.count == 12)
        #expect(try crm.run("scoring diff", crm.folder + "/new.yaml", options: ["leads": "true"]).count == 13)
    }

    @Test func `the same config makes no difference, however long ago the points were given`() throws {
        setenv("TRELLIS_SECRET", TestKernel.environment["TRELLIS_SECRET"] ?? "", 1)
        let fading = Self.rules(50, mql: 60).replacing("points: 50", with: "points: 50, half_life: 10 days")
        let crm = try TestKernel(
            fading, plugins: [Scoring.self], files: ["new.yaml": TestKernel.site + "\n" + fading])
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        crm.clock.advance(by: "10 days")
        #expect(
            try crm.run("scoring diff", options: ["with": crm.folder + "/new.yaml"]) == ["No lead gets another score."])
        #expect(try crm.run("scoring diff", crm.folder + "/new.yaml") == ["No lead gets another score."])
    }

    @Test func `a config in the place of the one that is worked with is told where to stand`() throws {
        let crm = try crm(Self.rules(50, mql: 60))
        #expect(
            throws: KernelError.usage(
                "--config names the config that the file is worked with. Leave it as it is, and name the other one: trellis scoring diff new.yaml --config now.yaml"
            )
        ) { try crm.run("scoring diff", options: ["config": "now.yaml"]) }
        #expect(throws: KernelError.usage("Name the other config once: trellis scoring diff new.yaml")) {
            try crm.run("scoring diff", "new.yaml", options: ["with": "new.yaml"])
        }
    }

    @Test func `a config that is wrong, or has no scoring, or is not there, is told`() throws {
        setenv("TRELLIS_SECRET", TestKernel.environment["TRELLIS_SECRET"] ?? "", 1)
        let crm = try crm("plugins: {}")
        #expect(throws: KernelError.self) { try crm.run("scoring diff") }
        #expect(throws: KernelError.self) { try crm.run("scoring diff", options: ["with": crm.folder + "/none.yaml"]) }
        #expect(throws: KernelError.data("Scoring is off in that config: no lead would have a score.")) {
            try crm.run("scoring diff", options: ["with": crm.folder + "/new.yaml"])
        }
        let wrong = try self.crm("plugins: {scoring: {fit: {a: {when: titel, points: 1}}}}")
        #expect(throws: ConfigProblems.self) {
            try wrong.run("scoring diff", options: ["with": wrong.folder + "/new.yaml"])
        }
    }
}
