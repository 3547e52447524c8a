import AudienceExport
import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@Suite struct ExportTests {
    private static let rules = """
        everybody: {sql: "SELECT id AS lead_id FROM leads", platforms: [google, meta]}
        heads: {sql: "SELECT id AS lead_id FROM leads WHERE title = 'Head'", platforms: [linkedin], exclude: [customers]}
        customers: {sql: "SELECT id AS lead_id FROM leads WHERE stage = 'customer'", consent: newsletter}
        """

    private func crm(_ rules: String = ExportTests.rules, plugins: [any Plugin.Type] = []) throws -> TestKernel {
        try AudienceSite.crm(rules, plugins: plugins)
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
        try crm.lead(email)
        let file = try crm.export("everybody", platform: platform)
        #expect(file.lines == [platform == "google" ? "Email" : "email", hash])
        #expect(
            file.note
                == "everybody.csv: 1 of 1 members for \(platform). When \(platform) has taken it: trellis audiences accept 1"
        )
    }

    @Test func `dots and plus signs count everywhere but at Gmail, and there for Google alone`() throws {
        let crm = try crm()
        let emails = ["a.b+c@gmail.com", "a.b+c@googlemail.com", "a.b+c@example.com"]
        for email in emails { try crm.lead(email) }
        let (google, meta) = (
            try crm.export("everybody", platform: "google").lines, try crm.export("everybody", platform: "meta").lines
        )
        #expect(google[3] == meta[3])
        #expect(google[1] != meta[1] && google[2] != meta[2])
        #expect(Set(google).count == 4)
    }

    @Test func `the file is its owner's alone, complete or not there, and replaces the one before`() throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        for count in 1...2 {
            #expect(try crm.export("everybody").lines.count == count + 1)
            let mode =
                try FileManager.default.attributesOfItem(atPath: crm.folder + "/everybody.csv")[.posixPermissions]
                as? Int
            #expect(mode == 0o600)
            try crm.lead("bob@b.example")
        }
        #expect(try !FileManager.default.contentsOfDirectory(atPath: crm.folder).contains { $0.hasSuffix(".part") })
        #expect(throws: KernelError.folderMissing(crm.folder + "/nowhere")) {
            try crm.run(
                "audiences export", "everybody", options: ["output": crm.folder + "/nowhere/x.csv", "anyway": "true"])
        }
        #expect(try crm.rows("SELECT count(*) FROM audiences_exports") == ["2"])
        #expect(try crm.troubles() == [])
    }

    @Test func `an export that cannot be finished leaves no file and no row`() throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        let path = crm.folder + "/taken.csv"
        try FileManager.default.createDirectory(atPath: path + "/full", withIntermediateDirectories: true)
        #expect(throws: (any Error).self) {
            try crm.run("audiences export", "everybody", options: ["output": path, "anyway": "true"])
        }
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
        let lines = try crm.export("everybody").lines
        #expect(lines.count == 9001)
        #expect(Set(lines).count == 9001)
        #expect(lines.dropFirst().allSatisfy { $0.count == 64 })
    }

    // MARK: - Who is in it

    @Test func `nobody without consent, suppressed, excluded or without an address is in a file`() throws {
        let crm = try crm()
        try crm.lead("yes@a.example", title: "Head")
        try crm.lead("never@a.example", title: "Head", consents: [])
        try crm.lead("other@a.example", title: "Head", consents: ["newsletter"])
        try crm.lead("withdrawn@a.example", title: "Head")
        try crm.lead("suppressed@a.example", title: "Head")
        try crm.lead("customer@a.example", title: "Head", stage: "customer")
        try crm.capture(["phone": "+493012345678", "title": "Head"], consents: ["ads"])
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (4, 'ads', 'withdrawn')")
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('Suppressed@A.example', 'complained')")
        let file = try crm.export("heads")
        #expect(file.note.hasPrefix("heads.csv: 1 of 7 members for linkedin."))
        #expect(
            file.note.contains(
                "Withheld: 1 × excluded by customers, 1 × no address, 1 × suppressed, 3 × without consent."))
        #expect(file.lines.count == 2)
        #expect(try crm.rows("SELECT lead_id FROM audiences_receipts") == ["1"])
        #expect(
            try crm.run("audiences") == [
                "everybody|7|2|google, meta|||", "heads|7|1|linkedin|2026-03-02 09:00:00.000||", "customers|1|0||||",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `another spelling of a suppressed mailbox is in no file`() throws {
        let crm = try crm()
        for email in ["a.nn+x@gmail.com", "ann+x@a.example", "a.nn@a.example"] { try crm.lead(email, title: "Head") }
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann@gmail.com', 'manual')")
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann+y@a.example', 'unsubscribed')")
        #expect(try crm.export("heads").note.hasPrefix("heads.csv: 1 of 3 members for linkedin."))
        #expect(try crm.rows("SELECT lead_id FROM audiences_receipts") == ["3"])
    }

    @Test func `a receipt says who was in which file, and by which consent`() throws {
        let crm = try crm()
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example") }
        try crm.foreign(
            "INSERT INTO consents (lead_id, purpose, state, at) VALUES (1, 'ads', 'granted', '2026-03-01 00:00:00.000')"
        )
        let before = try crm.lastEvent
        _ = try crm.export("everybody", platform: "meta")
        crm.clock.advance(by: "1 day")
        _ = try crm.export("everybody")
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
                #"{"audience":"everybody","members":2,"platform":"meta","export":1,"removals":0}|plugin:audiences"#
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `whom a filter refuses is left out and counted by the reason`() throws {
        let crm = try crm(plugins: [Guard.self])
        for (name, title) in [("ann", "Head"), ("bob", "Minor"), ("cleo", "Minor"), ("dan", "Rival")] {
            try crm.lead("\(name)@a.example", title: title)
        }
        let file = try crm.export("everybody", platform: "meta")
        #expect(file.lines.count == 2)
        #expect(
            file.note
                == "everybody.csv: 1 of 4 members for meta. Withheld: 1 × a competitor, 2 × under age. When meta has taken it: trellis audiences accept 1"
        )
        #expect(
            try crm.rows(
                "SELECT members, json_extract(withheld, '$.\"under age\"'), json_extract(withheld, '$.\"a competitor\"') FROM audiences_exports"
            ) == ["1|2|1"])
        #expect(try crm.rows("SELECT lead_id FROM audiences_receipts") == ["1"])
        #expect(try crm.export("everybody", platform: "google").lines.count == 5)
        #expect(try crm.troubles() == [])
    }

    @Test func `an audience or a platform that does not exist is refused with what was meant`() throws {
        let crm = try crm()
        #expect(throws: KernelError.usage("There is no audience 'everbody'. Did you mean 'everybody'?")) {
            try crm.run("audiences export", "everbody")
        }
        #expect(
            throws: KernelError.usage(
                "There is no platform 'myspace'. There are: google, meta, linkedin, linkedin_companies, tiktok, microsoft, x."
            )
        ) {
            try crm.run(
                "audiences export", "everybody", options: ["platform": "myspace", "output": crm.folder + "/x.csv"])
        }
    }
}
