import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct RehearsalTests {
    private func rehearse(
        _ crm: TestKernel, _ yaml: String, acting act: (Kernel) throws -> Void = { _ in }
    ) async throws -> [PlannedChange] {
        let config = try Config.parse(
            TestKernel.site + "\n" + yaml, folder: crm.folder, plugins: [], environment: TestKernel.environment)
        return try await Rehearsal(of: crm.kernel.config.databasePath, plugins: [], now: crm.clock.now).run(
            from: crm.kernel.config, to: config, acting: act)
    }

    @Test func `a new field and a hook in SQL are seen, and the file stays as it is`() async throws {
        let crm = try TestKernel("")
        for number in 1...3 { try crm.capture(["email": "l\(number)@a.example", "country": "DE"]) }
        try crm.pump()
        let last = try crm.lastEvent
        let changes = try await rehearse(
            crm,
            """
            leads: {fields: {budget: integer}}
            hooks: {dach: {on: lead.created, from: first, sql: "UPDATE leads SET owner = 'dach' WHERE country = 'DE'"}}
            """)
        #expect(
            changes == [
                PlannedChange("schema", "leads.budget", "new column"),
                PlannedChange("owner", "owner", "other owner", count: 3),
            ])
        #expect(try crm.lastEvent == last)
        #expect(try crm.rows("SELECT count(owner) FROM leads") == ["0"])
        #expect(try crm.rows("SELECT count(*) FROM pragma_table_info('leads') WHERE name = 'budget'") == ["0"])
    }

    @Test func `who moves is named as far as somebody asks, by id and masked address`() async throws {
        let crm = try TestKernel("")
        for number in 1...3 { try crm.capture(["email": "l\(number)@a.example"]) }
        try crm.foreign("INSERT INTO leads (phone) VALUES ('+49301234567')")
        try crm.pump()
        func moved(naming most: Int) async throws -> [PlannedChange] {
            try await Rehearsal(of: crm.kernel.config.databasePath, plugins: [], now: crm.clock.now).run(
                from: crm.kernel.config, to: crm.kernel.config,
                acting: { copy in
                    try copy.write(origin: "cli") {
                        try $0.db.execute(sql: "UPDATE leads SET stage = 'mql' WHERE id > 1")
                    }
                }, naming: most)
        }
        #expect(try await moved(naming: 0) == [PlannedChange("stage", "lead → mql", "move", count: 3)])
        let two = try await moved(naming: 2)
        #expect(two.map(\.count) == [3])
        #expect(two.first?.who.map(\.id) == [2, 3])
        #expect(two.first?.who.map(\.address) == ["l•••@a.example", "l•••@a.example"])
        #expect(try await moved(naming: 9).first?.who.last == PlannedLead(id: 4, address: nil))
    }

    @Test func `what waits to be handled anyway is no change`() async throws {
        let crm = try TestKernel("")
        try crm.foreign("INSERT INTO accounts (domain) VALUES ('a.example')")
        try crm.capture(["email": "ann@a.example"])
        #expect(try await rehearse(crm, "goals: {mql_per_month: 3}") == [])
    }

    @Test func `what is done on the copy is seen too: leads that come, go and move`() async throws {
        let crm = try TestKernel("")
        for number in 1...3 { try crm.capture(["email": "l\(number)@a.example"]) }
        let changes = try await rehearse(crm, "") { copy in
            try copy.write(origin: "cli") { tx in
                try tx.db.execute(sql: "DELETE FROM leads WHERE id = 1; UPDATE leads SET stage = 'mql' WHERE id = 2")
                try tx.db.execute(sql: "UPDATE leads SET city = 'Bonn' WHERE id = 3")
                try tx.db.execute(sql: "INSERT INTO leads (email) VALUES ('new@a.example'), ('newer@a.example')")
            }
        }
        #expect(
            changes == [
                PlannedChange("stage", "lead → mql", "move", count: 1), PlannedChange("lead", "leads", "new", count: 2),
                PlannedChange("lead", "leads", "gone", count: 1), PlannedChange("lead", "city", "changed", count: 1),
            ])
    }

    @Test func `mails that wait for longer than a day are announced, and held to the limit`() async throws {
        let crm = try TestKernel("")
        try crm.capture(["email": "ann@a.example"])
        try crm.pump()
        let now = crm.clock.now
        let monday = Timestamp.text(now.addingTimeInterval(2 * Rehearsal.day))
        let changes = try await rehearse(crm, "") { copy in
            try copy.write(origin: "cli") { tx in
                for number in 1...3 {
                    try tx.db.execute(
                        sql: """
                            INSERT INTO outbox_messages (key, origin, lead_id, template, ready_at, created_at)
                            VALUES (?, 'cli', 1, 'welcome', ?, ?)
                            """, arguments: ["test:\(number)", monday, tx.stamp])
                }
            }
        }
        #expect(
            changes == [
                PlannedChange("mail", "welcome", "written now", count: 3),
                PlannedChange("next day", "welcome", "waits longer", count: 3, insteadOf: 0),
            ])
        var limits = ChangeLimits()
        limits.mailsPerChange = 2
        #expect(
            limits.exceeded(by: changes) == [
                "3 more messages would go out, 3 of them later than within a day; limits.mails_per_change is 2."
            ])
    }

    @Test func `who gets another owner or a message is named too`() async throws {
        let crm = try TestKernel("")
        for number in 1...3 { try crm.capture(["email": "l\(number)@a.example"]) }
        try crm.pump()
        let later = Timestamp.text(crm.clock.now.addingTimeInterval(2 * Rehearsal.day))
        let changes = try await Rehearsal(
            of: crm.kernel.config.databasePath, plugins: [], now: crm.clock.now
        ).run(
            from: crm.kernel.config, to: crm.kernel.config,
            acting: { copy in
                try copy.write(origin: "cli") { tx in
                    try tx.db.execute(sql: "UPDATE leads SET owner = 'dach' WHERE id < 3")
                    try tx.db.execute(
                        sql: """
                            INSERT INTO outbox_messages (key, origin, lead_id, template, ready_at, created_at)
                            SELECT 'test:' || id, 'cli', id, 'welcome', ?, ? FROM leads WHERE id > 1
                            """, arguments: [later, tx.stamp])
                }
            }, naming: 9)
        #expect(
            changes.map { "\($0.area) \($0.item) \($0.change) \($0.count ?? 0): \($0.who.map(\.id))" } == [
                "owner owner other owner 2: [1, 2]", "mail welcome written now 2: [2, 3]",
                "next day welcome waits longer 2: [2, 3]",
            ])
        #expect(changes.allSatisfy { $0.who.allSatisfy { $0.address == "l•••@a.example" } })
    }
}
