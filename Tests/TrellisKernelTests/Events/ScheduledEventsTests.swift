import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Rung: Event {
    static let kind = "alarm.rung"
    var number = 0
}

/// Sets an alarm for the day after a lead came, and writes down when it rang.
private struct Alarm: Plugin {
    static let name = "alarm"
    static let summary = "Rings a day later."
    static let migrations = MigrationFolder(
        owner: name,
        files: [
            MigrationFile(name: "0001_create_rings", sql: "CREATE TABLE alarm_rings (lead_id INTEGER, at TEXT) STRICT")
        ])
    static let events = [EventDeclaration("alarm.rung", ["number": .integer])]

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("set", to: LeadCreated.self, from: .firstEvent) { created, tx in
            try tx.emit(Rung(), lead: created.leadID, at: tx.now + 86_400, key: "alarm:\(created.leadID ?? 0)")
        }
        Subscribe("ring", to: ["alarm.rung"], from: .firstEvent) { _, tx in
            try tx.db.execute(sql: "INSERT INTO alarm_rings SELECT lead_id, at FROM batch")
        }
    }
}

@Suite struct ScheduledEventsTests {
    private func alarm() throws -> TestKernel { try TestKernel("plugins: {alarm: {}}", plugins: [Alarm.self]) }

    @Test func `an appointment becomes an event when it is due, and not before`() throws {
        let crm = try alarm()
        let ann = try crm.capture(["email": "ann@acme.example"])
        try crm.pump()
        #expect(
            try crm.rows("SELECT key, owner, due_at FROM scheduled_events") == [
                "alarm:\(ann)|alarm|2026-03-03 09:00:00.000"
            ])
        crm.clock.set("2026-03-03 08:59:59.999")
        try crm.pump()
        #expect(try crm.events() == ["lead.created"])
        crm.clock.set("2026-03-03 09:00:00")
        try crm.pump()
        #expect(
            try crm.rows("SELECT kind, lead_id, origin, at, body FROM events ORDER BY id DESC LIMIT 1") == [
                "alarm.rung|\(ann)|plugin:alarm|2026-03-03 09:00:00.000|{\"number\":0}"
            ])
        #expect(try crm.rows("SELECT * FROM alarm_rings") == ["\(ann)|2026-03-03 09:00:00.000"])
        #expect(try crm.rows("SELECT * FROM scheduled_events") == [])
        crm.clock.advance(by: "10 days")
        try crm.pump()
        #expect(try crm.events() == ["lead.created", "alarm.rung"])
    }

    @Test func `an appointment remembers what caused it`() throws {
        let crm = try alarm()
        try crm.capture(["email": "ann@acme.example"])
        try crm.pump()
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(
            try crm.rows("SELECT kind, cause_kind, depth FROM lead_trace") == [
                "lead.created||0", "alarm.rung|lead.created|1",
            ])
    }

    @Test func `the same key makes one appointment, the first`() throws {
        let crm = try alarm()
        try crm.kernel.write(origin: "plugin:alarm") { tx in
            try tx.emit(Rung(number: 1), at: tx.now + 60, key: "once")
            try tx.emit(Rung(number: 2), at: tx.now + 30, key: "once")
            try tx.emit(Rung(number: 3), at: tx.now + 60)
            try tx.emit(Rung(number: 4), at: tx.now + 60)
        }
        #expect(
            try crm.rows("SELECT body FROM scheduled_events ORDER BY id") == [1, 3, 4].map { "{\"number\":\($0)}" })
    }

    @Test func `a SELECT makes an appointment per row`() throws {
        let crm = try alarm()
        try crm.capture(["email": "ann@acme.example"])
        try crm.capture(["email": "bob@acme.example"])
        let query = """
            SELECT 'set:' || lead_id AS key, '2026-03-02 10:00:00.000' AS due_at, lead_id, id AS cause_id, '{"number":7}' AS body
            FROM events WHERE kind = 'lead.created'
            """
        try crm.kernel.write(origin: "plugin:alarm") { tx in
            try tx.schedule("alarm.rung", forEach: query)
            try tx.schedule("alarm.rung", forEach: query)
        }
        #expect(
            try crm.rows("SELECT lead_id, owner, depth, due_at FROM scheduled_events") == [
                "1|alarm|1|2026-03-02 10:00:00.000", "2|alarm|1|2026-03-02 10:00:00.000",
            ])
    }

    @Test func `appointments that fell due together come in the order in which they were due`() throws {
        let crm = try alarm()
        try crm.kernel.write(origin: "plugin:alarm") { tx in
            for number in [3, 1, 2] { try tx.emit(Rung(number: number), at: tx.now + Double(number) * 60) }
        }
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'alarm.rung' ORDER BY id")
                == (1...3).map { "{\"number\":\($0)}" })
    }

    private func next(_ crm: TestKernel) throws -> String? {
        try crm.kernel.read { try ScheduledEvents.nextDue(after: Timestamp.text(crm.clock.now), $0) }
    }

    @Test func `the next one due is known, except of a plugin that is off`() throws {
        let crm = try alarm()
        try crm.capture(["email": "ann@acme.example"])
        try crm.pump()
        #expect(try next(crm) == "2026-03-03 09:00:00.000")
        let due = try crm.kernel.read { try ScheduledEvents.nextDue(after: "2026-03-03 09:00:00.000", $0) }
        #expect(due == nil, "what is due now is not what comes next")
        let off = try crm.reopened("plugins: {alarm: {enabled: false}}")
        #expect(try next(off) == nil)
        off.clock.advance(by: "30 days")
        try off.pump()
        #expect(try off.rows("SELECT due_at FROM scheduled_events") == ["2026-03-03 09:00:00.000"])
        let again = try off.reopened("plugins: {alarm: {}}")
        try again.pump()
        #expect(try again.rows("SELECT * FROM alarm_rings") == ["1|2026-04-01 09:00:00.000"])
    }
}
