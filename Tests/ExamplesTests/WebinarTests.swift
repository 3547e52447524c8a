import Testing
import TrellisKernel
import TrellisTesting

/// `Examples/webinar`: it takes place on Thursday 6 May 2027 at 13:00 UTC, which is two in the afternoon in London.
struct WebinarTests {
    private func crm(at time: String = "2027-04-20 09:00:00") throws -> ExampleFolder {
        try ExampleFolder("Examples/webinar", at: time)
    }

    private static let reminded = ["tomorrow 2027-05-05 08:00", "today 2027-05-06 12:00"]

    /// Four seats: one will come, one leave early, two miss it. They come in this order.
    private func seats() async throws -> ExampleFolder {
        let crm = try crm()
        for address in ["ines@tapas.example", "rob@chippy.example", "kim@noodles.example", "lou@bistro.example"] {
            try crm.capture("holiday-pay", ["email": address])
        }
        try await crm.live(until: "2027-05-06 14:00:00")
        #expect(try crm.importing("attendance.csv", into: .activities).rejected == 0)
        try await crm.work()
        #expect(try crm.command("magnets close-webinar", "holiday-pay") == ["2 leads missed it."])
        try await crm.work()
        return crm
    }

    @Test func `everybody with a seat is reminded the day before and an hour ahead`() async throws {
        let crm = try await seats()
        for lead in 1...4 {
            #expect(try crm.post(Int64(lead)) == ["seat-saved 2027-04-20 09:00"] + Self.reminded)
        }
        #expect(try crm.rows("SELECT DISTINCT webinar_at FROM leads") == ["2027-05-06 13:00:00.000"])
        let seat = try #require(crm.transport.sent.first)
        #expect(seat.text.contains("Thursday 6 May 2027, 14:00 (Europe/London)"))
        #expect(seat.text.contains("https://fairlane.example/live/holiday-pay"))
    }

    @Test func `who came gets the notes within hours, who did not the recording`() async throws {
        let crm = try await seats()
        try await crm.live(until: "2027-05-06 17:00:00")
        #expect(
            try (1...4).map { try crm.post($0).last } == [
                "notes 2027-05-06 16:00", "recording 2027-05-06 16:00", "recording 2027-05-06 16:00",
                "recording 2027-05-06 16:00",
            ])
        #expect(try crm.query("seats") == ["4|1|1|2"])
        try crm.click("recording", lead: 3)
        try await crm.live(until: "2027-06-01 09:00:00")
        #expect(
            try (1...4).map { try crm.post($0).last } == [
                "own-payslip 2027-05-09 16:00", "one-page 2027-05-10 16:00", "own-payslip 2027-05-07 17:00",
                "one-page 2027-05-10 16:00",
            ])
        #expect(try crm.enrolments(1) == ["reminders|1|completed|", "came|1|completed|"])
        #expect(try crm.enrolments(2) == ["reminders|1|completed|", "left-early|1|completed|", "missed|1|completed|"])
        #expect(try crm.enrolments(3) == ["reminders|1|completed|", "missed|1|completed|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the list of who came may be read twice`() async throws {
        let crm = try await seats()
        #expect(try crm.importing("attendance.csv", into: .activities).wasDoneBefore)
        #expect(try crm.command("magnets close-webinar", "holiday-pay") == ["0 leads missed it."])
        try await crm.live(until: "2027-06-01 09:00:00")
        #expect(
            try crm.rows("SELECT lead_id, count(*) FROM drip_enrolments GROUP BY lead_id") == [
                "1|2", "2|3", "3|2", "4|2",
            ])
    }

    @Test(arguments: [
        ("2027-05-05 08:00:00", ["tomorrow 2027-05-05 08:00", "today 2027-05-06 12:00"]),
        ("2027-05-05 15:00:00", ["today 2027-05-06 12:00"]),
        ("2027-05-06 12:30:00", ["today 2027-05-06 12:30"]),
    ])
    func `who registers late is not reminded of what is past`(_ time: String, _ reminders: [String]) async throws {
        let crm = try crm(at: time)
        try crm.capture("holiday-pay", ["email": "ines@tapas.example"])
        try await crm.live(until: "2027-05-06 14:00:00")
        #expect(try Array(crm.post().dropFirst()) == reminders)
    }

    @Test func `a reminder needs no consent, what comes after does`() async throws {
        let crm = try crm()
        try crm.capture("holiday-pay", ["email": "ines@tapas.example"], newsletter: false)
        try await crm.live(until: "2027-05-06 14:00:00")
        try crm.record("webinar.attended", lead: 1, ["webinar": "holiday-pay", "minutes": "44"])
        try await crm.live(until: "2027-05-12 14:00:00")
        #expect(try crm.post() == ["seat-saved 2027-04-20 09:00"] + Self.reminded)
    }

    @Test func `a webinar that is moved moves its reminders`() async throws {
        let crm = try crm()
        try crm.capture("holiday-pay", ["email": "ines@tapas.example"])
        try await crm.live(until: "2027-05-04 09:00:00")
        try crm.foreign("UPDATE leads SET webinar_at = '2027-05-13 13:00:00.000'")
        try await crm.live(until: "2027-05-14 09:00:00")
        #expect(try Array(crm.post().dropFirst()) == ["tomorrow 2027-05-12 08:00", "today 2027-05-13 12:00"])
        #expect(try crm.troubles() == [])
    }

    static let points = ["2027-04-21 09:00:00", "2027-05-05 12:00:00", "2027-05-06 15:00:00", "2027-05-07 09:00:00"]

    @Test(arguments: points) func `an unsubscribed lead hears nothing more, wherever it is`(_ point: String)
        async throws
    {
        for attends in [true, false] {
            let crm = try crm()
            try crm.capture("holiday-pay", ["email": "ines@tapas.example"])
            try await crm.live(until: min(point, "2027-05-06 14:00:00"))
            if point > "2027-05-06 14:00:00" {
                if attends { try crm.record("webinar.attended", lead: 1, ["webinar": "holiday-pay", "minutes": "44"]) }
                try crm.command("magnets close-webinar", "holiday-pay")
                try await crm.live(until: point)
            }
            let before = try crm.post()
            try crm.leave(by: .unsubscribed)
            try await crm.live(until: "2027-05-20 09:00:00")
            #expect(try crm.post() == before)
            #expect(try crm.enrolments().last?.hasSuffix("exited|lead.unsubscribed") == true)
            #expect(try crm.pending() == [])
            #expect(try crm.troubles() == [])
        }
    }

    @Test(arguments: [WayOut.reply, .bounce]) func `an answer or a bounce ends what comes after`(_ way: WayOut)
        async throws
    {
        let crm = try await seats()
        try await crm.live(until: "2027-05-06 17:00:00")
        for lead in 1...4 {
            let before = try crm.post(Int64(lead))
            if lead == 1 || lead == 3 { try crm.leave(by: way, lead: Int64(lead)) }
            if lead == 4 { try crm.record("call.booked", lead: 4) }
            try await crm.work()
            #expect(try crm.post(Int64(lead)) == before)
        }
        try await crm.live(until: "2027-05-20 09:00:00")
        #expect(try (1...4).map { try crm.post($0).count } == [4, 5, 4, 4])
        #expect(try crm.enrolments(4).last == "missed|1|goal|call.booked")
        #expect(try crm.troubles() == [])
    }
}
