import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// A mail never comes with the one before it, nor before it: a wait counts from when the mail went out.
@Suite struct UnsentTests {
    private static let steps = "enter: {on: lead.created}, steps: [{mail: one}, {wait: 2 days}, {mail: two}]"

    private func sent(_ crm: TestKernel) throws -> [String] {
        try crm.rows(
            "SELECT template || ' ' || substr(settled_at, 1, 16) FROM outbox_messages WHERE state = 'sent' ORDER BY settled_at, id"
        )
    }

    @Test func `a mail that is held keeps the next one back, until two days after it went`() async throws {
        let crm = try DripSite.crm(Self.steps)
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.foreign("UPDATE outbox_messages SET state = 'held', reason = 'there is no value for till'")
        crm.clock.advance(by: "5 days")
        try await crm.work()
        #expect(try crm.rows("SELECT template, state FROM outbox_messages") == ["one|held"])
        #expect(try crm.enrolments == ["1|1|active|"])
        try crm.foreign("UPDATE outbox_messages SET state = 'waiting', reason = NULL")
        try await crm.work()
        crm.clock.advance(by: "2 days")
        try await crm.work()
        crm.clock.advance(by: "1 hour")
        try await crm.work()
        let times = try sent(crm).map { String($0.suffix(16)) }
        #expect(try sent(crm).map { $0.prefix(3) } == ["one", "two"])
        #expect(times.first == "2026-03-07 09:00" && (times.last ?? "") >= "2026-03-09 09:00", "\(times)")
        #expect(try crm.troubles() == [])
    }

    @Test func `a relay that is down for longer than the wait does not bring both at once`() async throws {
        let crm = try DripSite.crm(Self.steps)
        crm.transport.answer { _ in .stalled(because: "Connection refused") }
        try crm.lead("ann@a.example")
        for _ in 0..<12 {
            try await crm.work()
            crm.clock.advance(by: "6 hours")
        }
        #expect(try crm.rows("SELECT template FROM outbox_messages") == ["one"])
        crm.transport.answer { _ in .sent }
        for _ in 0..<20 {
            try await crm.work()
            crm.clock.advance(by: "6 hours")
        }
        #expect(try sent(crm) == ["one 2026-03-05 09:00", "two 2026-03-07 09:00"])
        #expect(try crm.enrolments == ["1|1|completed|"])
    }

    @Test func `a mail that went a day late has its two days behind it`() async throws {
        let crm = try DripSite.crm(Self.steps)
        crm.transport.answer { _ in .retry(because: "450 4.7.1 greylisted") }
        try crm.lead("ann@a.example")
        try await crm.work()
        crm.clock.advance(by: "1 day")
        crm.transport.answer { _ in .sent }
        try await crm.work()
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(try sent(crm) == ["one 2026-03-03 09:00"])
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(try sent(crm) == ["one 2026-03-03 09:00", "two 2026-03-05 09:00"])
    }

    @Test func `a weekday is the one after the mail went`() async throws {
        // The 2nd of March 2026 is a Monday.
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{mail: one}, {wait_until: wednesday 09:00}, {mail: two}]")
        crm.transport.answer { _ in .retry(because: "450 4.7.1 greylisted") }
        try crm.lead("ann@a.example")
        try await crm.work()
        for _ in 0..<4 {
            crm.clock.advance(by: "1 day")
            try await crm.work()
        }
        #expect(try crm.rows("SELECT template FROM outbox_messages") == ["one"])
        crm.transport.answer { _ in .sent }
        for _ in 0..<8 {
            crm.clock.advance(by: "1 day")
            try await crm.work()
        }
        #expect(try sent(crm).map { String($0.prefix(14)) } == ["one 2026-03-07", "two 2026-03-11"])
    }

    @Test func `what the lead does takes it on all the same, and so does a mail that will never go`() async throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{mail: one}, {wait_for: course.started, at_most: 4 days, then: [{mail: two}], else: [{mail: three}]}]"
        )
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example") }
        try crm.pump()
        try crm.foreign("UPDATE outbox_messages SET state = 'held', reason = 'a gap'")
        try crm.record("course.started", lead: 1, ["plan": "pro"])
        crm.clock.advance(by: "6 days")
        try await crm.work()
        #expect(
            try crm.rows("SELECT lead_id, template FROM outbox_messages ORDER BY id") == ["1|one", "2|one", "1|two"])
        try crm.foreign(
            "UPDATE outbox_messages SET state = 'cancelled', settled_at = '2026-03-08 09:00:00.000' WHERE state = 'held'"
        )
        crm.clock.advance(by: "1 hour")
        try await crm.work()
        #expect(
            try crm.rows("SELECT lead_id, template FROM outbox_messages ORDER BY id") == [
                "1|one", "2|one", "1|two", "2|three",
            ])
    }

    @Test func `who waits behind a held mail is counted by sequence, with what to do`() async throws {
        let crm = try DripSite.crm(Self.steps)
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example") }
        try crm.pump()
        let stops = { try crm.rows("SELECT subject, reason FROM kernel_stops WHERE stop = 'leads wait'") }
        #expect(try stops() == [])
        #expect(try crm.run("sequences").first?.hasSuffix("||0") == true)
        try crm.foreign("UPDATE outbox_messages SET state = 'held', reason = 'a gap'")
        crm.clock.advance(by: "5 days")
        try await crm.work()
        #expect(
            try stops() == [
                "course|2 leads wait behind held mail (one): mend what 'trellis outbox list --state held' says, then 'trellis outbox retry'"
            ])
        #expect(try crm.run("sequences").first?.hasSuffix("||2") == true)
        // What a plugin holds, it lets go by itself, and who left waits no more.
        try crm.foreign("UPDATE outbox_messages SET held_by = 'plugin:drip' WHERE lead_id = 1")
        try crm.foreign(
            "UPDATE drip_enrolments SET state = 'exited', due_at = NULL, ended_at = '2026-03-07' WHERE lead_id = 2")
        #expect(try stops() == [])
    }
}
