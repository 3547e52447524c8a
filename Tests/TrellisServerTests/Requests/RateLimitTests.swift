import Testing

@testable import TrellisServer

@Suite struct RateLimitTests {
    private let begin = ContinuousClock.now

    private func after(_ seconds: Double) -> ContinuousClock.Instant { begin + .seconds(seconds) }

    @Test func `a visitor may come so often at once, and then waits`() {
        let limit = RateLimit(perMinute: 3)
        for _ in 1...3 { #expect(limit.wait(for: "ann", now: begin) == nil) }
        #expect(limit.wait(for: "ann", now: begin) == 20)
        #expect(limit.wait(for: "ann", now: after(5)) == 15)
        #expect(limit.wait(for: "ann", now: after(19.5)) == 1)
    }

    @Test func `whoever waited as long as they were told comes in`() {
        let limit = RateLimit(perMinute: 3)
        for _ in 1...3 { _ = limit.wait(for: "ann", now: begin) }
        #expect(limit.wait(for: "ann", now: after(20)) == nil)
        #expect(limit.wait(for: "ann", now: after(20)) == 20)
        #expect(limit.wait(for: "ann", now: after(60)) == nil)
        #expect(limit.wait(for: "ann", now: after(60)) == nil)
        #expect(limit.wait(for: "ann", now: after(60)) == 20)
    }

    @Test func `to ask again while waiting makes the wait no longer`() {
        let limit = RateLimit(perMinute: 1)
        #expect(limit.wait(for: "ann", now: begin) == nil)
        for second in 1...59 {
            let wait = limit.wait(for: "ann", now: after(Double(second))) ?? 0
            // A fraction of a second is rounded up.
            #expect((60 - second...61 - second).contains(wait))
        }
        #expect(limit.wait(for: "ann", now: after(60.001)) == nil)
    }

    @Test func `a long absence saves up no more than one minute's visits`() {
        let limit = RateLimit(perMinute: 3)
        _ = limit.wait(for: "ann", now: begin)
        for _ in 1...3 { #expect(limit.wait(for: "ann", now: after(86_400)) == nil) }
        #expect(limit.wait(for: "ann", now: after(86_400)) == 20)
    }

    @Test func `one visitor is nothing to another`() {
        let limit = RateLimit(perMinute: 1)
        #expect(limit.wait(for: "ann", now: begin) == nil)
        #expect(limit.wait(for: "bob", now: begin) == nil)
        #expect(limit.wait(for: "ann", now: begin) == 60)
    }

    @Test func `a wait is told in whole seconds, at least one`() {
        let limit = RateLimit(perMinute: 600)
        for _ in 1...600 { #expect(limit.wait(for: "ann", now: begin) == nil) }
        #expect(limit.wait(for: "ann", now: begin) == 1)
        #expect(limit.wait(for: "ann", now: after(0.11)) == nil)
    }

    @Test func `when many are remembered, those who may come again anyway are forgotten`() {
        let limit = RateLimit(perMinute: 2)
        for number in 2...RateLimit.visitorsMax { _ = limit.wait(for: "\(number)", now: begin) }
        for _ in 1...2 { #expect(limit.wait(for: "ann", now: after(60)) == nil) }
        #expect(limit.wait(for: "new", now: after(60)) == nil)
        #expect(limit.wait(for: "ann", now: after(60)) == 30)
    }

    @Test func `many at once get no more than there is`() async {
        let (limit, begin) = (RateLimit(perMinute: 50), begin)
        let passed = await withTaskGroup(of: Bool.self) { group in
            for _ in 1...200 { group.addTask { limit.wait(for: "ann", now: begin) == nil } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(passed == 50)
    }
}
