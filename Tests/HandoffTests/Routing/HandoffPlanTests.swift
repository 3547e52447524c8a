import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// What `trellis plan` says of handoffs.
@Suite struct HandoffPlanTests {
    @Test func `the leads of a rep who leaves are counted before it happens`() async throws {
        let crm = try HandoffSite.crm("reps: {ann: {email: a@a.example}, ben: {email: b@a.example, capacity: 2}}")
        try crm.qualified(4)
        try crm.run("handoff accept", "3")
        let config = try Config.parse(
            TestKernel.site + "\nplugins: {handoff: {reps: {ben: {email: b@a.example, capacity: 3}}}}",
            folder: crm.folder, plugins: [Handoff.self], environment: TestKernel.environment)
        let changes = try await Rehearsal(
            of: crm.kernel.config.databasePath, plugins: [Handoff.self], now: crm.clock.clock.now()
        ).run(from: crm.kernel.config, to: config)
        #expect(
            changes.filter { $0.area == "handoff" } == [
                PlannedChange("handoff", "(queue)", "accepted → queued", count: 1),
                PlannedChange("handoff", "ann", "is a rep no more: leads go to others", count: 2),
                PlannedChange("handoff", "ben", "takes over", count: 1),
            ])
        #expect(try crm.reps == "ann ben ann ben")
    }
}
