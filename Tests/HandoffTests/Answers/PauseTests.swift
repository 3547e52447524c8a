import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// Marketing mail while a rep has the lead.
@Suite struct PauseTests {
    /// Sends what it is told to, caused by the last event of the lead of some kind.
    private static func send(_ crm: TestKernel, _ key: String, purpose: MessagePurpose = .marketing, after kind: String)
        throws
    {
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                purpose,
                forEach: """
                    SELECT :key AS key, 1 AS lead_id, NULL AS recipient, 'news' AS template, '{}' AS body, max(id) AS cause_id
                    FROM events WHERE lead_id = 1 AND kind = :kind
                    """, arguments: ["key": key, "kind": kind])
        }
    }

    private func site(_ more: String = "") throws -> TestKernel {
        let crm = try TestKernel(
            "plugins: {handoff: {\(HandoffSite.threeReps), recycle: {after: 10 days}\(more)}}", plugins: [Handoff.self],
            files: ["mails/news.md": "---\nsubject: News\npurpose: marketing\n---\nHello.\n"])
        try crm.capture(["email": "lee@lead.example", "stage": "mql"], consents: ["newsletter"])
        try crm.pump()
        return crm
    }

    private func outbox(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT key, state, reason FROM outbox_messages WHERE template = 'news' ORDER BY id")
    }

    @Test func `it is held back from the acceptance to the end of the rest`() async throws {
        let crm = try site()
        try Self.send(crm, "offered", after: "lead.created")
        try await crm.work()
        try crm.run("handoff accept", "1")
        try Self.send(crm, "accepted", after: "lead.created")
        try Self.send(crm, "asked for", purpose: .transactional, after: "lead.created")
        try await crm.work()
        try crm.run("handoff reject", "1", "too early")
        crm.clock.advance(by: "9 days")
        try Self.send(crm, "resting", after: "lead.created")
        try await crm.work()
        crm.clock.advance(by: "1 day")
        try Self.send(crm, "back", after: "lead.created")
        try await crm.work()
        #expect(
            try outbox(crm) == [
                "offered|sent|", "accepted|cancelled|a rep has the lead", "asked for|sent|",
                "resting|cancelled|the lead rests",
                "back|sent|",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `what the handoff began goes on, and pause_nurturing: false lets everything go`() async throws {
        let crm = try site()
        try crm.run("handoff accept", "1")
        try Self.send(crm, "outreach", after: "handoff.accepted")
        try await crm.work()
        #expect(try outbox(crm) == ["outreach|sent|"])
        let open = try site(", pause_nurturing: false")
        try open.run("handoff accept", "1")
        try Self.send(open, "news", after: "lead.created")
        try await open.work()
        #expect(try outbox(open) == ["news|sent|"])
    }

    @Test func `it is held back while a deal is open, and goes on once it is won`() async throws {
        let crm = try site()
        try crm.run("handoff accept", "1")
        try crm.run("handoff convert", "1")
        try Self.send(crm, "deal", after: "lead.created")
        try await crm.work()
        try crm.run("handoff won", "1")
        try Self.send(crm, "customer", after: "lead.created")
        try await crm.work()
        #expect(try outbox(crm) == ["deal|cancelled|a rep has the lead", "customer|sent|"])
    }
}
