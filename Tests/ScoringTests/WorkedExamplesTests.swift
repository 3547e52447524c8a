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
