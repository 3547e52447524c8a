import Testing
import TrellisKernel
import TrellisTesting

/// `Examples/whitepaper`: from a download to a demo. It begins on a Monday at ten in Berlin.
struct WhitepaperTests {
    private func crm(_ time: String = "2026-03-02 09:00:00", interest: String = "energy") throws -> ExampleFolder {
        let crm = try ExampleFolder("Examples/whitepaper", at: time)
        try crm.capture("door-report", ["email": "mila@eis.example", "first_name": "Mila", "interest": interest])
        return crm
    }

    /// The mails of a lead without those that are under test.
    private func untested(_ mails: [String]) -> [String] {
        mails.filter { !$0.hasPrefix("invitation-") }
    }

    @Test func `who reads nothing is asked a question, and then invited`() async throws {
        let crm = try crm()
        try await crm.live(until: "2026-04-07 09:00:00")
        #expect(
            try untested(crm.post()) == [
                "report-delivery 2026-03-02 09:00", "page-seven 2026-03-02 11:00", "open-door-hour 2026-03-05 11:00",
                "one-question 2026-03-09 11:00",
            ])
        let arm = try crm.rows("SELECT arm FROM drip_arms")
        #expect(arm.count == 1)
        // Five days after Monday noon is a Saturday: on Monday morning, at eight by the summer's or the winter's clock.
        #expect(
            try crm.post().filter { $0.hasPrefix("invitation-") }
                == arm.filter { !$0.isEmpty }.map { "\($0) 2026-03-16 07:00" })
        #expect(try crm.enrolments() == ["report-follow-up|1|completed|"])
        #expect(try crm.rows("SELECT count(*) FROM events WHERE kind = 'drip.completed'") == ["1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `who asked about audits gets the folder`() async throws {
        let crm = try crm(interest: "audits")
        try await crm.live(until: "2026-03-06 09:00:00")
        #expect(try crm.post().last == "audit-folder 2026-03-05 11:00")
    }

    @Test func `who clicks is invited sooner, but not three times in a week`() async throws {
        let crm = try crm()
        try await crm.live(until: "2026-03-05 12:00:00")
        try crm.click("open-door-hour")
        try await crm.live(until: "2026-03-20 09:00:00")
        // A day after the click it is only Friday, and two mails went on Monday and on Thursday of this week.
        let arm = try crm.rows("SELECT arm FROM drip_arms WHERE arm <> ''")
        #expect(
            try crm.post() == [
                "report-delivery 2026-03-02 09:00", "page-seven 2026-03-02 11:00", "open-door-hour 2026-03-05 11:00",
            ] + arm.map { "\($0) 2026-03-09 11:00" })
        #expect(
            try crm.query("doors").map { String($0.split(separator: "|", omittingEmptySubsequences: false).last ?? "") }
                == ["1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a click on another mail is not the one that is waited for`() async throws {
        let crm = try crm()
        try await crm.live(until: "2026-03-05 12:00:00")
        try crm.click("page-seven")
        try await crm.live(until: "2026-03-09 11:00:00")
        #expect(try crm.post().last == "one-question 2026-03-09 11:00")
    }

    @Test func `a download on Friday evening is followed up on Monday morning`() async throws {
        let crm = try crm("2026-03-06 17:00:00")
        try await crm.live(until: "2026-03-09 12:00:00")
        #expect(try crm.post() == ["report-delivery 2026-03-06 17:00", "page-seven 2026-03-09 07:00"])
    }

    @Test func `without the tick there is the report and nothing else`() async throws {
        let crm = try ExampleFolder("Examples/whitepaper", at: "2026-03-02 09:00:00")
        try crm.capture("door-report", ["email": "mila@eis.example"], newsletter: false)
        try await crm.live(until: "2026-03-20 09:00:00")
        #expect(try crm.post() == ["report-delivery 2026-03-02 09:00"])
    }

    @Test func `half get one invitation and half the other, a tenth none, and demos are counted`() async throws {
        let crm = try ExampleFolder("Examples/whitepaper", at: "2026-03-02 09:00:00")
        for number in 1...60 { try crm.capture("door-report", ["email": "lead\(number)@eis.example"]) }
        try await crm.work()
        for day in ["2026-03-02 12:00", "2026-03-05 12:00", "2026-03-09 12:00", "2026-03-16 08:00"] {
            crm.clock.set(day)
            try await crm.work()
        }
        let arms = try crm.rows("SELECT arm || ' ' || lead_id FROM drip_arms ORDER BY lead_id")
        #expect(arms.count == 60)
        let sent = try crm.rows(
            "SELECT template || ' ' || lead_id FROM outbox_messages WHERE template LIKE 'invitation-%' AND state = 'sent' ORDER BY lead_id"
        )
        #expect(sent == arms.filter { !$0.hasPrefix(" ") })
        let sizes = Dictionary(grouping: arms) {
            $0.split(separator: " ").count == 1 ? "" : $0.split(separator: " ")[0]
        }
        .mapValues(\.count)
        #expect((1...15).contains(sizes[""] ?? 0))
        #expect(
            (15...40).contains(sizes["invitation-visit"] ?? 0) && (15...40).contains(sizes["invitation-numbers"] ?? 0))
        // Whoever got none and books all the same counts as well: that is what they are compared by.
        for lead in 1...10 { try crm.record("demo.booked", lead: Int64(lead)) }
        try await crm.work()
        #expect(
            try crm.rows("SELECT lead_id FROM drip_arms WHERE converted_at IS NOT NULL ORDER BY lead_id")
                == (1...10).map(String.init))
        let demos = try crm.query("invitation").compactMap { Int($0.split(separator: "|").last ?? "") }
        #expect(demos.reduce(0, +) == 10)
        #expect(try crm.troubles() == [])
    }

    /// Before the first mail, between two waits, while the click is waited for, while the night holds a mail back, and
    /// after the last mail but one.
    static let points = [
        "2026-03-02 10:00:00", "2026-03-03 09:00:00", "2026-03-06 09:00:00", "2026-03-10 09:00:00",
        "2026-03-14 12:00:00",
    ]

    @Test(arguments: points) func `a booked demo ends it wherever it is`(_ point: String) async throws {
        let crm = try crm()
        try await crm.live(until: point)
        let before = try crm.post()
        try crm.record("demo.booked", lead: 1, ["starts_at": "2026-03-18 09:00"])
        try await crm.live(until: "2026-03-24 09:00:00")
        #expect(try crm.post() == before)
        #expect(try crm.enrolments() == ["report-follow-up|1|goal|demo.booked"])
        #expect(try crm.pending() == [])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: points, WayOut.allCases)
    func `so do a reply, a bounce and a farewell`(_ point: String, _ way: WayOut) async throws {
        let crm = try crm()
        try await crm.live(until: point)
        let before = try crm.post()
        try crm.leave(by: way)
        try await crm.live(until: "2026-03-24 09:00:00")
        #expect(try crm.post() == before)
        let reason = [WayOut.reply: "mail.replied", .bounce: "mail.bounced", .unsubscribed: "lead.unsubscribed"][way]
        #expect(try crm.enrolments() == ["report-follow-up|1|exited|\(reason ?? "")"])
        #expect(try crm.pending() == [])
        #expect(try crm.troubles() == [])
    }
}
