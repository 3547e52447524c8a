import Foundation
import Testing
import TrellisKernel

@Suite struct TrialClockTests {
    @Test func `it stands still until it is set forward, and never goes back`() {
        let start = Date(timeIntervalSince1970: 1_780_000_000)
        let clock = TrialClock(at: start)
        let read = clock.clock
        #expect(read.now() == start && read.now() == start)
        clock.advance(to: start + 86_400)
        #expect(read.now() == start + 86_400)
        clock.advance(to: start)
        #expect(read.now() == start + 86_400)
        #expect(clock.now == read.now())
    }

    @Test func `nobody takes a week in a moment for a jump`() {
        #expect(TrialClock(at: Date(timeIntervalSince1970: 0)).clock.steadySeconds == nil)
    }
}
