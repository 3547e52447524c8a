import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// A replay of the log gives the same rows, and hands no lead over for what it was once.
@Suite struct ReplayTests {
    private static func rules(mql: Int) -> String {
        """
        activities: {demo.booked: {}, page.viewed: {}}
        plugins:
          scoring:
            fit: {head: {when: "title = 'Head'", points: 20}}
            engagement:
              demo: {on: demo.booked, points: 40, half_life: 10 days}
              viewed: {on: page.viewed, points: 5}
            thresholds: {mql: {score: \(mql), hysteresis: 15}}
        """
    }

    private func rows(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id, rule, axis, points, event_id, at FROM scoring_entries ORDER BY 1, 2, 5, 4")
            + crm.rows("SELECT lead_id, fit, round(engagement, 6), round(score, 6), decays, as_of FROM scoring_scores")
            + crm.rows("SELECT lead_id, threshold, is_rearmed FROM scoring_standings ORDER BY 1")
            + crm.rows("SELECT stage FROM leads ORDER BY id")
    }

    /// Four leads with a past: one that crossed and stays above, one that fell, one that was given back, one that came
    /// with its history.
    private func lived() throws -> TestKernel {
        let crm = try TestKernel(Self.rules(mql: 50), plugins: [Scoring.self])
        for name in ["ann", "bob", "cleo", "dan"] {
            try crm.capture(["email": "\(name)@a.example", "title": "Head"])
            try crm.pump()
        }
        for lead in [1, 2, 3] as [Int64] { try crm.record("demo.booked", lead: lead) }
        try crm.record("demo.booked", lead: 4, at: "2025-03-02 09:00")
        try crm.pump()
        for stage in ["recycled", "lead"] {
            try crm.kernel.write(origin: "cli") {
                try $0.db.execute(sql: "UPDATE leads SET stage = '\(stage)' WHERE id = 3")
            }
            try crm.pump()
        }
        for day in 1...30 {
            crm.clock.advance(by: "1 day")
            if day.isMultiple(of: 10) {
                try crm.record("demo.booked", lead: 1)
                try crm.record("page.viewed", lead: 2)
            }
            try crm.pump()
        }
        return crm
    }

    @Test func `the same rows, the same stages, and no fact a second time`() throws {
        let crm = try lived()
        let before = try rows(crm)
        let query = "SELECT lead_id, kind, body, at FROM events WHERE kind IN ('score.fell', 'lead.stage_changed')"
        let facts = try crm.rows(query)
        for _ in 1...2 {
            _ = try Rebuild(crm.kernel).run("scoring")
            let after = try rows(crm)
            #expect(after == before, "\(after.difference(from: before))")
            #expect(try crm.rows(query) == facts)
        }
        #expect(try crm.rows("SELECT stage FROM leads ORDER BY id") == ["mql", "mql", "lead", "lead"])
        #expect(try crm.rows("SELECT settled_through FROM scoring_clocks") == [""])
        #expect(try crm.troubles() == [])
    }

    @Test func `however many leads there are, all are looked at when the replay is through`() throws {
        let crm = try TestKernel(Self.rules(mql: 500), plugins: [Scoring.self])
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
                    INSERT INTO leads (email, title) SELECT 'l' || i || '@a.example', 'Head' FROM n
                    """)
        }
        try crm.pump()
        let eased = try crm.reopened(Self.rules(mql: 20))
        _ = try Rebuild(eased.kernel).run("scoring")
        #expect(try eased.rows("SELECT stage, count(*) FROM leads GROUP BY stage") == ["mql|2500"])
        #expect(try eased.rows("SELECT settled_through FROM scoring_clocks") == [""])
        #expect(try eased.troubles() == [])
    }

    @Test func `by other rules, who is above a threshold now is moved, and who was above it once is not`() throws {
        let crm = try lived()
        // By the first rules nobody would have moved.
        let strict = try TestKernel(Self.rules(mql: 500), plugins: [Scoring.self])
        for name in ["ann", "bob"] { try strict.capture(["email": "\(name)@a.example", "title": "Head"]) }
        try strict.record("demo.booked", lead: 1)
        try strict.pump()
        strict.clock.advance(by: "30 days")
        try strict.record("demo.booked", lead: 2)
        try strict.pump()
        let eased = try strict.reopened(Self.rules(mql: 50))
        _ = try Rebuild(eased.kernel).run("scoring")
        #expect(try eased.rows("SELECT stage FROM leads ORDER BY id") == ["lead", "mql"])
        #expect(try eased.rows("SELECT lead_id FROM scoring_standings") == ["2"])
        // It may still cross with new points.
        try eased.record("demo.booked", lead: 1)
        try eased.pump()
        #expect(try eased.rows("SELECT stage FROM leads ORDER BY id") == ["mql", "mql"])
        #expect(try eased.troubles() == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `what a lead did before it was merged counts in a replay too, down a chain of merges`() throws {
        let crm = try TestKernel(Self.rules(mql: 900), plugins: [Scoring.self])
        for (number, name) in ["ann", "bob", "cleo"].enumerated() {
            try crm.capture(["email": "\(name)@a.example"])
            try crm.record("demo.booked", lead: Int64(number + 1))
        }
        try crm.pump()
        for (gone, kept) in [(1, 2), (2, 3)] as [(Int64, Int64)] {
            try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
            try crm.pump()
        }
        let entries =
            "SELECT lead_id, rule, points, event_id FROM scoring_entries WHERE rule = 'demo' ORDER BY event_id"
        let before = try crm.rows(entries)
        #expect(before.count == 3 && before.allSatisfy { $0.hasPrefix("3|demo|40|") })
        _ = try Rebuild(crm.kernel).run("scoring")
        #expect(try crm.rows(entries) == before)
        #expect(try crm.rows("SELECT lead_id, round(score) FROM scoring_scores") == ["3|120.0"])
        #expect(try crm.troubles() == [])
    }
}
