import Foundation
import Synchronization
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Rung: Event { static let kind = "alarm.rung" }

/// Writes to each new lead after a day, and again after each click.
private struct Alarm: Plugin {
    static let name = "alarm"
    static let summary = "Rings a day later."
    static let events = [EventDeclaration("alarm.rung")]
    static let mails = ["hello": "---\nsubject: Hello\npurpose: marketing\n---\n[Look](https://acme.example/)\n"]
    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("set", to: LeadCreated.self, from: .firstEvent) { created, tx in
            try tx.emit(Rung(), lead: created.leadID, at: tx.now + 86_400)
        }
        Subscribe("ring", to: ["alarm.rung", "mail.clicked"], from: .firstEvent) { _, tx in
            try tx.send(
                .marketing,
                forEach: """
                    SELECT 'alarm' || id AS key, lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, id AS cause_id FROM batch
                    """)
        }
    }
}

@Suite struct SimulationTests {
    private func crm(leads: Int = 30) throws -> TestKernel {
        let crm = try TestKernel(
            "plugins: {alarm: {}}\nactivities: {demo.booked: {slot: text}}",
            site: TestKernel.site.replacing(
                "hello@acme.example>\"}", with: "hello@acme.example>\", tracking: clicks and opens}"),
            plugins: [Alarm.self])
        for number in 1...leads {
            try crm.capture(
                ["email": "ann\(number)@acme.example", "first_name": "Ann", "country": number < 10 ? "DE" : "FR"],
                consents: number.isMultiple(of: 3) ? [] : ["newsletter"])
        }
        try crm.pump()
        return crm
    }

    private func plan(_ change: (inout Simulation.Plan) -> Void = { _ in }) -> Simulation.Plan {
        var plan = Simulation.Plan(seconds: 10 * 86_400)
        plan.settings.leadsPerDay = 5
        plan.settings.rates = ["mail.clicked", "mail.opened", "demo.booked"].map { name in
            var rate = SimulationSettings.Rate()
            rate.share = 0.5
            return Named(name, rate)
        }
        change(&plan)
        return plan
    }

    private func run(_ crm: TestKernel, _ plan: Simulation.Plan, keep: String? = nil) async throws -> SimulationOutcome
    {
        let simulation = Simulation(
            of: crm.kernel.config.databasePath, plugins: [Alarm.self], now: crm.clock.now, plan: plan,
            logger: crm.kernel.logger)
        return try #require(try await simulation.run(crm.kernel.config, keepingAs: keep))
    }

    private func rows(_ file: String, _ sql: String) throws -> [String] {
        try SQLConnection(path: file, access: .read).table(sql).rows.map { row in
            row.map { $0.text ?? "" }.joined(separator: "|")
        }
    }

    @Test func `the same seed gives the same tables, another one others`() async throws {
        let crm = try crm()
        let (first, again) = (try await run(crm, plan()), try await run(crm, plan()))
        #expect(first.sections == again.sections && first.rates == again.rates)
        let other = try await run(crm, plan { $0.seed = 2 })
        #expect(first.sections != other.sections)
    }

    @Test func `the file itself is not touched`() async throws {
        let crm = try crm()
        let counts =
            "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM outbox_messages), (SELECT count(*) FROM worker_runs)"
        let before = try crm.rows(counts)
        let version = try crm.kernel.read { try Int.fetchOne($0, sql: "PRAGMA data_version") }
        _ = try await run(crm, plan())
        #expect(try crm.rows(counts) == before)
        #expect(try crm.kernel.read { try Int.fetchOne($0, sql: "PRAGMA data_version") } == version)
    }

    @Test func `people do what the rates say, and what follows from it happens`() async throws {
        let crm = try crm()
        let file = crm.folder + "/kept.sqlite"
        let outcome = try await run(crm, plan(), keep: file)
        #expect(
            try rows(file, "SELECT kind FROM events WHERE origin = 'simulation' AND kind = 'mail.opened' LIMIT 1") == [
                "mail.opened"
            ])
        let clicks = try rows(file, "SELECT count(*) FROM events WHERE kind = 'mail.clicked'")
        #expect(clicks != ["0"])
        #expect(
            try rows(
                file,
                "SELECT count(*) FROM outbox_messages AS m JOIN events AS e ON e.id = m.cause_id WHERE e.kind = 'mail.clicked'"
            )
                == clicks)
        let people = try #require(outcome.sections.first { $0.title == "What people did" })
        #expect(people.table.rows.contains { $0[0] == "mail.clicked" && $0[1].text == clicks.first })
        // Half of thirty leads and more in a third of a month: about six.
        let booked =
            try rows(file, "SELECT count(*) FROM events WHERE kind = 'demo.booked'").first.flatMap(Int.init) ?? 0
        #expect((1...16).contains(booked))
    }

    @Test func `new leads are copies without names, and agreed as those of the file did`() async throws {
        let crm = try crm()
        let file = crm.folder + "/kept.sqlite"
        let outcome = try await run(crm, plan(), keep: file)
        #expect(outcome.newLeads == 50)
        #expect(outcome.arrivals == "5 a day (given)")
        #expect(
            try rows(
                file,
                "SELECT email, first_name, origin FROM leads JOIN events ON lead_id = leads.id AND kind = 'lead.created' WHERE leads.id = 31"
            )
                == ["simulated-1@company-1.invalid|Simulated|simulation"])
        #expect(try rows(file, "SELECT count(DISTINCT country) FROM leads WHERE id > 30") == ["2"])
        let agreed = try rows(file, "SELECT count(*) FROM consents WHERE lead_id > 30").first.flatMap(Int.init) ?? 0
        #expect((20...45).contains(agreed), "two in three of fifty")
    }

    @Test func `without people only what is under way goes on`() async throws {
        let crm = try crm()
        let file = crm.folder + "/kept.sqlite"
        let outcome = try await run(crm, plan { $0.isAlive = false }, keep: file)
        #expect(outcome.newLeads == 0 && outcome.rates == nil && outcome.arrivals == nil)
        #expect(try rows(file, "SELECT count(*) FROM events WHERE origin = 'simulation'") == ["0"])
        #expect(try rows(file, "SELECT count(*) FROM outbox_messages WHERE state = 'sent'") == ["20"], "who agreed")
        #expect(
            outcome.sections.first { $0.title == "Why mails waited or did not go" }?.table.rows
                == [["cancelled", "no consent for newsletter", 10]])
    }

    @Test func `it can be stopped, and tells how far it is`() async throws {
        let crm = try crm()
        let simulation = Simulation(
            of: crm.kernel.config.databasePath, plugins: [Alarm.self], now: crm.clock.now, plan: plan(),
            logger: crm.kernel.logger)
        let fractions = Mutex<[Double]>([])
        let outcome = try await simulation.run(crm.kernel.config) { fraction in
            fractions.withLock { $0.append(fraction) }
            return fraction < 0.3
        }
        #expect(outcome == nil)
        let last = fractions.withLock { $0.last ?? 0 }
        #expect(last >= 0.3 && last < 0.5)
    }
}
