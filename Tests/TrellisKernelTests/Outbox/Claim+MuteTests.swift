import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Gate: Plugin {
    static let name = "gate"
    static let summary = "Stops a mail, and puts one off."
    init(settings: NoSettings) {}
    var hooks: [any Hook] {
        Filter("look", MessageDraft.self) { draft, tx in
            if draft.values["company"] == "Rival" { throw Veto("not to rivals") }
            if draft.values["company"] == "Later" { throw Postpone(until: tx.now + 3600, because: "later") }
        }
    }
}

@Suite struct ClaimMuteTests {
    private static let files = [
        "mails/welcome.md":
            "---\nsubject: Welcome\npurpose: marketing\n---\nHello {{first_name}}, [look](https://acme.example/).\n"
    ]

    private func crm() throws -> TestKernel {
        let crm = try TestKernel("plugins: {gate: {}}", plugins: [Gate.self], files: Self.files)
        for (name, company) in [("Ann", "Acme"), ("Ben", "Rival"), ("", "Acme"), ("Dan", "Later")] {
            try crm.capture(
                ["email": "a\(name)@acme.example", "first_name": name, "company": company], consents: ["newsletter"])
        }
        try crm.capture(["email": "eve@acme.example", "first_name": "Eve"])
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .marketing,
                forEach: """
                    SELECT 'k' || id AS key, id AS lead_id, NULL AS recipient, 'welcome' AS template, '{}' AS body, NULL AS cause_id
                    FROM leads
                    """)
        }
        return crm
    }

    private static let outcome =
        "SELECT lead_id, state, reason, attempts, ready_at, settled_at, links_watched, lease IS NULL FROM outbox_messages ORDER BY id"
    private static let sent = "SELECT lead_id, body, cause_id, at, origin FROM events WHERE kind = 'mail.sent'"

    @Test func `the same questions have the same answers as when it is sent`() async throws {
        let (mute, loud) = (try crm(), try crm())
        #expect(try await Courier(mute.kernel, transport: MuteTransport("mail")).runUntilIdle() == 1)
        try await Courier(loud.kernel, transport: loud.transport).runUntilIdle()
        let rows = try mute.rows(Self.outcome)
        #expect(rows == (try loud.rows(Self.outcome)))
        #expect(rows.map { $0.split(separator: "|")[1] } == ["sent", "cancelled", "held", "waiting", "cancelled"])
        #expect(try mute.rows(Self.sent) == loud.rows(Self.sent))
    }

    @Test func `nothing is written for nobody`() async throws {
        let crm = try crm()
        try await Courier(crm.kernel, transport: MuteTransport("mail")).runUntilIdle()
        #expect(try crm.value("SELECT count(*) FROM outbox_messages WHERE content IS NOT NULL") == "0")
        #expect(try crm.value("SELECT count(*) FROM mail_links") == "0")
    }
}
