import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// What people see of a score.
@Suite struct ScoreCardTests {
    private func crm() throws -> TestKernel {
        let crm = try TestKernel(
            """
            activities: {demo.booked: {}}
            plugins:
              scoring:
                fit: {head: {when: "title = 'Head'", points: 20}, small: {when: "employees < 10", points: -5}}
                engagement: {demo: {on: demo.booked, points: 50}}
            """, plugins: [Scoring.self])
        try crm.capture([
            "email": "ann@a.example", "first_name": "Ann", "last_name": "Lee", "title": "Head", "employees": "4",
            "company": "A",
        ])
        try crm.capture(["email": "bob@b.example", "title": "Head"])
        try crm.capture(["email": "cleo@c.example"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        return crm
    }

    @Test func `explain names every entry with its rule and its event, and sums them up`() throws {
        let crm = try crm()
        // Event 1 says that the plugin is on.
        let day = "2026-03-02 09:00:00.000"
        let lines = try crm.run("scoring explain", "ann@a.example")
        #expect(
            lines == [
                "\(day)|head|fit|20|20.0||lead.created|2|", "\(day)|small|fit|-5|-5.0||lead.created|2|",
                "\(day)|demo|engagement|50|50.0||demo.booked|5|",
                "65 (fit 15, engagement 50): demo +50, head +20, small -5",
            ])
        #expect(try crm.run("scoring explain", "3") == ["No points yet."])
        #expect(throws: KernelError.noLead("nobody@a.example")) { try crm.run("scoring explain", "nobody@a.example") }
    }

    @Test func `the rules are shown with the leads they fit and the points they gave`() throws {
        #expect(
            try crm().run("scoring") == [
                "fit|head|2|2|40|main", "fit|small|1|1|-5|main", "engagement|demo|1|1|50|main",
            ])
    }

    @Test func `the report lists the leads with the most points first`() throws {
        let crm = try crm()
        let report = try crm.kernel.ask(Report())
        #expect(report.map { $0.map(\.title) } == [["Top ten by score"]])
        #expect(
            report.first?.first?.table.rows.map { $0.map { $0.text ?? "" } } == [
                ["1", "Ann Lee", "A", "lead", "65.0", "demo +50, head +20, small -5"],
                ["2", "bob@b.example", "", "lead", "20.0", "head +20"],
            ])
    }

    @Test func `the reasons are worth what they are worth now, and make the total`() throws {
        let crm = try TestKernel(
            """
            activities: {demo.booked: {}, page.viewed: {}}
            plugins:
              scoring:
                fit: {head: {when: "title = 'Head'", points: 20}}
                engagement: {demo: {on: demo.booked, points: 50, half_life: 10 days}, viewed: {on: page.viewed, points: 40, lasts: 5 days}}
            """, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        try crm.capture(["email": "bob@a.example", "title": "Head"])
        try crm.record("demo.booked", lead: 1)
        try crm.record("page.viewed", lead: 1)
        try crm.pump()
        crm.clock.advance(by: "15 days")
        try crm.record("demo.booked", lead: 2)
        try crm.pump()
        let line = "37.7 (fit 20, engagement 17.7): head +20, demo +17.7"
        let reason = "37.7 points: head +20, demo +17.7"
        #expect(try crm.kernel.ask(LeadCard(leadID: 1)) == [[CardLine("score", line, reason: reason)]])
        #expect(try crm.run("scoring explain", "1").last == line)
        let top = try #require(try crm.kernel.ask(Report()).first?.first?.table.rows)
        #expect(
            top.map { $0.suffix(2).map { $0.text ?? "" } } == [
                ["70.0", "demo +50, head +20"], ["37.7", "head +20, demo +17.7"],
            ])
    }

    @Test func `a score just below a threshold is not written as if it were there`() throws {
        let crm = try TestKernel(
            """
            activities: {demo.booked: {}}
            plugins: {scoring: {engagement: {demo: {on: demo.booked, points: 50, half_life: 30 days}}, thresholds: {mql: {score: 51}, sql: {score: 50}}}}
            """, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        crm.clock.advance(by: "3s")
        #expect(
            try crm.run("scoring explain", "1").last?.hasPrefix("49.99996 (fit 0, engagement 50): demo +50") == true)
        #expect(ScoreCard.rounded(50, beside: [50]) == 50)
        #expect(ScoreCard.rounded(49.97, beside: [60]) == 50)
        #expect(ScoreCard.rounded(49.97, beside: [50]) == 49.97)
        #expect(ScoreCard.rounded(50.04, beside: [50]) == 50)
        #expect(ScoreCard.rounded(49.99999999, beside: [50]) == 49.999999)
    }

    @Test func `a lead's card has a line of its score, and none without points`() throws {
        let crm = try crm()
        let line = CardLine("score", "20 (fit 20, engagement 0): head +20", reason: "20 points: head +20")
        #expect(try crm.kernel.ask(LeadCard(leadID: 2)) == [[line]])
        #expect(try crm.kernel.ask(LeadCard(leadID: 3)) == [[]])
    }

    @Test func `as a reason to talk to a lead a score has its rules in words, and its model`() throws {
        let crm = try TestKernel(
            """
            plugins:
              scoring:
                fit: {head-of-sales: {when: "title = 'Head'", points: 20}, small-firm: {when: "employees < 10", points: -5}}
                models: {upsell: {fit: {in_reach: {when: "country = 'DE'", points: 1}}}}
            """, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head", "employees": "4", "country": "DE"])
        try crm.pump()
        let card = try crm.kernel.ask(LeadCard(leadID: 1)).flatMap { $0 }
        #expect(
            card.map { $0.reason ?? "-" } == [
                "15 points: head of sales +20, small firm -5", "1 point of upsell: in reach +1",
            ])
        #expect(card.first?.text == "15 (fit 15, engagement 0): head-of-sales +20, small-firm -5")
    }

    @Test func `rebuilding from the log gives the same score`() throws {
        let crm = try crm()
        let query = "SELECT lead_id, rule, axis, points, event_id FROM scoring_entries ORDER BY lead_id, rule"
        let before = try crm.rows(query)
        _ = try Rebuild(crm.kernel).run("scoring")
        #expect(try crm.rows(query) == before)
        #expect(try crm.troubles() == [])
    }
}
