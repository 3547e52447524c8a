import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// Not more than the cap to one lead, over all sequences.
@Suite struct PermissionTests {
    private func crm(_ cap: String = "2 per week") throws -> TestKernel {
        try TestKernel(
            """
            plugins:
              drip:
                cap: \(cap)
                sequences:
                  a: {enter: {on: lead.created}, steps: [{mail: one}, {mail: two}]}
                  b: {enter: {on: lead.created}, steps: [{wait: 2 days}, {mail: three}]}
                  c: {enter: {on: lead.created}, steps: [{wait: 3 days}, {mail: receipt}]}
            """, plugins: [DripSequencer.self],
            files: DripSite.files.merging([
                "mails/receipt.md": "---\nsubject: Your receipt\npurpose: transactional\n---\nThank you.\n"
            ]) { first, _ in first })
    }

    @Test func `the mail beyond the cap goes when the first is a week old, and what was asked for goes at once`()
        async throws
    {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try await crm.work()
        crm.clock.advance(by: "2 days")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one", "Lesson two"])
        #expect(
            try crm.rows("SELECT state, ready_at, reason, attempts FROM outbox_messages WHERE template = 'three'") == [
                "waiting|2026-03-09 09:00:00.000|no more than 2 per week|0"
            ])
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(crm.transport.sent.last?.subject == "Your receipt")
        crm.clock.set("2026-03-09 08:59:59")
        try await crm.work()
        #expect(crm.transport.sent.count == 3)
        crm.clock.set("2026-03-09 09:00:00")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one", "Lesson two", "Your receipt", "Lesson three"])
    }

    @Test func `what was refused or cancelled does not count`() async throws {
        let crm = try crm()
        crm.transport.answer { $0.subject == "Lesson one" ? .refused(because: "550 no") : .sent }
        try crm.lead("ann@a.example")
        try await crm.work()
        crm.clock.advance(by: "2 days")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one", "Lesson two", "Lesson three"])
    }

    @Test func `two of one claim are counted too`() async throws {
        let crm = try crm("1 per day")
        try crm.lead("ann@a.example")
        try crm.lead("bob@a.example")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["ann@a.example", "bob@a.example"])
        for _ in 1...3 {
            crm.clock.advance(by: "1 day")
            try await crm.work()
        }
        #expect(Set(crm.transport.sent.map { "\($0.recipient) \($0.subject)" }).count == crm.transport.sent.count)
        #expect(crm.transport.sent.filter { $0.subject.hasPrefix("Lesson") }.count == 6)
    }

    @Test func `tasks have a cap of their own`() throws {
        let crm = try TestKernel(
            """
            plugins:
              drip:
                cap: {task: 1 per day}
                sequences:
                  a: {enter: {on: lead.created}, steps: [{task: {text: Ring}}, {task: {text: Ring again}}, {task: {text: And again}}]}
            """, plugins: [DripSequencer.self])
        try crm.lead("ann@a.example")
        try crm.pump()
        #expect(
            try crm.rows("SELECT due_at FROM drip_tasks ORDER BY id") == [
                "2026-03-03 09:00:00.000", "2026-03-04 09:00:00.000", "2026-03-05 09:00:00.000",
            ])
    }

    // MARK: - What is not worth sending any more

    @Test func `a mail that the cap held up for too long is dropped, and the lead goes on`() async throws {
        let crm = try TestKernel(
            """
            plugins:
              drip:
                cap: 1 per week
                sequences:
                  a: {enter: {on: lead.created}, steps: [{mail: one}, {mail: two, within: 2 days}, {wait: 8 days}, {mail: three}]}
            """, plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        for _ in 1...8 {
            try await crm.work()
            crm.clock.advance(by: "1 day")
        }
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one", "Lesson three"])
        #expect(
            try crm.rows("SELECT state, reason FROM outbox_messages WHERE template = 'two'") == [
                "cancelled|it was worth sending until 2026-03-04 09:00"
            ])
        #expect(try crm.events().filter { $0 == "mail.expired" }.count == 1)
        #expect(try crm.enrolments == ["1|1|completed|"])
        #expect(try crm.run("sequences show", "a")[1] == "1|mail two, within 2 days|0")
        #expect(try crm.troubles() == [])
    }

    @Test func `it is dropped as soon as that is known, and the lead does not rest behind it`() async throws {
        let crm = try TestKernel(
            """
            plugins:
              drip:
                cap: 1 per week
                sequences:
                  a: {enter: {on: lead.created}, steps: [{mail: one}, {mail: two, within: 2 days}, {wait: 8 days}, {mail: three}]}
            """, plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        try await crm.work()
        #expect(
            try crm.rows("SELECT state, reason, settled_at FROM outbox_messages WHERE template = 'two'") == [
                "cancelled|it was worth sending until 2026-03-04 09:00|2026-03-02 09:00:00.000"
            ])
        #expect(try crm.events().filter { $0 == "mail.expired" }.count == 1)
        crm.clock.set("2026-03-10 09:00:00")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one", "Lesson three"])
        #expect(try crm.enrolments == ["1|1|completed|"])
    }

    @Test func `quiet hours count: at eight in the morning the evening's mail is too late`() async throws {
        let crm = try TestKernel(
            """
            plugins:
              drip:
                quiet: {from: "20:00", to: "08:00"}
                sequences:
                  a: {enter: {on: lead.created}, steps: [{mail: one, within: 4 hours}, {mail: two}]}
            """, plugins: [DripSequencer.self], files: DripSite.files, at: "2026-03-02 21:00:00")
        try crm.lead("ann@a.example")
        try await crm.work()
        crm.clock.set("2026-03-03 08:00:00")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson two"])
    }

    // MARK: - Lists

    @Test func `the mails of a sequence are of its list, one with a list of its own of that`() async throws {
        let crm = try TestKernel(
            """
            plugins:
              drip:
                sequences:
                  a: {enter: {on: lead.created}, list: product-news, steps: [{mail: one}, {mail: own}, {mail: receipt}]}
            """, plugins: [DripSequencer.self],
            files: DripSite.files.merging([
                "mails/own.md": "---\nsubject: Own\nlist: events\n---\nHello.\n",
                "mails/receipt.md": "---\nsubject: Your receipt\npurpose: transactional\n---\nThank you.\n",
            ]) { first, _ in first })
        try crm.capture(["email": "ann@a.example"], consents: ["product-news"])
        try crm.capture(["email": "bob@a.example"], consents: ["newsletter", "events"])
        try await crm.work()
        #expect(
            try crm.rows(
                "SELECT lead_id, template, list, state, reason FROM outbox_messages ORDER BY lead_id, template") == [
                    "1|one|product-news|sent|", "1|own|events|cancelled|no consent for events", "1|receipt||sent|",
                    "2|one|product-news|cancelled|no consent for product-news", "2|own|events|sent|",
                    "2|receipt||sent|",
                ])
    }

    // MARK: - By whose clock

    @Test func `a mail writes times by the zone of the lead, of its country, of the sequence, and says which`()
        async throws
    {
        let crm = try TestKernel(
            """
            activities: {call.booked: {begins_at: time}}
            plugins:
              drip:
                sequences:
                  tokyo: {enter: {on: call.booked}, timezone: Asia/Tokyo, steps: [{mail: call}]}
                  site: {enter: {on: call.booked}, steps: [{mail: call}]}
            """, plugins: [DripSequencer.self],
            files: ["mails/call.md": "---\nsubject: Your call\n---\nWe ring at {{begins_at}}.\n"])
        for lead in [
            try crm.capture(["email": "ann@a.example"], consents: ["newsletter"]),
            try crm.capture(["email": "bob@a.example", "country": "DE"], consents: ["newsletter"]),
            try crm.capture(["email": "cy@a.example", "timezone": "America/New_York"], consents: ["newsletter"]),
        ] {
            try crm.record("call.booked", lead: lead, ["begins_at": "2026-03-10 18:00:00"])
        }
        try await crm.work()
        let times = crm.transport.sent.map { mail in
            let text = mail.text.split(separator: "We ring at ").last?.split(separator: ".").first ?? ""
            return "\(mail.recipient) \(text)"
        }
        #expect(
            times.sorted() == [
                "ann@a.example 2026-03-10 18:00 (UTC)", "ann@a.example 2026-03-11 03:00 (Asia/Tokyo)",
                "bob@a.example 2026-03-10 19:00 (Europe/Berlin)", "bob@a.example 2026-03-10 19:00 (Europe/Berlin)",
                "cy@a.example 2026-03-10 14:00 (America/New_York)", "cy@a.example 2026-03-10 14:00 (America/New_York)",
            ])
    }
}
