import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct QuarantineTests {
    private let crm: TestKernel
    private let browser: Browser

    init() throws {
        crm = try MagnetSite.crm()
        browser = Browser(crm)
    }

    /// Sends a form that no person filled in: it has no token.
    private func hold(_ magnet: String, _ fields: KeyValuePairs<String, String>) async throws {
        let page = [("_page", "https://crm.acme.example/offers/\(magnet)?utm_source=letter&utm_medium=email")]
        _ = try await browser.post("/forms/\(magnet)", page + fields.map { ($0.key, $0.value) })
    }

    private func sentence(_ body: () throws -> Void) throws -> String {
        try #require(throws: KernelError.self) { try body() }.description
    }

    // MARK: - Released

    @Test func `a form that is released is a lead as if it had passed`() async throws {
        try await hold(
            "plan",
            ["email": "Ann@a.example", "first_name": " Ann ", "budget": "7", "title": "Boss", "stage": "customer"])
        try await crm.work()
        #expect(try crm.events() == [])
        crm.clock.advance(by: "1 hour")
        #expect(
            try crm.run("magnets release", "1") == ["Lead 1 is taken in."])
        try await crm.work()
        #expect(
            try crm.rows("SELECT email, first_name, budget, title, stage, source, medium FROM leads") == [
                "Ann@a.example|Ann|7||lead|letter|email"
            ])
        #expect(
            try crm.rows("SELECT kind, channel, landing_page FROM touches") == [
                "form|email|https://crm.acme.example/offers/plan"
            ])
        #expect(try crm.rows("SELECT released_at, lead_id FROM magnets_quarantine") == ["2026-03-02 10:00:00.000|1"])
        #expect(crm.transport.sent.map(\.subject) == ["The plan"])
        #expect(try crm.troubles() == [])
    }

    @Test func `what was ticked is asked for and not granted, with where it was ticked`() async throws {
        try await hold(
            "guide", ["email": "ann@a.example", "consent_newsletter": "on", "consent_ads": "no", "consent_calls": "on"])
        #expect(
            try crm.run("magnets release", "1") == [
                "Lead 1 is taken in. What they ticked counts once they confirm it by mail."
            ])
        #expect(
            try crm.rows("SELECT purpose, state, text, source, network FROM consents") == [
                "newsletter|requested|Yes, write to me.|cli|203.0.113.0/24"
            ])
        #expect(try crm.rows("SELECT agent LIKE '%Firefox%' FROM consents") == ["1"])
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Please confirm: The guide"])
        _ = try await browser.post(try #require(crm.link("confirm", to: "ann@a.example")))
        try await crm.work()
        #expect(try crm.rows("SELECT state FROM consents_now") == ["granted"])
        #expect(crm.transport.sent.last?.subject == "The guide")
        #expect(try crm.troubles() == [])
    }

    @Test func `what was ticked is confirmed by mail also where the form alone is enough`() async throws {
        try await hold("plan", ["email": "ann@a.example", "first_name": "Ann", "consent_newsletter": "on"])
        try crm.run("magnets release", "1")
        try await crm.work()
        #expect(Set(crm.transport.sent.map(\.subject)) == ["The plan", "Please confirm: The plan"])
        let token = try crm.kernel.signer.token(
            purpose: "confirm", subject: Confirmation.subject(lead: 1, magnet: "plan"))
        _ = try await browser.post("/confirm/\(token)")
        #expect(try crm.rows("SELECT purpose, state FROM consents_now") == ["newsletter|granted"])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Refused

    @Test func `a form that is not held cannot be released`() async throws {
        #expect(
            try sentence { try crm.run("magnets release", "7") }
                == "There is no held form 7. 'trellis magnets quarantine' lists them.")
        try await hold("plan", ["email": "ann@a.example"])
        try crm.run("magnets release", "1")
        #expect(
            try sentence { try crm.run("magnets release", "1") }
                == "There is no held form 1. 'trellis magnets quarantine' lists them.")
        #expect(try crm.value("SELECT count(*) FROM events WHERE kind = 'form.submitted'") == "1")
    }

    @Test func `a form of a magnet that is gone cannot be released`() async throws {
        try await hold("plan", ["email": "ann@a.example"])
        try crm.foreign("UPDATE magnets_quarantine SET magnet = 'gone'")
        #expect(
            try sentence { try crm.run("magnets release", "1") }
                == "The magnet 'gone' of this form is no longer in the config.")
        #expect(try crm.events() == [])
    }

    @Test func `what no column takes is left out, and said`() async throws {
        try await hold(
            "plan", ["email": "ann@a.example", "first_name": "Ann", "budget": "much", "size": "small", "phone": "12"])
        #expect(
            try crm.run("magnets release", "1") == [
                "Lead 1 is taken in. Left out: budget: expected a whole number; phone: a number without + needs a country; give one, "
                    + "or set leads.default_country. 'trellis magnets quarantine 1' shows what was typed."
            ])
        #expect(
            try crm.rows("SELECT email, first_name, budget, size, phone FROM leads") == ["ann@a.example|Ann||small|"])
    }

    @Test func `without an address it stays held, and what to write is said`() async throws {
        try await hold("plan", ["email": "no-address", "phone": "+49 30 1234567"])
        try await hold("plan", ["first_name": "Ann"])
        let way = { (id: Int) in
            "Write the right one: 'trellis magnets release \(id) email=name@example.org'. 'trellis magnets quarantine \(id)' shows what was typed."
        }
        #expect(
            try sentence { try crm.run("magnets release", "1") }
                == "email: the address has no @; write it as name@example.org. \(way(1))")
        #expect(
            try sentence { try crm.run("magnets release", "2") }
                == "email: a lead needs an email, a phone or an external_id. \(way(2))")
        #expect(try crm.events() == [])
        #expect(try crm.rows("SELECT released_at FROM magnets_quarantine") == ["", ""])
        // Somebody may say that the number is enough.
        #expect(try crm.run("magnets release", "1", "email=") == ["Lead 1 is taken in."])
        #expect(try crm.rows("SELECT email, phone FROM leads") == ["|+49301234567"])
    }

    @Test func `values that are put right take the place of what was typed`() async throws {
        try await hold("plan", ["email": "ann@a", "first_name": "Ann", "budget": "much"])
        let problem = try #require(throws: FieldProblem.self) {
            try crm.run("magnets release", "1", "email=ann@a.example", "budget=lots")
        }
        #expect(problem.description == "budget: expected a whole number")
        #expect(
            try sentence { try crm.run("magnets release", "1", "budget") } == "Expected field=value, got 'budget'.")
        #expect(throws: FieldProblem.self) { try crm.run("magnets release", "1", "budgt=7") }
        #expect(try crm.events() == [])
        #expect(
            try crm.run("magnets release", "1", "email=ann@a.example", "budget=7", "title=Boss") == [
                "Lead 1 is taken in."
            ])
        #expect(
            try crm.rows("SELECT email, first_name, budget, title FROM leads") == ["ann@a.example|Ann|7|Boss"])
        #expect(try crm.troubles() == [])
    }

    @Test func `of one it is shown what was typed, also after it was taken in`() async throws {
        try await hold("map", ["email": "ann@a.example", "consent_calls": "on", "unasked": "x"])
        #expect(
            try crm.run("magnets quarantine", "1") == [
                "email|ann@a.example", "consent_calls|on",
                "A form of 'map' of 2026-03-02 09:00:00.000, held because: no form token. "
                    + "'trellis magnets release 1' takes it in, with field=value behind it for what is wrong.",
            ])
        try crm.run("magnets release", "1")
        #expect(try crm.run("magnets quarantine", "1").last?.hasSuffix("It was taken in as lead 1.") == true)
        #expect(
            try sentence { try crm.run("magnets quarantine", "2") }
                == "There is no held form 2. 'trellis magnets quarantine' lists them.")
    }

    // MARK: - Kept

    @Test func `forms are held for thirty days`() async throws {
        try await hold("plan", ["email": "ann@a.example"])
        crm.clock.advance(by: "29 days")
        try await hold("plan", ["email": "bob@b.example"])
        #expect(try crm.rows("SELECT email FROM magnets_quarantine") == ["ann@a.example", "bob@b.example"])
        crm.clock.advance(by: "2 days")
        try await hold("plan", ["email": "cem@c.example"])
        #expect(try crm.rows("SELECT email FROM magnets_quarantine") == ["bob@b.example", "cem@c.example"])
    }

    @Test func `of an erased person no form is held any more`() async throws {
        for name in ["Ann", "bob"] { try await hold("plan", ["email": "\(name)@a.example", "first_name": name]) }
        #expect(try Person(email: "ann@a.example").export(crm.kernel)["magnets_quarantine"]?.elements.count == 1)
        #expect(try Person(email: "ann@a.example").erase(crm.kernel) == 0)
        #expect(try crm.rows("SELECT email FROM magnets_quarantine") == ["bob@a.example"])
    }

    @Test func `the list shows what is held, newest first, and not what was released`() async throws {
        for name in ["ann", "bob", "cem"] { try await hold("plan", ["email": "\(name)@a.example"]) }
        try crm.run("magnets release", "2")
        let table = try crm.kernel.read { try Quarantine.held($0) }
        #expect(table.columns == ["id", "at", "magnet", "email", "reasons"])
        #expect(
            table.rows.map { $0.map { $0.text ?? "" }.joined(separator: "|") } == [
                "3|2026-03-02 09:00:00.000|plan|cem@a.example|no form token",
                "1|2026-03-02 09:00:00.000|plan|ann@a.example|no form token",
            ])
    }
}
