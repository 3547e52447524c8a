import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// What `trellis plan` says of a plugin that is switched off.
@Suite struct SwitchedOffPlanTests {
    @Test func `what waits in it rests, and is counted`() async throws {
        let rules = """
            activities: {demo.booked: {}}
            plugins:
              drip: {sequences: {talk: {enter: {on: demo.booked}, steps: [{wait: 3 days}, {set: {city: Bonn}}]}}}
            """
        let crm = try TestKernel(rules, plugins: [DripSequencer.self])
        for name in ["ann", "bob"] {
            try crm.capture(["email": "\(name)@a.example"])
        }
        for lead in [1, 2] as [Int64] { try crm.record("demo.booked", lead: lead) }
        try crm.pump()
        let config = try Config.parse(
            TestKernel.site + "\n" + rules.replacing("drip: {", with: "drip: {enabled: false, "),
            folder: crm.folder, plugins: [DripSequencer.self], environment: TestKernel.environment)
        let changes = try await Rehearsal(
            of: crm.kernel.config.databasePath, plugins: [DripSequencer.self], now: crm.clock.clock.now()
        ).run(from: crm.kernel.config, to: config)
        let waiting = Int64(try crm.value("SELECT count(*) FROM scheduled_events WHERE owner = 'drip'") ?? "")
        #expect(changes.contains(PlannedChange("plugin", "drip", "off")))
        #expect(changes.contains { $0.area == "plugin" && $0.change == "appointments rest" && $0.count == waiting })
        #expect((waiting ?? 0) > 0)
    }
}
