import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct LocalTimeTests {
    private func place(_ zone: String) throws -> LocalTime { try #require(LocalTime(named: zone)) }

    private func instant(_ zone: String, _ day: String, _ minute: Int) throws -> String {
        Timestamp.text(try place(zone).instant(on: try #require(LocalDay(day)), minute: minute))
    }

    @Test func `an hour of a place is the instant at which its clock shows it`() throws {
        #expect(try instant("Europe/Berlin", "2026-01-15", 540) == "2026-01-15 08:00:00.000")
        #expect(try instant("Europe/Berlin", "2026-07-15", 540) == "2026-07-15 07:00:00.000")
        #expect(try instant("Asia/Kathmandu", "2026-07-15", 0) == "2026-07-14 18:15:00.000")
        #expect(try instant("UTC", "2026-02-28", 1439) == "2026-02-28 23:59:00.000")
    }

    @Test func `an hour the clock was put over is the first instant after the gap`() throws {
        // 02:00 to 03:00 on 29 March 2026 in Berlin; 02:00 to 02:30 on 4 October 2026 on Lord Howe Island.
        for minute in [120, 150, 179] {
            #expect(try instant("Europe/Berlin", "2026-03-29", minute) == "2026-03-29 01:00:00.000")
        }
        #expect(try instant("Europe/Berlin", "2026-03-29", 180) == "2026-03-29 01:00:00.000")
        #expect(try instant("Australia/Lord_Howe", "2026-10-04", 135) == "2026-10-03 15:30:00.000")
    }

    @Test func `an hour that comes twice is its first`() throws {
        #expect(try instant("Europe/Berlin", "2026-10-25", 150) == "2026-10-25 00:30:00.000")
        #expect(try instant("America/New_York", "2026-11-01", 90) == "2026-11-01 05:30:00.000")
    }

    /// Each local day once at each hour, over five years of clock changes, a place that changes by half an hour, one
    /// that changes for Ramadan and one in the south among them.
    @Test(arguments: [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca",
        "Pacific/Auckland",
    ])
    func `each local day has each hour once, and in order`(_ zone: String) throws {
        let place = try place(zone)
        let first = try #require(LocalDay("2026-01-01"))
        for minute in [0, 90, 120, 150, 165, 180, 540, 1439] {
            var last = Date.distantPast
            let wrong = (0..<(5 * 366)).map { first.adding(days: $0) }.filter { day in
                let instant = place.instant(on: day, minute: minute)
                defer { last = instant }
                // Later than the hour that was asked for only where there was a gap, which is an hour at most.
                return place.day(of: instant) != day || instant <= last
                    || !(minute...minute + 60).contains(place.minute(of: instant))
            }
            #expect(wrong == [], "at minute \(minute)")
        }
    }

    @Test func `days know their weekday and their neighbours`() throws {
        let day = try #require(LocalDay("2026-03-02"))
        #expect(day.weekday == 0 && day.adding(days: 6).weekday == 6 && day.adding(days: -1).weekday == 6)
        #expect(day.adding(days: 365 + 365 + 366).description == "2029-03-02")
        #expect(LocalDay("2028-02-29")?.adding(days: 1).description == "2028-03-01")
        #expect(LocalDay("1969-12-31")?.weekday == 2)
        #expect(LocalDay("2026-02-30") == nil && LocalDay("soon") == nil)
    }

    @Test func `countries with one clock have a zone there is, and countries with several have none`() throws {
        let crm = try TestKernel()
        let rows = try crm.rows("SELECT country, zone FROM country_zones")
        #expect(rows.count == 224)
        let unknown = rows.filter { row in
            let parts = row.split(separator: "|").map(String.init)
            return CountryCode(parts[0])?.alpha2 != parts[0] || LocalTime(named: parts[1]) == nil
        }
        #expect(unknown == [])
        #expect(
            try crm.rows(
                "SELECT country FROM country_zones WHERE country IN ('US', 'BR', 'AU', 'ES', 'PT', 'UA', 'DE', 'IN')")
                == ["DE", "IN"])
    }

    @Test func `the clock of a lead is its own, its country's, another one, or that of the site`() throws {
        let crm = try TestKernel()
        let names = try crm.kernel.write(origin: "test") { tx in
            try [
                tx.place(ofZone: "Asia/Tokyo", country: "DE"), tx.place(ofZone: nil, country: "DE", or: "Asia/Tokyo"),
                tx.place(ofZone: "nowhere", country: "US", or: "Asia/Tokyo"), tx.place(ofZone: nil, country: nil),
            ].map(\.name)
        }
        #expect(names == ["Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo", "UTC"])
    }

    @Test(arguments: ["", "Berlin", "Mars/Base", "Europe/Berlin; DROP", "../../etc/passwd"])
    func `what is no zone is none`(_ name: String) {
        #expect(LocalTime(named: name) == nil)
    }
}
