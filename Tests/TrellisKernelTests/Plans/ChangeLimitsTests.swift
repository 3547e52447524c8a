import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ChangeLimitsTests {
    private let changes = [
        PlannedChange("stage", "lead → mql", "move", count: 6), PlannedChange("stage", "mql → sql", "move", count: 5),
        PlannedChange("owner", "owner", "other owner", count: 3),
        PlannedChange("next day", "welcome", "goes out", count: 12, insteadOf: 10),
        PlannedChange("next day", "proof", "goes out", count: 0, insteadOf: 50),
    ]

    private func limits(_ yaml: String) throws -> ChangeLimits {
        try TestKernel("limits: \(yaml)").kernel.config.site.limits
    }

    @Test func `what goes over a limit is said, with both numbers`() throws {
        let limits = try limits("{mails_per_change: 1, moves_per_change: 10, owners_per_change: 2}")
        #expect(
            limits.exceeded(by: changes) == [
                "2 more messages would go out within a day; limits.mails_per_change is 1.",
                "11 leads would change their stage; limits.moves_per_change is 10.",
                "3 leads would get another owner; limits.owners_per_change is 2.",
            ])
    }

    @Test func `a message counts once, whether it goes out within a day or waits for longer`() throws {
        let limits = try limits("{mails_per_change: 5}")
        let weekend = [
            PlannedChange("mail", "welcome", "written now", count: 50),
            PlannedChange("next day", "welcome", "goes out", count: 11, insteadOf: 0),
            PlannedChange("next day", "welcome", "waits longer", count: 42, insteadOf: 3),
        ]
        #expect(
            limits.exceeded(by: weekend) == [
                "50 more messages would go out, 39 of them later than within a day; limits.mails_per_change is 5."
            ])
        // Quiet hours that a config brings hold back what would have gone out, and write to nobody more.
        let held = [
            PlannedChange("next day", "welcome", "goes out", count: 0, insteadOf: 50),
            PlannedChange("next day", "welcome", "waits longer", count: 50, insteadOf: 0),
        ]
        #expect(limits.exceeded(by: held) == [])
    }

    @Test func `up to a limit everything goes, and nothing is held where none is set`() throws {
        let limits = try limits("{mails_per_change: 2, moves_per_change: 11, owners_per_change: 3}")
        #expect(limits.areSet && limits.exceeded(by: changes) == [])
        #expect(!ChangeLimits().areSet && ChangeLimits().exceeded(by: changes) == [])
        #expect(try self.limits("{moves_per_change: 0}").areSet)
    }

    @Test func `a change that lifts its own limit is held to it`() throws {
        let before = try limits("{mails_per_change: 1, moves_per_change: 5}")
        #expect(before.stricter(ChangeLimits()).mailsPerChange == 1)
        let both = before.stricter(try limits("{mails_per_change: 900, owners_per_change: 2}"))
        #expect([both.mailsPerChange, both.movesPerChange, both.ownersPerChange] == [1, 5, 2])
    }

    @Test func `a limit below zero is a mistake of the config`() {
        #expect(throws: ConfigProblems.self) { try limits("{mails_per_change: -1}") }
    }
}
