import AudienceExport
import DripSequencer
import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// What begins when a lead enters an audience, and ends when it leaves.
@Suite struct AudienceJourneyTests {
    private func crm() throws -> TestKernel {
        try TestKernel(
            """
            activities: {demo.booked: {}}
            plugins:
              scoring:
                engagement:
                  demo: {on: demo.booked, points: 40}
                  warmed: {on: audience.entered, where: "audience = 'warm'", points: 5}
              drip:
                sequences:
                  warming:
                    enter: {on: audience.entered, where: "audience = 'warm'"}
                    exit: [{on: audience.left, where: "audience = 'warm'"}]
                    steps: [{mail: warm}, {wait: 3 days}, {mail: warm}]
              audiences:
                warm: {sql: SELECT lead_id FROM scoring_scores WHERE score >= 30, not_in: [customers]}
                customers: {sql: SELECT id AS lead_id FROM leads WHERE stage = 'customer'}
            """, plugins: [DripSequencer.self, Scoring.self, AudienceExport.self],
            files: ["mails/warm.md": "---\nsubject: Still warm\npurpose: marketing\n---\nHello.\n"])
    }

    @Test func `sequences and scores begin on an audience, and a score alone moves who is in it`() async throws {
        let crm = try crm()
        let ann = try crm.capture(["email": "ann@a.example"], consents: ["newsletter"])
        try await crm.work()
        try crm.record("demo.booked", lead: ann)
        try await crm.work()
        #expect(
            try crm.rows("SELECT kept_by FROM audiences_audiences WHERE name = 'warm'") == ["log"],
            "a table of another plugin is watched")
        #expect(crm.transport.sent.map(\.subject) == ["Still warm"])
        #expect(
            try crm.rows("SELECT score, audiences, sequence FROM lead_cards") == ["45.0|warm|warming"])
        try crm.foreign("UPDATE leads SET stage = 'customer'")
        try await crm.work()
        #expect(try crm.rows("SELECT audiences FROM lead_cards") == ["customers"])
        #expect(try crm.rows("SELECT state, reason FROM drip_enrolments") == ["exited|audience.left"])
        crm.clock.advance(by: "5 days")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        #expect(try crm.troubles() == [])
    }

    @Test func `nobody leaves an audience or a sequence while the scores it reads are made anew`() async throws {
        let crm = try crm()
        // More than one batch, so that others would have their turn before the scores are whole again.
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
                    INSERT INTO leads (external_id) SELECT i FROM n
                    """)
            try tx.emit(
                "demo.booked", forEach: "SELECT id AS lead_id, NULL AS cause_id, '{}' AS body FROM leads WHERE id > 600"
            )
        }
        try await crm.work()
        let state = """
            SELECT audience, lead_id, since, until FROM audiences_members
            UNION ALL SELECT sequence, lead_id, state, cycle FROM drip_enrolments
            UNION ALL SELECT 'score', lead_id, score, decays FROM scoring_scores ORDER BY 1, 2
            """
        let before = try crm.rows(state)
        #expect(before.count == 1800)
        let last = try crm.lastEvent
        _ = try Rebuild(crm.kernel).run("scoring")
        #expect(try crm.rows(state) == before)
        #expect(try crm.rows("SELECT * FROM events WHERE id > \(last) AND kind GLOB 'audience.*'") == [])
        #expect(try crm.value("SELECT count(*) FROM subscribers WHERE last_event_id < anew_through") == "0")
    }
}
