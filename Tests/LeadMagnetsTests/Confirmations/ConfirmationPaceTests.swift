import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct ConfirmationPaceTests {
    private let crm: TestKernel

    init() throws {
        crm = try MagnetSite.crm("confirmations_per_minute: 10")
    }

    /// So many strangers ask for the guide at once; their addresses come from somewhere else.
    private func ask(_ numbers: ClosedRange<Int>) throws {
        for number in numbers { try crm.capture(["email": "s\(number)@s.example"], form: "guide") }
        try crm.pump()
    }

    private func times() throws -> [String] {
        try crm.rows(
            "SELECT substr(ready_at, 12), count(*) FROM outbox_messages WHERE key GLOB 'confirm:*' GROUP BY ready_at ORDER BY 1"
        )
    }

    /// The most mails that go out within any minute, up to the last.
    private func most() throws -> String? {
        try crm.value(
            """
            SELECT max(n) FROM (SELECT count(*) AS n FROM outbox_messages AS a JOIN outbox_messages AS b
                ON b.ready_at > strftime('%Y-%m-%d %H:%M:%f', a.ready_at, '-60 seconds') AND b.ready_at <= a.ready_at GROUP BY a.id)
            """)
    }

    @Test func `beyond so many in a minute a mail waits its turn, and none is lost`() async throws {
        try ask(1...35)
        #expect(
            try times() == ["09:00:00.000|10", "09:01:00.000|10", "09:02:00.000|10", "09:03:00.000|5"])
        try await crm.work()
        #expect(crm.transport.sent.count == 10)
        for (minute, sent) in [(1, 20), (2, 30), (3, 35), (4, 35)] {
            crm.clock.advance(by: "1 minute")
            try await crm.work()
            #expect(crm.transport.sent.count == sent, "after \(minute) minutes")
        }
        #expect(Set(crm.transport.sent.map(\.recipient)).count == 35)
        #expect(try crm.troubles() == [])
    }

    @Test func `who comes while others wait comes after them`() async throws {
        try ask(1...15)
        crm.clock.advance(by: "30s")
        try ask(16...20)
        #expect(try times() == ["09:00:00.000|10", "09:01:00.000|10"])
        try ask(21...22)
        #expect(try times() == ["09:00:00.000|10", "09:01:00.000|10", "09:02:00.000|2"])
        crm.clock.advance(by: "10 minutes")
        try ask(23...23)
        #expect(try times().last == "09:10:30.000|1")
    }

    @Test func `whenever they come, no minute has more`() async throws {
        var next = 1
        for (pause, count) in [(0, 7), (11, 6), (13, 1), (31, 12), (5, 3), (61, 9), (2, 9), (59, 10), (1, 1)] {
            crm.clock.advance(by: "\(pause)s")
            try ask(next...(next + count - 1))
            next += count
            try await crm.work()
        }
        #expect(try most() == "10")
        #expect(try crm.value("SELECT count(*) FROM outbox_messages") == "58")
        crm.clock.advance(by: "1 hour")
        try await crm.work()
        #expect(crm.transport.sent.count == 58)
    }

    @Test func `other mails do not wait for them`() async throws {
        try ask(1...30)
        try crm.capture(["email": "ann@a.example", "first_name": "Ann"], form: "plan")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient).contains("ann@a.example"))
    }

    @Test func `a person is asked once, however many wait`() async throws {
        try ask(1...12)
        for _ in 1...3 { try crm.capture(["email": "s12@s.example"], form: "map") }
        crm.clock.advance(by: "5 minutes")
        try await crm.work()
        #expect(crm.transport.sent.count == 12)
    }

    @Test func `the report says how many wait, and until when`() async throws {
        func waiting() throws -> [String] {
            let section = try #require(
                try crm.kernel.ask(Report()).flatMap { $0 }.first { $0.title == "Confirmations that wait their turn" })
            return section.table.rows.map { row in row.map { $0.text ?? "" }.joined(separator: "|") }
        }
        #expect(try waiting() == [])
        try ask(1...25)
        #expect(try waiting() == ["15|2026-03-02 09:01:00.000|2026-03-02 09:02:00.000"])
        crm.clock.advance(by: "3 minutes")
        try await crm.work()
        #expect(try waiting() == [])
    }

    @Test func `without a setting it is sixty`() {
        #expect(MagnetSettings().confirmationsPerMinute == 60)
    }
}
