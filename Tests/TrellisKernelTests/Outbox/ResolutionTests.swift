import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Decisions about messages whose outcome nobody knows.
@Suite struct ResolutionTests {
    /// Three mails of `hello` and one of `news` whose replies were lost, the last an hour after the others.
    private func crm() async throws -> TestKernel {
        let crm = try TestKernel(
            files: [
                "mails/hello.md": "---\nsubject: Hello\n---\nHello.\n",
                "mails/news.md": "---\nsubject: News\n---\nNews.\n",
            ])
        crm.transport.answer { _ in .unknown(because: "the connection broke after the final dot") }
        for number in 1...3 { try crm.capture(["email": "a\(number)@acme.example"], consents: ["newsletter"]) }
        try order(crm, "hello", leads: "true")
        try await crm.work()
        crm.clock.advance(by: "1 hour")
        try order(crm, "news", leads: "id = 1")
        try await crm.work()
        crm.transport.answer { _ in .sent }
        return crm
    }

    private func order(_ crm: TestKernel, _ mail: String, leads: String) throws {
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .marketing,
                forEach: """
                    SELECT :mail || id AS key, id AS lead_id, NULL AS recipient, :mail AS template, '{}' AS body, 1 AS cause_id
                    FROM leads WHERE \(leads)
                    """, arguments: ["mail": mail])
        }
    }

    private func states(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT template, state, count(*) FROM outbox_messages GROUP BY 1, 2 ORDER BY 1, 2")
    }

    @Test func `all that are unknown are sent again under the Message-ID they had`() async throws {
        let crm = try await crm()
        let decided = try crm.kernel.write(origin: "cli") { try $0.resolveAllUnknown(resend: true) }
        #expect(decided == (4, 0))
        try await crm.work()
        #expect(try states(crm) == ["hello|sent|3", "news|sent|1"])
        #expect(crm.transport.sent.count == 8 && Set(crm.transport.sent.map(\.stableID)).count == 4)
        #expect(try crm.kernel.write(origin: "cli") { try $0.resolveAllUnknown(resend: true) } == (0, 0))
        #expect(try crm.troubles() == [])
    }

    @Test func `all that are taken for sent have their fact, once each`() async throws {
        let crm = try await crm()
        let before = try crm.lastEvent
        #expect(try crm.kernel.write(origin: "cli") { try $0.resolveAllUnknown(resend: false) } == (4, 0))
        #expect(try crm.events(after: before) == Array(repeating: "mail.sent", count: 4))
        try await crm.work()
        #expect(crm.transport.sent.count == 4)
        #expect(try crm.troubles() == [])
    }

    @Test func `one mail alone, or what has been unknown for long enough`() async throws {
        let crm = try await crm()
        #expect(
            try crm.kernel.write(origin: "cli") { tx in
                try tx.resolveAllUnknown(resend: false, until: tx.now - 1800)
            } == (3, 0))
        #expect(try states(crm) == ["hello|sent|3", "news|unknown|1"])
        #expect(
            try crm.kernel.write(origin: "cli") { try $0.resolveAllUnknown(resend: false, template: "hello") } == (0, 0)
        )
        #expect(
            try crm.kernel.write(origin: "cli") { try $0.resolveAllUnknown(resend: false, template: "news") } == (1, 0))
    }

    @Test func `what was called back is counted, and not sent again`() async throws {
        let crm = try await crm()
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.withdraw(because: "over", forEach: "SELECT 1 AS lead_id, 'hello' AS prefix, '1' AS suffix")
        }
        #expect(try crm.kernel.write(origin: "cli") { try $0.resolveAllUnknown(resend: true) } == (4, 1))
        try await crm.work()
        #expect(try states(crm) == ["hello|cancelled|1", "hello|sent|2", "news|sent|1"])
    }
}
