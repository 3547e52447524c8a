import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// As of when a lead is judged: whoever is cold by now crosses nothing, and whoever was heard of late loses nothing.
@Suite struct MomentsTests {
    private func crm(_ rules: String) throws -> TestKernel {
        try TestKernel(
            "activities: {demo.booked: {}, page.viewed: {}}\nplugins: {scoring: {\(rules)}}", plugins: [Scoring.self])
    }

    private func stage(_ crm: TestKernel) throws -> String? { try crm.value("SELECT stage FROM leads WHERE id = 1") }

    private func changeTitle(_ crm: TestKernel) throws {
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "UPDATE leads SET title = 'Head', country = 'DE' WHERE id = 1")
        }
    }

    private static let seconds = """
        fit: {head: {when: "title = 'Head'", points: 20}}, engagement: {demo: {on: demo.booked, points: 40, half_life: 5 seconds}}, \
        thresholds: {mql: {score: 50}}
        """

    @Test func `points that faded do not make a lead qualified when its fit changes`() throws {
        let crm = try crm(Self.seconds)
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        crm.clock.advance(by: "15s")
        try changeTitle(crm)
        try crm.pump()
        #expect(
            try crm.rows("SELECT fit, round(engagement, 3), round(score, 3), as_of FROM scoring_scores") == [
                "20|5.0|25.0|2026-03-02 09:00:15.000"
            ])
        #expect(try stage(crm) == "lead")
        #expect(try crm.rows("SELECT * FROM scoring_standings") == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `nor when another column changes that a threshold asks for`() throws {
        let crm = try crm(
            "engagement: {demo: {on: demo.booked, points: 60, half_life: 5 seconds}}, thresholds: {mql: {score: 50, when: \"country = 'DE'\"}}"
        )
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        crm.clock.advance(by: "15s")
        try changeTitle(crm)
        try crm.pump()
        #expect(try stage(crm) == "lead")
        #expect(try crm.value("SELECT round(score, 3) FROM scoring_scores") == "7.5")
    }

    @Test(arguments: ["2025-03-02 09:00", "2026-02-01 09:00"])
    func `a history that is loaded today makes no cold lead warm`(_ day: String) throws {
        let crm = try crm(
            "engagement: {demo: {on: demo.booked, points: 60, half_life: 30 days}}, thresholds: {mql: {score: 50}}")
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1, at: day)
        try crm.pump()
        #expect(try stage(crm) == "lead")
        #expect(try crm.rows("SELECT as_of FROM scoring_scores") == ["2026-03-02 09:00:00.000"])
        #expect(try crm.rows("SELECT kind FROM events WHERE kind = 'score.fell'") == [])
        // A log that was silent for long is no clock.
        crm.clock.advance(by: "60 days")
        try crm.record("demo.booked", lead: 1, at: day)
        try crm.pump()
        #expect(try stage(crm) == "lead")
        #expect(try crm.rows("SELECT as_of FROM scoring_scores") == ["2026-05-01 09:00:00.000"])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: ["1s", "16m", "6h"])
    func `an event that is handled late does not just miss a threshold`(_ late: String) throws {
        let crm = try crm(
            "engagement: {demo: {on: demo.booked, points: 50, half_life: 30 days}}, thresholds: {mql: {score: 50}}")
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1)
        crm.clock.advance(by: late)
        try crm.pump()
        #expect(try stage(crm) == "mql")
        #expect(try crm.troubles() == [])
    }

    @Test func `who was not looked at for weeks is judged as of now`() throws {
        let crm = try crm(
            "engagement: {demo: {on: demo.booked, points: 60, half_life: 10 days}}, thresholds: {mql: {score: 50}}")
        try crm.capture(["email": "ann@a.example"])
        try crm.record("demo.booked", lead: 1)
        crm.clock.advance(by: "20 days")
        try crm.pump()
        #expect(try stage(crm) == "lead")
        #expect(try crm.value("SELECT round(score, 3) FROM scoring_scores") == "15.0")
        #expect(try crm.troubles() == [])
    }

    @Test func `an event from the future moves no clock`() throws {
        let crm = try crm(
            "engagement: {demo: {on: demo.booked, points: 60, half_life: 10 days}}, thresholds: {mql: {score: 50}}")
        try crm.capture(["email": "ann@a.example"])
        try crm.foreign(
            "INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('page.viewed', 1, 'sql', '2036-03-02 09:00:00.000', '{}')"
        )
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try stage(crm) == "mql")
        #expect(try crm.rows("SELECT as_of FROM scoring_scores") == ["2026-03-02 09:00:00.000"])
    }
}
