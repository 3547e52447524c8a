import Scoring
import Testing
import TrellisKernel
import TrellisTesting

@Suite struct LedgerTests {
    private func crm(_ rules: String, activities: String = "webinar.attended: {minutes: integer, country: text}") throws
        -> TestKernel
    {
        try TestKernel("activities: {\(activities)}\nplugins: {scoring: {\(rules)}}", plugins: [Scoring.self])
    }

    private func entries(_ crm: TestKernel, of lead: Int64? = nil) throws -> [String] {
        try crm.rows(
            "SELECT rule, points FROM scoring_entries \(lead.map { "WHERE lead_id = \($0)" } ?? "") ORDER BY id")
    }

    private func total(_ crm: TestKernel, of lead: Int64 = 1) throws -> String? {
        try crm.value("SELECT fit, engagement, score FROM scoring_scores WHERE lead_id = \(lead)")
    }

    // MARK: - Fit

    private static let head =
        #"fit: {head: {when: "title LIKE 'Head%'", points: 20}, german: {when: "country = 'DE'", points: 5}}"#

    @Test func `a new lead gets the points of every fit rule that holds`() throws {
        let crm = try crm(Self.head)
        let ann = try crm.capture(["email": "ann@a.example", "title": "Head of Sales", "country": "DE"])
        let bob = try crm.capture(["email": "bob@b.example", "title": "Clerk", "country": "DE"])
        let cleo = try crm.capture(["email": "cleo@c.example"])
        try crm.pump()
        #expect(try entries(crm, of: ann) == ["head|20", "german|5"])
        #expect(try entries(crm, of: bob) == ["german|5"])
        #expect(try entries(crm, of: cleo) == [])
        #expect(try total(crm) == "25|0.0|25.0")
        #expect(try crm.events() == ["lead.created", "lead.created", "lead.created"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a change is weighed again, and what no longer holds is taken back by a row of its own`() throws {
        let crm = try crm(Self.head)
        try crm.capture(["email": "ann@a.example", "title": "Head of Sales"])
        try crm.pump()
        try crm.foreign("UPDATE leads SET title = 'Clerk', country = 'DE' WHERE id = 1")
        try crm.pump()
        #expect(try entries(crm) == ["head|20", "head|-20", "german|5"])
        #expect(
            try crm.rows(
                "SELECT e.points, v.kind FROM scoring_entries AS e JOIN events AS v ON v.id = e.event_id ORDER BY e.id")
                == [
                    "20|lead.created", "-20|lead.updated", "5|lead.updated",
                ])
        #expect(try total(crm) == "5|0.0|5.0")
        try crm.foreign("UPDATE leads SET title = 'Head of IT' WHERE id = 1")
        try crm.pump()
        #expect(try total(crm) == "25|0.0|25.0")
        #expect(try crm.troubles() == [])
    }

    @Test func `a change that makes no difference writes no row`() throws {
        let crm = try crm(Self.head)
        try crm.capture(["email": "ann@a.example", "title": "Head of Sales"])
        try crm.pump()
        try crm.foreign("UPDATE leads SET title = 'Head of IT' WHERE id = 1")
        try crm.foreign("UPDATE leads SET city = 'Kiel' WHERE id = 1")
        try crm.pump()
        #expect(try entries(crm) == ["head|20"])
    }

    @Test func `a lead made and changed before it is looked at counts once`() throws {
        let crm = try crm(Self.head)
        try crm.capture(["email": "ann@a.example", "title": "Clerk"])
        for title in ["Head of IT", "Clerk", "Head of Sales"] {
            try crm.foreign("UPDATE leads SET title = '\(title)' WHERE id = 1")
        }
        try crm.pump()
        #expect(try entries(crm) == ["head|20"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a rule whose points were changed in the config is brought to them when the lead next changes`() throws {
        let crm = try crm(Self.head)
        try crm.capture(["email": "ann@a.example", "title": "Head of Sales"])
        try crm.pump()
        let again = try crm.reopened("plugins: {scoring: {fit: {head: {when: \"title LIKE 'Head%'\", points: 30}}}}")
        try again.foreign("UPDATE leads SET city = 'Kiel' WHERE id = 1")
        try again.pump()
        #expect(try entries(again) == ["head|20", "head|10"])
        #expect(try total(again) == "30|0.0|30.0")
    }

    @Test func `a lead that was deleted and restored has what it had`() throws {
        let crm = try crm(Self.head)
        try crm.capture(["email": "ann@a.example", "title": "Head of Sales"])
        try crm.pump()
        try crm.foreign("DELETE FROM leads WHERE id = 1")
        try crm.pump()
        #expect(try Trash.restore(crm.kernel) == 1)
        try crm.pump()
        #expect(try entries(crm) == ["head|20"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead that a client put in its own place is weighed again, and counts once`() throws {
        let crm = try crm(Self.head)
        try crm.capture(["email": "ann@a.example", "title": "Head of Sales"])
        try crm.pump()
        try crm.foreign(
            "REPLACE INTO leads (id, email, title, country) VALUES (1, 'ann@a.example', 'Head of IT', 'DE')")
        try crm.pump()
        #expect(try total(crm) == "25|0.0|25.0")
        try crm.foreign("REPLACE INTO leads (id, email, title) VALUES (1, 'ann@a.example', 'Clerk')")
        try crm.foreign("REPLACE INTO leads (id, email, country) VALUES (1, 'ann@a.example', 'DE')")
        try crm.pump()
        #expect(try total(crm) == "5|0.0|5.0")
        #expect(try crm.troubles() == [])
    }

    @Test func `of a hundred and thirty rules each is told apart`() throws {
        let rules = (0..<130).map { "r\($0): {when: \"employees % 131 = \($0) OR city = 'all'\", points: \($0 + 1)}" }
        let crm = try crm("fit: {\(rules.joined(separator: ", "))}")
        for employees in 0..<131 { try crm.capture(["email": "l\(employees)@a.example", "employees": "\(employees)"]) }
        let all = try crm.capture(["email": "all@a.example", "city": "all"])
        try crm.pump()
        #expect(
            try crm.value(
                """
                SELECT count(*) FROM leads AS l JOIN scoring_scores AS s ON s.lead_id = l.id
                JOIN scoring_entries AS e ON e.lead_id = l.id
                WHERE e.rule = 'r' || l.employees AND e.points = l.employees + 1 AND s.score = e.points
                """) == "130")
        #expect(try crm.value("SELECT count(*) FROM scoring_entries") == "260")
        #expect(try total(crm, of: all) == "8515|0.0|8515.0")
        #expect(try crm.troubles() == [])
    }

    @Test func `a rule with quotes in its name is a rule like any other`() throws {
        let crm = try crm(
            #"fit: {"it's a \"head\"": {when: "title = 'Head'", points: 20}}, engagement: {"ann's; DROP TABLE leads": {on: webinar.attended, points: 3, at_most: 1 per day}}"#
        )
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        try crm.record("webinar.attended", lead: 1)
        try crm.pump()
        #expect(try entries(crm) == ["it's a \"head\"|20", "ann's; DROP TABLE leads|3"])
        #expect(
            try crm.run("scoring explain", "1").last
                == "23 (fit 20, engagement 3): it's a \"head\" +20, ann's; DROP TABLE leads +3")
        #expect(try crm.troubles() == [])
    }

    // MARK: - Engagement

    @Test func `a condition sees the fields of the event and the columns of the lead`() throws {
        let crm = try crm(
            #"engagement: {long: {on: webinar.attended, where: "minutes >= 30 AND title = 'Head'", points: 10}, abroad: {on: webinar.attended, where: "event.country <> leads.country", points: 1}}"#
        )
        let ann = try crm.capture(["email": "ann@a.example", "title": "Head", "country": "DE"])
        let bob = try crm.capture(["email": "bob@b.example", "title": "Clerk", "country": "DE"])
        try crm.record("webinar.attended", lead: ann, ["minutes": "45", "country": "FR"])
        try crm.record("webinar.attended", lead: ann, ["minutes": "5", "country": "DE"])
        try crm.record("webinar.attended", lead: bob, ["minutes": "45"])
        try crm.pump()
        #expect(try entries(crm, of: ann) == ["long|10", "abroad|1"])
        #expect(try entries(crm, of: bob) == [])
    }

    @Test func `without a limit every event counts`() throws {
        let crm = try crm("engagement: {seen: {on: webinar.attended, points: 3}}")
        try crm.capture(["email": "ann@a.example"])
        for _ in 1...4 { try crm.record("webinar.attended", lead: 1) }
        try crm.pump()
        #expect(try total(crm) == "0|12.0|12.0")
        #expect(try crm.troubles() == [])
    }

    @Test func `points may be taken away`() throws {
        let crm = try crm("engagement: {left: {on: lead.unsubscribed, points: -40}}")
        try crm.capture(["email": "ann@a.example"])
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann@a.example', 'unsubscribed')")
        try crm.pump()
        #expect(try total(crm) == "0|-40.0|-40.0")
    }

    @Test(arguments: [true, false])
    func `a cap of two a day counts the third not at all`(_ isOneBatch: Bool) throws {
        let crm = try crm("engagement: {seen: {on: webinar.attended, points: 3, at_most: 2 per day}}")
        let (ann, bob) = (try crm.capture(["email": "ann@a.example"]), try crm.capture(["email": "bob@b.example"]))
        for _ in 1...3 {
            for lead in [ann, bob] { try crm.record("webinar.attended", lead: lead) }
            if !isOneBatch { try crm.pump() }
        }
        try crm.pump()
        #expect(try entries(crm, of: ann) == ["seen|3", "seen|3"])
        #expect(try entries(crm, of: bob) == ["seen|3", "seen|3"])
        crm.clock.set("2026-03-02 23:59:59")
        try crm.record("webinar.attended", lead: ann)
        crm.clock.advance(by: "1s")
        try crm.record("webinar.attended", lead: ann)
        try crm.pump()
        #expect(try total(crm, of: ann) == "0|9.0|9.0")
        #expect(try crm.troubles() == [])
    }

    /// The second of March 2026 is a Monday.
    @Test(arguments: [
        ("week", "2026-03-08 23:00", "2026-03-09 01:00"), ("month", "2026-03-31 23:00", "2026-04-01 01:00"),
    ])
    func `a cap of a period begins anew with the next calendar one`(_ period: String, _ within: String, _ next: String)
        throws
    {
        let crm = try crm("engagement: {seen: {on: webinar.attended, points: 3, at_most: 1 per \(period)}}")
        try crm.capture(["email": "ann@a.example"])
        for (time, sum) in [("2026-03-02 09:00", "3.0"), (within, "3.0"), (next, "6.0")] {
            crm.clock.set(time)
            try crm.record("webinar.attended", lead: 1)
            try crm.pump()
            #expect(try crm.value("SELECT score FROM scoring_scores") == sum, "\(time)")
        }
    }

    /// The fifth of January 2026 is a Monday.
    @Test func `a week is whole at New Year`() throws {
        let crm = try crm("engagement: {seen: {on: webinar.attended, points: 3, at_most: 1 per week}}")
        try crm.capture(["email": "ann@a.example"])
        for (day, sum) in [
            ("2025-12-28", "3.0"), ("2025-12-29", "6.0"), ("2026-01-02", "6.0"), ("2026-01-04", "6.0"),
            ("2026-01-05", "9.0"),
        ] {
            try crm.record("webinar.attended", lead: 1, at: "\(day) 12:00")
            try crm.pump()
            #expect(try crm.value("SELECT score FROM scoring_scores") == sum, "\(day)")
        }
    }

    @Test func `a cap counts by the day of the event, also when it is told later`() throws {
        let crm = try crm("engagement: {seen: {on: webinar.attended, points: 3, at_most: 1 per day}}")
        try crm.capture(["email": "ann@a.example"])
        for day in ["2026-02-01", "2026-02-01", "2026-02-02"] { try crm.record("webinar.attended", lead: 1, at: day) }
        try crm.pump()
        #expect(try crm.rows("SELECT date(at) FROM scoring_entries") == ["2026-02-01", "2026-02-02"])
    }

    @Test(arguments: [true, false])
    func `once is once for ever`(_ isOneBatch: Bool) throws {
        let crm = try crm("engagement: {seen: {on: webinar.attended, points: 3, once: true}}")
        try crm.capture(["email": "ann@a.example"])
        for _ in 1...3 {
            try crm.record("webinar.attended", lead: 1)
            if !isOneBatch { try crm.pump() }
            crm.clock.advance(by: "400 days")
        }
        try crm.pump()
        #expect(try entries(crm) == ["seen|3"])
    }

    @Test func `a half-life counts from the event, not from when it was heard of`() throws {
        let crm = try crm(
            "engagement: {seen: {on: webinar.attended, points: 40, half_life: 14 days}, stays: {on: webinar.attended, points: 1}}"
        )
        try crm.capture(["email": "ann@a.example"])
        try crm.record("webinar.attended", lead: 1, at: "2026-02-16 09:00")
        try crm.pump()
        // A total is as of the moment the log has come to, and brought up to date by the next event of the lead.
        let score = try crm.value("SELECT round(engagement, 6), round(score, 6), decays, as_of FROM scoring_scores")
        #expect(score == "21.0|21.0|1|2026-03-02 09:00:00.000")
        crm.clock.advance(by: "14 days")
        try crm.record("webinar.attended", lead: 1)
        try crm.pump()
        #expect(try crm.value("SELECT round(score, 6) FROM scoring_scores") == "52.0")
        #expect(try crm.rows("SELECT points FROM scoring_entries WHERE rule = 'seen'") == ["40", "40"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the total of many leads equals their ledger, however they came`() throws {
        let crm = try crm(
            Self.head
                + ", engagement: {seen: {on: webinar.attended, points: 3, at_most: 2 per day}, form: {on: lead.updated, points: 1}}"
        )
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
                    INSERT INTO leads (email, title, country) SELECT 'l' || i || '@a.example', CASE i % 3 WHEN 0 THEN 'Head' END, CASE i % 2 WHEN 0 THEN 'DE' END FROM n
                    """)
            try tx.db.execute(
                sql:
                    "INSERT INTO events (kind, lead_id, origin, at) SELECT 'webinar.attended', id, 'cli', ? FROM leads, (VALUES (1), (2), (3)) WHERE id % 5 = 0",
                arguments: [tx.stamp])
            try tx.db.execute(sql: "UPDATE leads SET title = 'Head' WHERE id % 7 = 0")
        }
        try crm.pump()
        let expected = try crm.rows(
            """
            SELECT id, (title = 'Head') * 20 + coalesce(country = 'DE', 0) * 5 + (id % 5 = 0) * 6 + (id % 7 = 0 AND id % 3 <> 0) FROM leads
            WHERE title IS NOT NULL OR country IS NOT NULL OR id % 5 = 0
            """.replacing("(title = 'Head')", with: "coalesce(title = 'Head', 0)"))
        #expect(try crm.rows("SELECT lead_id, CAST(score AS INTEGER) FROM scoring_scores ORDER BY lead_id") == expected)
        #expect(try crm.troubles() == [])
    }
}
