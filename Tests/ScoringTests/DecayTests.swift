import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// What time does to points.
@Suite struct DecayTests {
    private func crm(_ rules: String) throws -> TestKernel {
        try TestKernel(
            "activities: {demo.booked: {}, page.viewed: {}, mail.hated: {}}\nplugins: {scoring: {\(rules)}}",
            plugins: [Scoring.self])
    }

    private func score(_ crm: TestKernel) throws -> String {
        try crm.value("SELECT round(score, 3) FROM scoring_scores WHERE lead_id = 1") ?? "none"
    }

    private func standings(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id, threshold FROM scoring_standings ORDER BY 1, 2")
    }

    /// Lives on, an hour at a time.
    private func live(_ crm: TestKernel, days: Int) throws {
        for _ in 0..<(days * 24) {
            crm.clock.advance(by: "1 hour")
            try crm.pump()
        }
    }

    @Test(arguments: [
        ("half_life: 10 days", ["10 days": "50.0", "20 days": "25.0", "30 days": "12.5"]),
        ("fades: 20 days", ["0s": "100.0", "5 days": "75.0", "20 days": "0.0", "30 days": "0.0"]),
        ("lasts: 20 days", ["19 days": "100.0", "1727999s": "100.0", "20 days": "0.0", "30 days": "0.0"]),
    ])
    func `points are worth what their decay leaves of them`(_ decay: String, _ worth: [String: String]) throws {
        for (age, left) in worth {
            let crm = try crm(
                "engagement: {demo: {on: demo.booked, points: 100, \(decay)}, seen: {on: page.viewed, points: 1}}")
            try crm.capture(["email": "ann@a.example"])
            try crm.record("demo.booked", lead: 1)
            crm.clock.advance(by: age)
            try crm.record("page.viewed", lead: 1)
            try crm.pump()
            let total = try #require(Double(left)) + 1
            #expect(try score(crm) == "\(total)", "after \(age)")
            #expect(try crm.troubles() == [])
        }
    }

    @Test func `time alone takes a lead under a threshold, which is a fact, and new points over it again`() throws {
        let crm = try crm(
            "engagement: {demo: {on: demo.booked, points: 60, half_life: 10 days}}, thresholds: {mql: {score: 50, hysteresis: 10}}"
        )
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try standings(crm) == ["1|mql"])
        // 60 points are 40 after 5.85 days.
        try live(crm, days: 5)
        #expect(try standings(crm) == ["1|mql"])
        try live(crm, days: 1)
        #expect(try standings(crm) == [])
        #expect(
            try crm.rows("SELECT lead_id, body FROM events WHERE kind = 'score.fell'") == [
                #"1|{"threshold":"mql","model":"main"}"#
            ])
        let fell = try #require(try crm.value("SELECT at FROM events WHERE kind = 'score.fell'"))
        #expect(fell > "2026-03-08 05:00:00" && fell < "2026-03-08 07:00:00", "\(fell)")
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try standings(crm) == ["1|mql"])
        #expect(try crm.rows("SELECT stage FROM leads") == ["mql"])
        #expect(try crm.troubles() == [])
    }

    @Test func `time alone takes a lead over a threshold when what it is blamed for fades`() throws {
        let crm = try crm(
            """
            engagement: {demo: {on: demo.booked, points: 60}, hated: {on: mail.hated, points: -40, fades: 8 days}}, thresholds: {mql: {score: 50}}
            """)
        try crm.capture(["email": "ann@a.example"])
        try crm.record("mail.hated", lead: 1)
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
        // Of the 40, 10 are left after six days.
        try live(crm, days: 5)
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
        try live(crm, days: 2)
        #expect(try crm.rows("SELECT stage FROM leads") == ["mql"])
        #expect(try crm.troubles() == [])
    }

    @Test func `an end of points is noticed when it comes`() throws {
        let crm = try crm(
            "engagement: {demo: {on: demo.booked, points: 60, lasts: 3 days}}, thresholds: {mql: {engagement: 50}}")
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try standings(crm) == ["1|mql"])
        try live(crm, days: 4)
        #expect(try standings(crm) == [])
        #expect(try score(crm) == "0.0")
    }

    // MARK: - Idleness

    private static let idle =
        "idle_after: 10 days, engagement: {demo: {on: demo.booked, points: 60}, seen: {on: page.viewed, points: 8, half_life: 5 days}}, thresholds: {mql: {score: 50}}"

    @Test func `who does nothing for so long has nothing left, by entries that say so`() throws {
        let crm = try crm(Self.idle)
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1)
        try crm.record("page.viewed", lead: 1)
        try crm.pump()
        try live(crm, days: 11)
        #expect(try score(crm) == "0.0")
        #expect(try standings(crm) == [])
        #expect(
            try crm.rows("SELECT rule, points FROM scoring_entries ORDER BY id") == [
                "demo|60", "seen|8", "(idle)|-60", "(idle)|-8",
            ])
        try live(crm, days: 30)
        #expect(try crm.rows("SELECT count(*) FROM scoring_entries") == ["4"])
        try crm.record("page.viewed", lead: 1)
        try crm.pump()
        #expect(try score(crm) == "8.0")
        #expect(try crm.troubles() == [])
    }

    @Test func `points that add up to nothing are taken back too, for half of them fade`() throws {
        let crm = try crm(
            "idle_after: 10 days, engagement: {seen: {on: page.viewed, points: 30}, hated: {on: mail.hated, points: -30, half_life: 5 days}}"
        )
        try crm.capture(["email": "ann@a.example"])
        try crm.record("page.viewed", lead: 1)
        try crm.record("mail.hated", lead: 1)
        try crm.pump()
        #expect(try score(crm) == "0.0")
        try live(crm, days: 11)
        #expect(try crm.rows("SELECT abs(score) < 0.001 FROM scoring_scores") == ["1"])
        #expect(
            try crm.rows("SELECT rule, points FROM scoring_entries ORDER BY id LIMIT 4").sorted() == [
                "(idle)|-30", "(idle)|30", "hated|-30", "seen|30",
            ])
        // And once: there is nothing left to look at.
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a replayed log finds the same idle times`() throws {
        let crm = try crm(Self.idle)
        try crm.capture(["email": "ann@a.example"])
        for days in [0, 4, 12, 3, 25, 1] {
            try live(crm, days: days)
            try crm.record("demo.booked", lead: 1)
            try crm.record("page.viewed", lead: 1)
            try crm.pump()
        }
        let before = try score(crm)
        #expect(Double(before).map { $0 > 120 && $0 < 140 } == true, "\(before)")
        _ = try Rebuild(crm.kernel).run("scoring")
        #expect(try score(crm) == before)
        #expect(try crm.troubles() == [])
    }

    @Test func `time makes no appointments where it changes nothing`() throws {
        let crm = try crm("engagement: {demo: {on: demo.booked, points: 60, half_life: 9 days}}")
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
        let still = try self.crm("engagement: {demo: {on: demo.booked, points: 60}}, thresholds: {mql: {score: 50}}")
        try still.capture(["email": "ann@a.example"])
        try still.record("demo.booked", lead: 1)
        try still.pump()
        #expect(try still.rows("SELECT count(*) FROM scheduled_events") == ["0"])
    }
}
