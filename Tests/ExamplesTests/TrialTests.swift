import Testing
import TrellisKernel
import TrellisTesting

/// `Examples/trial`: a trial that begins on Monday 2 March 2026 at nine UTC and ends on the 16th. Amsterdam is an hour
/// ahead.
struct TrialTests {
    private func crm(newsletter: Bool = true) async throws -> ExampleFolder {
        let crm = try ExampleFolder("Examples/trial", at: "2026-03-02 09:00:00")
        try crm.capture(
            "kilnbook-trial", ["email": "ada@klei.example", "first_name": "Ada", "kilns": "2"], newsletter: newsletter)
        try await crm.work()
        return crm
    }

    private static let ending = ["two-days-left 2026-03-14 08:00", "trial-over 2026-03-17 09:00"]

    @Test func `an idle trial is helped, reminded and closed`() async throws {
        let crm = try await crm()
        #expect(try crm.rows("SELECT trial_ends_on FROM leads") == ["2026-03-16"])
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(
            try crm.post() == [
                "trial-begins 2026-03-02 09:00", "first-firing 2026-03-02 10:00", "stuck 2026-03-05 10:00",
                "read-the-curve 2026-03-08 10:00",
            ] + Self.ending)
        #expect(try crm.enrolments() == ["first-steps|1|completed|", "calendar|1|completed|"])
        #expect(crm.transport.sent.contains { $0.subject == "Your trial ends on 2026-03-16" })
        #expect(try crm.troubles() == [])
    }

    @Test func `a logged firing leads to the second one instead`() async throws {
        let crm = try await crm()
        try await crm.live(until: "2026-03-03 09:00:00")
        try crm.record("firing.logged", lead: 1, ["cone": "6"])
        try await crm.live(until: "2026-03-09 09:00:00")
        #expect(
            try Array(crm.post().dropFirst(2)) == ["second-firing 2026-03-04 09:00", "read-the-curve 2026-03-07 09:00"])
        #expect(try crm.query("trials") == ["1||2|2026-03-16|calendar|1"])
    }

    @Test func `the first steps and a plan that was looked at run side by side`() async throws {
        let crm = try await crm()
        try crm.record("plan.viewed", lead: 1, ["plan": "solo"])
        try await crm.live(until: "2026-03-02 12:00:00")
        #expect(
            try crm.enrolments() == ["first-steps|1|active|", "calendar|1|active|", "upgrade-solo|1|active|"])
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(
            try crm.post() == [
                "trial-begins 2026-03-02 09:00", "first-firing 2026-03-02 10:00", "solo-plan 2026-03-02 13:00",
                "stuck 2026-03-05 10:00", "solo-arithmetic 2026-03-06 13:00", "read-the-curve 2026-03-08 10:00",
            ] + Self.ending)
        #expect(try crm.troubles() == [])
    }

    @Test func `the studio plan takes over from the solo plan, and not the other way round`() async throws {
        let crm = try await crm()
        try crm.record("plan.viewed", lead: 1, ["plan": "solo"])
        try await crm.live(until: "2026-03-03 09:00:00")
        try crm.record("plan.viewed", lead: 1, ["plan": "studio"])
        try await crm.live(until: "2026-03-03 10:00:00")
        #expect(
            try crm.enrolments().suffix(2) == [
                "upgrade-solo|1|exited|upgrade-studio took over", "upgrade-studio|1|active|",
            ])
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(
            try crm.post().filter { $0.hasPrefix("solo") || $0.hasPrefix("studio") }
                == ["solo-plan 2026-03-02 13:00", "studio-plan 2026-03-03 13:00"])
        #expect(try crm.tasks() == ["call|2026-03-05 13:00|open"])

        let other = try await self.crm()
        try other.record("plan.viewed", lead: 1, ["plan": "studio"])
        try await other.work()
        try other.record("plan.viewed", lead: 1, ["plan": "solo"])
        try await other.work()
        #expect(try other.enrolments().last == "upgrade-studio|1|active|")
        #expect(
            try other.rows("SELECT body FROM events WHERE kind = 'drip.kept_out'")
                == [#"{"sequence":"upgrade-solo","by":"upgrade-studio"}"#])
    }

    @Test func `the last call silences the plans`() async throws {
        let crm = try await crm()
        try await crm.live(until: "2026-03-12 09:00:00")
        try crm.record("plan.viewed", lead: 1, ["plan": "solo"])
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(try crm.enrolments().last == "upgrade-solo|1|exited|dismissed")
        #expect(try crm.post().suffix(3) == ["solo-plan 2026-03-12 13:00"] + Self.ending)
    }

    @Test func `an extended trial moves the last call`() async throws {
        let crm = try await crm()
        try await crm.live(until: "2026-03-13 09:00:00")
        try crm.foreign("UPDATE leads SET trial_ends_on = date(trial_ends_on, '+7 days')")
        try await crm.live(until: "2026-03-22 09:00:00")
        // The clocks do not change before the 29th.
        #expect(try crm.post().last == "two-days-left 2026-03-21 08:00")
        try crm.foreign("UPDATE leads SET trial_ends_on = date(trial_ends_on, '+7 days')")
        try await crm.live(until: "2026-04-10 09:00:00")
        #expect(
            try crm.post().suffix(2) == ["two-days-left 2026-03-21 08:00", "trial-over 2026-03-31 08:00"],
            "not said twice, and at ten by the summer's clock")
        #expect(try crm.troubles() == [])
    }

    @Test func `without the tick there is the trial, and no plan is sold`() async throws {
        let crm = try await crm(newsletter: false)
        try crm.record("plan.viewed", lead: 1, ["plan": "solo"])
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(
            try crm.post() == [
                "trial-begins 2026-03-02 09:00", "first-firing 2026-03-02 10:00", "stuck 2026-03-05 10:00",
                "read-the-curve 2026-03-08 10:00",
            ] + Self.ending)
    }

    static let points = [
        "2026-03-02 09:00:00", "2026-03-03 10:00:00", "2026-03-04 09:00:00", "2026-03-07 09:00:00",
        "2026-03-12 09:00:00", "2026-03-15 09:00:00",
    ]

    @Test(arguments: points) func `a purchase ends everything, wherever it is`(_ point: String) async throws {
        let crm = try await crm()
        try crm.record("plan.viewed", lead: 1, ["plan": "studio"])
        try await crm.live(until: point)
        let before = try crm.post()
        try crm.record("plan.bought", lead: 1, ["plan": "studio"])
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(try crm.post() == before)
        #expect(try crm.pending() == [])
        #expect(try crm.enrolments().allSatisfy { !$0.contains("active") })
        #expect(try crm.enrolments().contains("calendar|1|goal|plan.bought"))
        #expect(try crm.query("trials") == [])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: points, [WayOut.bounce, .unsubscribed])
    func `so do a bounce and a farewell`(_ point: String, _ way: WayOut) async throws {
        let crm = try await crm()
        try crm.record("plan.viewed", lead: 1, ["plan": "solo"])
        try await crm.live(until: point)
        let before = try crm.post()
        try crm.leave(by: way)
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(try crm.post() == before)
        #expect(try crm.pending() == [])
        #expect(try crm.troubles() == [])
    }
}
