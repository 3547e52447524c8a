import Foundation
import Testing
import TrellisKernel
import TrellisTesting

/// A simulation in which nobody does anything is what happens when nobody does anything.
struct StandStillTests {
    /// A CRM with leads that have just come, in different hours.
    private func crm(_ folder: String) async throws -> ExampleFolder {
        let start = folder == "Starter" ? "2026-11-23 09:00:00" : "2026-03-02 09:00:00"
        let crm = try ExampleFolder(folder, at: start)
        if folder == "Starter" {
            try crm.importing("leads.csv")
            try crm.importing("activities.csv", into: .activities)
        } else {
            let form = ["Examples/trial": "kilnbook-trial", "Examples/newsletter-to-demo": "order-sheet"][folder] ?? ""
            let field = folder == "Examples/trial" ? "kilns" : "shops"
            for number in 1...7 {
                try crm.capture(
                    form, ["email": "ada\(number)@klei\(number).example", "first_name": "Ada", field: "\(number)"],
                    newsletter: number != 3)
                try await crm.work()
                crm.clock.advance(by: "47 minutes")
            }
        }
        try await crm.work()
        return crm
    }

    /// What came of it. Ids of events differ where a worker was begun.
    private static let tables = [
        """
        SELECT key, state, reason, attempts, ready_at, settled_at, template, lead_id, links_watched, opens_watched
        FROM outbox_messages ORDER BY id
        """,
        "SELECT lead_id, from_stage, to_stage, at, origin FROM stage_history ORDER BY lead_id, at, to_stage",
        "SELECT lead_id, sequence, cycle, step, state, reason, due_at, entered_at, ended_at FROM drip_enrolments ORDER BY id",
        "SELECT kind, lead_id, at, origin FROM events WHERE kind NOT LIKE 'plugin.%' ORDER BY at, kind, lead_id, body",
    ]
    private static let handoffs =
        "SELECT lead_id, cycle, offer, rep, state, route, offered_at, accept_by, escalated_at FROM handoff_handoffs ORDER BY id"

    @Test(arguments: ["Starter", "Examples/trial", "Examples/newsletter-to-demo"])
    func `still, it is the same as what really happens`(_ folder: String) async throws {
        let crm = try await crm(folder)
        let end = crm.clock.now + 30 * 86_400
        let kept = crm.folder + "/kept.sqlite"
        var plan = Simulation.Plan(seconds: 30 * 86_400)
        plan.isAlive = false
        plan.step = 0
        let simulation = Simulation(
            of: crm.kernel.config.databasePath, plugins: shippedPlugins, now: crm.clock.now, plan: plan,
            logger: crm.kernel.logger)
        let outcome = try #require(try await simulation.run(crm.kernel.config, keepingAs: kept))
        // What a worker does when it starts right after, and then everything at its time.
        crm.clock.set(Timestamp.text(crm.clock.now + 0.001))
        let worker = try Worker(crm.kernel, transport: crm.transport)
        try await crm.live(until: Timestamp.text(end))
        try worker.finish()
        let copy = try SQLConnection(path: kept, access: .read)
        // Of the three, the starter alone has leads that are handed off at once.
        let tables = Self.tables + (folder == "Starter" ? [Self.handoffs] : [])
        for sql in tables {
            let simulated = try copy.table(sql).rows.map { $0.map { $0.text ?? "" }.joined(separator: "|") }
            let real = try crm.rows(sql)
            #expect(!real.isEmpty)
            #expect(simulated == real, "\(sql)")
        }
        #expect(outcome.until == end)
    }

    @Test func `two configs side by side have the same luck`() async throws {
        let crm = try await crm("Examples/trial")
        var plan = Simulation.Plan(seconds: 20 * 86_400)
        plan.settings.leadsPerDay = 4
        let simulation = Simulation(
            of: crm.kernel.config.databasePath, plugins: shippedPlugins, now: crm.clock.now, plan: plan,
            logger: crm.kernel.logger)
        let file = crm.folder + "/config.yaml"
        let first = try #require(try await simulation.run(crm.kernel.config))
        let same = try #require(try await simulation.run(try ExampleFolder.config(crm.folder)))
        #expect(first.sections == same.sections)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let changed = text.replacing("- wait: 3 days", with: "- wait: 2 days")
        #expect(changed != text)
        try Data(changed.utf8).write(to: URL(filePath: file))
        let other = try #require(try await simulation.run(try ExampleFolder.config(crm.folder)))
        let differing = first.sections.filter { section in
            section.differs(from: other.sections.first { $0.title == section.title })
        }.map(\.title)
        #expect(differing.contains("Mails a day"))
        #expect(!differing.contains("Leads by stage"), "a wait that is shorter moves nobody to another stage")
        #expect(first.newLeads == other.newLeads)
    }
}
