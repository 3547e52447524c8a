import Testing

@testable import TrellisKernel

@Suite struct SpanTests {
    @Test(arguments: [
        ("90m", 5400), ("90 min", 5400), ("3 days", 259_200), ("1 day", 86_400), ("1 week 2 days", 777_600),
        ("2h30m", 9000), ("4 Hours", 14_400),
        ("0", 0), ("0s", 0), ("45 seconds", 45), ("  10  m  ", 600), ("36600 days", 3_162_240_000),
    ])
    func `a length of time is read as people write it`(_ text: String, _ seconds: Int) {
        #expect(Span(text)?.seconds == seconds)
    }

    @Test(arguments: [
        "", " ", "soon", "3", "3 d ays", "-3 days", "1.5 h", "days", "3 fortnights", "3 days 4", "36601 days",
        "99999999999 s", "٣ days",
    ])
    func `anything else is none`(_ text: String) {
        #expect(Span(text) == nil)
    }

    @Test(arguments: [
        (0, "0 seconds"), (1, "1 second"), (90, "90 seconds"), (60, "1 minute"), (5400, "90 minutes"),
        (7200, "2 hours"), (86_400, "1 day"),
        (259_200, "3 days"), (604_800, "1 week"), (1_209_600, "2 weeks"),
    ])
    func `it is written in the largest unit that fits evenly, and reads back`(_ seconds: Int, _ text: String) {
        #expect(Span(seconds: seconds).description == text)
        #expect(Span(text)?.seconds == seconds)
    }

    @Test func `every whole number of seconds survives being written and read`() {
        var state: UInt64 = 42
        for _ in 0..<1000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            let span = Span(seconds: Int(state >> 33) % Span.secondsMax)
            #expect(Span(span.description) == span)
        }
    }

    @Test func `it is never negative and never longer than a century`() {
        #expect(Span(seconds: -5).seconds == 0)
        #expect(Span(seconds: .max).seconds == Span.secondsMax)
        #expect(Span.days(2).seconds == 172_800)
    }
}
