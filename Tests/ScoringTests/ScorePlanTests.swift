import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// What `trellis plan` says of thresholds: what it announces is what is there afterwards.
@Suite struct ScorePlanTests {
    private static func rules(hot: String) -> String {
        """
        activities: {seat.added: {}}
        plugins:
          scoring:
            fit: {head: {when: "title = 'Head'", points: 20}}
            thresholds: {mql: {score: 60}}
            models:
              upsell:
                engagement: {seats: {on: seat.added, points: 5}}
                thresholds: {\(hot)}
        """
    }

    private let crm: TestKernel

    /// Three leads with 5, 10 and 15 points, and nobody above the threshold.
    init() async throws {
        crm = try TestKernel(Self.rules(hot: "hot: {score: 20}"), plugins: [Scoring.self])
        for lead in 1...3 as ClosedRange<Int64> {
            try crm.capture(["email": "l\(lead)@a.example", "title": "Head"])
            for _ in 1...lead { try crm.record("seat.added", lead: lead) }
        }
        try await Self.work(crm)
    }

    /// As a worker does that starts, and ends when nothing is due.
    private static func work(_ crm: TestKernel) async throws {
        let worker = try Worker(crm.kernel, transports: [crm.transport])
        try await worker.runUntilIdle()
        try worker.finish()
    }

    private func change(to yaml: String, rebuilding: Bool = true) throws -> ConfigChange {
        let config = try Config.parse(
            TestKernel.site + "\n" + yaml, folder: crm.folder, plugins: [Scoring.self],
            environment: TestKernel.environment)
        var change = try ConfigChange(
            to: config, plugins: [Scoring.self], clock: crm.clock.clock, environment: TestKernel.environment)
        if rebuilding { change.rebuilding = ["scoring"] }
        return change
    }

    private func apply(_ change: ConfigChange, _ yaml: String) async throws -> TestKernel {
        try crm.kernel.close()
        try change.adopt(as: .apply, by: "ann", planned: nil, writing: crm.folder + "/config.yaml")
        let after = try TestKernel(yaml, plugins: [Scoring.self], folder: crm.folder, clock: crm.clock)
        try await Self.work(after)
        return after
    }

    private static let reached =
        "SELECT lead_id FROM events WHERE kind = 'score.reached' AND json_extract(body, '$.threshold') = 'hot' ORDER BY id"

    @Test func `who comes over a threshold that is lowered is counted, and is who is told of`() async throws {
        let lowered = Self.rules(hot: "hot: {score: 8}")
        let change = try change(to: lowered)
        #expect(
            try await change.plan() == [
                PlannedChange("scoring", "threshold hot of upsell", "reach", count: 2),
                PlannedChange("scoring", "threshold hot of upsell", "score.reached logged", count: 2),
            ])
        #expect(try crm.rows(Self.reached) == [])
        let after = try await apply(change, lowered)
        #expect(try after.rows(Self.reached) == ["2", "3"])
        #expect(try after.troubles() == [])
    }

    @Test func `who falls under one that is raised is counted, and where it is gone all are`() async throws {
        let lowered = Self.rules(hot: "hot: {score: 8}")
        _ = try await apply(try change(to: lowered), lowered)
        #expect(
            try await change(to: Self.rules(hot: "hot: {score: 12}")).plan() == [
                PlannedChange("scoring", "threshold hot of upsell", "fall below", count: 1)
            ])
        #expect(
            try await change(to: Self.rules(hot: "warm: {score: 12}")).plan() == [
                PlannedChange("scoring", "threshold hot of upsell", "leave, for it is not in the config", count: 2),
                PlannedChange("scoring", "threshold warm of upsell", "reach", count: 1),
                PlannedChange("scoring", "threshold warm of upsell", "score.reached logged", count: 1),
            ])
    }

    @Test func `without a rebuild nobody comes over it before there are new points`() async throws {
        let lowered = Self.rules(hot: "hot: {score: 8}")
        #expect(try await change(to: lowered, rebuilding: false).plan() == [])
    }

    @Test func `in the main model it is told beside the stages that move`() async throws {
        let lowered = Self.rules(hot: "hot: {score: 20}").replacing("mql: {score: 60}", with: "mql: {score: 20}")
        let planned = try await change(to: lowered).plan()
        #expect(planned.contains(PlannedChange("stage", "lead → mql", "move", count: 3)))
        #expect(
            planned.filter { $0.area == "scoring" } == [
                PlannedChange("scoring", "threshold mql", "reach", count: 3)
            ])
    }
}
