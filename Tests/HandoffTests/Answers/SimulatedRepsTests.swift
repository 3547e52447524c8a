import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// What reps do when a simulation draws it.
@Suite struct SimulatedRepsTests {
    private func crm(_ more: String = "") throws -> TestKernel {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + more)
        try crm.qualified(1)
        try crm.pump()
        return crm
    }

    private static let state = "SELECT state, outcome FROM handoff_handoffs"

    @Test func `a handoff is accepted, the lead is talked to, converted and won`() async throws {
        let crm = try crm()
        let done = try await crm.simulate(
            days: 60,
            [
                "handoff.accepted": (1, "1h"), "handoff.rejected": (0, "1h"), "lead.contacted": (1, "2h"),
                "handoff.converted": (1, "1 day"), "handoff.won": (1, "2 days"), "handoff.lost": (0, "1 day"),
            ])
        #expect(try done.rows(Self.state) == ["converted|won"])
        #expect(try done.rows("SELECT stage FROM leads") == ["customer"])
        #expect(
            try done.rows("SELECT kind FROM events WHERE origin = 'simulation' AND kind LIKE 'handoff.%' ORDER BY id")
                == ["handoff.accepted", "handoff.converted"])
        #expect(try done.rows("SELECT count(*) FROM events WHERE kind = 'lead.contacted'") == ["1"])
        let reps = done.section("Handoffs by rep")
        #expect(reps.count == 1 && reps[0].hasSuffix("|0|1|0|0|1|1|0|0"), "\(reps)")
        #expect(try crm.rows(Self.state) == ["offered|"], "the file itself is not touched")
    }

    @Test func `a handoff that is rejected goes back to marketing`() async throws {
        let done = try await crm().simulate(
            days: 10, ["handoff.accepted": (0, "1h"), "handoff.rejected": (1, "1h")])
        #expect(try done.rows("SELECT stage, owner FROM leads") == ["recycled|"])
        #expect(try done.rows("SELECT state, reason FROM handoff_transitions WHERE state = 'rejected'").count == 1)
    }

    @Test func `what shares a choice happens once at most`() async throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps)
        try crm.qualified(30)
        try crm.pump()
        let done = try await crm.simulate(
            days: 30,
            ["handoff.accepted": (0.5, "1h"), "handoff.rejected": (0.5, "1h"), "handoff.converted": (0, "1h")])
        let answers = try done.rows(
            "SELECT lead_id FROM handoff_transitions WHERE state IN ('accepted', 'rejected') AND offer = 1 AND cycle = 1"
        )
        #expect(answers.count == Set(answers).count)
        #expect(answers.count > 5, "every first offer is answered in one way or the other")
    }
}
