import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct MagnetWordsTests {
    private static let german = TestKernel.site.replacing("site: {", with: "site: {language: de, ")

    /// A German site with one English magnet.
    private func crm(_ files: [String: String] = [:]) throws -> TestKernel {
        try TestKernel(
            """
            leads: {default_country: DE, fields: {budget: {type: real, label: Ihr Budget}, sites: integer, size: {one_of: [small, large]}}}
            plugins:
              lead_magnets:
                visitors: consent
                magnets:
                  plan:
                    title: Der Verkaufsplan
                    asset: plan.pdf
                    form: {fields: [email!, first_name!, budget, sites, size, phone, employees], consent: {newsletter: "Ja, schreiben Sie mir."}}
                    refuse: [free_mail]
                  guide: {title: Der Leitfaden, asset: plan.pdf, opt_in: double}
                  paper: {title: The paper, language: en, asset: plan.pdf, opt_in: double, form: {fields: [email!, size]}}
                  course: {title: Der Kurs, kind: webinar, url: "https://meet.acme.example", webinar: {starts_at: "2026-05-04 16:00"}}
                  trial: {title: Der Test, kind: trial, url: "https://app.acme.example", deliver: page}

            """, site: MagnetWordsTests.german, plugins: [LeadMagnets.self],
            files: ["plan.pdf": String(repeating: "%", count: 1_250_000)].merging(files) { _, own in own })
    }

    @Test func `German says all that English does, of the same things`() throws {
        let files = LeadMagnets.words
        #expect(files.keys.sorted() == ["de", "en"])
        func lines(_ language: String) throws -> [String: Set<String>] {
            try #require(files[language]).split(separator: "\n").reduce(into: [:]) { all, line in
                guard !line.hasPrefix("#"), let colon = line.firstIndex(of: ":") else { return }
                all[String(line[..<colon])] = Set(line.matches(of: /\{[a-z]+\}/).map { String($0.0) })
            }
        }
        #expect(try lines("de") == lines("en"))
        #expect(try lines("en").count > 80)
    }

    // MARK: - Pages

    @Test func `a page of a German site is German`() async throws {
        let browser = Browser(try crm())
        let page = try await browser.get("/offers/plan")
        #expect(page.page.text("language") == "de" && page.page.text("kind_label") == "Download")
        #expect(page.page.text("meta") == "PDF, 1,2 MB")
        #expect(
            page.page["visitor"]?.record?.text("question").hasSuffix("ein Cookie, das wir 180 Tage behalten.") == true)
        let form = try WebForm(page)
        #expect(
            form.values.text("button") == "Jetzt anfordern" && form.values.text("note").hasPrefix("Wir senden es Ihnen")
        )
        #expect(
            form.fields.map { $0.text("label") } == [
                "E-Mail-Adresse", "Vorname", "Ihr Budget", "Sites", "Size", "Telefon",
                "Wie viele Menschen arbeiten dort?",
            ])
        let course = try await browser.get("/offers/course").page.text("meta")
        #expect(
            course.hasPrefix("Montag, 4. Mai 2026") && course.contains("16:00") && course.hasSuffix("(UTC)"),
            "\(course)")
        #expect(try await browser.get("/offers/trial").page.text("meta") == "14 Tage, kostenlos")
        let list = try await browser.get("/").page
        #expect(list.text("title") == "Was wir anbieten")
        #expect(list.list("offers").map { $0.text("lang") } == ["", "", "en", "", ""])
    }

    @Test(arguments: [
        ("download", #"["paper",1]"#, "en"), ("thanks", #"["paper",1,null]"#, "en"), ("confirm", #"[1,"paper"]"#, "en"),
        ("confirmed", #"[1,"paper"]"#, "en"), ("download", #"["plan",1]"#, nil), ("download", #"["gone",1]"#, nil),
        ("confirm", "1", nil),
    ])
    func `a link that is too old says so in the language of its magnet, else of the site`(
        _ page: String, _ subject: String, _ language: String?
    ) async throws {
        let crm = try crm()
        let token = try crm.kernel.signer.token(purpose: page, subject: subject, expires: crm.clock.now)
        let problem = await #expect(throws: WebProblem.self) { try await Browser(crm).get("/\(page)/\(token)") }
        #expect(problem?.status == 410 && problem?.language == language)
    }

    @Test func `a magnet may be in another language, and so is what follows from it`() async throws {
        let crm = try crm()
        let browser = Browser(crm)
        let form = try WebForm(try await browser.get("/offers/paper"))
        #expect(form.values.text("button") == "Send it to me" && form.fields[0].text("label") == "Email")
        #expect(try await browser.get("/offers/paper").page.text("language") == "en")
        for (magnet, heading, hello, asks, done) in [
            ("paper", "Check your mail", "Hello there,", "Please confirm", "Thank you, that is confirmed"),
            (
                "guide", "Bitte sehen Sie in Ihrem Postfach nach", "Guten Tag und willkommen,", "Bitte bestätigen",
                "Vielen Dank, das ist bestätigt"
            ),
        ] {
            let person = "ann@\(magnet).example"
            let thanks = try await browser.follow(try await browser.fillIn(magnet, ["email": person]))
            #expect(
                thanks.page.text("heading") == heading
                    && thanks.page.text("language") == (magnet == "paper" ? "en" : "de"))
            try await crm.work()
            let asked = crm.transport.sent.first { $0.recipient == person }
            #expect(asked?.text.contains(hello) == true)
            let link = try #require(crm.link("confirm", to: person))
            #expect(try await browser.get(link).page.text("title") == asks)
            let confirmed = try await browser.follow(try await browser.post(link))
            #expect(confirmed.page.text("heading") == done)
        }
    }

    // MARK: - What is wrong

    @Test func `what is wrong with a field is said in the language of the form`() async throws {
        let browser = Browser(try crm())
        let reply = try await browser.fillIn(
            "plan", ["email": "ann(at)a.example", "budget": "zwölf", "sites": "12,5", "size": "huge", "phone": "12"])
        #expect(reply.status == 422)
        #expect(
            try WebForm(reply).errors == [
                "email: In der Adresse steht eine Bemerkung in Klammern. Bitte entfernen Sie die Klammern mit ihrem Inhalt.",
                "first_name: Bitte füllen Sie dieses Feld aus.", "budget: Bitte geben Sie eine Zahl ein.",
                "sites: Bitte geben Sie eine ganze Zahl ein.", "size: Bitte wählen Sie eines von diesen: large, small.",
            ])
        let phone = try await browser.fillIn("plan", ["email": "ann@a.example", "first_name": "Ann", "phone": "12"])
        #expect(try WebForm(phone).errors == ["phone: Das ist keine Telefonnummer."])
        let free = try await browser.fillIn("plan", ["email": "ann@gmail.com", "first_name": "Ann"])
        #expect(try WebForm(free).errors == ["email: Bitte geben Sie Ihre berufliche Adresse ein."])
        let umlaut = try await browser.fillIn("plan", ["email": "jürgen@a.example", "first_name": "Jürgen"])
        #expect(
            try WebForm(umlaut).errors == [
                "email: Wir können nur an Adressen schreiben, in denen vor dem @ einfache Buchstaben (a bis z, ohne Umlaute), Ziffern und Zeichen stehen: Bitte geben Sie eine andere von Ihnen ein, etwa name@example.org."
            ])
    }

    @Test func `a number is read as the language writes it`() async throws {
        let crm = try crm()
        let browser = Browser(crm)
        let taken = try await browser.fillIn(
            "plan", ["email": "ann@a.example", "first_name": "Ann", "budget": "1.234,5", "sites": "1.000.000"])
        #expect(taken.status == 303)
        let again = try await browser.fillIn(
            "plan", ["email": "bob@a.example", "first_name": "Bob", "budget": "1.234", "employees": "1.000"])
        let sentence = "Bitte schreiben Sie die Zahl ohne Tausenderpunkt, etwa 1234 oder 12,5."
        #expect(try WebForm(again).errors == ["budget: \(sentence)", "employees: \(sentence)"])
        #expect(try WebForm(again).value("budget") == "1.234")
        #expect(try crm.rows("SELECT email, budget, sites FROM leads") == ["ann@a.example|1234.5|1000000"])
    }

    /// A German site whose form asks for a day and a time.
    private func opening() throws -> TestKernel {
        try TestKernel(
            """
            leads: {fields: {opens_on: date, call_at: time}}
            plugins: {lead_magnets: {magnets: {plan: {title: Der Plan, asset: plan.pdf, form: {fields: [email!, opens_on, call_at]}}}}}

            """, site: MagnetWordsTests.german, plugins: [LeadMagnets.self], files: ["plan.pdf": "%"])
    }

    @Test func `a day is read and asked for as the language writes it`() async throws {
        let crm = try opening()
        let browser = Browser(crm)
        let typed = try await browser.fillIn(
            "plan", ["email": "ann@a.example", "opens_on": "24.12.2026", "call_at": "3.1.2027, 9:30"])
        // What a date field of a browser sends.
        let chosen = try await browser.fillIn("plan", ["email": "bob@a.example", "opens_on": "2026-12-24"])
        #expect(typed.status == 303 && chosen.status == 303)
        let again = try await browser.fillIn(
            "plan", ["email": "cem@a.example", "opens_on": "12/24/2026", "call_at": "morgen"])
        #expect(
            try WebForm(again).errors == [
                "opens_on: Bitte geben Sie einen Tag wie 31.01.2026 ein.",
                "call_at: Bitte geben Sie eine Zeit wie 31.01.2026 14:00 ein.",
            ])
        #expect(try WebForm(again).value("call_at") == "morgen")
        let filled = try WebForm(try await browser.get("/offers/plan?opens_on=24.12.2026&call_at=24.12.2026"))
        #expect(filled.value("opens_on") == "2026-12-24" && filled.value("call_at") == "24.12.2026")
        #expect(
            try crm.rows("SELECT email, opens_on, call_at FROM leads ORDER BY id") == [
                "ann@a.example|2026-12-24|2027-01-03 09:30:00.000", "bob@a.example|2026-12-24|",
            ])
    }

    @Test func `a held form is released with the day that was typed`() async throws {
        let crm = try opening()
        let page = ("_page", "https://crm.acme.example/offers/plan")
        _ = try await Browser(crm).post(
            "/forms/plan", [page, ("email", "ann@a.example"), ("opens_on", "24.12.2026")])
        try crm.run("magnets release", "1")
        #expect(try crm.rows("SELECT email, opens_on FROM leads") == ["ann@a.example|2026-12-24"])
    }

    @Test func `the English of a field is what the house is told, made into a sentence`() throws {
        let config = try crm().kernel.config
        let words = MagnetWords.of(config, "en")
        for (key, message) in [
            ("field_whole_number", "expected a whole number"), ("field_number", "expected a number"),
            ("field_yes_or_no", "expected yes or no"), ("field_phone", "not a telephone number"),
            ("field_country", "expected a country such as DE or Germany"),
            ("field_phone_country", "a number without + needs a country; give one, or set leads.default_country"),
            ("field_no_contact", "a lead needs an email, a phone or an external_id"),
            ("field_of_other", "belongs to another lead. Merge the two first."),
            ("field_phone_shared", "more than one lead has this number. Give an email or an external_id too."),
        ] {
            #expect(words(key) == Submission.sentence(message), "\(key)")
        }
        for (key, message, example) in [
            ("field_day", "expected a day such as 2026-01-31", "2026-01-31"),
            ("field_time", "expected a time such as 2026-01-31 14:00", "2026-01-31 14:00"),
        ] {
            #expect(words(key, ["example": example]) == Submission.sentence(message), "\(key)")
        }
    }

    // MARK: - Programs

    @Test func `a program gets labels and messages in the language`() async throws {
        let crm = try crm([
            "words/de.yaml": "label_sites: Standorte\noption_size_large: Groß\nform_check: <b>Prüfen</b>\n"
        ])
        let (browser, json) = (Browser(crm), ["accept": "application/json"])
        let form = try #require(try await browser.get("/forms/plan", json).json)
        #expect(form["language"]?.scalarText == "de")
        #expect(
            form["fields"]?.elements.map { $0["label"]?.scalarText } == [
                "E-Mail-Adresse", "Vorname", "Ihr Budget", "Standorte", "Size", "Telefon",
                "Wie viele Menschen arbeiten dort?",
            ])
        #expect(form["fields"]?.elements[4]["options"]?.text() == #"["small","large"]"#)
        #expect(form["fields"]?.elements[4]["option_labels"]?.text() == #"["Small","Groß"]"#)
        crm.clock.advance(by: "3s")
        let token = form["_form"]?.scalarText ?? ""
        let wrong = try await browser.post("/forms/plan", [("_form", token), ("email", "ann@a.example")], json)
        #expect(wrong.status == 422 && wrong.json?["error"]?.scalarText == "<b>Prüfen</b>")
        #expect(wrong.json?["fields"]?.text() == #"{"first_name":"Bitte füllen Sie dieses Feld aus."}"#)
        let right = try await browser.post(
            "/forms/plan", [("_form", token), ("email", "ann@a.example"), ("first_name", "Ann")], json)
        #expect(
            right.json?["message"]?.scalarText
                == "Vielen Dank. In einer Minute sollte es in Ihrem Postfach sein: Der Verkaufsplan.")
    }

    @Test func `a number of JSON is written in one way only`() throws {
        let fields = try FormBody.read(
            Array(#"{"budget": 1.234, "sites": "1.234"}"#.utf8), contentType: "application/json")
        #expect(fields.isNumber("budget") && !fields.isNumber("sites") && !fields.isNumber("none"))
    }

    @Test func `check knows the languages of magnets`() throws {
        let crm = try TestKernel(
            "plugins: {lead_magnets: {magnets: {tool: {title: T, kind: link, url: \"https://a.example\", language: fr}}}}",
            plugins: [LeadMagnets.self])
        #expect(
            try crm.kernel.config.check(plugins: [LeadMagnets.self]).map(\.description) == [
                "config.yaml:3:101: plugins.lead_magnets.magnets.tool.language: nobody has written words for 'fr', so pages say theirs in English. Begin with: trellis pages words fr > words/fr.yaml"
            ])
    }
}
