import AudienceExport
import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@Suite struct AudienceExportTests {
    private static let rules = """
        everybody: {sql: "SELECT id AS lead_id FROM leads", platforms: [google, meta]}
        heads: {sql: "SELECT id AS lead_id FROM leads WHERE title = 'Head'", platforms: [linkedin], exclude: [customers]}
        customers: {sql: "SELECT id AS lead_id FROM leads WHERE stage = 'customer'", consent: newsletter}
        """

    private func crm(_ rules: String = AudienceExportTests.rules, plugins: [any Plugin.Type] = []) throws -> TestKernel
    {
        let section = rules.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        return try TestKernel(
            "plugins:\n" + plugins.map { "  \($0.name): {}\n" }.joined() + "  audiences:\n" + section,
            plugins: [AudienceExport.self] + plugins)
    }

    @discardableResult
    private func lead(
        _ crm: TestKernel, _ email: String, title: String = "", stage: String = "lead", consents: [String] = ["ads"]
    ) throws -> Int64 {
        try crm.capture(["email": email, "title": title, "stage": stage], consents: consents)
    }

    /// The lines of the file, and what the person is told.
    private func export(_ crm: TestKernel, _ audience: String, platform: String? = nil) throws -> (
        lines: [String], note: String
    ) {
        let path = crm.folder + "/\(audience).csv"
        var options = ["output": path]
        options["platform"] = platform
        let note = try crm.run("audiences export", audience, options: options).joined()
        return (
            try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init),
            note.replacing(crm.folder + "/", with: "")
        )
    }

    // MARK: - The file

    @Test(arguments: [
        ("alexz@example.com", "google", "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"),
        ("AlexZ@Example.COM", "meta", "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"),
        (
            "Cloudy.SanFrancisco+shopping@gmail.com", "google",
            "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"
        ),
    ])
    func `an address is hashed as the platform says`(_ email: String, _ platform: String, _ hash: String) throws {
        let crm = try crm()
        try lead(crm, email)
        let file = try export(crm, "everybody", platform: platform)
        #expect(file.lines == [platform == "google" ? "Email" : "email", hash])
        #expect(file.note == "everybody.csv: 1 of 1 members for \(platform).")
    }

    @Test func `dots and plus signs count everywhere but at Gmail, and there for Google alone`() throws {
        let crm = try crm()
        let emails = ["a.b+c@gmail.com", "a.b+c@googlemail.com", "a.b+c@example.com"]
        for email in emails { try lead(crm, email) }
        let (google, meta) = (
            try export(crm, "everybody", platform: "google").lines, try export(crm, "everybody", platform: "meta").lines
        )
        #expect(google[3] == meta[3])
        #expect(google[1] != meta[1] && google[2] != meta[2])
        #expect(Set(google).count == 4)
    }

    @Test func `the file is its owner's alone, complete or not there, and replaces the one before`() throws {
        let crm = try crm()
        try lead(crm, "ann@a.example")
        for count in 1...2 {
            #expect(try export(crm, "everybody").lines.count == count + 1)
            let mode =
                try FileManager.default.attributesOfItem(atPath: crm.folder + "/everybody.csv")[.posixPermissions]
                as? Int
            #expect(mode == 0o600)
            try lead(crm, "bob@b.example")
        }
        #expect(try !FileManager.default.contentsOfDirectory(atPath: crm.folder).contains { $0.hasSuffix(".part") })
        #expect(throws: KernelError.folderNotWritable(crm.folder + "/nowhere")) {
            try crm.run("audiences export", "everybody", options: ["output": crm.folder + "/nowhere/x.csv"])
        }
        #expect(try crm.rows("SELECT count(*) FROM audiences_exports") == ["2"])
        #expect(try crm.troubles() == [])
    }

    @Test func `an export that cannot be finished leaves no file and no row`() throws {
        let crm = try crm()
        try lead(crm, "ann@a.example")
        let path = crm.folder + "/taken.csv"
        try FileManager.default.createDirectory(atPath: path + "/full", withIntermediateDirectories: true)
        #expect(throws: (any Error).self) { try crm.run("audiences export", "everybody", options: ["output": path]) }
        #expect(!FileManager.default.fileExists(atPath: path + ".part"))
        #expect(try crm.rows("SELECT * FROM audiences_exports") == [])
        #expect(try crm.rows("SELECT * FROM audiences_receipts") == [])
        #expect(try crm.events().last != "audience.exported")
    }

    @Test func `a big file is written whole`() throws {
        let crm = try crm()
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
                    INSERT INTO leads (email) SELECT 'l' || i || '@a.example' FROM n
                    """)
            try tx.db.execute(
                sql: "INSERT INTO consents (lead_id, purpose, state) SELECT id, 'ads', 'granted' FROM leads")
        }
        let lines = try export(crm, "everybody").lines
        #expect(lines.count == 9001)
        #expect(Set(lines).count == 9001)
        #expect(lines.dropFirst().allSatisfy { $0.count == 64 })
    }

    // MARK: - Who is in it

    @Test func `nobody without consent, suppressed, excluded or without an address is in a file`() throws {
        let crm = try crm()
        try lead(crm, "yes@a.example", title: "Head")
        try lead(crm, "never@a.example", title: "Head", consents: [])
        try lead(crm, "other@a.example", title: "Head", consents: ["newsletter"])
        try lead(crm, "withdrawn@a.example", title: "Head")
        try lead(crm, "suppressed@a.example", title: "Head")
        try lead(crm, "customer@a.example", title: "Head", stage: "customer")
        try crm.capture(["phone": "+493012345678", "title": "Head"], consents: ["ads"])
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (4, 'ads', 'withdrawn')")
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('Suppressed@A.example', 'complained')")
        let file = try export(crm, "heads")
        #expect(file.note == "heads.csv: 1 of 7 members for linkedin.")
        #expect(file.lines.count == 2)
        #expect(try crm.rows("SELECT lead_id FROM audiences_receipts") == ["1"])
        #expect(
            try crm.run("audiences") == [
                "everybody|7|2|google, meta|", "heads|7|1|linkedin|2026-03-02 09:00:00.000", "customers|1|0||",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `another spelling of a suppressed mailbox is in no file`() throws {
        let crm = try crm()
        for email in ["a.nn+x@gmail.com", "ann+x@a.example", "a.nn@a.example"] { try lead(crm, email, title: "Head") }
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann@gmail.com', 'manual')")
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann+y@a.example', 'unsubscribed')")
        #expect(try export(crm, "heads").note == "heads.csv: 1 of 3 members for linkedin.")
        #expect(try crm.rows("SELECT lead_id FROM audiences_receipts") == ["3"])
    }

    @Test func `a receipt says who was in which file, and by which consent`() throws {
        let crm = try crm()
        for name in ["ann", "bob"] { try lead(crm, "\(name)@a.example") }
        try crm.foreign(
            "INSERT INTO consents (lead_id, purpose, state, at) VALUES (1, 'ads', 'granted', '2026-03-01 00:00:00.000')"
        )
        let before = try crm.lastEvent
        _ = try export(crm, "everybody", platform: "meta")
        crm.clock.advance(by: "1 day")
        _ = try export(crm, "everybody")
        #expect(
            try crm.rows("SELECT id, audience, platform, members, withheld, at FROM audiences_exports") == [
                "1|everybody|meta|2|{}|2026-03-02 09:00:00.000", "2|everybody|google|2|{}|2026-03-03 09:00:00.000",
            ])
        #expect(
            try crm.rows("SELECT export_id, lead_id, consent_id FROM audiences_receipts") == [
                "1|1|3", "1|2|2", "2|1|3", "2|2|2",
            ])
        #expect(try crm.events(after: before) == ["audience.exported", "audience.exported"])
        #expect(
            try crm.rows("SELECT body, origin FROM events WHERE id = \(before + 1)") == [
                #"{"audience":"everybody","members":2}|plugin:audiences"#
            ])
        #expect(try crm.troubles() == [])
    }

    private struct Guard: Plugin {
        static let name = "guard"
        static let summary = "Keeps some out of Meta's files."
        init(settings: NoSettings) {}

        @HookBuilder var hooks: [any Hook] {
            Filter("keep-out", AudienceMemberDraft.self) { draft, tx in
                guard draft.platform == "meta" else { return }
                let title = try String.fetchOne(
                    tx.db, sql: "SELECT title FROM leads WHERE id = ?", arguments: [draft.leadID])
                if title == "Minor" { throw Veto("under age") }
                if title == "Rival" { throw Veto("a competitor") }
            }
        }
    }

    @Test func `whom a filter refuses is left out and counted by the reason`() throws {
        let crm = try crm(plugins: [Guard.self])
        for (name, title) in [("ann", "Head"), ("bob", "Minor"), ("cleo", "Minor"), ("dan", "Rival")] {
            try lead(crm, "\(name)@a.example", title: title)
        }
        let file = try export(crm, "everybody", platform: "meta")
        #expect(file.lines.count == 2)
        #expect(
            file.note
                == "everybody.csv: 1 of 4 members for meta. Withheld by a filter: 1 × a competitor, 2 × under age.")
        #expect(
            try crm.rows(
                "SELECT members, json_extract(withheld, '$.\"under age\"'), json_extract(withheld, '$.\"a competitor\"') FROM audiences_exports"
            ) == ["1|2|1"])
        #expect(try crm.rows("SELECT lead_id FROM audiences_receipts") == ["1"])
        #expect(try export(crm, "everybody", platform: "google").lines.count == 5)
        #expect(try crm.troubles() == [])
    }

    @Test func `an audience or a platform that does not exist is refused with what was meant`() throws {
        let crm = try crm()
        #expect(throws: KernelError.usage("There is no audience 'everbody'. Did you mean 'everybody'?")) {
            try crm.run("audiences export", "everbody")
        }
        #expect(throws: KernelError.usage("There is no platform 'myspace'. There are: google, meta, linkedin.")) {
            try crm.run(
                "audiences export", "everybody", options: ["platform": "myspace", "output": crm.folder + "/x.csv"])
        }
    }

    // MARK: - Membership

    @Test func `members are noticed within a minute, with since and until, and may come back`() throws {
        let crm = try crm()
        try lead(crm, "ann@a.example", title: "Head")
        try crm.pump()
        let query =
            "SELECT lead_id, since, until FROM audiences_members WHERE audience = 'heads' ORDER BY since, lead_id"
        #expect(try crm.rows(query) == [])
        for (title, email) in [("Clerk", "bob@b.example"), ("Head", "cleo@c.example")] {
            crm.clock.advance(by: "60s")
            try crm.pump()
            try crm.foreign("UPDATE leads SET title = '\(title)' WHERE id = 1")
            try lead(crm, email, title: "Head")
            try crm.pump()
        }
        crm.clock.advance(by: "60s")
        try crm.pump()
        #expect(
            try crm.rows(query) == [
                "1|2026-03-02 09:01:00.000|2026-03-02 09:02:00.000", "2|2026-03-02 09:02:00.000|",
                "1|2026-03-02 09:03:00.000|", "3|2026-03-02 09:03:00.000|",
            ])
        #expect(try crm.rows("SELECT audiences FROM lead_cards WHERE id = 2") == ["everybody, heads"])
        #expect(try crm.troubles() == [])
    }

    @Test func `many changes in a minute make one appointment, and no change makes none`() throws {
        let crm = try crm()
        for number in 1...20 {
            try lead(crm, "l\(number)@a.example")
            try crm.pump()
        }
        #expect(
            try crm.rows("SELECT kind, due_at FROM scheduled_events") == [
                "audiences.refresh_due|2026-03-02 09:01:00.000"
            ])
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.events().count { $0 == "audiences.refresh_due" } == 1)
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
        #expect(
            try crm.rows("SELECT count(*) FROM audiences_members WHERE until IS NULL AND audience = 'everybody'") == [
                "20"
            ])
    }

    @Test func `a lead that is deleted leaves`() throws {
        let crm = try crm()
        try lead(crm, "ann@a.example")
        #expect(
            try crm.run("audiences refresh") == [
                "everybody|1|1|google, meta|", "heads|0|0|linkedin|", "customers|0|0||",
            ])
        try crm.foreign("DELETE FROM leads WHERE id = 1")
        crm.clock.advance(by: "1 day")
        try crm.run("audiences refresh")
        #expect(try crm.rows("SELECT audience, until FROM audiences_members") == ["everybody|2026-03-03 09:00:00.000"])
    }

    // MARK: - Config

    @Test func `what is wrong with an audience is named with its place`() throws {
        func problems(_ rules: String) throws -> [String] {
            do {
                _ = try crm(rules)
                return []
            } catch let problems as ConfigProblems {
                return problems.problems.map {
                    $0.description.replacing(#/^config.yaml:\d+:\d+: plugins.audiences./#, with: "")
                }
            }
        }
        #expect(
            try problems(#"all: {sql: "SELECT id FROM leads", platforms: [gogle], exclude: [nobody]}"#) == [
                "all.sql: the SELECT must have a column 'lead_id'; it has id.",
                "all.platforms.1: there is no platform 'gogle'. Did you mean 'google'? There are: google, meta, linkedin.",
                "all.exclude.1: there is no audience 'nobody'.",
            ])
        #expect(
            try problems(#"all: {sql: "DELETE FROM leads RETURNING id AS lead_id"}"#) == [
                "all.sql: only reads are allowed here."
            ])
        #expect(
            try problems(#"all: {sql: "SELECT id AS lead_id FROM lead"}"#).first?.hasPrefix(
                "all.sql: SQL: no such table: lead.") == true)
    }
}
