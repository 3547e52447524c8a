import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct ConversionsTests {
    /// Three leads from ads; the second never agreed, the third came by another ad.
    private func crm(at stage: String = "mql", plugins: [any Plugin.Type] = []) throws -> TestKernel {
        let crm = try AudienceSite.crm("all: {sql: SELECT id AS lead_id FROM leads}", plugins: plugins)
        for (name, consents) in [("ann", ["ads"]), ("bob", []), ("cleo", ["ads"])] {
            try crm.lead("\(name)@a.example", consents: consents)
        }
        try crm.kernel.write(origin: "cli") { tx in
            for (lead, kind, click) in [
                (1, "gclid", "=G1"), (2, "gclid", "G2"), (3, "fbclid", "F3"), (1, "msclkid", "M1"), (1, "ttclid", "T1"),
                (1, "li_fat_id", "L1"),
            ] {
                try tx.db.execute(
                    sql:
                        "INSERT INTO touches (lead_id, at, kind, click_id_kind, click_id) VALUES (?, '2026-03-02 08:00:00.000', 'form', ?, ?)",
                    arguments: [lead, kind, click])
            }
            try tx.db.execute(
                sql:
                    "INSERT INTO opportunities (name, lead_id, stage, amount, currency) VALUES ('deal', 1, 'won', 1234.5, 'USD')"
            )
        }
        crm.clock.advance(by: "1 hour")
        try crm.kernel.write(origin: "cli") { try $0.moveStage(to: stage, leads: "SELECT id FROM leads") }
        return crm
    }

    private func file(_ crm: TestKernel, _ platform: String) throws -> [String] {
        let path = crm.folder + "/conversions.csv"
        _ = try crm.run("audiences conversions", options: ["platform": platform, "output": path])
        return crm.lines(of: path)
    }

    @Test(arguments: [
        (
            "google",
            [
                "Parameters:TimeZone=+0000",
                "Google Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency",
                "'=G1,mql,2026-03-02 10:00:00,,",
            ]
        ),
        (
            "microsoft",
            [
                "Parameters:TimeZone=+0000",
                "Microsoft Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency",
                "M1,mql,2026-03-02 10:00:00,,",
            ]
        ),
        ("meta", ["event_name,event_time,fbc,value,currency", "mql,1772445600,fb.1.1772438400000.F3,,"]),
        ("tiktok", ["event,event_time,ttclid,value,currency", "mql,1772445600,T1,,"]),
        (
            "linkedin",
            [
                "email,timestamp,eventtype,amount,currency",
                "\(Digest.hex("ann@a.example")),1772445600000,QUALIFIED_LEAD,1,USD",
            ]
        ),
    ])
    func `each platform hears of its own clicks, of those who agreed`(_ platform: String, _ lines: [String]) throws {
        #expect(try file(crm(), platform) == lines)
    }

    @Test func `what was won counts, in one currency, and what was lost does not`() throws {
        let crm = try crm(at: "customer")
        try crm.foreign("UPDATE opportunities SET closed_at = '2026-02-01 09:00:00.000'")
        try crm.foreign(
            """
            INSERT INTO opportunities (name, lead_id, stage, amount, currency, closed_at) VALUES
                ('lost', 1, 'lost', 1000, 'EUR', '2026-02-03 09:00:00.000'), ('open', 1, 'new', 700, 'USD', NULL),
                ('first', 1, 'won', 20, 'EUR', '2026-01-02 09:00:00.000'),
                ('again', 1, 'won', 500, 'USD', '2026-01-02 09:00:00.000'),
                ('lost', 3, 'lost', 9, 'EUR', '2026-02-03 09:00:00.000')
            """)
        #expect(try file(crm, "google").last == "'=G1,customer,2026-03-02 10:00:00,1734.50,USD")
        #expect(try file(crm, "meta").last == "customer,1772445600,fb.1.1772438400000.F3,,")
    }

    @Test func `what was won stands beside the purchase alone, and once`() throws {
        let crm = try crm()
        for stage in ["sql", "customer"] {
            try crm.kernel.write(origin: "cli") { try $0.moveStage(to: stage, leads: "SELECT id FROM leads") }
        }
        for stage in ["recycled", "sql", "customer"] {
            try crm.kernel.write(origin: "cli") {
                try $0.db.execute(sql: "UPDATE leads SET stage = ? WHERE id = 1", arguments: [stage])
            }
        }
        #expect(
            try file(crm, "google").dropFirst(2).map { $0.split(separator: ",", omittingEmptySubsequences: false) }
                .map { "\($0[1]) \($0[3])" } == ["mql ", "sql ", "customer 1234.50", "sql ", "customer "])
        #expect(
            try file(crm, "linkedin").dropFirst().map { $0.split(separator: ",") }.map { "\($0[2]) \($0[3])" } == [
                "QUALIFIED_LEAD 1", "QUALIFIED_LEAD 1", "PURCHASE 1234.50", "QUALIFIED_LEAD 1", "PURCHASE 1",
            ])
    }

    @Test func `a filter keeps people out of conversions and seeds too, and it is counted`() throws {
        let crm = try crm(at: "customer", plugins: [Guard.self])
        try crm.foreign("UPDATE leads SET title = 'Rival' WHERE id = 3")
        try crm.foreign("INSERT INTO opportunities (name, lead_id, stage, amount) VALUES ('deal', 3, 'won', 9000)")
        #expect(try file(crm, "meta") == ["event_name,event_time,fbc,value,currency"])
        #expect(
            try crm.rows("SELECT members, rows, withheld FROM audiences_exports") == [#"0|0|{"a competitor":1}"#])
        #expect(try crm.rows("SELECT count(*) FROM audiences_conversions") == ["0"])
        let path = crm.folder + "/seed.csv"
        _ = try crm.run("audiences seed", "all", options: ["output": path, "anyway": "true"])
        #expect(crm.lines(of: path) == ["email,value", "\(Digest.hex("ann@a.example")),1234.50"])
        #expect(try crm.rows("SELECT lead_id FROM audiences_receipts WHERE export_id = 2") == ["1"])
    }

    @Test func `a seed by which nobody is found is refused`() throws {
        let crm = try crm()
        let path = crm.folder + "/seed.csv"
        #expect(
            throws: KernelError.data(
                "all has 1 members with a value who may be in a file, and meta finds nobody by fewer than 100. Wait until there are more, or add --anyway."
            )
        ) { try crm.run("audiences seed", "all", options: ["output": path]) }
        #expect(crm.lines(of: path) == [] && crm.lines(of: path + ".part") == [])
        #expect(try crm.rows("SELECT count(*) FROM audiences_exports") == ["0"])
    }

    @Test func `a conversion is reported once to each platform, with a receipt`() throws {
        let crm = try crm()
        #expect(try file(crm, "google").count == 3)
        #expect(try file(crm, "google").count == 2)
        #expect(try file(crm, "microsoft").count == 3)
        try crm.kernel.write(origin: "cli") { try $0.moveStage(to: "customer", leads: "SELECT id FROM leads") }
        #expect(try file(crm, "google").last == "'=G1,customer,2026-03-02 10:00:00,1234.50,USD")
        #expect(
            try crm.rows("SELECT export_id, lead_id, consent_id FROM audiences_receipts") == [
                "1|1|1", "3|1|1", "4|1|1",
            ])
        #expect(
            try crm.rows("SELECT id, kind, members FROM audiences_exports WHERE id < 3") == [
                "1|conversions|1", "2|conversions|0",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `of several clicks the newest counts, whichever the log learnt last`() throws {
        let crm = try crm()
        try crm.foreign(
            "INSERT INTO touches (lead_id, at, kind, click_id_kind, click_id) VALUES (1, '2026-03-01 08:00:00.000', 'view', 'gclid', 'G0')"
        )
        #expect(try file(crm, "google").last == "'=G1,mql,2026-03-02 10:00:00,,")
    }

    @Test func `old clicks, suppressed people and stages nobody asked for are left out`() throws {
        let crm = try crm()
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann@a.example', 'unsubscribed')")
        #expect(try file(crm, "google").count == 2)
        try crm.foreign("DELETE FROM suppressions")
        try crm.foreign("UPDATE touches SET at = '2025-11-01 08:00:00.000'")
        #expect(try file(crm, "google").count == 2)
        #expect(throws: KernelError.usage("There is no stage 'mqll'. Did you mean 'mql'?")) {
            try crm.run("audiences conversions", options: ["platform": "google", "stages": "mqll"])
        }
        #expect(
            throws: KernelError.usage(
                "x takes no file of conversions. These do: google, linkedin, meta, microsoft, tiktok.")
        ) {
            try crm.run("audiences conversions", options: ["platform": "x", "output": crm.folder + "/x.csv"])
        }
    }

    @Test func `a seed has what each is worth, the best first`() throws {
        let crm = try crm()
        try crm.foreign(
            "INSERT INTO opportunities (name, lead_id, stage, amount) VALUES ('deal', 3, 'won', 9000), ('lost', 2, 'lost', 5)"
        )
        let path = crm.folder + "/seed.csv"
        #expect(
            try crm.run("audiences seed", "all", options: ["output": path, "anyway": "true"]) == [
                "\(path): 2 leads with a value, for meta."
            ])
        #expect(
            crm.lines(of: path) == [
                "email,value", "\(Digest.hex("cleo@a.example")),9000.00", "\(Digest.hex("ann@a.example")),1234.50",
            ])
        #expect(throws: KernelError.usage("google takes no values. These do: meta.")) {
            try crm.run("audiences seed", "all", options: ["platform": "google", "output": path])
        }
        #expect(try crm.troubles() == [])
    }
}
