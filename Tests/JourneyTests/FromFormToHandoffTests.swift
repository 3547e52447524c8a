import Foundation
import Testing
import TrellisKernel
import TrellisTesting

/// One lead from the form of a magnet to the hands of a rep.
@Suite struct FromFormToHandoffTests {
    /// The form on Monday, a demo on Thursday, accepted at once. Plugins that are off are not asked for anything.
    private func live(_ crm: TestKernel, off: String? = nil) async throws -> Int64 {
        let ann = try NurturingSite.fillInForm(crm, "ann@corp.example", "Ann", title: "Head of Sales")
        try await crm.work()
        if off != "audiences" {
            try crm.run(
                "audiences export", "nurtured", options: ["output": crm.folder + "/nurtured.csv", "anyway": "true"])
        }
        crm.clock.advance(by: "3 days")
        try await crm.work()
        try crm.record("demo.booked", lead: ann, ["slot": "Friday"])
        try await crm.work()
        if !["scoring", "handoff"].contains(off) { try crm.run("handoff accept", "1") }
        crm.clock.advance(by: "5 minutes")
        try await crm.work()
        return ann
    }

    private static let allEvents = [
        "lead.created", "consent.granted", "consent.granted", "form.submitted",  // the form
        "asset.downloaded",  // lead_magnets
        "audience.entered",  // audiences: still a lead
        "mail.sent", "mail.sent",  // the download and the welcome
        "audience.exported",
        "drip.due",  // three days later
        "mail.sent",  // the proof
        "demo.booked",
        "lead.stage_changed",  // scoring: mql
        "audience.left",  // audiences: no lead any more
        "lead.updated", "handoff.offered",  // handoff: the owner, the offer
        "handoff.accepted", "lead.stage_changed",  // the rep: sal
    ]

    @Test func `a lead goes from form to rep by these events and no others`() async throws {
        let crm = try NurturingSite.crm()
        let ann = try await live(crm)
        let events = try crm.events()
        #expect(events == Self.allEvents)
        #expect(
            try crm.rows("SELECT from_stage, to_stage, origin FROM stage_history WHERE lead_id = \(ann)") == [
                "|lead|form:sales-plan", "lead|mql|plugin:scoring", "mql|sal|cli",
            ])
        #expect(
            try crm.rows(
                "SELECT stage, owner, score, fit, engagement, sequence, handoff_state, rep, audiences FROM lead_cards")
                == [
                    "sal|rita|65.0|20|45.0||accepted|rita|"
                ])
        #expect(try crm.troubles() == [])
    }

    @Test func `once a rep has the lead, the sequence is over and says nothing more`() async throws {
        let crm = try NurturingSite.crm()
        try await _ = live(crm)
        let before = try crm.lastEvent
        let mails = crm.transport.sent.count
        crm.clock.advance(by: "30 days")
        try await crm.work()
        // The appointment of the second wait still comes, and finds nobody.
        let after = try crm.events(after: before)
        #expect(after == ["drip.due"])
        #expect(crm.transport.sent.count == mails)
        #expect(try crm.rows("SELECT state, reason FROM drip_enrolments") == ["exited|handoff.offered"])
    }

    @Test func `each mail says what it should, to whom it should`() async throws {
        let crm = try NurturingSite.crm()
        try await _ = live(crm)
        let sent = crm.transport.sent
        #expect(
            sent.map { "\($0.recipient): \($0.subject)" } == [
                "ann@corp.example: The sales plan", "ann@corp.example: Welcome, Ann",
                "ann@corp.example: How others did it",
                "rita@acme.example: New lead: Ann",
            ])
        guard sent.count == 4 else { return }
        let signer = try crm.kernel.config.signer
        let delivery = try #require(
            sent[0].text.firstMatch(of: #/https:\/\/crm.acme.example\/download\/([A-Za-z0-9_-]+)/#))
        #expect(
            signer.open(String(delivery.1), purpose: "download", now: crm.kernel.clock.now())
                == .subject(#"["sales-plan",1]"#))
        #expect(!sent[0].text.contains("Unsubscribe"))
        #expect(sent[1].text.hasPrefix("Hello Ann,\n\nGood to have you."))
        #expect(sent[1].text.contains("Acme, 1 Main Street\nUnsubscribe: https://crm.acme.example/unsubscribe/"))
        #expect(sent[1].source.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"))
        #expect(sent[2].text.contains("A story."))
        for part in [
            "Ann is yours.", "title: Head of Sales", "email: ann@corp.example",
            "after this: demo booked (Friday). 65 points: demo +30, head +20, asked +15.",
            "score: 65 (fit 20, engagement 45): demo +30, head +20, asked +15",
            "2026-03-05 demo booked (Friday)", "2026-03-02 downloaded sales-plan", "trellis handoff accept 1",
        ] { #expect(sent[3].text.contains(part), "\(part)") }
    }

    @Test func `every event about the lead has a cause that leads back to what somebody outside did`() async throws {
        let crm = try NurturingSite.crm()
        try await _ = live(crm)
        #expect(
            try crm.rows("SELECT kind, cause_kind FROM lead_trace WHERE lead_id = 1") == [
                "lead.created|", "consent.granted|", "consent.granted|", "form.submitted|",
                "asset.downloaded|form.submitted", "audience.entered|form.submitted", "mail.sent|form.submitted",
                "mail.sent|form.submitted", "mail.sent|form.submitted",
                "demo.booked|", "lead.stage_changed|demo.booked", "audience.left|lead.stage_changed",
                "lead.updated|lead.stage_changed", "handoff.offered|lead.stage_changed",
                "handoff.accepted|lead.stage_changed", "lead.stage_changed|",
            ])
        // Without a cause is only what a person did, and an appointment, which is about nobody.
        #expect(
            try crm.rows(
                "SELECT kind FROM events WHERE cause_id IS NULL AND origin NOT LIKE 'form:%' AND origin <> 'cli' AND kind NOT LIKE 'plugin.%'"
            )
                == ["audience.exported", "drip.due"])
        #expect(
            try crm.rows(
                "SELECT e.id FROM events AS e JOIN events AS c ON c.id = e.cause_id WHERE e.depth <> c.depth + 1") == []
        )
    }

    @Test(arguments: [
        ("lead_magnets", ["asset.downloaded", "mail.sent"]),
        ("drip", ["drip.due", "mail.sent", "mail.sent"]),
        ("audiences", ["audience.entered", "audience.exported", "audience.left"]),
        // Without a score nobody reaches mql, so that nothing is handed off and nobody leaves the audience.
        (
            "scoring",
            [
                "audience.left", "handoff.accepted", "handoff.offered", "lead.stage_changed",
                "lead.stage_changed", "lead.updated",
            ]
        ),
        ("handoff", ["handoff.accepted", "handoff.offered", "lead.stage_changed", "lead.updated"]),
    ])
    func `with one plugin off exactly its events are missing, and nothing is lost`(
        _ plugin: String, _ missing: [String]
    ) async throws {
        let crm = try NurturingSite.crm(off: plugin)
        try await _ = live(crm, off: plugin)
        let events = try crm.events()
        var expected = Self.allEvents
        for kind in missing { expected.remove(at: try #require(expected.firstIndex(of: kind))) }
        #expect(events.sorted() == expected.sorted())
        #expect(try crm.rows("SELECT id FROM events WHERE origin = 'plugin:\(plugin)'") == [])
        #expect(try crm.rows("SELECT email, first_name FROM leads") == ["ann@corp.example|Ann"])
        #expect(try crm.rows("SELECT purpose, state FROM consents") == ["ads|granted", "newsletter|granted"])
        #expect(try crm.rows("SELECT key FROM outbox_messages WHERE state <> 'sent'") == [])
        #expect(try crm.rows("SELECT name FROM plugins WHERE NOT is_on") == [plugin])
        #expect(try crm.troubles() == [])
    }

    @Test func `with all plugins off the lead is still there`() async throws {
        let crm = try TestKernel("", plugins: NurturingSite.plugins)
        try NurturingSite.fillInForm(crm, "ann@corp.example", "Ann", title: "Head of Sales")
        try await crm.work()
        #expect(try crm.events() == ["lead.created", "consent.granted", "consent.granted", "form.submitted"])
        #expect(try crm.troubles() == [])
    }
}
