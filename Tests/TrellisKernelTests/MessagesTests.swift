import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// What a plugin puts into the outbox and takes out of it again.
@Suite struct MessagesTests {
    private struct Night: Plugin {
        static let name = "night"
        static let summary = "Sends nothing before noon."
        init(settings: NoSettings) {}
        var hooks: [any Hook] {
            Filter("wait", MessageDraft.self) { _, tx in
                let noon = Timestamp.date("2026-03-02 12:00:00") ?? tx.now
                if tx.now < noon { throw Postpone(until: noon, because: "before noon") }
            }
        }
    }

    private func crm(plugins: [any Plugin.Type] = []) throws -> TestKernel {
        let crm = try TestKernel(
            plugins.isEmpty ? "" : "plugins: {night: {}}", plugins: plugins,
            files: ["mails/hello.md": "---\nsubject: Hello\npurpose: marketing\n---\nHello.\n"])
        for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@acme.example"], consents: ["newsletter"]) }
        return crm
    }

    private func order(_ crm: TestKernel, _ key: String, lead: Int, ready: String = ":now") throws {
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .marketing,
                forEach: """
                    SELECT :key AS key, :lead AS lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id
                    """, ready: ready, arguments: ["key": key, "lead": lead])
        }
    }

    @Test func `a mail may be ordered for later`() async throws {
        let crm = try crm()
        try order(crm, "k", lead: 1, ready: "'2026-03-02 10:00:00.000'")
        try await crm.work()
        #expect(crm.transport.sent.isEmpty)
        crm.clock.advance(by: "1 hour")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
    }

    @Test func `what waits for a lead is taken back by its key, and nobody else's`() async throws {
        let crm = try crm()
        for (key, lead) in [
            ("drip:a:1:lead 1:cycle 1", 1), ("drip:a:1:lead 1:cycle 2", 1), ("drip:ab:1:lead 1:cycle 1", 1),
            ("drip:a:1:lead 2:cycle 1", 2),
        ] {
            try order(crm, key, lead: lead)
        }
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.withdraw(
                because: "over", forEach: "SELECT 1 AS lead_id, 'drip:a:' AS prefix, ':lead 1:cycle 1' AS suffix")
        }
        #expect(
            try crm.rows("SELECT key, reason FROM outbox_messages WHERE state = 'cancelled'") == [
                "drip:a:1:lead 1:cycle 1|over"
            ])
        try await crm.work()
        #expect(crm.transport.sent.count == 3)
    }

    @Test func `another plugin's messages are not taken back`() throws {
        let crm = try crm()
        try order(crm, "k", lead: 1)
        try crm.kernel.write(origin: "plugin:other") { tx in
            try tx.withdraw(because: "over", forEach: "SELECT 1 AS lead_id, 'k' AS prefix, 'k' AS suffix")
        }
        #expect(try crm.rows("SELECT state FROM outbox_messages") == ["waiting"])
    }

    @Test func `a filter puts a mail off without costing an attempt`() async throws {
        let crm = try crm(plugins: [Night.self])
        try order(crm, "k", lead: 1)
        try await crm.work()
        try await crm.work()
        #expect(crm.transport.sent.isEmpty)
        #expect(
            try crm.rows("SELECT state, attempts, ready_at, reason FROM outbox_messages") == [
                "waiting|0|2026-03-02 12:00:00.000|before noon"
            ])
        crm.clock.advance(by: "3 hours")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
    }

    @Test func `a webhook is told the lead and what the step says, but no link that opens in the lead's name`()
        async throws
    {
        let crm = try crm()
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.callWebhook(
                forEach: """
                    SELECT 'w' AS key, 1 AS lead_id, 'crm' AS recipient, 'drip.webhook' AS template,
                           '{"step":"3","cycle":2}' AS body, 1 AS cause_id
                    """)
        }
        let transport = WebhookRecorder()
        try await Courier(crm.kernel, transport: transport).runUntilIdle()
        let message = try #require(transport.recording.sent.first)
        let text = String(decoding: message.bytes, as: UTF8.self)
        #expect(message.recipient == "crm" && message.returnPath.isEmpty)
        #expect(text.hasPrefix(#"{"data":{"#) && text.contains(#""email":"ann@acme.example""#))
        #expect(text.contains(#""step":"3""#) && text.contains(#""created_at":"2026-03-02T09:00:00Z""#))
        #expect(text.contains(#""id":1,"#) && text.contains(#""cycle":2,"#))
        #expect(text.hasSuffix(#""timestamp":"2026-03-02T09:00:00.000Z","type":"drip.webhook"}"#))
        #expect(!text.contains("preferences_url") && !text.contains("lead_key"))
        #expect(try crm.events().filter { $0.hasPrefix("mail.") } == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `a webhook is told what a filter made of a number, and the event may hold what it likes`() async throws {
        let crm = try TestKernel("hooks: {hide: {filter: mail, set: \"SELECT '' AS employees\"}}")
        try crm.capture(["email": "ann@acme.example", "employees": "12"])
        try crm.foreign(
            "INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('it.came', 1, 'sql', '2026-03-02', '[3]')")
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.callWebhook(
                forEach: """
                    SELECT 'w' AS key, 1 AS lead_id, 'crm' AS recipient, 'drip.webhook' AS template, '{}' AS body, max(id) AS cause_id FROM events
                    """)
        }
        let transport = WebhookRecorder()
        try await Courier(crm.kernel, transport: transport).runUntilIdle()
        let text = String(decoding: try #require(transport.recording.sent.first).bytes, as: UTF8.self)
        #expect(text.contains(#""employees":"""#) && text.contains(#""id":1,"#), "\(text)")
    }

    private struct WebhookRecorder: Transport {
        let name = "webhook"
        let isIdempotent = true
        let recording = RecordingTransport()

        func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
            await recording.send(message, handingOver: handingOver)
        }
    }

    @Test func `a line is filled in for the lead as it is`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET first_name = 'Ann {{x}} <b>' WHERE id = 1")
        let line = try LineTemplate("Ring {{first_name|them}}: \"{{ email }}\"")
        #expect(line.variables == ["first_name", "email"])
        let lines = try crm.kernel.read { db in try [1, 2, 9].map { try line.filled(for: $0, db) } }
        #expect(
            lines == [
                "Ring Ann {{x}} <b>: \"ann@acme.example\"", "Ring them: \"bob@acme.example\"",
                "Ring {{first_name|them}}: \"{{ email }}\"",
            ])
        #expect(throws: MailTemplateProblem.self) { try LineTemplate("Ring {{first name") }
    }
}
