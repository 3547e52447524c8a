import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Mail that could not go while it was worth sending.
@Suite struct ClaimExpiryTests {
    private static func mail(_ more: String = "") -> String {
        "---\nsubject: Hello\npurpose: marketing\n\(more)---\nHello.\n"
    }

    private func crm(_ more: String = "", site: String = TestKernel.site) throws -> TestKernel {
        let crm = try TestKernel(site: site, files: ["mails/hello.md": Self.mail(more)])
        try crm.capture(["email": "ann@acme.example"], consents: ["newsletter"])
        return crm
    }

    private func order(_ crm: TestKernel, within: Span? = nil, ready: String = ":now") throws {
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .marketing,
                forEach: """
                    SELECT 'k' || id AS key, id AS lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id FROM leads
                    """, ready: ready, within: within)
        }
    }

    private func states(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT state, reason FROM outbox_messages")
    }

    private static let late = ["cancelled|it was worth sending until 2026-03-04 09:00"]

    @Test func `what waited for a relay longer than it is worth sending is dropped, and the log says so`() async throws
    {
        let crm = try crm()
        crm.transport.answer { _ in .stalled(because: "the relay cannot be reached") }
        try order(crm, within: .days(2))
        try await crm.work()
        let before = try crm.lastEvent
        crm.transport.answer { _ in .sent }
        crm.clock.advance(by: "2 days")
        try await crm.work()
        #expect(crm.transport.sent.count == 1, "the one that did not get through")
        #expect(try states(crm) == Self.late)
        #expect(try crm.events(after: before) == ["mail.expired"])
        #expect(
            try crm.rows("SELECT lead_id, body FROM events WHERE kind = 'mail.expired'") == [
                #"1|{"mail":"hello","message_id":1}"#
            ])
    }

    @Test func `what can go in its time goes, also at the last moment`() async throws {
        let crm = try crm()
        crm.transport.answer { _ in .retry(because: "451 later") }
        try order(crm, within: .days(2))
        try await crm.work()
        crm.transport.answer { _ in .sent }
        crm.clock.advance(by: "47h")
        try await crm.work()
        #expect(try states(crm) == ["sent|"])
        #expect(try crm.events().contains("mail.expired") == false)
    }

    @Test func `a mail may say so itself, and whoever orders it knows better`() async throws {
        for (within, state) in [(nil, Self.late), (Span.days(3), ["sent|"])] {
            let crm = try crm("within: 2 days\n")
            try order(crm, within: within, ready: "'2026-03-04 10:00:00.000'")
            crm.clock.set("2026-03-04 10:00:00")
            try await crm.work()
            #expect(try states(crm) == state)
        }
    }

    @Test func `what is dropped takes no turn of its domain`() async throws {
        let site = TestKernel.site.replacing(
            "<hello@acme.example>\"}", with: "<hello@acme.example>\", pace: {default: 1 per hour}}")
        let crm = try crm(site: site)
        try order(crm, within: .days(2), ready: "'2026-03-05 09:00:00.000'")
        crm.clock.set("2026-03-05 09:00:00")
        try await crm.work()
        #expect(try states(crm) == Self.late)
        #expect(try crm.rows("SELECT count(*) FROM mail_domains") == ["0"])
    }

    @Test func `a mail to somebody of the house leaves no fact about a lead`() async throws {
        let crm = try crm()
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .internal,
                forEach: """
                    SELECT 'k' AS key, 1 AS lead_id, 'rep@acme.example' AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id
                    """, ready: "'2026-03-05 09:00:00.000'", within: .days(2))
        }
        crm.clock.set("2026-03-05 09:00:00")
        try await crm.work()
        #expect(try states(crm) == Self.late)
        #expect(try crm.events().contains("mail.expired") == false)
    }

    @Test func `a simulation drops it too`() async throws {
        let crm = try crm()
        try order(crm, within: .days(2), ready: "'2026-03-05 09:00:00.000'")
        let simulated = try await crm.simulate(days: 5)
        #expect(try simulated.rows("SELECT state FROM outbox_messages") == ["cancelled"])
        #expect(try simulated.rows("SELECT count(*) FROM events WHERE kind = 'mail.expired'") == ["1"])
    }
}
