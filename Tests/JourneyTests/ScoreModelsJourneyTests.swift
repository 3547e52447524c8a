import AudienceExport
import DripSequencer
import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// A score beside the main one, in the hands of the other plugins.
@Suite struct ScoreModelsJourneyTests {
    private func crm() throws -> TestKernel {
        try TestKernel(
            """
            activities: {seat.added: {}}
            plugins:
              scoring:
                models:
                  expansion:
                    engagement: {seats: {on: seat.added, points: 10, half_life: 10 days}}
                    thresholds: {ripe: {score: 15}}
                  other:
                    engagement: {seats: {on: seat.added, points: 90}}
                    thresholds: {ripe: {score: 15}}
              drip:
                sequences:
                  more-seats:
                    enter: {on: score.reached, where: "model = 'expansion' AND threshold = 'ripe'"}
                    exit: [{on: score.fell, where: "model = 'expansion'"}]
                    steps: [{wait: 90 days}]
              audiences:
                growing: {sql: SELECT lead_id FROM scoring_models WHERE model = 'expansion' AND score >= 15}
            """, plugins: [Scoring.self, DripSequencer.self, AudienceExport.self])
    }

    @Test func `a sequence begins where it is reached and ends where it falls, and an audience follows`() async throws {
        let crm = try crm()
        for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@a.example"]) }
        try crm.record("seat.added", lead: 1)
        try crm.record("seat.added", lead: 1)
        try crm.record("seat.added", lead: 2)
        try await crm.work()
        #expect(try crm.rows("SELECT lead_id, sequence, state FROM drip_enrolments") == ["1|more-seats|active"])
        #expect(
            try crm.rows("SELECT lead_id FROM audiences_members WHERE audience = 'growing' AND until IS NULL") == ["1"])
        crm.clock.advance(by: "20 days")
        try await crm.work()
        #expect(try crm.rows("SELECT state FROM drip_enrolments") != ["active"])
        #expect(
            try crm.rows("SELECT lead_id FROM audiences_members WHERE audience = 'growing' AND until IS NULL") == [])
        #expect(try crm.troubles() == [])
    }
}
