import Foundation
import Testing
import TrellisKernel

@testable import DripSequencer

@Suite struct MomentTests {
    @Test(arguments: [
        ("trial_ends_on - 2 days", "trial_ends_on - 2 days"), ("trial_ends_on", "trial_ends_on"),
        ("renewal + 1 week at 09:30", "renewal + 1 week at 09:30"), ("monday 9:00", "mon 09:00"),
        ("weekday 10:00", "mon, tue, wed, thu, fri 10:00"), ("10:00", "10:00"), ("SUN 00:00", "sun 00:00"),
    ])
    func `a moment is read as people write it`(_ text: String, _ shown: String) {
        #expect(Moment(text)?.description == shown)
    }

    @Test(arguments: [
        "", "- 2 days", "trial_ends_on -2 days", "trial_ends_on - soon", "Monday", "funday 10:00", "25:00", "10:60",
        "trial_ends_on - 2 days at noon", "a; DROP TABLE leads", "x - 2 days at 09:00 sharp",
    ])
    func `anything else is none`(_ text: String) {
        #expect(Moment(text) == nil)
    }

    private func at(
        _ text: String, _ value: String?, now: String = "2026-03-02 09:00:00", zone: String = "Europe/Berlin"
    )
        throws -> String
    {
        let moment = try #require(Moment(text))
        let now = try #require(Timestamp.date(now))
        return moment.instant(value: value, now: now, in: try #require(LocalTime(named: zone))).map(Timestamp.text)
            ?? "never"
    }

    @Test func `a day begins at the lead's midnight, and days before it are days of the calendar there`() throws {
        #expect(try at("ends - 2 days", "2026-04-10") == "2026-04-07 22:00:00.000")
        #expect(try at("ends - 2 days at 09:00", "2026-04-10") == "2026-04-08 07:00:00.000")
        // Over the change of the clocks of 29 March it is nine o'clock all the same.
        #expect(try at("ends - 2 days at 09:00", "2026-03-30") == "2026-03-28 08:00:00.000")
        #expect(try at("ends + 36 hours", "2026-04-10") == "2026-04-11 10:00:00.000")
        #expect(try at("ends - 1 day", "2026-04-10", zone: "America/Los_Angeles") == "2026-04-09 07:00:00.000")
    }

    @Test func `a time counts as it is, unless an hour is asked for`() throws {
        #expect(try at("ends - 2 hours", "2026-04-10 15:30:00.000") == "2026-04-10 13:30:00.000")
        #expect(try at("ends at 08:00", "2026-04-10 23:30:00.000") == "2026-04-11 06:00:00.000")
    }

    @Test func `the next such hour is after now`() throws {
        // A Monday, ten o'clock in Berlin.
        #expect(try at("10:00", nil) == "2026-03-03 09:00:00.000")
        #expect(try at("10:01", nil) == "2026-03-02 09:01:00.000")
        #expect(try at("monday 09:00", nil) == "2026-03-09 08:00:00.000")
        #expect(try at("weekday 09:00", nil, now: "2026-03-06 12:00:00") == "2026-03-09 08:00:00.000")
    }

    @Test(arguments: [nil, "", "soon", "2026-02-30"]) func `what is no day has no moment`(_ value: String?) throws {
        #expect(try at("ends", value) == "never")
    }
}
