import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@Suite struct PastReaderTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel("leads: {fields: {seats: integer}}")
    }

    private func reader(_ time: String) throws -> PastReader {
        try PastReader(
            path: crm.kernel.config.databasePath, moment: PastMoment(try #require(Timestamp.date(time))), plugins: [])
    }

    private func rows(_ reader: PastReader, _ sql: String) throws -> [String] {
        try reader.connection.table(reader.moment.spelled(sql)).rows.map { row in
            row.map { $0.text ?? "" }.joined(separator: "|")
        }
    }

    private func write(_ sql: String) throws {
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: sql) }
    }

    @Test func `a lead is there from its day on, at the stage it had`() throws {
        try crm.capture(["email": "ann@a.example"])
        crm.clock.advance(by: "1 day")
        try write("UPDATE leads SET stage = 'mql'")
        try crm.capture(["email": "ben@b.example"])
        crm.clock.advance(by: "1 day")
        try write("UPDATE leads SET stage = 'customer' WHERE id = 1")
        let question = "SELECT email, stage, updated_at FROM leads ORDER BY id"
        #expect(try rows(reader("2026-03-01 00:00:00"), question) == [])
        #expect(try rows(reader("2026-03-02 09:00:00"), question) == ["ann@a.example|lead|2026-03-02 09:00:00.000"])
        #expect(
            try rows(reader("2026-03-03 09:00:00"), question) == [
                "ann@a.example|mql|2026-03-03 09:00:00.000", "ben@b.example|lead|2026-03-03 09:00:00.000",
            ])
        #expect(
            try rows(reader("2026-03-04 09:00:00"), question).first == "ann@a.example|customer|2026-03-04 09:00:00.000")
    }

    @Test func `a lead that was deleted or merged since is there with its fields and its type of each`() throws {
        try crm.capture(["email": "ann@a.example", "seats": "7"])
        try crm.capture(["email": "ben@b.example"])
        crm.clock.advance(by: "1 day")
        try write("DELETE FROM leads WHERE id = 1")
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: "INSERT INTO leads (email, created_at) VALUES ('cem@c.example', ?)", arguments: [tx.stamp])
            try tx.merge(2, into: 3)
        }
        let question = "SELECT id, email, seats, typeof(seats) FROM leads ORDER BY id"
        #expect(
            try rows(reader("2026-03-02 12:00:00"), question) == ["1|ann@a.example|7|integer", "2|ben@b.example||null"])
        #expect(try rows(reader("2026-03-03 12:00:00"), question) == ["3|cem@c.example||null"])
    }

    @Test func `a lead that lay in the trash is not there for as long as it did`() throws {
        try crm.capture(["email": "ann@a.example"])
        crm.clock.advance(by: "1 day")
        try write("DELETE FROM leads")
        crm.clock.advance(by: "1 day")
        _ = try Trash.restore(crm.kernel)
        for (day, count) in [(2, "1"), (3, "0"), (4, "1")] {
            #expect(try rows(reader("2026-03-0\(day) 12:00:00"), "SELECT count(*) FROM leads") == [count])
        }
    }

    @Test func `who was erased is in no past`() throws {
        try crm.capture(["email": "ann@a.example"], consents: ["newsletter"])
        crm.clock.advance(by: "1 day")
        _ = try Person(email: "ann@a.example").erase(crm.kernel)
        let past = try reader("2026-03-02 12:00:00")
        #expect(try rows(past, "SELECT id FROM leads UNION SELECT id FROM consents") == [])
    }

    @Test func `views of the file read what was, and their now is the moment`() throws {
        try crm.capture(["email": "ann@a.example"])
        try write("CREATE VIEW fresh AS SELECT id FROM leads WHERE created_at > datetime('now', '-12 hours')")
        crm.clock.advance(by: "1 day")
        try write("UPDATE leads SET stage = 'mql'")
        let past = try reader("2026-03-02 10:00:00")
        #expect(try rows(past, "SELECT stage, leads FROM funnel WHERE leads > 0") == ["lead|1"])
        #expect(try rows(past, "SELECT id FROM fresh") == ["1"])
        #expect(try rows(past, "SELECT to_stage FROM stage_history") == ["lead"])
        #expect(try rows(past, "SELECT date('now')") == ["2026-03-02"])
        #expect(try rows(reader("2026-03-03 10:00:00"), "SELECT id FROM fresh") == [])
        #expect(try rows(past, "SELECT stage FROM main.leads") == ["mql"])
    }

    @Test func `what a message and an opportunity became later is not known`() throws {
        try write(
            """
            INSERT INTO outbox_messages (key, origin, template, state, ready_at, created_at, settled_at, reason)
            VALUES ('a', 'cli', 'hello', 'refused', '2026-03-02', '2026-03-02 08:00:00.000', '2026-03-02 11:00:00.000', 'no consent');
            INSERT INTO opportunities (name, created_at) VALUES ('roof', '2026-03-02 08:00:00.000');
            """)
        crm.clock.advance(by: "1 day")
        try write("UPDATE opportunities SET stage = 'won', closed_at = '2026-03-03'")
        let past = try reader("2026-03-02 10:00:00")
        #expect(try rows(past, "SELECT state, reason, settled_at FROM outbox_messages") == ["waiting||"])
        #expect(try rows(past, "SELECT stage, closed_at FROM opportunities") == ["open|"])
        #expect(
            try rows(reader("2026-03-03 10:00:00"), "SELECT stage, closed_at FROM opportunities") == ["won|2026-03-03"])
    }

    @Test func `what is not kept is said, and only of what was asked for`() throws {
        try crm.capture(["email": "ann@a.example", "company": "Acme"])
        try crm.capture(["email": "ben@b.example"])
        crm.clock.advance(by: "1 day")
        try write(
            "UPDATE leads SET company = 'Globex', seats = 3 WHERE id = 1; UPDATE leads SET seats = 4 WHERE id = 2")
        let past = try reader("2026-03-02 12:00:00")
        #expect(try rows(past, "SELECT company FROM leads WHERE id = 1") == ["Globex"])
        #expect(
            try past.doubts() == [
                "Of leads these columns are as they are now, for they were changed since and only their names are logged: company of 1 lead. Which: SELECT * FROM changed_since"
            ])
        #expect(
            try rows(past, "SELECT lead_id, \"column\" FROM changed_since ORDER BY 1, 2") == [
                "1|company", "1|seats", "2|seats",
            ])
        #expect(try rows(past, "SELECT count(id) FROM leads") == ["2"])
        #expect(try past.doubts() == [])
        _ = try rows(past, "SELECT email FROM mailable_leads")
        #expect(try past.doubts() == [])
        _ = try rows(past, "SELECT seats FROM mailable_leads")
        #expect(try past.doubts().count == 1)
        _ = try rows(past, "SELECT count(*) FROM imports")
        #expect(try past.doubts() == ["Read as it is now: imports."])
        _ = try rows(past, "SELECT i.id, t.id FROM imports AS i, trash AS t")
        #expect(try past.doubts() == ["Read as they are now: imports, trash."])
        _ = try rows(past, "SELECT attempts FROM outbox_messages")
        #expect(try past.doubts() == ["As now, for their past is not kept: outbox_messages.attempts."])
    }

    @Test func `rows of a lead that was merged since are said to stand under the other`() throws {
        try crm.capture(["email": "ann@a.example"], consents: ["newsletter"])
        try crm.capture(["email": "ben@b.example"])
        crm.clock.advance(by: "1 day")
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: 2) }
        let past = try reader("2026-03-02 12:00:00")
        #expect(try rows(past, "SELECT lead_id FROM consents") == ["2"])
        #expect(
            try past.doubts() == [
                "1 lead was merged since: in consents what was theirs stands under the lead that stayed."
            ])
    }

    @Test func `a moment before the log is told`() throws {
        try crm.capture(["email": "ann@a.example"])
        #expect(
            try reader("2025-01-01 00:00:00").beginning()
                == "The log begins at 2026-03-02 09:00:00 UTC. Of what was before, only the dates that rows carry are known."
        )
        #expect(try reader("2026-03-02 12:00:00").beginning() == nil)
    }

    @Test(arguments: [
        ("DELETE FROM main.leads", "Only reading is allowed without --write."),
        ("DROP VIEW temp.leads", "Only reading is allowed without --write."),
        ("ATTACH 'other.sqlite' AS other", "Only reading is allowed without --write."),
    ])
    func `nothing can be written there`(_ sql: String, _ sentence: String) throws {
        let past = try reader("2026-03-02 12:00:00")
        #expect {
            try past.connection.run(sql) { _ in true }
        } throws: { "\($0)" == sentence }
    }
}
