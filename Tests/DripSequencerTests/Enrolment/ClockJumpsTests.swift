import DripSequencer
import Foundation
import Testing
import TrellisKernel
import TrellisTesting

/// A clock of the machine that jumps under leads who are due tomorrow, one an hour.
@Suite struct ClockJumpsTests {
    private static let days400 = 400.0 * 86_400
    private static let lateness = ["shift", "send", "skip"]
    /// When the three leads are due.
    private static let due = ["2026-03-03 09:00:00.000", "2026-03-03 10:00:00.000", "2026-03-03 11:00:00.000"]

    /// Three leads who come at 9, 10 and 11 on the 2nd of March; it is 11 then.
    private func crm(_ late: String) async throws -> TestKernel {
        let crm = try TestKernel(
            DripSite.yaml("enter: {on: lead.created}, late: \(late), steps: [{wait: 1 day}, {mail: one}]"),
            plugins: [DripSequencer.self], files: DripSite.files,
            clock: StoppedClock(at: "2026-03-02 09:00:00", showsJumps: true))
        let worker = try Worker(crm.kernel, transport: crm.transport)
        for number in 1...3 {
            if number > 1 { crm.clock.advance(by: "1 hour") }
            try crm.lead("l\(number)@a.example")
            try await worker.runUntilIdle()
        }
        try worker.finish()
        return crm
    }

    private func due(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT due_at FROM drip_enrolments ORDER BY id")
    }

    private func stops(_ crm: TestKernel) throws -> [String] { try crm.rows("SELECT stop FROM kernel_stops") }

    /// A worker that starts, works until nothing is due, and is stopped.
    private func work(_ crm: TestKernel) async throws {
        let worker = try Worker(crm.kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        try worker.finish()
    }

    /// A worker under whom the clock jumps, which holds the work.
    private func jumped(_ crm: TestKernel, by seconds: TimeInterval) async throws -> Worker {
        let worker = try Worker(crm.kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        crm.clock.jump(by: seconds)
        try await worker.runUntilIdle()
        #expect(try stops(crm) == ["the clock jumped"])
        return worker
    }

    private func stop(_ worker: inout Worker?) throws {
        try worker?.finish()
        worker = nil
    }

    private func accept(_ crm: TestKernel) throws {
        #expect(try crm.kernel.write(origin: "cli") { try $0.acceptClockJumps(by: "cli") } == 1)
    }

    /// How many mails were sent after each of the next hours.
    private func sent(_ crm: TestKernel, hours: Int) async throws -> [Int] {
        var counts: [Int] = []
        for _ in 1...hours {
            crm.clock.advance(by: "1 hour")
            try await work(crm)
            counts.append(crm.transport.sent.count)
        }
        return counts
    }

    // MARK: - Held

    @Test(arguments: lateness, [days400, -7200])
    func `a restart while a jump is held moves nobody, passes nobody over, and still says what stands still`(
        _ late: String, _ jump: Double
    ) async throws {
        let crm = try await crm(late)
        _ = try await jumped(crm, by: jump)
        // The first was killed, the second is stopped.
        for _ in 1...2 {
            try await work(crm)
            #expect(try due(crm) == Self.due)
            #expect(try crm.rows("SELECT sum(is_late), sum(is_shifted) FROM drip_enrolments") == ["0|0"])
            #expect(try stops(crm) == ["the clock jumped"])
        }
        crm.clock.jump(by: -jump)
        try await work(crm)
        #expect(try stops(crm) == [])
        #expect(try due(crm) == Self.due)
        #expect(crm.transport.sent.isEmpty)
        let counts = try await sent(crm, hours: 24)
        #expect(counts == Array(repeating: 0, count: 21) + [1, 2, 3])
    }

    @Test(arguments: lateness)
    func `a fortnight after a stop while a jump is held is not sent in one minute`(_ late: String) async throws {
        let crm = try await crm(late)
        try await jumped(crm, by: Self.days400).finish()
        try await work(crm)
        crm.clock.jump(by: -Self.days400)
        crm.clock.advance(by: "14 days")
        try await work(crm)
        #expect(try stops(crm) == [])
        #expect(crm.transport.sent.count == (late == "send" ? 3 : 0))
        guard late == "shift" else { return }
        #expect(try due(crm) == Self.due.map { $0.replacing("03-03", with: "03-17") })
        let counts = try await sent(crm, hours: 24)
        #expect(counts == Array(repeating: 0, count: 21) + [1, 2, 3])
    }

    @Test func `what came due while a jump was held is not sent in one minute when the clock comes back`() async throws
    {
        for jump in [Self.days400, -7200] {
            let crm = try await crm("shift")
            let worker = try await jumped(crm, by: jump)
            crm.clock.advance(by: "14 days")
            try await worker.runUntilIdle()
            #expect(try due(crm) == Self.due)
            crm.clock.jump(by: -jump)
            try await worker.runUntilIdle()
            #expect(crm.transport.sent.isEmpty)
            #expect(try due(crm) == Self.due.map { $0.replacing("03-03", with: "03-17") })
            #expect(try stops(crm) == [])
        }
    }

    @Test func `a pause that is ended while a jump is held is not reckoned by the wrong clock`() async throws {
        let crm = try await crm("shift")
        var worker: Worker? = try await jumped(crm, by: Self.days400)
        try crm.run("sequences pause", "course")
        try await worker?.runUntilIdle()
        try crm.run("sequences resume", "course")
        try await worker?.runUntilIdle()
        #expect(try due(crm) == Self.due)
        crm.clock.jump(by: -Self.days400)
        try await worker?.runUntilIdle()
        #expect(try due(crm) == Self.due)
        #expect(try stops(crm) == [])
        try stop(&worker)
        let counts = try await sent(crm, hours: 24)
        #expect(counts == Array(repeating: 0, count: 21) + [1, 2, 3])
    }

    @Test func `who came while the clock was ahead does not wait for the year it showed`() async throws {
        let crm = try await crm("shift")
        var worker: Worker? = try await jumped(crm, by: Self.days400)
        try crm.lead("l4@a.example")
        try await worker?.runUntilIdle()
        crm.clock.advance(by: "2 hours")
        crm.clock.jump(by: -Self.days400)
        try await worker?.runUntilIdle()
        try stop(&worker)
        #expect(try due(crm) == Self.due + ["2026-03-03 11:00:00.000"])
        #expect(
            try crm.rows("SELECT entered_at, arrived_at FROM drip_enrolments WHERE lead_id = 4") == [
                "2026-03-02 11:00:00.000|2026-03-02 11:00:00.000"
            ])
        // It is 13 on the 2nd of March.
        let counts = try await sent(crm, hours: 22)
        #expect(counts == Array(repeating: 0, count: 19) + [1, 2, 4])
    }

    @Test func `a day that was moved while the clock was ahead is reckoned by the right clock`() async throws {
        let crm = try TestKernel(
            "leads: {fields: {starts_on: date}}\n"
                + DripSite.yaml("enter: {on: lead.created}, steps: [{wait_until: starts_on - 1 day}, {mail: one}]"),
            plugins: [DripSequencer.self], files: DripSite.files,
            clock: StoppedClock(at: "2026-03-02 09:00:00", showsJumps: true))
        // By the clock of the house: another client would write events of today.
        func move(_ sql: String) throws { try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: sql) } }
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example") }
        try move("UPDATE leads SET starts_on = iif(id = 1, '2026-03-20', '2026-03-25')")
        var worker: Worker? = try await jumped(crm, by: Self.days400)
        try move("UPDATE leads SET starts_on = '2026-03-25' WHERE id = 1")
        try await worker?.runUntilIdle()
        crm.clock.advance(by: "1 minute")
        crm.clock.jump(by: -Self.days400)
        try await worker?.runUntilIdle()
        try stop(&worker)
        let due = try due(crm)
        #expect(due[0] == due[1] && due[1].hasPrefix("2026-03-2"), "\(due)")
        #expect(try crm.rows("SELECT is_late FROM drip_enrolments") == ["0", "0"])
        #expect(crm.transport.sent.isEmpty)
    }

    @Test func `who was set right is not set back again by a worker that starts after a crash`() async throws {
        let crm = try await crm("shift")
        var worker: Worker? = try await jumped(crm, by: 3600)
        crm.clock.advance(by: "2 hours")
        try crm.lead("l4@a.example")
        try await worker?.runUntilIdle()
        crm.clock.jump(by: -3600)
        try await worker?.runUntilIdle()
        worker = nil
        #expect(try crm.rows("SELECT ended_at FROM worker_runs ORDER BY id DESC LIMIT 1") == [""])
        // It came at 13 by the right clock, which is past what the wrong one showed when it jumped.
        let due = Self.due + ["2026-03-03 13:00:00.000"]
        #expect(try self.due(crm) == due)
        try await work(crm)
        #expect(try self.due(crm) == due)
    }

    // MARK: - Accepted

    @Test(arguments: lateness, [true, false])
    func `an accepted jump is a stop, after which nothing is sent that lateness keeps back`(
        _ late: String, _ isRunning: Bool
    ) async throws {
        let crm = try await crm(late)
        var worker: Worker? = try await jumped(crm, by: Self.days400)
        crm.clock.advance(by: "2 hours")
        try await worker?.runUntilIdle()
        if !isRunning { try stop(&worker) }
        try accept(crm)
        #expect(try stops(crm) == [])
        #expect(crm.transport.sent.isEmpty)
        try await worker?.runUntilIdle()
        try stop(&worker)
        // 400 days and two hours were lost; none further to whoever starts right after that.
        for _ in 1...2 {
            try await work(crm)
            #expect(crm.transport.sent.count == (late == "send" ? 3 : 0))
        }
        #expect(try crm.rows("SELECT settled_by, settled_at FROM clock_jumps") == ["cli|2027-04-06 13:00:00.000"])
        guard late == "shift" else { return }
        #expect(try due(crm) == ["2027-04-07 11:00:00.000", "2027-04-07 12:00:00.000", "2027-04-07 13:00:00.000"])
        let counts = try await sent(crm, hours: 24)
        #expect(counts == Array(repeating: 0, count: 21) + [1, 2, 3])
    }

    @Test func `who came while the clock was ahead is not put off by the jump`() async throws {
        let crm = try await crm("shift")
        let worker = try await jumped(crm, by: Self.days400)
        try crm.lead("l4@a.example")
        try await worker.runUntilIdle()
        crm.clock.advance(by: "2 days")
        try accept(crm)
        try await worker.runUntilIdle()
        #expect(crm.transport.sent.isEmpty)
        // Due a day after it came, on the 6th at 11; two days passed while the jump was held.
        #expect(try crm.rows("SELECT due_at FROM drip_enrolments WHERE lead_id = 4") == ["2027-04-09 11:00:00.000"])
    }

    @Test(arguments: lateness)
    func `a clock that was put back and accepted sends nothing early, late or twice`(_ late: String) async throws {
        let crm = try await crm(late)
        var worker: Worker? = try await jumped(crm, by: -7200)
        try accept(crm)
        try await worker?.runUntilIdle()
        try stop(&worker)
        #expect(crm.transport.sent.isEmpty)
        #expect(try due(crm) == Self.due)
        // It is 9 on the 2nd of March again.
        let counts = try await sent(crm, hours: 27)
        #expect(counts == Array(repeating: 0, count: 23) + [1, 2, 3, 3])
    }
}
