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
                "2 of 4 leads get another score, these the most:\n  ann@a.example: 70.0 → 85.0\n  bob@a.example: 50.0 → 65.0",
            ])
        #expect(try crm.rows("SELECT * FROM scoring_entries") == before)
        #expect(try crm.lastEvent == events)
        #expect(try crm.rows("SELECT stage FROM leads ORDER BY id") == ["mql", "lead", "lead", "lead"])
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
