import Foundation
import Testing
import TrellisKernel

@testable import Handoff

/// Working time: hours, places, holidays, absences, and the nights in which clocks are put forward or back.
@Suite struct WorkCalendarTests {
    private static let nineToFive = WorkingHours()

    private static func hours(_ from: Int, _ to: Int, _ days: [Workday] = Workday.allCases) -> WorkingHours {
        var hours = WorkingHours()
        (hours.from, hours.to, hours.days) = (from * 60, to * 60, days)
        return hours
    }

    private func calendar(
        _ zone: String, _ hours: WorkingHours? = nineToFive, holidays: [String] = [], absent: [(String, String)] = []
    ) throws -> WorkCalendar {
        WorkCalendar(
            place: try #require(LocalTime(named: zone)), hours: hours,
            holidays: Set(holidays.compactMap { LocalDay($0) }),
            absences: try absent.map { try #require(Timestamp.date($0.0))..<(#require(Timestamp.date($0.1))) })
    }

    private func due(_ calendar: WorkCalendar, _ start: String, _ span: String) throws -> String {
        let start = try #require(Timestamp.date(start))
        let span = try #require(Span(span))
        return String(Timestamp.text(calendar.instant(after: start, working: span.seconds)).prefix(16))
    }

    @Test(arguments: [
        // Monday in Berlin, where it is an hour later than UTC.
        ("2026-03-02 09:00", "4 hours", "2026-03-02 13:00"),
        ("2026-03-02 08:00", "8 hours", "2026-03-02 16:00"),  // due at the end of the day, and not the next morning
        ("2026-03-02 15:30", "1 hour", "2026-03-03 08:30"),
        ("2026-03-02 03:00", "1 hour", "2026-03-02 09:00"),  // before the day begins
        ("2026-03-02 22:00", "1 hour", "2026-03-03 09:00"),
        ("2026-03-06 14:00", "4 hours", "2026-03-09 10:00"),  // Friday to Monday
        ("2026-03-07 12:00", "30m", "2026-03-09 08:30"),  // Saturday
        ("2026-03-02 09:00", "0", "2026-03-02 09:00"),
        ("2026-03-07 12:00", "0", "2026-03-09 08:00"),  // with none, the next moment somebody works
        ("2026-03-02 08:00", "5 days", "2026-03-20 16:00"),  // 120 hours of eight a day
    ])
    func `time passes in working hours alone`(_ start: String, _ span: String, _ due: String) throws {
        #expect(try self.due(calendar("Europe/Berlin"), start, span) == due)
    }

    @Test func `holidays and absences are no working time`() throws {
        let easter = try calendar("Europe/Berlin", holidays: ["2026-04-03", "2026-04-06"])
        // Thursday at four; Good Friday and Easter Monday are free, and summer time has begun.
        #expect(try due(easter, "2026-04-02 14:00", "2 hours") == "2026-04-07 08:00")
        let away = try calendar("Europe/Berlin", absent: [("2026-03-02 10:00", "2026-03-04 10:00")])
        #expect(try due(away, "2026-03-02 09:00", "4 hours") == "2026-03-04 13:00")
        #expect(try due(away, "2026-03-02 09:00", "1 hour") == "2026-03-02 10:00")
        let often = try calendar(
            "Europe/Berlin",
            absent: [
                ("2026-03-02 12:00", "2026-03-02 13:00"), ("2026-03-02 09:00", "2026-03-02 10:00"),
                ("2026-03-02 09:30", "2026-03-02 11:00"),
            ])
        #expect(try due(often, "2026-03-02 08:00", "3 hours") == "2026-03-02 14:00")
    }

    @Test(arguments: [
        // Sunday 29 March 2026: at 02:00 the clock goes on to 03:00, so that the shift from 0 to 6 has five hours.
        ("2026-03-28 23:00", "5 hours", "2026-03-29 04:00"),
        ("2026-03-28 23:00", "6 hours", "2026-03-29 23:00"),
        // Sunday 25 October 2026: 02:00 comes twice, and the shift has seven.
        ("2026-10-24 22:00", "7 hours", "2026-10-25 05:00"),
    ])
    func `a shift over the change of the clock is as long as it really is`(
        _ start: String, _ span: String, _ due: String
    ) throws {
        let night = try calendar("Europe/Berlin", Self.hours(0, 6))
        #expect(try self.due(night, start, span) == due)
    }

    @Test(arguments: [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC",
    ])
    func `everywhere, working time and due moments agree on every day of a year`(_ zone: String) throws {
        let calendar = try calendar(zone)
        var start = try #require(Timestamp.date("2026-01-01 00:17"))
        for _ in 0..<365 {
            let first = calendar.instant(after: start, working: 0)
            #expect(calendar.isWorking(at: first))
            let later = calendar.instant(after: start, working: 3600)
            #expect(later > first)
            // Half an hour and another half are one hour.
            let half = calendar.instant(after: start, working: 1800)
            #expect(calendar.instant(after: half, working: 1800) == later)
            let place = calendar.place
            #expect((9 * 60...17 * 60).contains(place.minute(of: later)))
            start += 86_400 + 977
        }
    }

    @Test func `a shift over midnight belongs to the day on which it begins`() throws {
        let night = try calendar("UTC", Self.hours(22, 6, [.fri]), holidays: ["2026-03-13"])
        #expect(try due(night, "2026-03-07 01:00", "2 hours") == "2026-03-07 03:00")
        // The next Friday is a holiday.
        #expect(try due(night, "2026-03-07 05:00", "2 hours") == "2026-03-20 23:00")
        #expect(night.isWorking(at: try #require(Timestamp.date("2026-03-07 05:59"))))
        #expect(!night.isWorking(at: try #require(Timestamp.date("2026-03-07 06:00"))))
    }

    @Test func `without hours the clock runs round the clock, and stands still on holidays`() throws {
        let always = try calendar("Europe/Berlin", nil, holidays: ["2026-03-03"])
        #expect(try due(always, "2026-03-02 09:00", "4 hours") == "2026-03-02 13:00")
        // The holiday begins at 23:00 UTC and lasts a day.
        #expect(try due(always, "2026-03-02 22:00", "2 hours") == "2026-03-04 00:00")
    }

    @Test func `who never works is not waited for until the end of time`() throws {
        let gone = try calendar("UTC", absent: [("2026-01-01 00:00", "2999-01-01 00:00")])
        #expect(try due(gone, "2026-03-02 09:00", "4 hours") == "2028-05-10 00:00")
        #expect(!gone.isWorking(at: try #require(Timestamp.date("2026-03-02 09:00"))))
    }
}
