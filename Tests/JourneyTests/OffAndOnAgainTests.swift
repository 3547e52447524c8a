import Foundation
import Testing
import TrellisKernel
import TrellisTesting

/// A plugin that was off while things happened ends where it would be had it never been off.
@Suite struct OffAndOnAgainTests {
    /// Everything the plugins made, as sets of rows without times and without ids of their own. Of audiences those who
    /// are in them: who came and went while nobody looked was never seen there.
    private static let tables = [
        "leads": "SELECT id, email, title, stage, owner FROM leads",
        "events":
            "SELECT e.kind, e.lead_id, e.origin, c.kind FROM events AS e LEFT JOIN events AS c ON c.id = e.cause_id WHERE e.kind NOT GLOB 'plugin.*' AND e.kind NOT GLOB 'audience.*'",
        "outbox": "SELECT key, purpose, template, recipient, state FROM outbox_messages",
        "submissions": "SELECT magnet, lead_id, at FROM magnets_submissions",
        "enrolments": "SELECT lead_id, sequence, cycle, step, state, reason FROM drip_enrolments",
        "members": "SELECT audience, lead_id FROM audiences_members WHERE until IS NULL",
        "entries": "SELECT lead_id, rule, axis, points, half_life FROM scoring_entries",
        "scores": "SELECT lead_id, fit, engagement, score, decays FROM scoring_scores",
        "handoffs": "SELECT lead_id, cycle, rep, route, state, reason FROM handoff_handoffs",
    ]

    private func picture(_ crm: TestKernel) throws -> [String: [String]] {
        try Self.tables.mapValues { try crm.rows($0).sorted() }
    }

    /// Begins with one lead, everything on.
    private func begin(_ crm: TestKernel) async throws {
        try NurturingSite.fillInForm(crm, "ann@corp.example", "Ann", title: "Head of Sales")
        try await crm.work()
        crm.clock.advance(by: "5 minutes")
        try await crm.work()
    }

    /// What happens meanwhile: two more leads, one of them twice, a change by another client, and demos.
    private func happen(_ crm: TestKernel, withSecondOffer: Bool = true) async throws {
        let acts: [() throws -> Void] = [
            { try NurturingSite.fillInForm(crm, "bob@corp.example", "Bob", title: "Clerk") },
            { try NurturingSite.fillInForm(crm, "cleo@corp.example", "Cleo", title: "Head of IT") },
            { try NurturingSite.fillInForm(crm, "bob@corp.example", "Bob", title: "Clerk") },
            { try crm.foreign("UPDATE leads SET title = 'Head of Nothing' WHERE email = 'bob@corp.example'") },
            { try crm.record("demo.booked", lead: 1, ["slot": "Friday"]) },
            { try crm.record("demo.booked", lead: 3) },
            { if withSecondOffer { try crm.record("demo.booked", lead: 3, ["slot": "Monday"]) } },
        ]
        for act in acts {
            try act()
            try await crm.work()
        }
    }

    private func end(_ crm: TestKernel) async throws {
        try await crm.work()
        crm.clock.advance(by: "5 minutes")
        try await crm.work()
    }

    @Test(arguments: NurturingSite.names)
    func `a plugin that was off for a while catches up exactly once`(_ plugin: String) async throws {
        // A lead that came and went while the sequences were off is another matter: see below.
        let withSecondOffer = plugin != "drip"
        let always = try NurturingSite.crm()
        try await begin(always)
        try await happen(always, withSecondOffer: withSecondOffer)
        try await end(always)

        let before = try NurturingSite.crm()
        try await begin(before)
        let off = try before.reopened(NurturingSite.yaml(off: plugin))
        try await happen(off, withSecondOffer: withSecondOffer)
        let meanwhile = try picture(off)
        let again = try off.reopened(NurturingSite.yaml())
        try await end(again)

        let (expected, found) = (try picture(always), try picture(again))
        for name in Self.tables.keys.sorted() { #expect(found[name] == expected[name], "\(name)") }
        #expect(meanwhile != found, "nothing was left for the plugin to catch up with")
        #expect(try again.troubles() == [])

        // Going on changes nothing more, and neither does a further start.
        try await again.work()
        let restarted = try again.reopened(NurturingSite.yaml())
        try await restarted.work()
        #expect(try picture(restarted) == found)
    }

    @Test func `a lead that came and went while the sequences were off is let go without a mail`() async throws {
        let before = try NurturingSite.crm()
        try await begin(before)
        let off = try before.reopened(NurturingSite.yaml(off: "drip"))
        try await happen(off)
        let again = try off.reopened(NurturingSite.yaml())
        try await end(again)
        #expect(
            try again.rows("SELECT lead_id, state, step FROM drip_enrolments ORDER BY lead_id") == [
                "1|exited|2", "2|active|2", "3|exited|0",
            ])
        #expect(again.transport.sent.map { "\($0.recipient) \($0.subject)" } == ["bob@corp.example Welcome, Bob"])
        #expect(try again.troubles() == [])
    }

    @Test func `the appointments of a plugin that is off are kept and frozen`() async throws {
        let before = try NurturingSite.crm()
        try await begin(before)
        let off = try before.reopened(NurturingSite.yaml(off: "drip"))
        off.clock.advance(by: "30 days")
        try await off.work()
        #expect(try off.rows("SELECT kind, due_at FROM scheduled_events") == ["drip.due|2026-03-05 09:00:00.000"])
        #expect(try !off.events().contains("drip.due"))
        let again = try off.reopened(NurturingSite.yaml())
        try await again.work()
        #expect(again.transport.sent.map(\.subject) == ["How others did it"])
        again.clock.advance(by: "3 days")
        try await again.work()
        #expect(again.transport.sent.map(\.subject) == ["How others did it", "Shall we talk?"])
        #expect(try again.rows("SELECT state FROM drip_enrolments") == ["completed"])
        #expect(try again.troubles() == [])
    }

    @Test(arguments: ["scoring", "lead_magnets", "audiences"])
    func `resume start handles everything again and doubles nothing`(_ plugin: String) async throws {
        let before = try NurturingSite.crm()
        try await begin(before)
        let off = try before.reopened(NurturingSite.yaml(off: plugin))
        try await end(off)
        let expected = try picture(off)
        let again = try off.reopened(
            NurturingSite.yaml().replacing("\(plugin):\n    enabled: true", with: "\(plugin):\n    resume: start"))
        try await again.work()
        let found = try picture(again)
        for name in ["entries", "scores", "submissions", "outbox", "members", "handoffs"] {
            #expect(found[name] == expected[name], "\(name)")
        }
        #expect(try again.troubles() == [])
    }

    @Test func `resume now passes over what happened meanwhile`() async throws {
        let before = try NurturingSite.crm()
        try await begin(before)
        let off = try before.reopened(NurturingSite.yaml(off: "drip"))
        try await happen(off)
        let again = try off.reopened(
            NurturingSite.yaml().replacing("drip:\n    enabled: true", with: "drip:\n    resume: now"))
        try await end(again)
        #expect(try again.rows("SELECT lead_id FROM drip_enrolments") == ["1"])
        #expect(again.transport.sent.isEmpty)
    }
}
