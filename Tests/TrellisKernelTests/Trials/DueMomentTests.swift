import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct DueMomentTests {
    private func next(_ crm: TestKernel, _ transports: [String] = ["mail"]) throws -> String? {
        try crm.kernel.read { try DueMoment.next(after: crm.clock.now, transports: transports, $0) }
            .map(Timestamp.text)
    }

    private func order(_ crm: TestKernel, _ key: String, at time: String, transport: String = "mail") throws {
        try crm.foreign(
            """
            INSERT INTO outbox_messages (key, transport, origin, template, ready_at, created_at)
            VALUES ('\(key)', '\(transport)', 'test', 'hello', '\(time)', '\(time)')
            """)
    }

    @Test func `nothing is due where nothing waits`() throws {
        let crm = try TestKernel()
        #expect(try next(crm) == nil)
    }

    @Test func `the earliest of appointments, messages and retries comes next`() throws {
        let crm = try TestKernel()
        try crm.foreign(
            """
            INSERT INTO parked_events (subscriber, event_id, attempts, retry_at, error, parked_at)
            VALUES ('a/b', 1, 1, '2026-03-05 09:00:00.000', 'no', '2026-03-02 09:00:00.000')
            """)
        #expect(try next(crm) == "2026-03-05 09:00:00.000")
        try order(crm, "b", at: "2026-03-04 09:00:00.000")
        #expect(try next(crm) == "2026-03-04 09:00:00.000")
        try crm.kernel.write(origin: "test") { tx in
            try tx.emit(LeadUnsubscribed(reason: "later"), lead: 1, at: tx.now + 3600)
        }
        #expect(try next(crm) == "2026-03-02 10:00:00.000")
    }

    @Test func `what is due and cannot be done is not waited for`() throws {
        let crm = try TestKernel()
        try order(crm, "a", at: "2026-03-02 09:00:00.000")
        #expect(try next(crm) == nil)
    }

    @Test func `messages that nobody carries are not waited for`() throws {
        let crm = try TestKernel()
        try order(crm, "a", at: "2026-03-04 09:00:00.000", transport: "webhook")
        #expect(try next(crm) == nil)
        #expect(try next(crm, ["mail", "webhook"]) == "2026-03-04 09:00:00.000")
    }

    @Test func `a closed way out is waited for by all that go there`() throws {
        let crm = try TestKernel()
        try order(crm, "a", at: "2026-03-02 08:00:00.000")
        try crm.foreign(
            """
            INSERT INTO transport_stalls (transport, reason, since, tries, retry_at)
            VALUES ('mail', 'down', '2026-03-02 08:00:00.000', 1, '2026-03-02 09:15:00.000')
            """)
        #expect(try next(crm) == "2026-03-02 09:15:00.000")
    }
}
