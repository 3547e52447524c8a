import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// Published score models, worked through.
@Suite struct WorkedExamplesTests {
    /// The baseline that Salesforce documents for its scoring (help.salesforce.com, "Lead scoring").
    @Test func `the baseline of a large vendor`() throws {
        let crm = try TestKernel(
            """
            activities: {link.clicked: {}, file.read: {}, page.viewed: {}, page.failed: {}, chat.held: {}, deal.opened: {}, deal.lost: {}, deal.won: {}}
            plugins:
              scoring:
                engagement:
                  form: {on: form.submitted, points: 50}
                  redirect: {on: link.clicked, points: 3}
                  file: {on: file.read, points: 3}
                  page: {on: page.viewed, points: 1}
                  opened: {on: mail.opened, points: 0}
                  error: {on: page.failed, points: -5}
                  chat: {on: chat.held, points: 10}
                  opportunity: {on: deal.opened, points: 50}
                  lost: {on: deal.lost, points: -100}
                  won: {on: deal.won, points: 0}
            """, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example"], form: "guide")
        for kind in [
            "page.viewed", "page.viewed", "link.clicked", "file.read", "page.failed", "chat.held", "deal.opened",
        ] {
            try crm.record(kind, lead: 1)
        }
        try crm.pump()
        #expect(try crm.value("SELECT score FROM scoring_scores") == "113.0")
        try crm.record("deal.lost", lead: 1)
        try crm.record("deal.won", lead: 1)
        try crm.pump()
        #expect(try crm.value("SELECT score FROM scoring_scores") == "13.0")
        #expect(try crm.troubles() == [])
    }

    /// The rule that guides to HubSpot begin with: fit over 30 and engagement over 20. Points are whole: over 30 is 31.
    @Test(arguments: [(30, 25, "lead"), (31, 20, "lead"), (31, 21, "mql"), (60, 5, "lead"), (5, 60, "lead")])
    func `fit and engagement must both be there`(_ fit: Int, _ engagement: Int, _ stage: String) throws {
        let crm = try TestKernel(
            """
            activities: {page.viewed: {}}
            plugins:
              scoring:
                fit: {head: {when: "title = 'Head'", points: \(fit)}}
                engagement: {page: {on: page.viewed, points: \(engagement), half_life: 90 days}}
                thresholds: {mql: {fit: 31, engagement: 21}}
            """, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        try crm.record("page.viewed", lead: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == [stage])
        #expect(try crm.troubles() == [])
    }

    /// Marketo counts an activity at most 20 times a day (experienceleague.adobe.com, "Engagement scores"), and its
    /// practice asks for a score of 100 and a grade of B.
    @Test func `twenty times a day, and a hundred with a grade of B`() throws {
        let crm = try TestKernel(
            """
            activities: {page.viewed: {}}
            plugins:
              scoring:
                grades: {A: 40, B: 20, C: 0}
                fit: {head: {when: "title = 'Head'", points: 20}}
                engagement: {page: {on: page.viewed, points: 1, at_most: 20 per day}}
                thresholds: {mql: {score: 100, grade: B}}
            """, plugins: [Scoring.self])
        for (name, title) in [("ann", "Head"), ("bob", "Clerk")] {
            try crm.capture(["email": "\(name)@a.example", "title": title])
        }
        var days: [String] = []
        for _ in 1...5 {
            for lead in [1, 2] as [Int64] {
                for _ in 1...25 { try crm.record("page.viewed", lead: lead) }
            }
            try crm.pump()
            days += try crm.rows(
                "SELECT group_concat(line, ', ') FROM (SELECT CAST(score AS INTEGER) || ' ' || stage AS line FROM scoring_scores JOIN leads ON id = lead_id ORDER BY id)"
            )
            crm.clock.advance(by: "1 day")
        }
        #expect(
            days == [
                "40 lead, 20 lead", "60 lead, 40 lead", "80 lead, 60 lead", "100 mql, 80 lead", "120 mql, 100 lead",
            ])
        #expect(try crm.troubles() == [])
    }

    /// Stages at 30, 70 and 100 points; a demo form makes a marketing qualified lead whatever the score.
    @Test func `a model with four stages and an automatic one`() throws {
        let crm = try TestKernel(
            """
            leads: {stages: [lead, mnl, mel, mql]}
            activities: {webinar.booked: {}, webinar.seen: {}, careers.viewed: {}, demo.asked: {}, product.asked: {}}
            plugins:
              scoring:
                engagement:
                  product: {on: product.asked, points: 40}
                  booked: {on: webinar.booked, points: 20}
                  seen: {on: webinar.seen, points: 15}
                  left: {on: lead.unsubscribed, points: -15}
                  careers: {on: careers.viewed, points: -10}
                  demo: {on: demo.asked, points: 100, once: true}
                thresholds: {mnl: {score: 30}, mel: {score: 70}, mql: {score: 100}}
            """, plugins: [Scoring.self])
        for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@a.example"]) }
        var stages: [String] = []
        for kind in ["webinar.booked", "webinar.seen", "product.asked", "careers.viewed", "product.asked"] {
            try crm.record(kind, lead: 1)
            try crm.pump()
            stages += try crm.rows("SELECT stage FROM leads WHERE id = 1")
        }
        #expect(stages == ["lead", "mnl", "mel", "mel", "mql"])
        try crm.record("demo.asked", lead: 2)
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads WHERE id = 2") == ["mql"])
        #expect(try crm.troubles() == [])
    }
}
