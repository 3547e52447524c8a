import Foundation
import Testing

@testable import TrellisKernel

@Suite struct TimestampTests {
    /// Numbers that look like chance and are the same at every run.
    private struct Seeded {
        var state: UInt64

        mutating func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) / Double(1 << 53)
        }
    }

    private static var utc: Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
        return calendar
    }

    @Test func `a thousand instants are written as Foundation would and read back the same`() throws {
        var random = Seeded(state: 2026)
        // From 1600, because Foundation counts by the Julian calendar before 1582, to the end of 9999.
        let (begin, end) = (-11_676_096_000.0, 253_402_300_799.0)
        for _ in 0..<1000 {
            let date = Date(
                timeIntervalSince1970: ((begin + random.next() * (end - begin)) * 1000).rounded(.down) / 1000)
            let text = Timestamp.text(date)
            let parts = Self.utc.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
            let expected = String(
                format: "%04d-%02d-%02d %02d:%02d:%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0,
                parts.hour ?? 0, parts.minute ?? 0,
                parts.second ?? 0)
            #expect(text.prefix(19) == expected)
            let back = try #require(Timestamp.date(text))
            #expect(abs(back.timeIntervalSince(date)) < 0.0005)
            #expect(Timestamp.text(back) == text)
        }
    }

    @Test func `text sorts as time does`() {
        var random = Seeded(state: 7)
        let dates = (0..<200).map { _ in Date(timeIntervalSince1970: random.next() * 4e9) }
        #expect(dates.sorted().map(Timestamp.text) == dates.map(Timestamp.text).sorted())
    }

    @Test(arguments: [
        ("2026-03-02", "2026-03-02 00:00:00.000"), ("2026-03-02 14:00", "2026-03-02 14:00:00.000"),
        ("2026-03-02 14:00:05", "2026-03-02 14:00:05.000"),
        ("2026-03-02T14:00:05.25Z", "2026-03-02 14:00:05.250"),
        ("2026-03-02T14:00:05+02:00", "2026-03-02 12:00:05.000"),
        ("2026-03-02T14:00-0530", "2026-03-02 19:30:00.000"), ("2026-03-02 23:30+01", "2026-03-02 22:30:00.000"),
        ("2024-02-29", "2024-02-29 00:00:00.000"), ("2000-02-29", "2000-02-29 00:00:00.000"),
        ("0000-01-01", "0000-01-01 00:00:00.000"),
        ("9999-12-31 23:59:59.999", "9999-12-31 23:59:59.999"), ("1969-12-31 23:59:59.999", "1969-12-31 23:59:59.999"),
    ])
    func `the forms of a time are read`(_ text: String, _ expected: String) throws {
        #expect(Timestamp.text(try #require(Timestamp.date(text))) == expected)
    }

    @Test(arguments: [
        "", "2026", "2026-3-2", "2026-13-01", "2026-00-10", "2026-02-30", "2025-02-29", "1900-02-29", "2026-04-31",
        "2026-03-02 24:00",
        "2026-03-02 14:60", "2026-03-02 14:00:60", "2026-03-02 14", "2026-03-02 14:00:05.", "2026-03-02x",
        "2026-03-02 14:00 CET", "noon",
        "2026-03-02T14:00+2", "02.03.2026", "2026-03-02 14:00:05Zx", "２０２６-03-02",
    ])
    func `what is no real day and time is none`(_ text: String) {
        #expect(Timestamp.date(text) == nil)
    }

    @Test func `milliseconds are rounded down, and years beyond the calendar are clamped`() {
        #expect(Timestamp.text(Date(timeIntervalSince1970: 0.9999)) == "1970-01-01 00:00:00.999")
        #expect(Timestamp.text(Date(timeIntervalSince1970: -0.0001)) == "1969-12-31 23:59:59.999")
        #expect(Timestamp.text(.distantFuture + 1e14) == "9999-12-31 23:59:59.999")
        #expect(Timestamp.text(.distantPast - 1e14) == "0000-01-01 00:00:00.000")
    }
}
