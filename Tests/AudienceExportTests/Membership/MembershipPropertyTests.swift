import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

/// After whatever happened, the members are those whom the SELECT finds from scratch.
@Suite struct MembershipPropertyTests {
    private static let audiences = """
        heads: {sql: "SELECT id AS lead_id FROM leads WHERE title = 'Head'"}
        asked: {sql: "SELECT lead_id FROM events WHERE kind = 'demo.booked'"}
        often: {sql: "SELECT lead_id FROM events WHERE kind = 'demo.booked' GROUP BY lead_id HAVING count(*) > 1"}
        recent: {sql: "SELECT DISTINCT lead_id FROM events WHERE kind = 'demo.booked' AND at > datetime('now', '-2 days')", every: 1 hour}
        agreed: {sql: "SELECT lead_id FROM consents_now WHERE purpose = 'ads' AND state = 'granted'"}
        big: {sql: SELECT l.id AS lead_id FROM leads AS l JOIN accounts AS a ON a.id = l.account_id WHERE a.employees > 100}
        bought: {sql: SELECT lead_id FROM opportunities WHERE stage = 'won'}
        top: {sql: SELECT id AS lead_id FROM leads ORDER BY employees DESC LIMIT 3}
        early: {sql: SELECT id AS lead_id FROM leads WHERE id IN (SELECT lead_id FROM events WHERE kind = 'demo.booked')}
        warm: {in: [heads, often], not_in: [agreed, top]}
        warmer: {in: [warm], sql: "SELECT id AS lead_id FROM leads WHERE country = 'DE'"}
        """

    private func act(_ crm: TestKernel, _ random: inout Dice, _ number: Int) throws {
        let ids = try crm.rows("SELECT id FROM leads ORDER BY id").compactMap { Int64($0) }
        let lead = ids.isEmpty ? 0 : ids[random.below(ids.count)]
        switch random.below(ids.count < 3 ? 1 : 16) {
        case 0, 1:
            try crm.capture(
                [
                    "email": "l\(number)@\(["a", "b", "c"][random.below(3)]).example",
                    "title": ["Head", "Clerk"][random.below(2)], "country": ["DE", "FR"][random.below(2)],
                    "employees": "\(random.below(50))",
                ], consents: random.below(2) == 0 ? ["ads"] : [])
        case 2: try crm.foreign("UPDATE leads SET title = iif(title = 'Head', 'Clerk', 'Head') WHERE id = \(lead)")
        case 3: try crm.foreign("UPDATE leads SET employees = \(random.below(90)) WHERE id % 3 = \(random.below(3))")
        case 4, 5, 6: try crm.record("demo.booked", lead: lead)
        case 7: try crm.foreign("DELETE FROM leads WHERE id = \(lead)")
        case 8:
            let ids = try crm.rows(
                "SELECT id FROM trash WHERE table_name = 'leads' AND row_id NOT IN (SELECT gone_id FROM lead_merges)")
            _ = try Trash.restore(crm.kernel, ids: ids.compactMap { Int64($0) })
        case 9:
            let other = ids[random.below(ids.count)]
            if other != lead { try crm.kernel.write(origin: "cli") { try $0.merge(other, into: lead) } }
        case 10:
            if let email = try crm.value("SELECT email FROM leads WHERE id = \(lead)") {
                _ = try Person(email: email).erase(crm.kernel)
            }
        case 11:
            let state = ["granted", "withdrawn"][random.below(2)]
            try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (\(lead), 'ads', '\(state)')")
        case 12:
            try crm.foreign("UPDATE accounts SET employees = \(random.below(200)) WHERE id % 2 = \(random.below(2))")
        case 13:
            try crm.foreign("INSERT INTO opportunities (name, lead_id, stage) VALUES ('deal', \(lead), 'won')")
        case 14:
            try crm.foreign(
                "UPDATE opportunities SET lead_id = \(lead), stage = iif(stage = 'won', 'lost', 'won') WHERE id % 2 = \(random.below(2))"
            )
        default: crm.clock.advance(by: ["10 minutes", "5 hours", "1 day"][random.below(3)])
        }
    }

    @Test(arguments: [1, 2, 3, 5, 8, 13, 21, 34] as [UInt64])
    func `members are whom the SELECT finds from scratch, after any history`(_ seed: UInt64) throws {
        let crm = try AudienceSite.crm(
            Self.audiences, before: "activities: {demo.booked: {}}", at: "2030-03-02 09:00:00")
        let plugin = try #require(crm.kernel.plugins.first as? AudienceExport)
        try crm.foreign("INSERT INTO accounts (domain) VALUES ('a.example'), ('b.example')")
        var random = Dice(seed: seed)
        for step in 1...120 {
            try act(crm, &random, step)
            if random.below(3) == 0 { try crm.pump() }
            guard step % 20 == 0 else { continue }
            // By then a look at all is due where one is needed.
            try crm.pump()
            crm.clock.advance(by: "2 hours")
            try crm.pump()
            crm.clock.advance(by: "2 minutes")
            try crm.pump()
            for audience in plugin.audiences.all {
                let sql = plugin.audiences.members(audience)
                let stamp = Timestamp.text(crm.clock.now)
                let found = try crm.kernel.read { db in
                    try Int64.fetchAll(
                        db, sql: "SELECT lead_id FROM (\(sql)) ORDER BY lead_id",
                        arguments: plugin.audiences.arguments(sql, at: stamp))
                }
                #expect(try crm.members(audience.name) == found.map { String($0) }, "\(audience.name), step \(step)")
            }
        }
        #expect(try crm.troubles() == [])
    }

    /// The stays that begin by time alone last as long as `every:` here.
    private static let byTheClock = """
        lately: {sql: "SELECT DISTINCT lead_id FROM events WHERE kind = 'demo.booked' AND at > datetime('now', '-2 days')", every: 1 day}
        cold: {sql: "SELECT id AS lead_id FROM leads WHERE NOT EXISTS (SELECT 1 FROM events AS e WHERE e.lead_id = leads.id AND e.kind = 'demo.booked' AND e.at > datetime('now', '-30 hours'))", every: 1 day}
        today: {sql: "SELECT DISTINCT lead_id FROM events WHERE kind = 'demo.booked' AND date(at) = date('now')", every: 6 hours}
        cooled: {in: [cold], sql: "SELECT DISTINCT lead_id FROM events WHERE kind = 'demo.booked' AND at > datetime('now', '-3 days')"}
        rest: {in: [lately], not_in: [today]}
        """

    @Test(arguments: [1, 2, 3, 5, 8] as [UInt64])
    func `what the clock moves is where the SELECT finds it at every moment`(_ seed: UInt64) throws {
        let crm = try AudienceSite.crm(
            Self.byTheClock, before: "activities: {demo.booked: {}}", at: "2030-03-02 09:00:00")
        let plugin = try #require(crm.kernel.plugins.first as? AudienceExport)
        try crm.foreign("INSERT INTO accounts (domain) VALUES ('a.example'), ('b.example')")
        var random = Dice(seed: seed)
        for step in 1...(ProcessInfo.processInfo.environment["LONG"] == "1" ? 150 : 60) {
            try act(crm, &random, step)
            try crm.pump()
            crm.clock.advance(by: "\(1 + random.below(10_000))s")
            try crm.pump()
            for audience in plugin.audiences.all {
                let sql = plugin.audiences.members(audience)
                let stamp = Timestamp.text(crm.clock.now)
                let found = try crm.kernel.read { db in
                    try Int64.fetchAll(
                        db, sql: "SELECT lead_id FROM (\(sql)) ORDER BY lead_id",
                        arguments: plugin.audiences.arguments(sql, at: stamp))
                }
                #expect(try crm.members(audience.name) == found.map { String($0) }, "\(audience.name), step \(step)")
            }
        }
        #expect(try crm.rows("SELECT name FROM audiences_audiences WHERE kept_by = 'scan'") == [])
        #expect(try crm.rows("SELECT count(*) > 2 FROM events WHERE kind = 'audiences.moment_due'") == ["1"])
        #expect(try crm.troubles() == [])
    }
}
