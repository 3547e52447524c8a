import DripSequencer
import Handoff
import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// What an event costs follows from the event, and not from how many leads there are.
@Suite struct PlansTests {
    @Test func `no statement of scoring or handoff reads a whole table for a batch of events`() throws {
        let crm = try TestKernel(
            """
            activities: {demo.booked: {}, page.viewed: {}}
            plugins:
              scoring:
                groups: {web: 20 per day}
                idle_after: 60 days
                fit: {head: {when: "title = 'Head'", points: 20}}
                engagement:
                  demo: {on: demo.booked, points: 50, half_life: 10 days}
                  viewed: {on: page.viewed, points: 8, group: web, at_most: 2 per day}
                thresholds: {mql: {score: 60, hysteresis: 5}, sql: {when: "country = 'DE'"}}
                models:
                  upsell:
                    engagement: {demo: {on: demo.booked, points: 9, half_life: 5 days}}
                    thresholds: {hot: {score: 15}}
              handoff:
                reps: {rita: {email: rita@acme.example}, ben: {email: ben@acme.example, weight: 2}}
                accept_within: 4 hours
                working_hours: {from: "09:00", to: "17:00"}
                recycle: {after: 30 days}
            """, plugins: [Scoring.self, Handoff.self])
        try crm.capture(["email": "zoe@a.example"])
        try crm.pump()
        let scans = try crm.scans(
            of: [
                "scoring_ledger", "scoring_totals", "scoring_standings", "handoff_handoffs", "handoff_transitions",
                "leads",
                "events", "outbox_messages", "consents", "stage_history",
            ]
        ) {
            for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@a.example", "title": "Head"]) }
            for kind in ["demo.booked", "page.viewed", "demo.booked"] {
                for lead in [2, 3] as [Int64] { try crm.record(kind, lead: lead) }
                try crm.pump()
                if try crm.rows("SELECT state FROM handoff_handoffs ORDER BY id") == ["offered", "offered"] {
                    try crm.run("handoff accept", "1")
                    try crm.run("handoff reject", "2", "too early")
                }
                try crm.foreign("UPDATE leads SET city = 'Kiel' WHERE id = 2")
                crm.clock.advance(by: "3 days")
                try crm.pump()
            }
            try crm.kernel.write(origin: "cli") { try $0.merge(3, into: 2) }
            crm.clock.advance(by: "70 days")
            try crm.pump()
        }
        // One row answers whether anybody waits, and who was taken back is found by an index of those alone.
        let isBounded = { (scan: String) in
            scan.contains("SELECT EXISTS (SELECT 1 FROM handoff_handoffs") || scan.contains("handoff_handoffs_expired")
        }
        #expect(scans.filter { !isBounded($0) } == [])
        #expect(try crm.troubles() == [])
    }
}
