import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MailDatesTests {
    @Test(arguments: [
        (MailDates.iso, "2026-03-16", "2026-03-16 01:30"),
        (.dmy, "16.03.2026", "16.03.2026, 01:30"),
        (.mdy, "03/16/2026", "03/16/2026, 01:30"), (.long, "16 March 2026", "16 March 2026, 01:30"),
    ])
    func `a day is a day everywhere, a time is one of the clock there, and says of which`(
        _ dates: MailDates, day: String, time: String
    )
        throws
    {
        let place = try #require(LocalTime(named: "Europe/Berlin"))
        #expect(dates.text(of: "2026-03-16", in: place) == day)
        #expect(dates.text(of: "2026-03-16 00:30:00.000", in: place) == time + " (Europe/Berlin)")
        #expect(dates.text(of: "soon", in: place) == nil)
        #expect(dates.text(of: "", in: place) == nil)
    }

    @Test(
        arguments: [
            ("2026-03-16", "2026-03-16"), ("2026-03-16 00:30:00.000", "2026-03-16T00:30:00Z"), ("soon", nil), ("", nil),
        ] as [(String, String?)])
    func `for a program a time is UTC, whatever the place`(_ value: String, _ plain: String?) {
        #expect(MailDates.plain(value) == plain)
    }

    @Test func `in the target of a link a day or time is as a program reads it, and no zone is named`() async throws {
        let link = "https://cal.example/?from={{begins_at}}&day={{trial_ends_on}}&note={{note}}"
        let crm = try TestKernel(
            """
            leads: {fields: {trial_ends_on: date, note: text}}
            activities: {webinar.booked: {begins_at: time}}
            """,
            site: TestKernel.site.replacing(
                "<hello@acme.example>\"}", with: "<hello@acme.example>\", dates: long}"),
            files: [
                "mails/hour.md":
                    "---\nsubject: Hour\npurpose: transactional\n---\nAt {{begins_at}}. [Note it](\(link)) now.\n",
                "mails/noon.md":
                    "---\nsubject: Noon\npurpose: transactional\n---\nAt {{begins_at}}. [Note it](\(link)) now.\n",
                "mails/page.html":
                    "---\nsubject: Page\npurpose: transactional\n---\n<p>At {{begins_at}}. <a href=\"\(link.replacing("&", with: "&amp;"))\">Note it</a></p>\n",
            ])
        let lead = try crm.capture([
            "email": "ann@a.example", "timezone": "America/New_York", "trial_ends_on": "2026-03-09",
            "note": "2026-03-01",
        ])
        try crm.record("webinar.booked", lead: lead, ["begins_at": "2026-03-10 18:00:00"])
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .transactional,
                forEach: """
                    SELECT value ->> 0 AS key, 1 AS lead_id, NULL AS recipient, value ->> 1 AS template, value ->> 2 AS body,
                           (SELECT max(id) FROM events) AS cause_id
                    FROM json_each('[["k1","hour","{}"],["k2","page","{}"],["k3","noon","{\\"begins_at\\":\\"at noon\\"}"]]')
                    """)
        }
        try await crm.work()
        let rest = "&day=2026-03-09&note=2026-03-01"
        let sent = Dictionary(crm.transport.sent.map { ($0.subject, $0) }) { first, _ in first }
        #expect(
            sent["Hour"]?.text.contains(
                "At 10 March 2026, 14:00 (America/New_York). Note it: https://cal.example/?from=2026-03-10T18%3A00%3A00Z\(rest) now."
            ) == true, "\(sent)")
        #expect(sent["Page"]?.html.contains("from=2026-03-10T18%3A00%3A00Z&amp;day=2026-03-09&amp;") == true)
        // What a message brought itself is no time of the lead.
        #expect(sent["Noon"]?.text.contains("At at noon. Note it: https://cal.example/?from=at%20noon\(rest)") == true)
    }

    @Test func `mails write the days of leads and of what called for them so`() async throws {
        let crm = try TestKernel(
            """
            leads: {fields: {trial_ends_on: date, note: text}}
            activities: {webinar.booked: {begins_at: time, room: text, note: text}}
            """,
            site: TestKernel.site.replacing(
                "<hello@acme.example>\"}", with: "<hello@acme.example>\", dates: long}"),
            files: [
                "mails/hour.md": """
                ---
                subject: Hour
                purpose: transactional
                ---
                {{trial_ends_on}} / {{begins_at}} / {{room}} / {{note}} / {{secret_plan|none}}

                """
            ])
        let lead = try crm.capture([
            "email": "ann@a.example", "timezone": "America/New_York", "trial_ends_on": "2026-03-09",
            "note": "2026-03-01",
        ])
        try crm.record(
            "webinar.booked", lead: lead, ["begins_at": "2026-03-10 18:00:00", "room": "A & B", "note": "event"])
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .transactional,
                forEach:
                    "SELECT 'k' AS key, 1 AS lead_id, NULL AS recipient, 'hour' AS template, '{}' AS body, (SELECT max(id) FROM events) AS cause_id"
            )
        }
        try await crm.work()
        #expect(
            crm.transport.sent.first?.text.contains(
                "9 March 2026 / 10 March 2026, 14:00 (America/New_York) / A & B / 2026-03-01 / none") == true)
    }
}
