import DripSequencer
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Cannot stand any lead.
private struct Grudge: Plugin {
    static let name = "grudge"
    static let summary = "Fails at every lead."

    struct Refusal: Error, CustomStringConvertible {
        let description = "cannot look at it"
    }

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("look", to: LeadCreated.self, from: .firstEvent) { _, tx in
            try tx.db.execute(sql: "UPDATE leads SET city = 'looked at'")
            throw Refusal()
        }
    }
}

/// What is heard of, and what of it counts.
extension StoriesTests {
    private func templates(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id || ' ' || template FROM outbox_messages ORDER BY id")
    }

    // MARK: - Clicks of machines

    private static let linked = [
        "mails/one.md":
            "---\nsubject: Lesson one\npurpose: marketing\n---\n[Read](https://acme.example/read)\n\n[Plan](https://acme.example/plan)\n"
    ]

    /// The tokens of the links in the last mail to somebody.
    private func links(to recipient: String, _ crm: TestKernel) -> [String] {
        let text = crm.transport.sent.last { $0.recipient == recipient }?.text ?? ""
        return text.matches(of: #/https://crm\.acme\.example/c/([\w-]+)/#).map { String($0.1) }
    }

    private func follow(_ token: String, _ method: String, from address: String, _ crm: TestKernel) async throws {
        let endpoint = try #require(MailHits.endpoints.first { $0.path == "/c/:token" })
        let reply = try await endpoint(
            WebRequest(
                kernel: crm.kernel, method: method, path: "/c/\(token)", parameters: ["token": token],
                client: try #require(ClientAddress(address)),
                headers: ["user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"]))
        #expect(reply.status == 302)
    }

    @Test func `not: a way on taken, or an interest noted, because a gate followed every link`() async throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{mail: one}, {wait_for: mail.clicked, at_most: 3 days, then: [{mail: two}], else: [{mail: three}]}]",
            files: Self.linked)
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example") }
        try await crm.work()
        #expect(links(to: "ann@a.example", crm).count == 2)
        // The gate of ann's company looks at what comes in; bob reads it an hour later.
        for link in links(to: "ann@a.example", crm) {
            for method in ["HEAD", "GET"] { try await follow(link, method, from: "198.51.100.9", crm) }
        }
        crm.clock.advance(by: "1 hour")
        try await follow(try #require(links(to: "bob@a.example", crm).first), "GET", from: "203.0.113.7", crm)
        crm.clock.advance(by: "2 minutes")
        try await crm.work()
        #expect(
            try crm.rows("SELECT lead_id, verdict, count(*) FROM mail_hits GROUP BY 1, 2 ORDER BY 1") == [
                "1|machine|4", "2|person|1",
            ])
        #expect(try crm.rows("SELECT lead_id FROM events WHERE kind = 'mail.clicked'") == ["2"])
        #expect(try templates(crm) == ["1 one", "2 one", "2 two"])
        crm.clock.advance(by: "3 days")
        try await crm.work()
        #expect(try templates(crm) == ["1 one", "2 one", "2 two", "1 three"])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Hooks that fail, and rows that none saw

    @Test func `not: a lead that counts as not saved, because a hook failed after it was`() async throws {
        let crm = try TestKernel(
            DripSite.yaml(Self.course).replacing("plugins: {", with: "plugins: {grudge: {}, "),
            plugins: [Grudge.self, DripSequencer.self], files: DripSite.files)
        #expect(try crm.lead("ann@a.example") == 1)
        try await crm.work()
        #expect(try crm.rows("SELECT email, city FROM leads") == ["ann@a.example|"], "and nothing of the hook is left")
        #expect(crm.transport.sent.map(\.recipient) == ["ann@a.example"], "the others heard of it")
        let parked = try crm.rows("SELECT subscriber, kind, error FROM parked_events JOIN events ON id = event_id")
        #expect(parked == ["grudge/look|lead.created|cannot look at it"], "\(parked)")
        #expect(try crm.rows("SELECT stop, reason FROM kernel_stops") == ["parked event|cannot look at it"])
    }

    @Test func `not: a row of another client that no hook hears of`() async throws {
        let crm = try DripSite.crm(Self.course)
        try crm.foreign("INSERT INTO leads (email) VALUES ('ann@a.example')")
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'newsletter', 'granted')")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["ann@a.example"])
        #expect(try crm.enrolments == ["1|1|active|"])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Leads in the trash

    @Test func `not: a mail to a lead in the trash, nor the course again once it is back`() async throws {
        let crm = try await begun()
        try crm.foreign("DELETE FROM leads WHERE id = 1")
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(try crm.enrolments == ["1|1|exited|the lead is gone"])
        #expect(try Trash.restore(crm.kernel) == 1)
        for _ in 1...3 {
            try await crm.work()
            crm.clock.advance(by: "1 day")
        }
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one"])
        #expect(try crm.enrolments == ["1|1|exited|the lead is gone"])
        #expect(try crm.troubles() == [])
    }

    @Test func `not: a mail that waited for a lead in the trash`() async throws {
        let crm = try DripSite.crm(Self.course)
        try crm.lead("ann@a.example")
        try crm.pump()
        #expect(try crm.rows("SELECT state FROM outbox_messages") == ["waiting"])
        try crm.foreign("DELETE FROM leads WHERE id = 1")
        try await crm.work()
        #expect(try Trash.restore(crm.kernel) == 1)
        try await crm.work()
        #expect(crm.transport.sent.isEmpty)
        #expect(
            try crm.rows("SELECT state, reason FROM outbox_messages") == [
                "cancelled|the sequence is over: the lead is gone"
            ])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Waits of who came by an event

    @Test func `not: a wait that hears nothing, or what was before, because an event brought the lead in`() async throws
    {
        let crm = try DripSite.crm(
            "enter: {on: course.started}, steps: [{mail: one}, {wait_for: course.bought, at_most: 2 days, then: [{mail: two}], else: [{mail: three}]}]"
        )
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example") }
        try crm.record("course.bought", lead: 1)
        for lead: Int64 in 1...2 { try crm.record("course.started", lead: lead) }
        try await crm.work()
        #expect(try templates(crm) == ["1 one", "2 one"])
        try crm.record("course.bought", lead: 2)
        try await crm.work()
        #expect(try templates(crm) == ["1 one", "2 one", "2 two"])
        crm.clock.advance(by: "2 days")
        try await crm.work()
        #expect(try templates(crm) == ["1 one", "2 one", "2 two", "1 three"], "ann had bought before she started")
        #expect(try crm.enrolments == ["1|1|completed|", "2|1|completed|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `not: a wait that is over at once, because what it waits for brought the lead in`() async throws {
        let crm = try DripSite.crm(
            "enter: {on: course.started}, steps: [{mail: one}, {wait_for: course.started, at_most: 2 days, then: [{mail: two}], else: [{mail: three}]}]"
        )
        for name in ["ann", "bob"] { try crm.record("course.started", lead: crm.lead("\(name)@a.example")) }
        try await crm.work()
        #expect(try templates(crm) == ["1 one", "2 one"])
        try crm.record("course.started", lead: 2)
        try await crm.work()
        crm.clock.advance(by: "2 days")
        try await crm.work()
        #expect(try templates(crm) == ["1 one", "2 one", "2 two", "1 three"])
        #expect(try crm.enrolments == ["1|1|completed|", "2|1|completed|"])
        #expect(try crm.troubles() == [])
    }
}
