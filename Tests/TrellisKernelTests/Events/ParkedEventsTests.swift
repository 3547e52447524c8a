import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Refusal: Error, CustomStringConvertible {
    let description = "cannot stand it"
}

/// Takes leads one by one, and throws on those it cannot stand. Counts a slow one to a very large number.
private struct Picky: Plugin {
    static let name = "picky"
    static let summary = "Throws now and then."
    static let migrations = MigrationFolder(
        owner: name,
        files: [MigrationFile(name: "0001_create_taken", sql: "CREATE TABLE picky_taken (lead_id INTEGER) STRICT")])

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("take", to: LeadCreated.self, from: .firstEvent) { created, tx in
            try tx.db.execute(sql: "INSERT INTO picky_taken VALUES (?)", arguments: [created.leadID])
            switch try String.fetchOne(tx.db, sql: "SELECT title FROM leads WHERE id = ?", arguments: [created.leadID])
            {
            case "bad": throw Refusal()
            case "nowhere": throw KernelError.noLead("99")
            case "locked": throw KernelError.folderNotWritable("/somewhere/else")
            case "wrong": try tx.db.execute(sql: "INSERT INTO picky_nowhere VALUES (?)", arguments: ["a private thing"])
            case "slow":
                try tx.db.execute(
                    sql: "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
            default: break
            }
        }
    }
}

private struct Pinged: Event { static let kind = "ball.pinged" }
private struct Ponged: Event { static let kind = "ball.ponged" }

private struct Ping: Plugin {
    static let name = "ping"
    static let summary = "Plays."
    init(settings: NoSettings) {}
    var hooks: [any Hook] {
        Subscribe("return", to: Ponged.self, from: .firstEvent) { _, tx in try tx.emit(Pinged()) }
    }
}

private struct Pong: Plugin {
    static let name = "pong"
    static let summary = "Plays back."
    init(settings: NoSettings) {}
    var hooks: [any Hook] {
        Subscribe("return", to: Pinged.self, from: .firstEvent) { _, tx in try tx.emit(Ponged()) }
    }
}

/// Changes the lead that was changed.
private struct Echo: Plugin {
    static let name = "echo"
    static let summary = "Answers itself."
    init(settings: NoSettings) {}
    var hooks: [any Hook] {
        Subscribe("answer", to: ["lead.updated"], from: .firstEvent) { _, tx in
            try tx.db.execute(sql: "UPDATE leads SET title = title || '!' WHERE id IN (SELECT lead_id FROM batch)")
        }
    }
}

@Suite struct ParkedEventsTests {
    private func picky() throws -> TestKernel { try TestKernel("plugins: {picky: {}}", plugins: [Picky.self]) }

    private func parked(_ crm: TestKernel) throws -> [String] {
        try crm.rows(
            "SELECT lead_id, attempts, retry_at FROM parked_events JOIN events ON id = event_id ORDER BY event_id")
    }

    // MARK: - Bad events

    @Test func `of 2,000 events the one per cent that fails stops none of the others`() throws {
        let crm = try picky()
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                    INSERT INTO leads (external_id, title) SELECT i, CASE WHEN i % 100 = 37 THEN 'bad' ELSE 'good' END FROM n
                    """)
        }
        try crm.pump()
        #expect(try crm.value("SELECT count(*), count(DISTINCT lead_id) FROM picky_taken") == "1980|1980")
        #expect(
            try crm.rows("SELECT l.id FROM picky_taken AS t JOIN leads AS l ON l.id = t.lead_id WHERE l.title = 'bad'")
                == [])
        let bad = stride(from: 37, through: 2000, by: 100)
        #expect(try parked(crm) == bad.map { "\($0)|1|2026-03-02 09:00:01.000" })
        #expect(try crm.rows("SELECT DISTINCT subscriber, error FROM parked_events") == ["picky/take|cannot stand it"])
        #expect(try crm.value("SELECT last_event_id FROM subscribers WHERE id = 'picky/take'") == String(crm.lastEvent))
    }

    @Test func `later events go on while one is parked`() throws {
        let crm = try picky()
        try crm.capture(["email": "ann@acme.example", "title": "bad"])
        try crm.pump()
        try crm.capture(["email": "bob@acme.example"])
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM picky_taken") == ["2"])
        #expect(try parked(crm) == ["1|1|2026-03-02 09:00:01.000"])
        let stops = try crm.rows("SELECT stop, subject, reason FROM kernel_stops")
        #expect(stops == ["parked event|picky/take at event 2|cannot stand it"])
    }

    @Test func `the event that failed is set aside, and none that nobody asked for behind it`() throws {
        let crm = try picky()
        try crm.capture(["email": "ann@acme.example", "title": "bad"], consents: ["newsletter"])
        try crm.pump()
        #expect(
            try crm.rows("SELECT kind FROM parked_events JOIN events ON id = event_id") == ["lead.created"])
        #expect(try crm.rows("SELECT max(kind) FROM events WHERE id > 2") == ["consent.granted"])
        try crm.foreign("UPDATE leads SET title = 'good'")
        crm.clock.advance(by: "1s")
        try crm.pump()
        #expect(try crm.rows("SELECT * FROM picky_taken") == ["1"])
        #expect(try parked(crm) == [])
    }

    @Test func `an event set aside is tried again when its time has come, and is handled once`() throws {
        let crm = try picky()
        try crm.capture(["email": "ann@acme.example", "title": "bad"])
        try crm.pump()
        try crm.foreign("UPDATE leads SET title = 'good'")
        try crm.pump()
        #expect(try crm.rows("SELECT * FROM picky_taken") == [], "too early")
        crm.clock.advance(by: "1s")
        try crm.pump()
        try crm.pump()
        #expect(try crm.rows("SELECT * FROM picky_taken") == ["1"])
        #expect(try parked(crm) == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `it backs off, and after five tries it rests until a person says otherwise`() throws {
        let crm = try picky()
        try crm.capture(["email": "ann@acme.example", "title": "bad"])
        try crm.pump()
        for (wait, expected) in [
            ("1s", "1|2|2026-03-02 09:00:17.000"), ("16s", "1|3|2026-03-02 09:01:38.000"),
            ("81s", "1|4|2026-03-02 09:05:54.000"),
            ("256s", "1|5|"), ("365 days", "1|5|"),
        ] {
            crm.clock.advance(by: wait)
            try crm.pump()
            #expect(try parked(crm) == [expected])
        }
        #expect(try crm.rows("SELECT parked_at FROM parked_events") == ["2026-03-02 09:00:00.000"])
        #expect(try crm.rows("SELECT * FROM picky_taken") == [])
    }

    @Test func `a try that the process dies of counts too`() throws {
        let crm = try picky()
        try crm.capture(["email": "ann@acme.example", "title": "bad"])
        try crm.pump()
        // What is left behind by processes that died while they tried again.
        for expected in ["1|2|2026-03-02 09:00:16.000", "1|3|2026-03-02 09:01:21.000"] {
            try ParkedEvents.begin(2, of: HookID(plugin: "picky", hook: "take"), crm.kernel)
            #expect(try parked(crm) == [expected])
        }
        for _ in 4...5 { try ParkedEvents.begin(2, of: HookID(plugin: "picky", hook: "take"), crm.kernel) }
        #expect(try parked(crm) == ["1|5|"])
    }

    @Test func `an error of SQL is told with its statement and without its values`() throws {
        let crm = try picky()
        try crm.capture(["email": "ann@acme.example", "title": "wrong"])
        try crm.pump()
        #expect(
            try crm.rows("SELECT error FROM parked_events") == [
                "no such table: picky_nowhere in: INSERT INTO picky_nowhere VALUES (?)"
            ])
    }

    // MARK: - Slow events

    @Test func `a handler over its time budget is interrupted, its event set aside, and the others handled`() throws {
        let crm = try picky()
        for (name, title) in [("ann", "good"), ("bob", "slow"), ("cleo", "good")] {
            try crm.capture(["email": "\(name)@acme.example", "title": title])
        }
        try EventPump(crm.kernel, handlerBudget: .milliseconds(100)).runUntilIdle()
        #expect(try crm.rows("SELECT lead_id FROM picky_taken") == ["1", "3"])
        #expect(
            try crm.rows("SELECT error FROM parked_events") == ["took longer than its time budget and was interrupted"])
        #expect(try parked(crm) == ["2|1|2026-03-02 09:00:01.000"])
        // The connection is not left with a deadline that has passed.
        try crm.kernel.write(origin: "cli") { tx in
            let count = try Int.fetchOne(
                tx.db,
                sql:
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT count(*) FROM n"
            )
            #expect(count == 100_000)
        }
    }

    // MARK: - Loops

    @Test func `two subscribers that feed each other are stopped at depth 16, and the chain is shown`() throws {
        let crm = try TestKernel("plugins: {ping: {}, pong: {}}", plugins: [Ping.self, Pong.self])
        try crm.kernel.write(origin: "cli") { _ = try $0.emit(Pinged()) }
        try crm.pump()
        #expect(try crm.events().count == 17)
        #expect(try crm.value("SELECT max(depth) FROM events") == "16")
        let exchange = Array(repeating: ["plugin:pong ball.ponged", "plugin:ping ball.pinged"], count: 8).flatMap { $0 }
        let chain = (["cli ball.pinged"] + exchange).joined(separator: " → ")
        #expect(
            try crm.rows("SELECT subscriber, attempts, retry_at, error FROM parked_events") == [
                "pong/return|1||loop stopped at depth 16: \(chain)"
            ])
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.events().count == 17)
    }

    @Test func `a loop of changes is stopped like a loop of events`() throws {
        let crm = try TestKernel("plugins: {echo: {}}", plugins: [Echo.self])
        try crm.capture(["email": "ann@acme.example", "title": "Hello"])
        try crm.foreign("UPDATE leads SET title = 'Echo'")
        try crm.pump()
        #expect(try crm.rows("SELECT title FROM leads") == ["Echo" + String(repeating: "!", count: 16)])
        let error = try #require(try crm.value("SELECT error FROM parked_events"))
        #expect(error.hasPrefix("loop stopped at depth 16: sql lead.updated → plugin:echo lead.updated → "))
    }

    @Test func `what a hook that is gone has left takes nobody's turn`() throws {
        let crm = try picky()
        try crm.capture(["email": "ann@acme.example", "title": "bad"])
        try crm.pump()
        try crm.foreign("UPDATE leads SET title = 'good'")
        try crm.foreign(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
            INSERT INTO parked_events (subscriber, event_id, attempts, retry_at, error, parked_at)
            SELECT 'gone/hook', 1 - i, 1, '2026-03-01', 'x', '2026-03-01' FROM n
            """)
        crm.clock.advance(by: "1s")
        try crm.pump()
        #expect(try crm.rows("SELECT * FROM picky_taken") == ["1"])
    }

    @Test func `what a handler refuses is its event's, and stops nobody`() throws {
        let crm = try picky()
        try crm.capture(["email": "ann@acme.example", "title": "nowhere"])
        try crm.capture(["email": "bob@acme.example", "title": "locked"])
        try crm.capture(["email": "cem@acme.example"])
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM picky_taken") == ["3"])
        #expect(try parked(crm).count == 2)
    }
}
