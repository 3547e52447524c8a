import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// What reps and programs of the house are told of each step.
@Suite struct AnnouncementTests {
    @Test func `a program hears of every step, signed, with what a rep gets to know and the links that act`()
        async throws
    {
        let crm = try TestKernel(
            """
            webhooks: {desk: {url: "https://desk.acme.example/leads", secret: "${TRELLIS_ADMIN_TOKEN}"}}
            plugins: {handoff: {\(HandoffSite.threeReps), webhook: desk}, stars: {}}
            """, plugins: [Handoff.self, Stars.self])
        try crm.capture(["email": "lee@lead.example", "first_name": "Lee", "stage": "mql"])
        try crm.pump()
        try crm.run("handoff accept", "1")
        try crm.run("handoff reject", "1", "no budget")
        try crm.pump()
        let hook = HookTransport()
        try await Courier(crm.kernel, transport: hook).runUntilIdle()
        let told = hook.recording.sent.compactMap { JSONValue(parsing: $0.source) }
        #expect(
            told.map { $0["type"]?.scalarText } == [
                "handoff.offered", "handoff.accepted", "handoff.rejected", "handoff.recycled",
            ])
        #expect(hook.recording.sent.map(\.recipient) == ["desk", "desk", "desk", "desk"])
        let data = try #require(told.first?["data"])
        #expect(data["lead_name"]?.scalarText == "Lee")
        #expect(data["email"]?.scalarText == "lee@lead.example")
        #expect(data["rep"]?.scalarText == "ann")
        #expect(data["why_now"]?.scalarText == "It came in on 2026-03-02. 5 stars: demo +3, title +2.")
        #expect(data["lead_card"]?.scalarText?.contains("stars: lead 1 has 5: demo +3, title +2") == true)
        #expect(data["accept_url"]?.scalarText?.hasPrefix("https://crm.acme.example/handoff/") == true)
        #expect(data["unsubscribe_url"] == nil)
        #expect(try crm.troubles() == [])
    }

    @Test func `a program hears the state of each step, and of the links those that act in it`() async throws {
        let crm = try TestKernel(
            """
            webhooks: {desk: {url: "https://desk.acme.example/leads", secret: "${TRELLIS_ADMIN_TOKEN}"}}
            plugins:
              handoff:
                reps: {ann: {email: ann@acme.example, zone: Europe/Berlin, capacity: 1}}
                accept_within: 4 hours
                reject_reasons: [no budget, wrong person]
                webhook: desk
            """, plugins: [Handoff.self])
        try crm.qualified(2)
        try crm.run("handoff accept", "1")
        try crm.pump()
        let hook = HookTransport()
        try await Courier(crm.kernel, transport: hook).runUntilIdle()
        try crm.run("handoff convert", "1")
        try crm.run("handoff won", "1")
        try crm.pump()
        try await Courier(crm.kernel, transport: hook).runUntilIdle()
        let told = hook.recording.sent.compactMap { JSONValue(parsing: $0.source) }
        let data = told.filter { $0["data"]?["lead_name"]?.scalarText == "l1@lead.example" }.compactMap { $0["data"] }
        #expect(
            data.map { $0["state"]?.scalarText } == ["offered", "accepted", "converted", "won"], "\(told)")
        #expect(data.map { $0["accept_url"] != nil } == [true, false, false, false])
        #expect(data.map { $0["contact_url"] != nil } == [false, true, false, false])
        #expect(data.map { $0["reject_url"] != nil } == [true, true, false, false])
        #expect(
            data.map { $0["reject_reasons"]?.text() } == [
                #"["no budget","wrong person"]"#, #"["no budget","wrong person"]"#, nil, nil,
            ])
        #expect(data.first?["by_when"]?.scalarText == "until 2026-03-02 14:00 (Europe/Berlin)")
        #expect(data.allSatisfy { $0["reject_reason"] == nil })
        let waiting = told.first { $0["type"]?.scalarText == "handoff.queued" }?["data"]
        #expect(waiting?["state"]?.scalarText == "queued")
        #expect(waiting?["accept_url"] == nil && waiting?["reject_url"] == nil)
        #expect(try crm.troubles() == [])
    }

    /// A transport by the name of webhooks that remembers.
    private struct HookTransport: Transport {
        let name = "webhook"
        let isIdempotent = true
        let recording = RecordingTransport(isIdempotent: true)

        func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
            await recording.send(message, handingOver: handingOver)
        }
    }

    @Test func `a webhook that the config does not have is named`() throws {
        do {
            _ = try HandoffSite.crm(HandoffSite.threeReps + ", webhook: desk")
            Issue.record("there was no problem")
        } catch let problems as ConfigProblems {
            #expect("\(problems.problems[0])".hasSuffix("there is no webhook 'desk' under webhooks:."))
        }
    }

    @Test func `what was overtaken before it was told is told once, as it is now`() async throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", accept_within: 1 hour")
        try crm.qualified(1)
        // Both moves lie in the log before anybody looks.
        try crm.foreign("UPDATE handoff_handoffs SET state = 'offered', rep = 'ben' WHERE id = 1")
        try crm.foreign("UPDATE handoff_handoffs SET state = 'offered', rep = 'cy' WHERE id = 1")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["ann@acme.example", "cy@acme.example"])
        #expect(
            try crm.rows("SELECT json_extract(body, '$.offer') FROM scheduled_events ORDER BY id") == ["1", "3"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the list of mails says which of its own the plugin uses`() throws {
        func used(_ rules: String) throws -> [String] {
            let crm = try HandoffSite.crm(HandoffSite.threeReps + rules)
            return try withExtendedLifetime(crm) { try MailPreview(crm.kernel).list() }
                .filter { $0.uses == ["plugins.handoff"] }.map(\.name)
        }
        #expect(try used("") == ["handoff-offer"])
        #expect(
            try used(", accept_within: 4 hours, remind_after: [2 hours], escalate_to: head@acme.example") == [
                "handoff-escalation", "handoff-offer", "handoff-reminder",
            ])
    }

    @Test func `a mail from the owner is from the rep who has the lead, by the name the config gives`() async throws {
        let crm = try TestKernel(
            """
            plugins: {handoff: {pause_nurturing: false, reps: {ann: {email: ann@acme.example, name: Ann Lee}, ben: {email: ben@acme.example}}}}
            """, plugins: [Handoff.self], files: ["mails/hello.md": "---\nsubject: Hello\nfrom: owner\n---\nHello.\n"])
        for (number, owner) in ["ann", "ben", "gone", ""].enumerated() {
            try crm.capture(["email": "l\(number)@lead.example"], consents: ["newsletter"])
            try crm.foreign("UPDATE leads SET owner = nullif('\(owner)', '') WHERE id = \(number + 1)")
        }
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .marketing,
                forEach: """
                    SELECT 'k' || id AS key, id AS lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id
                    FROM leads ORDER BY id
                    """)
        }
        try await crm.work()
        let senders = crm.transport.sent.map { mail in
            mail.source.split(separator: "\r\n").first { $0.hasPrefix("From: ") } ?? ""
        }
        #expect(
            senders == [
                "From: Ann Lee <ann@acme.example>", "From: ben <ben@acme.example>", "From: Acme <hello@acme.example>",
                "From: Acme <hello@acme.example>",
            ])
    }
}
