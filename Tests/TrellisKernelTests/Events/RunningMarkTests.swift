import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct RunningMarkTests {
    /// Notes every event it handles, in the order in which it comes.
    struct Seen: Plugin {
        static let name = "seen"
        static let summary = "Notes what it sees."
        static var migrations: MigrationFolder {
            MigrationFolder(
                owner: name,
                files: [
                    MigrationFile(
                        name: "0001_create_seen",
                        sql: """
                            -- An event that was handled, and how many came with it.
                            CREATE TABLE seen_events (event_id INTEGER NOT NULL, together INTEGER NOT NULL) STRICT;
                            """)
                ])
        }
        init(settings: NoSettings) {}

        var hooks: [any Hook] {
            Subscribe("note", to: ["lead.created"], from: .firstEvent) { batch, tx in
                try tx.db.execute(sql: "INSERT INTO seen_events SELECT id, ? FROM batch", arguments: [batch.count])
            }
        }
    }

    private func crm(leads: Int) throws -> TestKernel {
        let crm = try TestKernel("plugins: {seen: {}}", plugins: [Seen.self])
        for number in 1...leads { try crm.capture(["email": "lead\(number)@acme.example"]) }
        return crm
    }

    private func path(_ crm: TestKernel) -> String { crm.folder + "/running" }

    private func leave(_ text: String, in crm: TestKernel) throws {
        try Data(text.utf8).write(to: URL(filePath: path(crm)))
    }

    @Test func `after a death in a batch its events run one by one, and the rest together again`() throws {
        let crm = try crm(leads: 30)
        let fifth =
            try crm.value("SELECT id FROM events WHERE kind = 'lead.created' ORDER BY id LIMIT 1 OFFSET 4") ?? ""
        try leave("seen/note \(fifth) 0 0", in: crm)
        try EventPump(crm.kernel, mark: RunningMark(path: path(crm), isAfterCrash: true)).runUntilIdle()
        #expect(try crm.rows("SELECT together, count(*) FROM seen_events GROUP BY 1 ORDER BY 1") == ["1|5", "25|25"])
    }

    @Test func `one by one does not mean a commit for each`() throws {
        let crm = try crm(leads: 40)
        try leave("seen/note 999 0 0", in: crm)
        let pump = try EventPump(crm.kernel, mark: RunningMark(path: path(crm), isAfterCrash: true))
        // The first round is the kernel's own, who go ahead of every plugin.
        _ = try pump.round()
        var rounds = 0
        while rounds < 40, try crm.value("SELECT count(*) FROM seen_events WHERE together = 1") != "40" {
            _ = try pump.round()
            rounds += 1
        }
        #expect(rounds < 40)
    }

    @Test func `an event that was being run alone gets a second chance`() throws {
        let crm = try crm(leads: 3)
        let event = try crm.value("SELECT min(id) FROM events WHERE kind = 'lead.created'") ?? ""
        try leave("seen/note 9 \(event) 0", in: crm)
        try EventPump(crm.kernel, mark: RunningMark(path: path(crm), isAfterCrash: true)).runUntilIdle()
        #expect(try crm.value("SELECT count(*) FROM seen_events") == "3")
        #expect(try crm.rows("SELECT * FROM parked_events") == [])
    }

    @Test func `an event that the process died of twice alone is parked unseen`() throws {
        let crm = try crm(leads: 3)
        let event = try crm.value("SELECT min(id) FROM events WHERE kind = 'lead.created'") ?? ""
        try leave("seen/note 9 \(event) 1", in: crm)
        try EventPump(crm.kernel, mark: RunningMark(path: path(crm), isAfterCrash: true)).runUntilIdle()
        #expect(try crm.value("SELECT count(*) FROM seen_events") == "2")
        #expect(try crm.rows("SELECT event_id, retry_at FROM parked_events") == ["\(event)|"])
    }

    @Test(arguments: ["", "-", "nonsense", "seen/note x y z", "gone/hook 5 0 0", "seen/note 999999 0 0 0 0"])
    func `a mark that says nothing changes nothing`(text: String) throws {
        let crm = try crm(leads: 3)
        try leave(text, in: crm)
        try EventPump(crm.kernel, mark: RunningMark(path: path(crm), isAfterCrash: true)).runUntilIdle()
        #expect(try crm.value("SELECT max(together) FROM seen_events") == "3")
    }

    @Test func `the mark of a worker that ended well means nothing`() throws {
        let crm = try crm(leads: 3)
        try leave("seen/note 9 1 1", in: crm)
        #expect(try RunningMark(path: path(crm), isAfterCrash: false).found == nil)
    }

    /// Dies on a bomb: an error about the file leaves what a crash leaves, nothing but the mark, and ends the pump.
    struct Fuse: Plugin {
        static let name = "fuse"
        static let summary = "Dies on a bomb."
        static var migrations: MigrationFolder {
            MigrationFolder(
                owner: name,
                files: [
                    MigrationFile(name: "0001_create_passed", sql: "CREATE TABLE fuse_passed (lead_id INTEGER) STRICT")
                ])
        }
        init(settings: NoSettings) {}

        var hooks: [any Hook] {
            Subscribe("pass", to: ["lead.created"], from: .firstEvent) { _, tx in
                try tx.db.execute(sql: "INSERT INTO fuse_passed SELECT lead_id FROM batch")
                let isBomb = try Bool.fetchOne(
                    tx.db,
                    sql:
                        "SELECT EXISTS (SELECT 1 FROM leads WHERE title = 'bomb' AND id IN (SELECT lead_id FROM batch))"
                )
                if isBomb == true { throw KernelError.diskFull }
            }
        }
    }

    @Test func `an event that kills every process is found in three deaths, and nothing else is lost`() throws {
        let crm = try TestKernel("plugins: {fuse: {}}", plugins: [Fuse.self])
        for number in 1...5 {
            try crm.capture(["external_id": "\(number)", "title": number == 3 ? "bomb" : "harmless"])
        }
        var passed: [[String]] = []
        for death in 1...3 {
            let mark = try RunningMark(path: path(crm), isAfterCrash: death > 1)
            #expect(throws: KernelError.diskFull) { try EventPump(crm.kernel, mark: mark).runUntilIdle() }
            passed.append(try crm.rows("SELECT lead_id FROM fuse_passed ORDER BY lead_id"))
        }
        // Those before it were run alone in one transaction with it.
        #expect(passed == [[], [], []])
        // It would throw again if it ran again.
        try EventPump(crm.kernel, mark: RunningMark(path: path(crm), isAfterCrash: true)).runUntilIdle()
        #expect(try crm.rows("SELECT lead_id FROM fuse_passed ORDER BY lead_id") == ["1", "2", "4", "5"])
        #expect(
            try crm.rows(
                "SELECT e.lead_id, p.retry_at, p.error FROM parked_events AS p JOIN events AS e ON e.id = p.event_id")
                == [
                    "3||the process died three times while it was handled"
                ])
    }
}
