import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// A fortnight of nobody working, under each rule.
@Suite struct DowntimeTests {
    private static func yaml(
        _ late: String, _ steps: String = "[{wait: 1 day}, {mail: one}, {wait: 1 day}, {mail: two}]"
    )
        -> String
    {
        DripSite.yaml("enter: {on: lead.created}, late: \(late), steps: \(steps)")
    }

    private func sent(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id || ' ' || template FROM outbox_messages ORDER BY id")
    }

    /// Leads who come one every hour for ten hours, and a worker that stops for a fortnight right after.
    private func downed(_ yaml: String) async throws -> TestKernel {
        let crm = try TestKernel(yaml, plugins: [DripSequencer.self], files: DripSite.files)
        let worker = try Worker(crm.kernel, transport: crm.transport)
        for number in 1...10 {
            try crm.lead("l\(number)@a.example")
            try await worker.runUntilIdle()
            crm.clock.advance(by: "1 hour")
        }
        try worker.finish()
        crm.clock.advance(by: "14 days")
        return crm
    }

    private func work(_ crm: TestKernel) async throws {
        let worker = try Worker(crm.kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        try worker.finish()
    }

    @Test func `shift: what was missed comes at the pace it would have come at`() async throws {
        let crm = try await downed(Self.yaml("shift"))
        try await work(crm)
        #expect(try sent(crm) == [], "a backlog does not go out in one minute")
        var counts: [Int] = []
        for _ in 1...26 {
            crm.clock.advance(by: "1 hour")
            try await work(crm)
            counts.append(try sent(crm).count)
        }
        // The first was due 14 hours after the work stopped, and then one an hour.
        #expect(counts == Array(repeating: 0, count: 13) + Array(1...10) + [10, 10, 10])
        #expect(Set(crm.transport.sent.map(\.recipient)).count == 10)
        for _ in 1...24 {
            crm.clock.advance(by: "1 hour")
            try await work(crm)
        }
        #expect(try sent(crm).count == 20)
        #expect(try crm.troubles() == [])
    }

    @Test func `send: the step at once, and no lead gets two`() async throws {
        let crm = try await downed(Self.yaml("send"))
        try await work(crm)
        #expect(try sent(crm).sorted() == (1...10).map { "\($0) one" }.sorted())
        crm.clock.advance(by: "1 day")
        try await work(crm)
        #expect(try sent(crm).count == 20)
    }

    @Test func `skip: the step is passed over, and what comes after it comes`() async throws {
        let crm = try await downed(Self.yaml("skip"))
        try await work(crm)
        #expect(try sent(crm) == [])
        crm.clock.advance(by: "1 day")
        try await work(crm)
        #expect(try sent(crm).sorted() == (1...10).map { "\($0) two" }.sorted())
    }

    @Test func `a day of the calendar cannot be shifted: its mail is passed over`() async throws {
        let yaml = """
            leads: {fields: {trial_ends_on: date}}
            plugins: {drip: {sequences: {course: {enter: {on: lead.created}, steps: [{wait_until: trial_ends_on - 2 days}, {mail: one}, {wait: 1 day}, {mail: two}]}}}}
            """
        let crm = try TestKernel(yaml, plugins: [DripSequencer.self], files: DripSite.files)
        try crm.capture(["email": "ann@a.example", "trial_ends_on": "2026-03-08"], consents: ["newsletter"])
        try await work(crm)
        crm.clock.advance(by: "14 days")
        try await work(crm)
        #expect(try sent(crm) == [])
        crm.clock.advance(by: "1 day")
        try await work(crm)
        #expect(try sent(crm) == ["1 two"])
    }

    @Test func `a next monday takes the place of the last`() async throws {
        let crm = try await downed(Self.yaml("shift", "[{wait_until: wednesday 09:00}, {mail: one}]"))
        try await work(crm)
        #expect(try sent(crm) == [])
        #expect(try crm.rows("SELECT DISTINCT due_at FROM drip_enrolments") == ["2026-03-18 09:00:00.000"])
    }

    @Test func `a worker that comes once a day shifts a lead once, and not for ever`() async throws {
        let crm = try TestKernel(Self.yaml("shift"), plugins: [DripSequencer.self], files: DripSite.files)
        try await work(crm)
        crm.clock.advance(by: "12 hours")
        try crm.lead("ann@a.example")
        for _ in 1...8 {
            try await work(crm)
            crm.clock.advance(by: "1 day")
        }
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one", "Lesson two"])
    }

    @Test func `a short stop is no stop`() async throws {
        let crm = try TestKernel(
            Self.yaml("skip", "[{wait: 30m}, {mail: one}]"), plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        try await work(crm)
        crm.clock.advance(by: "55m")
        try await work(crm)
        #expect(crm.transport.sent.count == 1)
    }

    @Test func `a plugin that was off for a fortnight comes back under the same rule`() async throws {
        let crm = try TestKernel(Self.yaml("skip"), plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        try await work(crm)
        let off = try crm.reopened(
            Self.yaml("skip").replacing("drip: {", with: "drip: {enabled: false, "), plugins: [DripSequencer.self])
        for _ in 1...14 {
            try await work(off)
            off.clock.advance(by: "1 day")
        }
        try await work(off)
        let on = try off.reopened(Self.yaml("skip"))
        try await work(on)
        #expect(try sent(on) == [])
        on.clock.advance(by: "1 day")
        try await work(on)
        #expect(try sent(on) == ["1 two"])
    }
}
