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
}
