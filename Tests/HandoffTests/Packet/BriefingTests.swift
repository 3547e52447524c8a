import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// What the rep is told.
@Suite struct BriefingTests {
    @Test func `the mail says who the lead is, what it did, and what other plugins know of it`() async throws {
        let crm = try HandoffSite.crm(plugins: [Stars.self])
        try crm.capture([
            "email": "lee@lead.example", "first_name": "Lee", "last_name": "Low", "title": "Head of Sales",
            "company": "Lead & Sons", "country": "DE",
            "source": "partner",
        ])
        crm.clock.advance(by: "2 days")
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try await crm.work()
        let mail = try #require(crm.transport.sent.first)
        #expect(mail.subject == "New lead: Lee Low")
        for part in [
            "Lee Low is yours.", "title: Head of Sales · company: Lead & Sons", "country: DE · email: lee@lead.example",
            "source: partner",
            // Why now, in words; and the card by its name.
            ". 5 stars: demo +3, title +2.", "The card of the lead: ",
            "stars: lead 1 has 5: demo +3, title +2 · size: small", "2026-03-02 came in", "trellis handoff accept 1",
        ] { #expect(mail.text.contains(part), "\(part) is not in: \(mail.text)") }
        #expect(!mail.text.contains("Unsubscribe"))
        #expect(try crm.troubles() == [])
    }

    @Test func `an event that another program wrote with a number for a name is told with the number`() async throws {
        let crm = try HandoffSite.crm()
        try crm.capture(["email": "lee@lead.example"])
        try crm.foreign(
            """
            INSERT INTO events (kind, lead_id, origin, at, body)
            VALUES ('webinar.attended', 1, 'sql', '2026-03-02 09:00:00.000', '{"webinar": 7, "minutes": "abc"}')
            """)
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try await crm.work()
        let text = try #require(crm.transport.sent.first).text
        #expect(text.contains("2026-03-02 attended the webinar 7"), "\(text)")
        #expect(text.contains("Ask what came of 7."), "\(text)")
    }

    @Test func `a lead without a name is called by its address, or its company, or else its number`() async throws {
        let crm = try HandoffSite.crm()
        try crm.capture(["phone": "+49 30 1234567", "stage": "mql"])
        try crm.capture(["phone": "+49 30 1234568", "company": "Acme", "stage": "mql"])
        try crm.capture(["email": "lee@lead.example", "company": "Acme", "stage": "mql"])
        try await crm.work()
        #expect(
            crm.transport.sent.map(\.subject) == [
                "New lead: Lead 1", "New lead: Acme", "New lead: lee@lead.example",
            ])
        #expect(crm.transport.sent.first?.text.contains("phone: +49301234567") == true)
    }

    @Test func `a mail of the site takes the place of the built-in one`() async throws {
        let crm = try TestKernel(
            "plugins: {handoff: {\(HandoffSite.threeReps)}}", plugins: [Handoff.self],
            files: [
                "mails/handoff-offer.md":
                    "---\nsubject: For you\npurpose: transactional\n---\n{{lead_name}}: {{handoff}}\n"
            ])
        try crm.qualified(1)
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["For you"])
        #expect(crm.transport.sent.first?.text.hasPrefix("l1@lead.example: 1") == true)
    }

    @Test(arguments: [
        ("", "reason"), (", reject_reasons: [no budget, wrong person]", "no budget"),
        (", reject_reasons: ['say \"no\"', wrong person]", "wrong person"),
    ])
    func `the line for a shell has a reason that is one`(_ reasons: String, _ told: String) async throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + reasons)
        try crm.qualified(1)
        try await crm.work()
        let text = try #require(crm.transport.sent.first).text
        #expect(text.contains("trellis handoff reject 1 \"\(told)\""), "\(text)")
        if !reasons.isEmpty { try crm.run("handoff reject", "1", told) }
    }

    @Test func `a mail of the site may have the whole card`() async throws {
        let crm = try TestKernel(
            "plugins: {handoff: {\(HandoffSite.threeReps)}, stars: {}}", plugins: [Handoff.self, Stars.self],
            files: [
                "mails/handoff-offer.md": "---\nsubject: For you\npurpose: transactional\n---\nAll: {{lead_card}}!\n"
            ])
        try crm.qualified(1)
        try await crm.work()
        let card =
            "handoff: offered to ann by route 1: round_robin · stars: lead 1 has 5: demo +3, title +2 · size: small"
        #expect(crm.transport.sent.first?.text.hasPrefix("All: \(card)!") == true)
    }

    @Test func `the card tells every try`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(1)
        try crm.run("handoff reject", "1", "no budget")
        #expect(
            try crm.kernel.ask(LeadCard(leadID: 1)) == [
                [CardLine("handoff", "recycled (no budget) to ann by route 1: round_robin")]
            ])
    }

    @Test func `what a person gave away is by hand, and not by by hand`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(1)
        try crm.run("handoff reassign", "1", "cy")
        #expect(
            try crm.kernel.ask(LeadCard(leadID: 1)) == [[CardLine("handoff", "offered to cy by hand")]])
    }

    @Test func `what happened stands in the order it happened in, times to the minute`() async throws {
        let crm = try TestKernel(
            "activities: {demo.booked: {starts: text}}\nplugins: {handoff: {\(HandoffSite.threeReps)}}",
            plugins: [Handoff.self])
        try crm.capture(["email": "lee@lead.example"])
        // An import told of it later than it was.
        for (day, at) in [("2026-02-20", "2026-02-25 08:30:00.000"), ("2026-02-10", "2026-02-12 10:00:00.000")] {
            try crm.foreign(
                "INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('demo.booked', 1, 'import:1', '\(day) 09:00:00.000', '{\"starts\":\"\(at)\"}')"
            )
        }
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try await crm.work()
        let told = try told(crm)
        #expect(
            told.contains(
                "2026-03-02 came in · 2026-02-20 demo booked (2026-02-25 08:30) · 2026-02-10 demo booked (2026-02-12 10:00)"
            ),
            "\(told)")
    }

    @Test func `the rounds a lead made among reps are told in a sentence, and not as what happened`() async throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", accept_within: 1 hour")
        try crm.qualified(1)
        try await crm.work()
        for _ in 1...2 {
            crm.clock.advance(by: "1 hour")
            try await crm.work()
        }
        #expect(crm.transport.sent.map(\.recipient) == ["ann", "ben", "cy"].map { "\($0)@acme.example" })
        #expect(try crm.rows("SELECT count(*) FROM lead_timeline WHERE kind = 'handoff.expired'") == ["2"])
        let told = try told(crm)
        #expect(told.contains("What happened, the newest first: 2026-03-02 came in "), "\(told)")
        #expect(told.contains("The time of ben, ann ran out before."), "\(told)")
        for word in ["was offered to", "was taken back", "was escalated"] { #expect(!told.contains(word), "\(told)") }
        #expect(try crm.troubles() == [])
    }

    private static let openers = """
        leads: {fields: {interest: text}}
        plugins:
          handoff:
            reps: {ann: {email: ann@acme.example, zone: Europe/Berlin}}
            accept_within: 4 hours
            interest: interest
            openers: {solar: "Ask {{first_name|them}} about the roof", webinar-1: "Ask what was new in the webinar"}
        """

    /// The plain text of the last mail to a rep, on one line.
    private func told(_ crm: TestKernel) throws -> String {
        try #require(crm.transport.sent.last).text.replacing("\n", with: " ")
    }

    @Test func `the opener goes by the interest, then by what the lead took last, then by its name`() async throws {
        let crm = try TestKernel(Self.openers, plugins: [Handoff.self])
        try crm.capture(["email": "a@lead.example", "first_name": "Lee", "interest": "wind, Solar", "stage": "mql"])
        try await crm.work()
        #expect(try told(crm).contains("Ask Lee about the roof"))
        try crm.capture(["email": "b@lead.example"], form: "webinar-1")
        try crm.foreign(
            "INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('form.submitted', 2, 'form:x', '2026-03-02 09:00:00.000', '{\"form\":\"webinar-1\"}')"
        )
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 2")
        try await crm.work()
        #expect(try told(crm).contains("Ask what was new in the webinar"))
        #expect(try told(crm).contains("filled in the form webinar-1"))
        try crm.capture(["email": "c@lead.example", "interest": "wind"])
        try crm.foreign(
            "INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('form.submitted', 3, 'form:x', '2026-03-02 09:00:00.000', '{\"form\":\"price-list\"}')"
        )
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 3")
        try await crm.work()
        #expect(try told(crm).contains("Ask what came of price-list."))
        #expect(try told(crm).contains("interested in wind"))
        #expect(try crm.troubles() == [])
    }

    @Test func `a demo that was booked and a mail that was clicked are asked for, and there is always a beginning`()
        async throws
    {
        let crm = try TestKernel(
            "activities: {demo.booked: {slot: text}, call.held: {}}\nplugins: {handoff: {\(HandoffSite.threeReps), contact_on: [call.held], openers: {welcome: \"Ask how the welcome was\"}}}",
            plugins: [Handoff.self])
        for name in ["a", "b", "c"] { try crm.capture(["email": "\(name)@lead.example"]) }
        try crm.record("demo.booked", lead: 1, ["slot": "monday"])
        try crm.record("demo.booked", lead: 1, ["slot": "tuesday"])
        try crm.record("call.held", lead: 1)
        try crm.foreign(
            "INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('mail.clicked', 2, 'sql', '2026-03-02 09:00:00.000', '{\"mail\":\"welcome\"}')"
        )
        for (lead, parts) in [
            (1, ["Read and asked for: demo booked (tuesday)", "How to begin: Ask about this: demo booked (tuesday)."]),
            (2, ["Read and asked for: clicked in the mail welcome", "How to begin: Ask how the welcome was"]),
            (3, ["Read and asked for: nothing yet", "How to begin: Ask what brought them here."]),
        ] {
            try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = \(lead)")
            try await crm.work()
            let told = try told(crm)
            for part in parts { #expect(told.contains(part), "\(part) is not in: \(told)") }
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `the mail says until when, why now, and what was before`() async throws {
        let crm = try TestKernel(
            "activities: {demo.booked: {}}\nplugins: {handoff: {reps: {ann: {email: ann@acme.example, zone: Europe/Berlin}}, accept_within: 4 hours, recycle: {after: 1 day}}}",
            plugins: [Handoff.self])
        try crm.capture(["email": "lee@lead.example", "first_name": "Lee"])
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try await crm.work()
        #expect(try told(crm).contains("Lee is yours, until 2026-03-02 14:00 (Europe/Berlin)."))
        #expect(try told(crm).contains("It went from lead to mql on"))
        #expect(try !told(crm).contains("was here before"))
        try crm.run("handoff reject", "1", "too early")
        crm.clock.advance(by: "1 day")
        try await crm.work()
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try await crm.work()
        #expect(
            try told(crm).contains(
                "It was here before: this is try 2. rejected on 2026-03-02 by ann: too early."))
    }

    @Test func `an opener that names no column, and an interest that is none, are found before anything runs`() {
        for more in ["openers: {solar: \"Hello {{first_nam}}\"}", "interest: intrest"] {
            #expect(throws: ConfigProblems.self) { try HandoffSite.crm(HandoffSite.threeReps + ", " + more) }
        }
    }
}
