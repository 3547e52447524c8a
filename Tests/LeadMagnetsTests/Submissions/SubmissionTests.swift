import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct SubmissionTests {
    private let crm: TestKernel
    private let browser: Browser

    init() throws {
        crm = try MagnetSite.crm("", plugins: [Desk.self], sections: "  desk: {}\n")
        browser = Browser(crm)
    }

    private static let ann: KeyValuePairs = ["email": "ann@a.example", "first_name": "Ann"]

    private func count(_ kind: String) throws -> Int { try crm.events().count { $0 == kind } }

    // MARK: - Taken in

    @Test func `a form becomes a lead with where it came from and what it agreed to`() async throws {
        let form = try await browser.open(
            "/offers/plan?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=G1",
            ["referer": "https://www.google.com/search?q=plan"])
        let reply = try await browser.submit(
            form,
            [
                "email": " Ann@A.example ", "first_name": "A\u{200B}nn", "company": "A & Sons", "budget": "90",
                "size": "large", "consent_newsletter": "on",
            ])
        #expect(reply.status == 303 && reply.header("location")?.hasPrefix("/thanks/") == true)
        #expect(
            try crm.rows("SELECT email, first_name, company, budget, size, source, medium, campaign FROM leads") == [
                "Ann@a.example|Ann|A & Sons|90|large|google|cpc|spring"
            ])
        #expect(
            try crm.rows(
                "SELECT lead_id, kind, channel, source, campaign, referrer, landing_page, click_id_kind, click_id FROM touches"
            ) == [
                "1|form|paid_search|google|spring|https://www.google.com/search|https://crm.acme.example/offers/plan|gclid|G1"
            ])
        #expect(
            try crm.rows("SELECT purpose, state, text, source, page, network FROM consents") == [
                "newsletter|granted|Yes, write to me.|form:plan|https://crm.acme.example/offers/plan|203.0.113.0/24"
            ])
        #expect(try crm.rows("SELECT agent LIKE '%Firefox/130.0' FROM consents") == ["1"])
        #expect(
            try crm.rows(
                "SELECT body ->> 'form', body ->> 'channel', origin FROM events WHERE kind = 'form.submitted'") == [
                    "plan|paid_search|form:plan"
                ])
        #expect(try crm.events() == ["lead.created", "consent.granted", "form.submitted"])
        #expect(try crm.troubles() == [])
    }

    @Test func `what the form does not ask is not looked at`() async throws {
        let reply = try await browser.fillIn(
            "plan",
            [
                "email": "ann@a.example", "first_name": "Ann", "title": "Boss", "stage": "customer", "owner": "me",
                "id": "7", "phone": "no number", "consent_ads": "on", "created_at": "soon",
            ])
        #expect(reply.status == 303)
        #expect(try crm.rows("SELECT id, title, stage, owner, phone FROM leads") == ["1||lead||"])
        #expect(try crm.rows("SELECT * FROM consents") == [])
    }

    @Test func `a form says which words of the page were seen`() async throws {
        let crm = try TestKernel(
            """
            plugins: {lead_magnets: {magnets: {plan: {title: The plan, kind: link, url: "https://acme.example",
              variants: {chief: {headline: For chiefs, weight: 0}}}}}}
            """, plugins: [LeadMagnets.self])
        let browser = Browser(crm)
        let form = try await browser.open("/offers/plan?variant=chief")
        _ = try await browser.submit(form, ["email": "ann@a.example", "variant": "other"])
        #expect(
            try crm.rows("SELECT body ->> 'form', body ->> 'variant' FROM events WHERE kind = 'form.submitted'") == [
                "plan|chief"
            ])
    }

    @Test func `of a form on a page of another site the browser says which page`() async throws {
        let form = try await browser.open("/offers/plan")
        let token = form.hidden.filter { $0.0 == FormToken.field }
        let fields = [("email", "ann@a.example"), ("first_name", "Ann"), ("consent_newsletter", "on")]
        _ = try await browser.post(
            "/forms/plan", token + fields,
            ["referer": "https://www.acme.example/article?utm_source=letter&utm_medium=email"])
        #expect(
            try crm.rows("SELECT channel, source, landing_page FROM touches") == [
                "email|letter|https://www.acme.example/article"
            ])
        #expect(try crm.rows("SELECT page FROM consents") == ["https://www.acme.example/article"])
    }

    // MARK: - Sent back

    @Test func `a form with mistakes comes back with what was typed and what is wrong`() async throws {
        let form = try await browser.open("/offers/plan")
        let reply = try await browser.submit(
            form,
            [
                "email": "ann@", "first_name": "  ", "company": "A <b>", "budget": "much", "size": "medium",
                "consent_newsletter": "on",
            ])
        #expect(reply.status == 422 && reply.pageName == "offer")
        let again = try WebForm(reply)
        #expect(again.errors.map { String($0.prefix { $0 != ":" }) } == ["email", "first_name", "budget", "size"])
        #expect(
            Array(again.errors.dropFirst()) == [
                "first_name: Please fill this in.", "budget: Please give a whole number.",
                "size: Please give one of large, small.",
            ])
        #expect(again.fields.first { $0.text("name") == "budget" }?.text("error") == "Please give a whole number.")
        #expect(again.value("email") == "ann@" && again.value("company") == "A <b>" && again.value("budget") == "much")
        #expect(again.ticked == ["consent_newsletter"])
        #expect(try crm.events() == [])
        // The same form, mended.
        #expect(try await browser.submit(again, SubmissionTests.ann).status == 303)
        #expect(try crm.events() == ["lead.created", "form.submitted"])
        #expect(try crm.rows("SELECT landing_page FROM touches") == ["https://crm.acme.example/offers/plan"])
    }

    @Test func `the reason of a veto is shown, and nothing is kept`() async throws {
        let reply = try await browser.fillIn("plan", ["email": "bob@rival.example", "first_name": "Bob"])
        #expect(reply.status == 422)
        #expect(try WebForm(reply).problem == "no competitors, please")
        #expect(try crm.events() == [] && crm.rows("SELECT * FROM magnets_receipts") == [])
    }

    @Test func `a form on which a filter of the config fails is kept, and nobody learns of it`() async throws {
        let crm = try MagnetSite.crm(
            sections: "hooks: {rv: {filter: lead, set: \"SELECT 'zz' AS country WHERE :email LIKE '%@z.example'\"}}\n")
        let reply = try await Browser(crm).fillIn("tool", ["email": "ann@z.example"])
        #expect(reply.status == 303)
        #expect(
            try crm.rows("SELECT email, reasons FROM magnets_quarantine")
                == ["ann@z.example|hooks/rv failed: country: expected a country such as DE or Germany"])
        #expect(try crm.events() == [])
        #expect(try await Browser(crm).fillIn("tool", ["email": "ann@a.example"]).status == 303)
        #expect(try crm.events() == ["lead.created", "form.submitted"])
    }

    @Test(arguments: [
        ("disposable", "ann@mailinator.com", "This is an address for ten minutes. Please give one you read."),
        ("role", "info@a.example", "This is the address of an office. Please give your own."),
        ("free_mail", "ann@GMail.com", "Please give your address at work."),
    ])
    func `an address the form does not take is refused`(_ flag: String, _ email: String, _ sentence: String)
        async throws
    {
        let crm = try TestKernel(
            """
            plugins: {lead_magnets: {magnets: {plan: {title: The plan, kind: link, url: "https://acme.example", refuse: \(flag)}}}}
            """, plugins: [LeadMagnets.self])
        let browser = Browser(crm)
        let reply = try await browser.fillIn("plan", ["email": email])
        #expect(reply.status == 422)
        #expect(try WebForm(reply).errors == ["email: \(sentence)"])
        #expect(try crm.events() == [])
        #expect(try await browser.fillIn("plan", ["email": "ann@a.example"]).status == 303)
    }

    @Test func `an address that no mail of ours reaches is refused where something is mailed`() async throws {
        let sentence =
            "We can only write to addresses with plain letters (a to z), digits and signs before the @: please type another one of yours, such as name@example.org."
        // By mail, confirmed and by mail, confirmed and on the page.
        for magnet in ["plan", "guide", "atlas"] {
            let reply = try await browser.fillIn(magnet, ["email": "jürgen@a.example", "first_name": "Jürgen"])
            #expect(reply.status == 422, "\(magnet)")
            #expect(try WebForm(reply).errors == ["email: \(sentence)"], "\(magnet)")
        }
        let form = try await browser.open("/offers/plan")
        let program = try await browser.post(
            form.action, form.hidden + [("email", "jürgen@a.example"), ("first_name", "Jürgen")],
            ["accept": "application/json"])
        #expect(program.status == 422 && program.json?["fields"]?["email"]?.scalarText == sentence)
        #expect(try crm.events() == [])
        // A domain has a spelling in ASCII, and what stands on the page at once needs no mail.
        #expect(
            try await browser.fillIn("plan", ["email": "juergen@bücher.example", "first_name": "Jürgen"]).status == 303)
        #expect(try await browser.fillIn("chart", ["email": "jürgen@a.example"]).status == 303)
        #expect(
            try crm.rows("SELECT email FROM leads ORDER BY id") == [
                "juergen@xn--bcher-kva.example", "jürgen@a.example",
            ])
    }

    @Test func `the page after the form says the address as it was typed`() async throws {
        for address in ["jo@bücher.example", "jo@xn--bcher-kva.example", "jo@BÜCHER.example"] {
            let reply = try await browser.fillIn("guide", ["email": "  \(address) "])
            #expect(try await browser.follow(reply).page.text("address") == address)
        }
        #expect(try crm.rows("SELECT email FROM leads") == ["jo@xn--bcher-kva.example"])
        // Whoever comes by a link of ours types none, and may have been sent it on; what a program sends is not shown.
        let key = try crm.kernel.signer.token(purpose: "lead", subject: "1")
        for more in ["", "filled in"] {
            let known = try await browser.submit(
                try await browser.open("/offers/guide?for=\(key)"),
                ["first_name": "Jo", "email": "eve@evil.example", Screening.trap: more])
            #expect(try await browser.follow(known).page.text("address") == "j•••@bücher.example")
        }
        #expect(try crm.rows("SELECT reasons FROM magnets_quarantine") == ["hidden field filled in"])
        // A program's form gets a person's answer.
        let held = try await browser.post("/forms/guide", [("email", "bot@bücher.example")])
        #expect(try await browser.follow(held).page.text("address") == "bot@bücher.example")
    }

    @Test func `a page that was open for more than a day is shown again with what was typed`() async throws {
        let form = try await browser.open("/offers/plan")
        crm.clock.advance(by: "1 day")
        let reply = try await browser.submit(form, SubmissionTests.ann)
        let again = try WebForm(reply)
        #expect(reply.status == 200)
        #expect(again.problem == "This page was open for more than a day. Please press the button once more.")
        #expect(again.value("first_name") == "Ann" && again.errors == [])
        #expect(try crm.events() == [])
        #expect(try await browser.submit(again, SubmissionTests.ann).status == 303)
        #expect(try crm.events() == ["lead.created", "form.submitted"])
    }

    // MARK: - Once

    @Test func `a double click, a retry and the back button are one submission`() async throws {
        let form = try await browser.open("/offers/plan")
        for _ in 1...3 { #expect(try await browser.submit(form, SubmissionTests.ann).status == 303) }
        crm.clock.advance(by: "1 hour")
        let last = try await browser.submit(form, ["email": "ANN@a.example", "first_name": "Anna"])
        #expect(last.status == 303)
        #expect(try crm.events() == ["lead.created", "form.submitted"])
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        // A page that is opened anew is a new form.
        try await browser.fillIn("plan", SubmissionTests.ann)
        #expect(try count("form.submitted") == 2)
    }

    @Test func `many at once with one form are one submission`() async throws {
        let (form, kernel) = (try await browser.open("/offers/plan"), crm.kernel)
        let endpoint = try #require(browser.endpoints.first { $0.path == "/forms/:magnet" && $0.method == .post })
        let request = WebRequest(
            kernel: kernel, method: "POST", path: "/forms/plan", parameters: ["magnet": "plan"],
            fields: WebFields(
                (form.hidden + SubmissionTests.ann.map { ($0.key, $0.value) }).map { .init(name: $0.0, value: $0.1) }),
            client: browser.client)
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1...20 { group.addTask { try await endpoint(request).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 303, count: 20))
        #expect(try crm.events() == ["lead.created", "form.submitted"])
    }

    @Test func `one form for so many addresses is a person's, for more it is held`() async throws {
        let form = try await browser.open("/offers/plan")
        for name in ["ann", "bob", "cem"] {
            _ = try await browser.submit(form, ["email": "\(name)@a.example", "first_name": name])
        }
        #expect(try crm.value("SELECT count(*) FROM leads") == "3")
        let fourth = try await browser.submit(form, ["email": "dan@a.example", "first_name": "Dan"])
        #expect(fourth.status == 303)
        #expect(try await browser.follow(fourth).page.text("heading") == "It is on its way")
        #expect(try crm.value("SELECT count(*) FROM leads") == "3")
        #expect(
            try crm.rows("SELECT reasons, email FROM magnets_quarantine") == [
                "one form sent for many addresses|dan@a.example"
            ])
        // The first of them is answered as before.
        #expect(try await browser.submit(form, ["email": "ann@a.example", "first_name": "ann"]).status == 303)
        #expect(try crm.value("SELECT count(*) FROM magnets_quarantine") == "1")
    }

    // MARK: - Snippets

    /// The fields of the form of a snippet, as it stands on a page of another site.
    private func snippet() throws -> [(String, String)] {
        [(FormToken.field, FormToken(magnet: "plan").sealed(try crm.kernel.config.signer))]
    }

    @Test func `a snippet may stand on its page for years`() async throws {
        let hidden = try snippet()
        crm.clock.advance(by: "1000 days")
        let reply = try await browser.post("/forms/plan", hidden + [("email", "ann@a.example"), ("first_name", "Ann")])
        #expect(reply.status == 303)
        #expect(try crm.events() == ["lead.created", "form.submitted"])
    }

    @Test func `with one snippet the same address is the same form for ten minutes`() async throws {
        let fields = try snippet() + [("email", "ann@a.example"), ("first_name", "Ann")]
        for _ in 1...2 { _ = try await browser.post("/forms/plan", fields) }
        crm.clock.advance(by: "9m")
        _ = try await browser.post("/forms/plan", fields)
        #expect(try count("form.submitted") == 1)
        crm.clock.advance(by: "1m")
        _ = try await browser.post("/forms/plan", fields)
        #expect(try count("form.submitted") == 2)
        _ = try await browser.post("/forms/plan", fields)
        #expect(try count("form.submitted") == 2)
    }

    @Test func `any number of people may use one snippet`() async throws {
        let hidden = try snippet()
        for number in 1...5 {
            _ = try await browser.post(
                "/forms/plan", hidden + [("email", "lead\(number)@a.example"), ("first_name", "L")])
        }
        #expect(try crm.value("SELECT count(*) FROM leads") == "5")
        #expect(try crm.rows("SELECT * FROM magnets_quarantine") == [])
    }

    @Test func `a mistake in a snippet is mended on a page of this site`() async throws {
        let again = try WebForm(try await browser.post("/forms/plan", try snippet() + [("email", "ann@a.example")]))
        #expect(again.errors == ["first_name: Please fill this in."] && again.value("email") == "ann@a.example")
        #expect(try await browser.submit(again, SubmissionTests.ann).status == 303)
        #expect(try crm.events() == ["lead.created", "form.submitted"])
    }

    // MARK: - Programs

    private static let json = ["content-type": "application/json"]

    @Test func `a program that sends JSON is answered with JSON`() async throws {
        let form = try await browser.open("/offers/plan")
        let reply = try await browser.submit(form, SubmissionTests.ann, SubmissionTests.json)
        #expect(reply.status == 200 && reply.header("content-type") == "application/json")
        let json = try #require(reply.json)
        #expect(json["status"] == .string("taken") && json["needs_confirmation"] == .bool(false))
        #expect(json["message"]?.scalarText == "Thank you. The plan should be in your mail in a minute.")
        let page = try await browser.get(try #require(json["page"]?.scalarText))
        #expect(page.page.text("address") == "ann@a.example")
        #expect(try crm.events() == ["lead.created", "form.submitted"])
    }

    @Test func `a program is told which fields are wrong`() async throws {
        let form = try await browser.open("/offers/plan")
        let reply = try await browser.submit(
            form, ["email": "ann@a.example", "budget": "x"], ["accept": "application/json"])
        #expect(reply.status == 422)
        #expect(reply.json?["error"]?.scalarText == "Please check the fields.")
        #expect(
            reply.json?["fields"]?.text()
                == #"{"budget":"Please give a whole number.","first_name":"Please fill this in."}"#)
        #expect(reply.json?[FormToken.field]?.scalarText?.isEmpty == false)
        let veto = try await browser.submit(
            form, ["email": "bob@rival.example", "first_name": "Bob"], SubmissionTests.json)
        #expect(veto.status == 422)
        #expect(veto.json?["error"]?.scalarText == "no competitors, please" && veto.json?["fields"]?.text() == "{}")
        #expect(try crm.events() == [])
    }

    @Test func `a program whose form is too old is refused`() async throws {
        let form = try await browser.open("/offers/plan")
        crm.clock.advance(by: "1 day")
        let reply = try await browser.submit(form, SubmissionTests.ann, SubmissionTests.json)
        #expect(reply.status == 422)
        #expect(
            reply.json?["error"]
                == .string("This page was open for more than a day. Please press the button once more."))
        #expect(try crm.events() == [])
    }

    @Test func `a program is told that an address must be confirmed`() async throws {
        let form = try await browser.open("/offers/guide")
        let reply = try await browser.submit(form, ["email": "ann@a.example"], SubmissionTests.json)
        #expect(reply.json?["needs_confirmation"] == .bool(true))
    }

    // MARK: - Known leads

    @Test func `a lead that is known tells what is missing, and is not asked for the address`() async throws {
        let lead = try crm.capture(["email": "ann@a.example", "first_name": "Ann", "company": "A"])
        let key = try crm.kernel.config.signer.token(purpose: "lead", subject: String(lead))
        let form = try await browser.open("/offers/plan?for=\(key)")
        let reply = try await browser.submit(
            form,
            [
                "email": "eve@e.example", "first_name": "Eve", "budget": "7", "phone": "+49 30 123456",
                "country": "DE",
            ])
        #expect(reply.status == 303)
        #expect(
            try crm.rows("SELECT email, first_name, company, budget, phone, country FROM leads") == [
                "ann@a.example|Ann|A|7|+4930123456|"
            ])
        #expect(try count("form.submitted") == 1)
        #expect(try await browser.follow(reply).page.text("address") == "a•••@a.example")
    }

    @Test func `what a known lead mistypes comes back with the same few fields`() async throws {
        let lead = try crm.capture(["email": "ann@a.example", "first_name": "Ann"])
        let key = try crm.kernel.config.signer.token(purpose: "lead", subject: String(lead))
        let form = try await browser.open("/offers/plan?for=\(key)")
        let again = try WebForm(try await browser.submit(form, ["budget": "much"]))
        #expect(again.names == form.names && again.errors == ["budget: Please give a whole number."])
    }
}
