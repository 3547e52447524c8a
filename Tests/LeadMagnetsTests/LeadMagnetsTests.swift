import Foundation
import LeadMagnets
import Testing
import TrellisKernel
import TrellisTesting

@Suite struct LeadMagnetsTests {
    private static let rules = """
        leads: {fields: {budget: integer}}
        plugins:
          lead_magnets:
            magnets:
              sales-plan:
                title: The sales plan
                asset: assets/plan.pdf
                form: {fields: [email!, first_name!, company], consent: {newsletter: "Yes, write to me."}}
              price-list:
                title: Prices
                asset: assets/plan.pdf
                stage: mql
                mail: prices
                form: {fields: [email!]}
        """

    private func crm(_ rules: String = LeadMagnetsTests.rules) throws -> TestKernel {
        try TestKernel(
            rules, plugins: [LeadMagnets.self],
            files: [
                "assets/plan.pdf": "%PDF-1.4",
                "mails/prices.md":
                    "---\nsubject: Our {{magnet_title}}\npurpose: transactional\n---\nSee {{download_url}} soon.\n",
            ])
    }

    @Test func `a preview of the mail of a magnet knows what it brings`() throws {
        let crm = try crm()
        let own = try MailPreview(crm.kernel).render("prices")
        #expect(own.problems == [])
        #expect(own.subject == "Our Prices")
        #expect(own.text.contains("/download/") && !own.text.contains("preview/"))
        #expect(try MailPreview(crm.kernel).render("magnet-delivery").subject == "The sales plan")
        #expect(try !MailPreview(crm.kernel).render("magnet-trial").problems.isEmpty, "there is no trial here")
    }

    @Test func `the list of mails says which magnet uses a built-in one`() throws {
        let crm = try crm()
        let list = try withExtendedLifetime(crm) { try MailPreview(crm.kernel).list() }
        let uses = list.reduce(into: [:]) { $0[$1.name] = $1.uses }
        #expect(uses["magnet-delivery"] == ["plugins.lead_magnets.magnets.sales-plan"])
        #expect(uses["prices"] == ["plugins.lead_magnets.magnets.price-list.mail"])
        #expect(uses["magnet-trial"] == [] && uses["magnet-confirm"] == [])
    }

    // MARK: - The form

    @Test func `a form without a required field is refused and leaves no trace`() throws {
        let crm = try crm()
        #expect(throws: Veto("the form of 'sales-plan' needs first_name")) {
            try crm.capture(["email": "ann@a.example"], form: "sales-plan")
        }
        #expect(throws: Veto("the form of 'sales-plan' needs email, first_name")) {
            try crm.capture(["phone": "+493012345678"], form: "sales-plan")
        }
        #expect(throws: Veto("the form of 'sales-plan' needs first_name")) {
            try crm.capture(["email": "ann@a.example", "first_name": "  "], form: "sales-plan")
        }
        #expect(try crm.rows("SELECT * FROM leads") == [])
        #expect(try crm.events() == [])
    }

    @Test func `a field the form does not declare is dropped`() throws {
        let crm = try crm()
        try crm.capture(
            [
                "email": "ann@a.example", "first_name": "Ann", "company": "A", "title": "Boss", "stage": "customer",
                "owner": "me", "budget": "9", "campaign": "spring",
            ],
            form: "sales-plan")
        #expect(
            try crm.rows("SELECT email, first_name, company, title, stage, owner, budget, campaign FROM leads") == [
                "ann@a.example|Ann|A||lead|||spring"
            ])
    }

    /// As `trellis capture --magnet` does.
    private func captureByHouse(
        _ crm: TestKernel, _ fields: KeyValuePairs<String, String>, consents: [String] = [], form: String = "sales-plan"
    ) throws {
        var draft = try crm.kernel.draft(fields.map { ($0.key, $0.value) })
        (draft.form, draft.isByHouse) = (form, true)
        for purpose in consents { draft.consents[purpose] = true }
        let proposal = draft
        _ = try crm.kernel.write(origin: "form:\(form)") { try $0.capture(proposal) }
    }

    @Test func `of somebody of the house a field the form does not ask is kept`() throws {
        let crm = try crm()
        try captureByHouse(
            crm, ["email": "ann@a.example", "first_name": "Ann", "title": "Boss", "budget": "9"],
            consents: ["newsletter"])
        try captureByHouse(crm, ["email": "bob@b.example", "stage": "sql"], form: "price-list")
        try captureByHouse(crm, ["email": "cleo@c.example"], form: "price-list")
        #expect(
            try crm.rows("SELECT email, title, budget, stage FROM leads") == [
                "ann@a.example|Boss|9|lead", "bob@b.example|||sql", "cleo@c.example|||mql",
            ])
        #expect(try crm.rows("SELECT purpose, state, text FROM consents") == ["newsletter|granted|Yes, write to me."])
        #expect(throws: Veto("the form of 'sales-plan' needs first_name")) {
            try captureByHouse(crm, ["email": "dan@d.example"])
        }
    }

    @Test func `of somebody of the house a consent the form does not ask is refused, and nothing is kept`() throws {
        let crm = try crm()
        let before = try crm.lastEvent
        #expect(
            throws: Veto(
                "the form of 'sales-plan' does not ask for the consent 'newsleter'. Did you mean 'newsletter'? It asks for: newsletter."
            )
        ) {
            try captureByHouse(crm, ["email": "ann@a.example", "first_name": "Ann"], consents: ["newsleter"])
        }
        #expect(
            throws: Veto(
                "the form of 'price-list' asks for no consent. Leave consent_ads out, or take the lead in without the form."
            )
        ) { try captureByHouse(crm, ["email": "ann@a.example"], consents: ["ads"], form: "price-list") }
        #expect(try crm.lastEvent == before)
    }

    @Test func `a form cannot change what a known lead has beyond its fields`() throws {
        let crm = try crm()
        try crm.capture(["email": "ann@a.example", "title": "Boss", "stage": "sql"])
        try crm.capture(
            ["email": "ANN@a.example", "first_name": "Ann", "title": "Clerk", "stage": "customer"], form: "sales-plan")
        #expect(try crm.rows("SELECT first_name, title, stage FROM leads") == ["Ann|Boss|sql"])
    }

    @Test func `an import or a command is not bound by a form`() throws {
        let crm = try crm()
        try crm.capture(["email": "ann@a.example", "title": "Boss"])
        #expect(try crm.rows("SELECT title FROM leads") == ["Boss"])
    }

    @Test func `an unknown magnet is refused with the one that was meant`() throws {
        let crm = try crm()
        #expect(
            throws: Veto(
                "there is no magnet 'sales-pln'. Did you mean 'sales-plan'? There are: sales-plan, price-list.")
        ) {
            try crm.capture(["email": "ann@a.example"], form: "sales-pln")
        }
    }

    @Test func `a consent is recorded with the sentence that was agreed to, and none the form does not ask for`() throws
    {
        let crm = try crm()
        try crm.capture(
            ["email": "ann@a.example", "first_name": "Ann"], form: "sales-plan", consents: ["newsletter", "ads"])
        #expect(
            try crm.rows("SELECT lead_id, purpose, state, text, source, at FROM consents") == [
                "1|newsletter|granted|Yes, write to me.|form:sales-plan|2026-03-02 09:00:00.000"
            ])
        try crm.capture(["email": "bob@b.example", "first_name": "Bob"], form: "sales-plan")
        #expect(try crm.rows("SELECT count(*) FROM consents WHERE lead_id = 2") == ["0"])
    }

    @Test func `the magnet's stage is where its leads begin, and it moves nobody back`() throws {
        let crm = try crm()
        try crm.capture(["email": "ann@a.example"], form: "price-list")
        try crm.capture(["email": "bob@b.example", "stage": "customer"])
        try crm.capture(["email": "bob@b.example"], form: "price-list")
        #expect(try crm.rows("SELECT email, stage FROM leads") == ["ann@a.example|mql", "bob@b.example|customer"])
    }

    // MARK: - Delivery

    @Test func `a submission becomes a download, and a mail with a signed link`() async throws {
        let crm = try crm()
        try crm.capture(["email": "ann@a.example", "first_name": "Ann"], form: "sales-plan")
        try await crm.work()
        #expect(try crm.events() == ["lead.created", "form.submitted", "asset.downloaded", "mail.sent"])
        #expect(
            try crm.rows(
                "SELECT kind, body, cause_kind FROM lead_trace WHERE kind IN ('asset.downloaded', 'mail.sent')") == [
                    #"asset.downloaded|{"magnet":"sales-plan"}|form.submitted"#,
                    #"mail.sent|{"mail":"magnet-delivery","message_id":1}|form.submitted"#,
                ])
        #expect(
            try crm.rows(
                "SELECT s.magnet, s.lead_id, e.kind FROM magnets_submissions AS s JOIN events AS e ON e.id = s.event_id"
            ) == [
                "sales-plan|1|form.submitted"
            ])
        let mail = try #require(crm.transport.sent.first)
        #expect(mail.recipient == "ann@a.example" && mail.subject == "The sales plan")
        #expect(mail.text.contains("Hello Ann,"))
        let link = try #require(mail.text.firstMatch(of: #/https://crm.acme.example/download/([A-Za-z0-9._-]+)/#))
        let (signer, token) = (try crm.kernel.config.signer, String(link.1))
        let now = crm.kernel.clock.now()
        #expect(signer.open(token, purpose: "download", now: now) == .subject(#"["sales-plan",1]"#))
        #expect(signer.open(token, purpose: "unsubscribe", now: now) == .unknown)
        #expect(signer.open(token, purpose: "download", now: now + 7 * 86_400) == .expired)
        #expect(try crm.troubles() == [])
    }

    @Test func `the mail of the site takes the place of the built-in one`() async throws {
        let crm = try crm()
        try crm.capture(["email": "ann@a.example"], form: "price-list")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Our Prices"])
        #expect(crm.transport.sent.first?.text.contains("See https://crm.acme.example/download/") == true)
    }

    @Test(arguments: [true, false])
    func `asked for twice in a day, a magnet is downloaded twice and mailed once`(_ isOneBatch: Bool) async throws {
        let crm = try crm()
        for _ in 1...2 {
            try crm.capture(["email": "ann@a.example", "first_name": "Ann"], form: "sales-plan")
            if !isOneBatch { try await crm.work() }
        }
        try await crm.work()
        #expect(
            try crm.events().filter { $0 != "lead.created" }.sorted() == [
                "asset.downloaded", "asset.downloaded", "form.submitted", "form.submitted", "mail.sent",
            ])
        try crm.capture(["email": "ann@a.example"], form: "price-list")
        try await crm.work()
        crm.clock.advance(by: "1 day")
        try crm.capture(["email": "ann@a.example", "first_name": "Ann"], form: "sales-plan")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["The sales plan", "Our Prices", "The sales plan"])
        #expect(try crm.run("magnets") == ["sales-plan||3|1|", "price-list||1|1|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `who asked for it gets it without a consent, but not at an address that is dead`() async throws {
        let crm = try crm()
        for name in ["ann", "bob", "cleo"] { try crm.capture(["email": "\(name)@a.example"], form: "price-list") }
        try crm.foreign(
            "INSERT INTO suppressions (email, reason) VALUES ('ann@a.example', 'unsubscribed'), ('bob@a.example', 'bounced')"
        )
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["ann@a.example", "cleo@a.example"])
        #expect(
            try crm.rows("SELECT lead_id, state, reason FROM outbox_messages WHERE state <> 'sent'") == [
                "2|cancelled|the address is suppressed"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `a form of another program is nobody's download`() throws {
        let crm = try crm()
        try crm.capture(["email": "ann@a.example"])
        try crm.foreign(
            "INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('form.submitted', 1, 'sql', '2026-03-02 09:00:00.000', '{\"form\":\"contact\"}')"
        )
        try crm.pump()
        #expect(try crm.events() == ["lead.created", "form.submitted"])
    }

    // MARK: - Config

    @Test func `a file, a field, a stage or a mail that does not exist is named with its place`() throws {
        func problems(_ magnet: String) throws -> [String] {
            do {
                _ = try crm("plugins: {lead_magnets: {magnets: {plan: {title: Plan, \(magnet)}}}}")
                return []
            } catch let problems as ConfigProblems {
                return problems.problems.map {
                    $0.description.replacing(#/^config.yaml:\d+:\d+: plugins.lead_magnets.magnets.plan/#, with: "")
                }
            }
        }
        #expect(
            try problems("asset: assets/plan.pfd, mail: price, stage: mqll, form: {fields: [emial!, email!]}") == [
                ".asset: there is no file 'assets/plan.pfd' beside the config.",
                ".mail: there is no mail 'price'. Did you mean 'prices'? Write mails/price.md.",
                ".stage: there is no stage 'mqll'. Did you mean 'mql'? There are: subscriber, lead, mql, sal, sql, opportunity, customer, recycled, disqualified.",
                ".form.fields.1: leads has no column 'emial'. Did you mean 'email'?",
            ])
        #expect(
            try problems("form: {fields: [email!]}") == [": an asset magnet needs its file: asset: assets/plan.pdf"])
    }
}
