import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Writes down each batch it is given: how, which events, and of whom.
private struct Diary: Plugin {
    static let name = "diary"
    static let summary = "Writes down how it was told."
    static let migrations = MigrationFolder(
        owner: name,
        files: [
            MigrationFile(
                name: "0001_create_pages",
                sql: """
                    CREATE TABLE diary_pages (id INTEGER PRIMARY KEY, is_of_histories INTEGER NOT NULL, ids TEXT NOT NULL) STRICT;
                    CREATE TABLE diary_leads (event_id INTEGER NOT NULL, lead_id INTEGER NOT NULL) STRICT;
                    """)
        ])
    static let rebuilds: [String]? = ["diary_pages", "diary_leads"]

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe(
            "write", to: ["lead.created", "consent.granted", "lead.merged"], from: .firstEvent, rereading: .byLead
        ) { batch, tx in
            try tx.db.execute(
                sql:
                    "INSERT INTO diary_pages (is_of_histories, ids) SELECT ?, coalesce(group_concat(id, ' '), '') FROM (SELECT id FROM batch ORDER BY id)",
                arguments: [batch.histories != nil])
            try tx.db.execute(
                sql: """
                    INSERT INTO diary_leads
                    SELECT id, coalesce((SELECT kept_id FROM lead_merges WHERE gone_id = lead_id), lead_id) FROM batch
                    """)
            let isBad = try Bool.fetchOne(
                tx.db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM batch JOIN leads ON leads.id = batch.lead_id
                                   WHERE batch.kind = 'consent.granted' AND title = 'bad')
                    """)
            if isBad == true { throw Veto("a bad lead") }
        }
    }
}

/// Counts after the diary: another plugin, which waits while the diary is made anew.
private struct Clerk: Plugin {
    static let name = "clerk"
    static let summary = "Counts pages."
    static let migrations = MigrationFolder(
        owner: name, files: [MigrationFile(name: "0001_create", sql: "CREATE TABLE clerk_seen (pages INTEGER) STRICT;")]
    )

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("count", to: ["lead.updated"], from: .nextEvent) { _, tx in
            try tx.db.execute(sql: "INSERT INTO clerk_seen SELECT count(*) FROM diary_pages WHERE is_of_histories")
        }
    }
}

/// A plugin that is made anew lead by lead.
@Suite struct RereadingTests {
    /// Leads that were made one after the other, and consented the other way round. The events 1 and 2 are of plugins.
    private func crm(leads count: Int = 4) throws -> TestKernel {
        let crm = try TestKernel("plugins: {diary: {}, clerk: {}}", plugins: [Diary.self, Clerk.self])
        for turn in 1...count { try crm.capture(["email": "lead\(turn)@acme.example"]) }
        for lead in (1...count).reversed() {
            try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (\(lead), 'newsletter', 'granted')")
        }
        try crm.pump()
        return crm
    }

    private func pages(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT is_of_histories, ids FROM diary_pages ORDER BY id")
    }

    @Test func `a batch holds all that happened to its leads, in the order it happened`() throws {
        let crm = try crm(leads: 3)
        #expect(try pages(crm) == ["0|3 4 5 6 7 8"])
        _ = try Rebuild(crm.kernel).run("diary")
        #expect(try pages(crm) == ["1|3 4 5 6 7 8"])
        #expect(try crm.rows("SELECT last_event_id, anew_lead FROM subscribers WHERE id = 'diary/write'") == ["8|"])
        try crm.capture(["email": "new@acme.example"])
        try crm.pump()
        #expect(try pages(crm) == ["1|3 4 5 6 7 8", "0|9"])
        #expect(try crm.troubles() == [])
    }

    @Test func `no lead is in two batches, and one that fills a batch is whole`() throws {
        let crm = try crm()
        let windows = try crm.kernel.write(origin: "test") { tx in
            var (lead, windows) = (Int64.min, [[Int64]]())
            while let window = try BatchWindow.fill(
                historiesOf: ["lead.created", "consent.granted"], afterLead: lead, through: 9, limit: 3, tx.db)
            {
                windows.append(try Int64.fetchAll(tx.db, sql: "SELECT id FROM batch"))
                lead = try #require(window.leads).upperBound
            }
            return windows
        }
        // Lead 1 is in the events 3 and 10: the last one is behind the horizon. Lead 2 is in 4 and 9.
        #expect(windows == [[3], [4, 9], [5, 8], [6, 7]])
    }

    @Test func `who was merged has one history, that of who was kept`() throws {
        let crm = try crm()
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: 4) }
        try crm.pump()
        let before = try crm.rows("SELECT * FROM diary_leads ORDER BY 1, 2")
        _ = try Rebuild(crm.kernel).run("diary")
        let after = try crm.rows("SELECT * FROM diary_leads ORDER BY 1, 2")
        #expect(after == before && after.contains("3|4") && after.contains("10|4"))
        let histories = try crm.kernel.write(origin: "test") { tx in
            _ = try BatchWindow.fill(
                historiesOf: ["lead.created", "consent.granted"], afterLead: 3, through: 99, limit: 1, tx.db)
            return try Int64.fetchAll(tx.db, sql: "SELECT id FROM batch")
        }
        #expect(histories == [3, 6, 7, 10])
    }

    @Test func `what happens meanwhile comes afterwards, and others wait until then`() throws {
        let crm = try crm()
        try crm.kernel.write(origin: "cli") { try Rebuild(crm.kernel).begin("diary", $0) }
        try crm.foreign("UPDATE leads SET title = 'Head' WHERE id = 1")
        try crm.capture(["email": "new@acme.example"])
        try crm.pump()
        #expect(try pages(crm) == ["1|3 4 5 6 7 8 9 10", "0|12"])
        #expect(try crm.rows("SELECT pages FROM clerk_seen") == ["1"])
    }

    @Test func `where one lead cannot be handled, the log is read in its order and that event set aside`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET title = 'bad' WHERE id = 2")
        try crm.pump()
        _ = try Rebuild(crm.kernel).run("diary")
        #expect(try crm.rows("SELECT count(*) FROM diary_pages WHERE is_of_histories") == ["0"])
        #expect(try crm.rows("SELECT event_id FROM diary_leads ORDER BY 1") == [3, 4, 5, 6, 7, 8, 10].map(String.init))
        #expect(try crm.rows("SELECT subscriber, event_id FROM parked_events") == ["diary/write|9"])
        #expect(try crm.rows("SELECT pages FROM clerk_seen") == ["0"])
    }

    @Test func `where the process died of it, the log is read in its order`() throws {
        let crm = try crm()
        let path = crm.folder + "/running"
        try Data("diary/write 10 0 0".utf8).write(to: URL(filePath: path))
        try crm.kernel.write(origin: "cli") { try Rebuild(crm.kernel).begin("diary", $0) }
        try EventPump(crm.kernel, mark: RunningMark(path: path, isAfterCrash: true)).runUntilIdle()
        #expect(try pages(crm).allSatisfy { $0.hasPrefix("0|") })
        #expect(try crm.rows("SELECT event_id FROM diary_leads ORDER BY 1") == (3...10).map(String.init))
    }

    @Test func `a log without leads is read at once`() throws {
        let crm = try TestKernel("plugins: {diary: {}}", plugins: [Diary.self])
        _ = try Rebuild(crm.kernel).run("diary")
        try crm.capture(["email": "ann@acme.example"])
        try crm.pump()
        #expect(try pages(crm) == ["1|", "0|2"])
    }
}
