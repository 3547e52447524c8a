import Foundation
import Testing
import TrellisTesting

@testable import Scoring
@testable import TrellisKernel

/// A model without decay is made anew lead by lead: that gives what the log in its order gives.
@Suite struct HistoriesTests {
    private static let rules = """
        activities: {demo.booked: {}, page.viewed: {}, mail.hated: {}}
        plugins:
          scoring:
            groups: {web: 20 per day}
            fit: {head: {when: "title = 'Head'", points: 20}, german: {when: "country = 'DE'", points: -5}}
            engagement:
              demo: {on: demo.booked, points: 50}
              first: {on: demo.booked, points: 7, once: true}
              viewed: {on: page.viewed, points: 8, group: web, at_most: 2 per day}
              read: {on: page.viewed, points: 9, group: web}
              hated: {on: mail.hated, points: -40}
            grades: {A: 20, B: 0}
            thresholds: {mql: {score: 60, hysteresis: 15}, sql: {score: 100, grade: A}}
            models:
              upsell:
                engagement:
                  demo: {on: demo.booked, points: 6, at_most: 3 per week}
                  hated: {on: mail.hated, points: -5}
                thresholds: {hot: {engagement: 12, hysteresis: 3, stage: mql}, known: {score: 6}}
        """

    private static let entries =
        "SELECT model, lead_id, rule, axis, points, rule_group, event_id, at FROM scoring_ledger ORDER BY 1, 2, 7, 3, 5"
    private static let totals = "SELECT * FROM scoring_totals ORDER BY model, lead_id"
    private static let standings =
        "SELECT lead_id, model, threshold, since, is_rearmed FROM scoring_standings ORDER BY 1, 2, 3"

    @Test(arguments: 1...12)
    func `lead by lead, the log gives what it gives in its order`(_ seed: Int) throws {
        let crm = try LedgerPropertyTests.lived(Self.rules, seed)
        let events = "SELECT count(*) FROM events WHERE kind IN ('score.reached', 'score.fell')"
        let told = try crm.rows(events)
        try crm.kernel.write(origin: "test") { try Rebuild.toStartInOrder("scoring", $0) }
        try crm.pump()
        let (entries, totals) = (try crm.rows(Self.entries), try crm.rows(Self.totals))
        _ = try Rebuild(crm.kernel).run("scoring")
        let (entriesByLead, totalsByLead) = (try crm.rows(Self.entries), try crm.rows(Self.totals))
        #expect(entriesByLead == entries, "\(entriesByLead.difference(from: entries))")
        #expect(totalsByLead == totals, "\(totalsByLead.difference(from: totals))")
        let (standings, reckoned) = (try crm.rows(Self.standings), try ReckonedStandings(crm).lines())
        #expect(standings == reckoned, "\(standings.difference(from: reckoned))")
        #expect(try crm.rows(events) == told)
        #expect(try crm.rows("SELECT count(*) FROM subscribers WHERE anew_lead IS NOT NULL") == ["0"])
        #expect(try crm.troubles() == [])
    }

    @Test func `who is above a threshold by other rules moves, and what moved it is no event`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        for name in ["ann", "bob", "cleo"] { try crm.capture(["email": "\(name)@a.example", "title": "Head"]) }
        try crm.record("page.viewed", lead: 2)
        try crm.record("mail.hated", lead: 3)
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads ORDER BY id") == ["lead", "lead", "lead"])
        let eased = try crm.reopened(Self.rules.replacingOccurrences(of: "mql: {score: 60", with: "mql: {score: 20"))
        _ = try Rebuild(eased.kernel).run("scoring")
        #expect(try eased.rows("SELECT stage FROM leads ORDER BY id") == ["mql", "mql", "lead"])
        #expect(
            try eased.rows("SELECT lead_id, cause_id, depth, origin FROM events WHERE kind = 'lead.stage_changed'")
                == ["1||0|plugin:scoring", "2||0|plugin:scoring"])
        #expect(try eased.troubles() == [])
    }

    @Test func `where every lead is one on creation, a replay says so too`() throws {
        let crm = try TestKernel(plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example"])
        try crm.pump()
        let site = """
            plugins:
              scoring: {fit: {head: {when: "title = 'Head'", points: 20}}, thresholds: {mql: on_create}}
            """
        let scored = try crm.reopened(site)
        _ = try Rebuild(scored.kernel).run("scoring")
        #expect(try scored.rows("SELECT stage FROM leads") == ["mql"])
    }

    @Test func `a lead without points by other rules has no total, and one by a model that is gone has none`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@a.example", "title": "Head"]) }
        try crm.record("page.viewed", lead: 2)
        try crm.record("demo.booked", lead: 2)
        try crm.pump()
        #expect(
            try crm.rows("SELECT lead_id, model FROM scoring_totals ORDER BY 1, 2") == ["1|main", "2|main", "2|upsell"])
        let fewer = try crm.reopened(
            """
            activities: {demo.booked: {}, page.viewed: {}, mail.hated: {}}
            plugins:
              scoring: {engagement: {viewed: {on: page.viewed, points: 8}}, thresholds: {mql: {score: 60}}}
            """)
        _ = try Rebuild(fewer.kernel).run("scoring")
        #expect(try fewer.rows("SELECT lead_id, model, score FROM scoring_totals") == ["2|main|8.0"])
        #expect(try fewer.troubles() == [])
    }

    @Test func `a model that begins to decay half way is made anew in the order of the log`() throws {
        let crm = try LedgerPropertyTests.lived(Self.rules, 3)
        try crm.kernel.write(origin: "test") { try Rebuild(crm.kernel).begin("scoring", $0) }
        #expect(try crm.rows("SELECT count(*) FROM subscribers WHERE anew_lead IS NOT NULL") == ["2"])
        let decaying = Self.rules.replacingOccurrences(of: "points: 50}", with: "points: 50, half_life: 10 days}")
        let edited = try crm.reopened(decaying)
        try edited.pump()
        #expect(try edited.rows("SELECT count(*) FROM subscribers WHERE anew_lead IS NOT NULL") == ["0"])
        let entries = try edited.rows(Self.entries)
        _ = try Rebuild(edited.kernel).run("scoring")
        #expect(try edited.rows(Self.entries) == entries)
        #expect(try edited.troubles() == [])
    }

    @Test func `an event that no rule can read is set aside alone, and the rest counts`() throws {
        let site = """
            activities: {page.viewed: {}}
            plugins:
              scoring:
                engagement: {viewed: {on: page.viewed, points: 8, where: "json_extract(title, '$') IS NULL"}}
                thresholds: {mql: {score: 60}}
            """
        let crm = try TestKernel(site, plugins: [Scoring.self])
        for name in ["ann", "bob", "cleo"] { try crm.capture(["email": "\(name)@a.example"]) }
        for lead in [1, 2, 3] as [Int64] { try crm.record("page.viewed", lead: lead) }
        try crm.pump()
        try crm.foreign("UPDATE leads SET title = '{' WHERE id = 2")
        _ = try Rebuild(crm.kernel).run("scoring")
        #expect(try crm.rows("SELECT lead_id, score FROM scoring_scores ORDER BY 1") == ["1|8.0", "3|8.0"])
        #expect(
            try crm.rows("SELECT e.kind, e.lead_id FROM parked_events JOIN events AS e ON e.id = event_id")
                == ["page.viewed|2"])
    }
}

/// Where leads stand, reckoned event by event without SQL.
private struct ReckonedStandings {
    private struct Threshold: Sendable {
        let model: String
        let name: String
        let stage: String?
        let isAbove: @Sendable (_ fit: Int, _ engagement: Int, _ isNear: Bool) -> Bool
    }

    private static let thresholds = [
        Threshold(model: "main", name: "mql", stage: "mql") { fit, engagement, isNear in
            fit + engagement >= (isNear ? 45 : 60)
        },
        Threshold(model: "main", name: "sql", stage: "sql") { fit, engagement, _ in fit + engagement >= 100 && fit >= 20
        },
        Threshold(model: "upsell", name: "hot", stage: "mql") { _, engagement, isNear in engagement >= (isNear ? 9 : 12)
        },
        Threshold(model: "upsell", name: "known", stage: nil) { fit, engagement, _ in fit + engagement >= 6 },
    ]

    let crm: TestKernel

    init(_ crm: TestKernel) {
        self.crm = crm
    }

    private struct Entry {
        let event: Int64
        let isFit: Bool
        let points: Int
        let at: String
    }

    func lines() throws -> [String] {
        var lines: [String] = []
        let leads = try crm.rows("SELECT DISTINCT lead_id FROM scoring_ledger ORDER BY 1").compactMap(Int64.init)
        for lead in leads {
            for threshold in Self.thresholds.sorted(by: { ($0.model, $0.name) < ($1.model, $1.name) }) {
                lines += try line(lead, threshold).map { [$0] } ?? []
            }
        }
        return lines
    }

    private func line(_ lead: Int64, _ threshold: Threshold) throws -> String? {
        let entries = try crm.rows(
            "SELECT event_id, axis, points, at FROM scoring_ledger WHERE lead_id = \(lead) AND model = '\(threshold.model)' ORDER BY event_id, id"
        ).map { row in
            let cells = row.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            return Entry(
                event: Int64(cells[0]) ?? 0, isFit: cells[1] == "fit", points: Int(cells[2]) ?? 0, at: cells[3])
        }
        let turns = try crm.rows(
            """
            SELECT e.id FROM events AS e JOIN leads AS l ON l.id = e.lead_id JOIN stages AS s ON s.name = l.stage AND NOT s.is_side
            WHERE e.lead_id = \(lead) AND e.kind = 'lead.stage_changed' AND e.origin <> 'plugin:scoring'
              AND s.position < (SELECT position FROM stages WHERE name = '\(threshold.stage ?? "")')
            """
        ).compactMap(Int64.init)
        var (fit, engagement, at) = (0, 0, "")
        var (since, isRearmed): (String?, Bool) = (nil, false)
        for event in Set(entries.map(\.event)).union(turns).sorted() {
            if turns.contains(event), since != nil { isRearmed = true }
            let new = entries.filter { $0.event == event }
            guard !new.isEmpty else { continue }
            for entry in new {
                if entry.isFit { fit += entry.points } else { engagement += entry.points }
                at = max(at, entry.at)
            }
            if new.contains(where: { $0.points < 0 }), !threshold.isAbove(fit, engagement, true) {
                (since, isRearmed) = (nil, false)
            }
            if threshold.isAbove(fit, engagement, false), since == nil || isRearmed { (since, isRearmed) = (at, false) }
        }
        // Who stands there without being above it, and never moved, may cross it with the next points.
        guard let since else { return nil }
        let isEarly = threshold.stage.map { stage in
            "SELECT NOT s.is_side AND s.position < (SELECT position FROM stages WHERE name = '\(stage)') FROM leads AS l JOIN stages AS s ON s.name = l.stage WHERE l.id = \(lead)"
        }
        let neverMoved = try isEarly.map { try crm.rows($0) == ["1"] } ?? true
        if !isRearmed, !threshold.isAbove(fit, engagement, false), neverMoved { return nil }
        return "\(lead)|\(threshold.model)|\(threshold.name)|\(since)|\(isRearmed ? 1 : 0)"
    }
}
