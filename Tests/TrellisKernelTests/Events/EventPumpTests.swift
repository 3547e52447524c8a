import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Writes down what it is given, in one statement a batch.
private struct Notebook: Plugin {
    static let name = "notebook"
    static let summary = "Writes down what it is given."
    static let migrations = MigrationFolder(
        owner: name,
        files: [
            MigrationFile(
                name: "0001_create_notes",
                sql: """
                    CREATE TABLE notebook_notes (event_id INTEGER NOT NULL, kind TEXT NOT NULL, lead_id INTEGER) STRICT;
                    CREATE TABLE notebook_batches (id INTEGER PRIMARY KEY, size INTEGER NOT NULL) STRICT;
                    """)
        ])
    static let events = [EventDeclaration("note.written", ["of": .integer])]

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("note", to: ["lead.created"], from: .firstEvent) { batch, tx in
            try tx.db.execute(sql: "INSERT INTO notebook_notes SELECT id, kind, lead_id FROM batch ORDER BY id")
            try tx.db.execute(sql: "INSERT INTO notebook_batches (size) VALUES (?)", arguments: [batch.count])
            // Stands for a disk that is full, which is nobody's event.
            let isFull = try Bool.fetchOne(tx.db, sql: "SELECT EXISTS (SELECT 1 FROM leads WHERE title = 'full')")
            if isFull == true { throw KernelError.diskFull }
        }
    }
}

private struct Greeted: Event {
    static let kind = "lead.greeted"
    let stage: String
}

/// Its effects come by every road there is: emitted one by one, emitted by a SELECT, and as changes of leads.
private struct Host: Plugin {
    static let name = "host"
    static let summary = "Greets."
    static let events = [EventDeclaration("lead.greeted", ["stage": .text]), EventDeclaration("lead.counted")]

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("greet", to: LeadCreated.self, from: .firstEvent) { created, tx in
            try tx.emit(Greeted(stage: created.event.stage), lead: created.leadID)
        }
        Subscribe("count", to: ["lead.greeted"], from: .firstEvent) { _, tx in
            try tx.emit("lead.counted", forEach: "SELECT lead_id, id AS cause_id, '{}' AS body FROM batch ORDER BY id")
        }
        Subscribe("seat", to: ["lead.counted"], from: .firstEvent) { _, tx in
            try tx.db.execute(sql: "UPDATE leads SET city = 'seated' WHERE id IN (SELECT lead_id FROM batch)")
        }
    }
}

/// Takes two at a time, of every kind.
private struct Pairs: Plugin {
    static let name = "pairs"
    static let summary = "Takes two at a time."
    static let migrations = MigrationFolder(
        owner: name,
        files: [MigrationFile(name: "0001_create_pairs", sql: "CREATE TABLE pairs_pairs (ids TEXT NOT NULL) STRICT")])

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("pair", to: nil, from: .firstEvent, batch: 2) { batch, tx in
            try tx.db.execute(
                sql: "INSERT INTO pairs_pairs SELECT group_concat(id) FROM (SELECT id FROM batch ORDER BY id)")
        }
    }
}

@Suite struct EventPumpTests {
    private static let on = "plugins: {notebook: {}}"

    private func notebook() throws -> TestKernel { try TestKernel(Self.on, plugins: [Notebook.self]) }

    private func cursor(_ crm: TestKernel, _ id: String = "notebook/note") throws -> Int64 {
        Int64(try #require(try crm.value("SELECT last_event_id FROM subscribers WHERE id = '\(id)'"))) ?? -1
    }

    private func insertLeads(_ count: Int, _ crm: TestKernel) throws {
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                    INSERT INTO leads (external_id) SELECT i FROM n
                    """, arguments: [count])
        }
    }

    // MARK: - Exactly once

    @Test func `an event is handled once, and the cursor says so`() throws {
        let crm = try notebook()
        for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@acme.example"]) }
        #expect(try cursor(crm) < crm.lastEvent)
        try crm.pump()
        #expect(try cursor(crm) == crm.lastEvent)
        try crm.pump()
        try crm.capture(["email": "cleo@acme.example"])
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM notebook_notes") == ["1", "2", "3"])
        #expect(try crm.rows("SELECT size FROM notebook_batches") == ["2", "1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the number of handled events is returned, and nothing left is zero`() throws {
        let crm = try notebook()
        try crm.capture(["email": "ann@acme.example"])
        // The kernel's own two subscribers, and the notebook.
        #expect(try EventPump(crm.kernel).runUntilIdle() == 3)
        #expect(try EventPump(crm.kernel).runUntilIdle() == 0)
    }

    @Test func `effects and cursor are lost together and come together`() throws {
        let crm = try notebook()
        try crm.capture(["email": "ann@acme.example", "title": "full"])
        try crm.capture(["email": "bob@acme.example"])
        let before = try cursor(crm)
        #expect(throws: KernelError.diskFull) { try crm.pump() }
        #expect(try crm.rows("SELECT * FROM notebook_notes") == [])
        #expect(try cursor(crm) == before)
        #expect(try crm.rows("SELECT * FROM parked_events") == [], "a full disk is nobody's event")
        try crm.foreign("UPDATE leads SET title = 'empty' WHERE id = 1")
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM notebook_notes") == ["1", "2"])
    }

    @Test func `where the cursor cannot move, the effects do not stay`() throws {
        let crm = try notebook()
        try crm.capture(["email": "ann@acme.example"])
        try crm.foreign(
            """
            CREATE TRIGGER stuck BEFORE UPDATE OF last_event_id ON subscribers WHEN NEW.id = 'notebook/note'
            BEGIN
                SELECT RAISE(ABORT, 'stuck');
            END
            """)
        #expect(throws: DatabaseError.self) { try crm.pump() }
        #expect(try crm.rows("SELECT * FROM notebook_notes") == [])
        try crm.foreign("DROP TRIGGER stuck")
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM notebook_notes") == ["1"])
    }

    @Test func `two pumps on one file do not handle an event twice`() throws {
        let crm = try notebook()
        let (first, second) = (EventPump(crm.kernel), EventPump(crm.kernel))
        for turn in 1...6 {
            try crm.capture(["email": "lead\(turn)@acme.example"])
            _ = try first.round()
            _ = try second.round()
        }
        #expect(try crm.rows("SELECT lead_id FROM notebook_notes") == (1...6).map(String.init))
    }

    @Test func `false from progress stops, and the rest is handled later`() throws {
        let crm = try notebook()
        try insertLeads(1200, crm)
        var rounds = 0
        try EventPump(crm.kernel).runUntilIdle { _ in
            rounds += 1
            return false
        }
        #expect(rounds == 1)
        #expect(try #require(try crm.value("SELECT count(*) FROM notebook_notes")) != "1200")
        try crm.pump()
        #expect(try crm.value("SELECT count(*), count(DISTINCT event_id) FROM notebook_notes") == "1200|1200")
    }

    // MARK: - The batch

    @Test func `the batch is a relation with everything the log has`() throws {
        let crm = try TestKernel("plugins: {pairs: {}}", plugins: [Pairs.self])
        try crm.capture(["email": "ann@acme.example"])
        try crm.kernel.write(origin: "test") { tx in
            _ = try BatchWindow.fill(nil, after: 0, through: 10, limit: 10, tx.db)
            let columns = try Row.fetchAll(tx.db, sql: "SELECT * FROM batch").first.map { Array($0.columnNames) }
            #expect(columns == ["id", "kind", "lead_id", "cause_id", "depth", "origin", "at", "body"])
            let same = try Int.fetchOne(
                tx.db, sql: "SELECT count(*) FROM (SELECT * FROM batch INTERSECT SELECT * FROM events)")
            #expect(same == (try Int.fetchOne(tx.db, sql: "SELECT count(*) FROM events")))
        }
    }

    @Test func `a subscriber to all kinds gets them in the order of the log, never more than it asked for`() throws {
        let crm = try TestKernel("plugins: {pairs: {}}", plugins: [Pairs.self])
        for turn in 1...3 { try crm.capture(["email": "lead\(turn)@acme.example"], consents: ["newsletter"]) }
        try crm.pump()
        let ids = try crm.rows("SELECT id FROM events ORDER BY id")
        #expect(try crm.rows("SELECT ids FROM pairs_pairs").joined(separator: ",") == ids.joined(separator: ","))
        #expect(try crm.rows("SELECT ids FROM pairs_pairs").allSatisfy { $0.split(separator: ",").count <= 2 })
    }

    @Test func `a limit beyond reason is cut, and one below is raised`() {
        let many = Subscribe("many", to: nil, from: .firstEvent, batch: 1_000_000) { _, _ in }
        let none = Subscribe("none", to: nil, from: .firstEvent, batch: 0) { _, _ in }
        #expect(many.batchLimit == Subscribe.batchLimitMax)
        #expect(none.batchLimit == 1)
    }

    @Test func `a subscriber gets its kinds and no others`() throws {
        let crm = try notebook()
        try crm.capture(["email": "ann@acme.example"], form: "plan", consents: ["newsletter"])
        try crm.capture(["email": "ann@acme.example", "city": "Bonn"])
        #expect(try crm.events() == ["lead.created", "consent.granted", "form.submitted", "lead.updated"])
        try crm.pump()
        #expect(try crm.rows("SELECT kind FROM notebook_notes") == ["lead.created"])
        #expect(try cursor(crm) == crm.lastEvent)
    }

    // MARK: - Causes

    @Test func `what a handler does is caused by the event it was given, whichever way it does it`() throws {
        let crm = try TestKernel("plugins: {host: {}}", plugins: [Host.self])
        try crm.capture(["email": "ann@acme.example"])
        try crm.capture(["email": "bob@acme.example"])
        try crm.pump()
        let trace = try crm.rows(
            "SELECT kind, cause_kind, depth, origin FROM lead_trace WHERE lead_id = 2 ORDER BY event_id")
        #expect(
            trace == [
                "lead.created||0|cli", "lead.greeted|lead.created|1|plugin:host",
                "lead.counted|lead.greeted|2|plugin:host",
                "lead.updated|lead.counted|3|plugin:host",
            ])
        // Each has the cause of its own lead, not that of its neighbour in the batch.
        #expect(
            try crm.rows(
                "SELECT e.id FROM events AS e JOIN events AS c ON c.id = e.cause_id WHERE c.lead_id <> e.lead_id") == []
        )
    }

    @Test func `a typed handler gets the fields of the event`() throws {
        let crm = try TestKernel("plugins: {host: {}}", plugins: [Host.self])
        try crm.capture(["email": "ann@acme.example", "stage": "mql"])
        try crm.pump()
        #expect(try crm.rows("SELECT body FROM events WHERE kind = 'lead.greeted'") == ["{\"stage\":\"mql\"}"])
    }

    @Test func `of several events of a lead in one batch the last is the cause`() throws {
        let crm = try TestKernel("plugins: {host: {}}", plugins: [Host.self])
        let ann = try crm.capture(["email": "ann@acme.example"])
        try crm.kernel.write(origin: "cli") { tx in
            for _ in 1...2 { try tx.emit(Greeted(stage: "lead"), lead: ann) }
        }
        try crm.pump()
        let counted = try crm.rows("SELECT id FROM events WHERE kind = 'lead.counted' ORDER BY id")
        #expect(counted.count == 3)
        // The first two were greeted before ann was; all the same one change, caused by one event.
        let seated = try crm.rows("SELECT cause_id FROM events WHERE kind = 'lead.updated'")
        #expect(seated.count == 1 && counted.contains(seated[0]))
        #expect(
            try crm.value(
                "SELECT c.kind FROM events AS e JOIN events AS c ON c.id = e.cause_id WHERE e.kind = 'lead.updated'")
                == "lead.counted")
    }

    @Test func `once the batch is over nobody writes in its name`() throws {
        let crm = try TestKernel("plugins: {host: {}}", plugins: [Host.self])
        let ann = try crm.capture(["email": "ann@acme.example"])
        try crm.pump()
        try crm.foreign("UPDATE leads SET title = 'Head' WHERE id = \(ann)")
        #expect(try crm.rows("SELECT origin, cause_id, depth FROM events ORDER BY id DESC LIMIT 1") == ["sql||0"])
    }

    @Test func `a plugin sees a lead with its account, because the kernel goes first`() throws {
        let crm = try TestKernel("plugins: {pairs: {}}", plugins: [Pairs.self])
        try crm.foreign("INSERT INTO accounts (name, domain) VALUES ('Corp', 'corp.example')")
        try crm.capture(["email": "ann@Corp.example"])
        try crm.pump()
        #expect(try crm.rows("SELECT account_id FROM leads") == ["1"])
        #expect(
            try crm.rows("SELECT body, origin FROM events WHERE kind = 'lead.updated'") == [
                #"{"columns":["account_id"]}|kernel"#
            ])
        let kernel = try cursor(crm, "kernel/link-accounts")
        #expect(try cursor(crm, "pairs/pair") <= kernel)
    }

    @Test func `what the kernel has not handled yet no plugin gets`() throws {
        let crm = try notebook()
        try crm.capture(["email": "ann@acme.example"])
        let subscription = try #require(crm.kernel.hooks.subscriptions.first { $0.id.plugin == "notebook" })
        let window = try crm.kernel.write(origin: "test") {
            try EventPump(crm.kernel).fill(subscription, after: 0, limit: 10, $0)
        }
        #expect(try window.count == 0 && window.through < crm.lastEvent)
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM notebook_notes") == ["1"])
    }
}
