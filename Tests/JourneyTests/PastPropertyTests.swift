import AudienceExport
import Foundation
import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// Whatever happens later, with merges, deletions and the trash: the file as of a moment is what it was at that moment.
@Suite struct PastPropertyTests {
    private static let plugins: [any Plugin.Type] = [Scoring.self, AudienceExport.self]
    private static let yaml = """
        activities: {demo.booked: {}, page.viewed: {}}
        plugins:
          scoring:
            fit: {head: {when: "title = 'Head'", points: 20}, big: {when: "employees > 50", points: 10}}
            engagement:
              demo: {on: demo.booked, points: 30, lasts: 20 days}
              view: {on: page.viewed, points: 8, half_life: 5 days}
              moved: {on: lead.stage_changed, points: 3}
            idle_after: 60 days
          audiences:
            heads: {sql: "SELECT id AS lead_id FROM leads WHERE title = 'Head'", platforms: [google]}
            warm: {sql: "SELECT id AS lead_id FROM leads WHERE stage IN ('mql', 'sal')", platforms: [google]}
        """

    /// What was so at a moment.
    private struct Snapshot {
        let stamp: String
        let stages: [String]
        let scores: [String]
        let members: [String]
        let events: [String]
    }

    /// In the last two a lead is deleted right after it took another one in.
    static var seeds: [Int] {
        ProcessInfo.processInfo.environment["LONG"] == "1" ? Array(1...400) : [1, 2, 3, 4, 30, 201]
    }

    @Test(arguments: seeds)
    func `as of a snapshot the file is the snapshot`(_ seed: Int) throws {
        var dice = Dice(seed: UInt64(seed))
        let crm = try TestKernel(Self.yaml, plugins: Self.plugins)
        var (snapshots, arrived) = ([Snapshot](), 4)
        for number in 1...arrived { try arrive(number, crm, &dice) }
        for _ in 0..<70 {
            let alive = try crm.rows("SELECT id FROM leads ORDER BY id").compactMap(Int64.init)
            guard let lead = alive.randomElement(using: &dice) else { break }
            switch dice.below(24) {
            case 0..<3:
                arrived += 1
                try arrive(arrived, crm, &dice)
            case 3..<7: try move(lead, crm, &dice)
            case 7..<9: try crm.record("demo.booked", lead: lead)
            case 9..<12: try crm.record("page.viewed", lead: lead)
            case 12..<15: try change(lead, crm, &dice)
            case 15: try mergeSome(into: lead, of: alive, crm, &dice)
            case 16: try write("DELETE FROM leads WHERE id = \(lead)", crm)
            case 17: _ = try Trash.restore(crm.kernel)
            case 18..<20: crm.clock.advance(by: ["1 hour", "3 days", "9 days"].randomElement(using: &dice) ?? "1 hour")
            case 20: try crm.pump()
            default:
                try crm.pump()
                snapshots.append(try snapshot(crm))
                crm.clock.advance(by: "1 minute")
            }
        }
        try crm.pump()
        #expect(!snapshots.isEmpty, "seed \(seed)")
        let gone = try crm.rows(
            "SELECT lead_id FROM events WHERE kind = 'lead.merged' UNION SELECT json_extract(body, '$.into') FROM events WHERE kind = 'lead.merged'"
        )
        for snapshot in snapshots { try compare(snapshot, crm, merged: gone, seed) }
        let troubles = try crm.troubles()
        #expect(troubles == [], "seed \(seed)")
    }

    private func compare(_ snapshot: Snapshot, _ crm: TestKernel, merged: [String], _ seed: Int) throws {
        let past = try PastReader(
            path: crm.kernel.config.databasePath,
            moment: PastMoment(try #require(Timestamp.date(snapshot.stamp))), plugins: Self.plugins)
        func rows(_ sql: String) throws -> [String] {
            try past.connection.table(sql).rows.map { row in row.map { $0.text ?? "" }.joined(separator: "|") }
        }
        #expect(try rows(Self.stages) == snapshot.stages, "stages at \(snapshot.stamp), seed \(seed)")
        #expect(
            try rows("SELECT lead_id, fit, round(engagement, 6) FROM scoring_scores ORDER BY lead_id")
                == snapshot.scores,
            "scores at \(snapshot.stamp), seed \(seed)")
        #expect(
            try rows("SELECT lead_id, fit, round(engagement, 6) FROM scoring_current ORDER BY lead_id")
                == snapshot.scores,
            "the view of scores at \(snapshot.stamp), seed \(seed)")
        #expect(try rows(Self.events) == snapshot.events, "events at \(snapshot.stamp), seed \(seed)")
        // Of leads that became one, the memberships became one.
        func others(_ members: [String]) -> [String] {
            members.filter { !merged.contains(String($0.prefix { $0 != "|" })) }
        }
        #expect(
            others(try rows(Self.members)) == others(snapshot.members), "members at \(snapshot.stamp), seed \(seed)")
    }

    private static let stages = "SELECT id, stage FROM leads ORDER BY id"
    private static let members = """
        SELECT lead_id, audience, since FROM audiences_members WHERE until IS NULL ORDER BY lead_id, audience
        """
    private static let events = "SELECT count(*), max(id) FROM events"

    /// The ledger added up with the weights of this moment, by a sum of its own.
    private func snapshot(_ crm: TestKernel) throws -> Snapshot {
        let stamp = Timestamp.text(crm.clock.clock.now())
        return Snapshot(
            stamp: stamp, stages: try crm.rows(Self.stages),
            scores: try crm.rows(
                """
                SELECT lead_id, sum(points * (axis = 'fit')), round(sum(CASE WHEN axis = 'fit' THEN 0.0
                    WHEN half_life IS NOT NULL THEN points * pow(0.5, (julianday('\(stamp)') - julianday(at)) * 86400 / half_life)
                    WHEN lifetime IS NOT NULL THEN points * (julianday('\(stamp)') - julianday(at) < lifetime / 86400.0)
                    ELSE points END), 6)
                FROM scoring_entries GROUP BY lead_id ORDER BY lead_id
                """),
            members: try crm.rows(Self.members), events: try crm.rows(Self.events))
    }

    // MARK: - What happens

    private func write(_ sql: String, _ crm: TestKernel) throws {
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: sql) }
    }

    private func arrive(_ number: Int, _ crm: TestKernel, _ dice: inout Dice) throws {
        try crm.capture([
            "email": "lead\(number)@a.example", "title": dice.below(2) == 0 ? "Head" : "Hand",
            "employees": "\(dice.below(100))",
        ])
    }

    private func move(_ lead: Int64, _ crm: TestKernel, _ dice: inout Dice) throws {
        let stage = ["mql", "sal", "sql", "recycled", "disqualified"].randomElement(using: &dice) ?? "mql"
        // What the file refuses, such as a way back, is no history.
        _ = try? write("UPDATE leads SET stage = '\(stage)' WHERE id = \(lead)", crm)
    }

    private func change(_ lead: Int64, _ crm: TestKernel, _ dice: inout Dice) throws {
        let title = dice.below(2) == 0 ? "Head" : "Hand"
        try write("UPDATE leads SET title = '\(title)', employees = \(dice.below(100)) WHERE id = \(lead)", crm)
    }

    private func mergeSome(into lead: Int64, of alive: [Int64], _ crm: TestKernel, _ dice: inout Dice) throws {
        guard alive.count > 3, let other = alive.filter({ $0 != lead }).randomElement(using: &dice) else { return }
        // A lead that came back out of the trash is another one from then on: its entries are the other's.
        let wasMerged = try crm.value(
            "SELECT count(*) FROM events WHERE kind = 'lead.merged' AND lead_id IN (\(other), \(lead))")
        guard wasMerged == "0" else { return }
        try crm.kernel.write(origin: "cli") { try $0.merge(other, into: lead) }
    }
}
