import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import DripSequencer

@Suite struct QuietHoursTests {
    private func opening(_ quiet: QuietHours, _ now: String, _ zone: String = "Europe/Berlin") throws -> String {
        let now = try #require(Timestamp.date(now))
        return Timestamp.text(quiet.opening(after: now, in: try #require(LocalTime(named: zone))))
    }

    private var nights: QuietHours {
        var quiet = QuietHours()
        quiet.days = [.mon, .tue, .wed, .thu, .fri]
        return quiet
    }

    @Test func `outside quiet hours it is open now, in them when they end`() throws {
        #expect(try opening(nights, "2026-03-02 09:00:00") == "2026-03-02 09:00:00.000")
        #expect(try opening(nights, "2026-03-02 18:59:59") == "2026-03-02 18:59:59.000")
        #expect(try opening(nights, "2026-03-02 19:00:00") == "2026-03-03 07:00:00.000")
        #expect(try opening(nights, "2026-03-03 06:59:59") == "2026-03-03 07:00:00.000")
    }

    @Test func `days that are not named are quiet as a whole`() throws {
        #expect(try opening(nights, "2026-03-06 19:00:00") == "2026-03-09 07:00:00.000")
        // Saturday noon; the night from Sunday to Monday.
        #expect(try opening(nights, "2026-03-07 11:00:00") == "2026-03-09 07:00:00.000")
        var sundays = QuietHours()
        sundays.days = [.sun]
        #expect(try opening(sundays, "2026-03-01 20:00:00") == "2026-03-08 07:00:00.000")
    }

    @Test func `a break at noon is quiet too, and hours that are the same are never quiet`() throws {
        var noon = QuietHours()
        (noon.from, noon.to) = (12 * 60, 14 * 60)
        #expect(try opening(noon, "2026-03-02 11:30:00") == "2026-03-02 13:00:00.000")
        #expect(try opening(noon, "2026-03-02 22:59:00") == "2026-03-02 22:59:00.000")
        (noon.from, noon.to) = (0, 0)
        #expect(try opening(noon, "2026-03-02 02:00:00") == "2026-03-02 02:00:00.000")
    }

    /// Each local morning once, over five years and six places.
    @Test(arguments: [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca",
        "Pacific/Auckland",
    ])
    func `the morning comes once a day, whatever the clocks do`(_ zone: String) throws {
        let place = try #require(LocalTime(named: zone))
        var quiet = QuietHours()
        quiet.to = 150
        var day = try #require(LocalDay("2026-01-01"))
        for _ in 0..<(5 * 365) {
            let midnight = place.instant(on: day, minute: 0)
            let opening = quiet.opening(after: midnight, in: place)
            #expect(opening > midnight && place.day(of: opening) == day)
            #expect((150...210).contains(place.minute(of: opening)), "\(day) \(zone)")
            day = day.adding(days: 1)
        }
    }

    // MARK: - On the way

    private static let yaml = """
        plugins:
          drip:
            quiet: {from: "20:00", to: "08:00", days: [mon, tue, wed, thu, fri]}
            sequences: {course: {enter: {on: lead.created}, steps: [{mail: one}]}}
        """

    @Test func `a mail goes out in the morning of the lead, and the row says when from the start`() async throws {
        let crm = try TestKernel(
            Self.yaml, plugins: [DripSequencer.self], files: DripSite.files, at: "2026-03-02 21:00:00")
        for (name, zone) in [("ann", "Europe/Berlin"), ("bob", "America/New_York"), ("cleo", "nowhere"), ("dan", "")] {
            try crm.capture(["email": "\(name)@a.example", "timezone": zone], consents: ["newsletter"])
        }
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["bob@a.example"])
        #expect(
            try crm.rows("SELECT lead_id, ready_at FROM outbox_messages WHERE state = 'waiting' ORDER BY lead_id") == [
                "1|2026-03-03 07:00:00.000", "3|2026-03-03 08:00:00.000", "4|2026-03-03 08:00:00.000",
            ])
        crm.clock.set("2026-03-03 07:00:00")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["bob@a.example", "ann@a.example"])
    }

    @Test func `who has no zone sleeps by the clock of the country, or else of the sequence`() async throws {
        let yaml = Self.yaml.replacing("steps: [{mail: one}]", with: "timezone: Asia/Tokyo, steps: [{mail: one}]")
        let crm = try TestKernel(yaml, plugins: [DripSequencer.self], files: DripSite.files, at: "2026-03-02 18:00:00")
        for (name, country, zone) in [
            ("ann", "AT", ""), ("bob", "US", ""), ("cleo", "", ""), ("dan", "JP", "America/New_York"),
            ("eve", "US", "nowhere"),
        ] {
            try crm.capture(
                ["email": "\(name)@a.example", "country": country], consents: ["newsletter"])
            try crm.foreign("UPDATE leads SET timezone = nullif('\(zone)', '') WHERE email = '\(name)@a.example'")
        }
        try await crm.work()
        // In Vienna it is seven in the evening, in New York noon, and in Tokyo three in the night.
        #expect(crm.transport.sent.map(\.recipient).sorted() == ["ann@a.example", "dan@a.example"])
        #expect(
            try crm.rows("SELECT lead_id, ready_at FROM outbox_messages WHERE state = 'waiting' ORDER BY lead_id") == [
                "2|2026-03-02 23:00:00.000", "3|2026-03-02 23:00:00.000", "5|2026-03-02 23:00:00.000",
            ])
        try crm.foreign("UPDATE outbox_messages SET ready_at = '2026-03-02 18:00:00.000' WHERE state = 'waiting'")
        try await crm.work()
        #expect(
            try crm.rows(
                "SELECT lead_id, ready_at, reason FROM outbox_messages WHERE state = 'waiting' ORDER BY lead_id")
                == [2, 3, 5].map { "\($0)|2026-03-02 23:00:00.000|quiet hours" }, "the claim knows the same clock")
    }

    @Test func `another try does not come in the night either`() async throws {
        let crm = try TestKernel(
            Self.yaml, plugins: [DripSequencer.self], files: DripSite.files, at: "2026-03-02 19:58:00")
        crm.transport.answer { _ in .retry(because: "451 later") }
        try crm.lead("ann@a.example")
        try await crm.work()
        crm.transport.answer { _ in .sent }
        crm.clock.advance(by: "5m")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        #expect(
            try crm.rows("SELECT ready_at, reason FROM outbox_messages") == ["2026-03-03 08:00:00.000|quiet hours"])
        crm.clock.set("2026-03-03 08:00:00")
        try await crm.work()
        #expect(crm.transport.sent.count == 2 && crm.transport.sent[0].bytes == crm.transport.sent[1].bytes)
    }

    @Test func `what follows a mail counts from the morning it goes out in`() throws {
        let crm = try TestKernel(
            Self.yaml.replacing(
                "[{mail: one}]", with: "[{mail: one}, {wait: 3 days}, {mail: two}, {wait_until: 10:00}, {mail: three}]"),
            plugins: [DripSequencer.self], files: DripSite.files, at: "2026-03-06 20:30:00")
        for (name, zone) in [("ann", "Europe/Berlin"), ("bob", "America/New_York"), ("cleo", "")] {
            try crm.capture(["email": "\(name)@a.example", "timezone": zone], consents: ["newsletter"])
        }
        try crm.pump()
        // Friday evening in Berlin and at the site, half past three in the afternoon in New York.
        #expect(
            try crm.rows("SELECT lead_id, due_at FROM drip_enrolments ORDER BY lead_id") == [
                "1|2026-03-12 07:00:00.000", "2|2026-03-09 20:30:00.000", "3|2026-03-12 08:00:00.000",
            ])
        for hour in ["2026-03-09 20:30:00", "2026-03-12 07:00:00", "2026-03-12 09:00:00"] {
            crm.clock.set(hour)
            try crm.pump()
        }
        #expect(
            try crm.rows("SELECT template, ready_at FROM outbox_messages WHERE lead_id = 1 ORDER BY id") == [
                "one|2026-03-09 07:00:00.000", "two|2026-03-12 07:00:00.000", "three|2026-03-12 09:00:00.000",
            ])
        #expect(try crm.troubles() == [])
    }
}
