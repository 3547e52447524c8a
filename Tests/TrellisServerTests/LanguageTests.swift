import Foundation
import Hummingbird
import LeadMagnets
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

/// Pages as they reach a browser, in German and in other languages.
@Suite struct LanguageTests {
    private static let site = TestKernel.site.replacing(
        "site: {", with: "site: {language: de, privacy_url: \"https://acme.example/p\", ")
    private static let yaml = """
        server: {limits: {forms_per_minute: 12}}
        leads: {fields: {budget: real, size: {one_of: [small]}}}
        plugins:
          lead_magnets:
            visitors: consent
            magnets:
              plan: {title: Der Plan, asset: plan.pdf, form: {fields: [email!, budget, size], consent: {newsletter: "Ja, schreiben Sie mir."}}}
              guide: {title: Der Leitfaden, asset: plan.pdf, opt_in: double}
              paper: {title: The paper, language: en, asset: plan.pdf}

        """

    private func crm(_ files: [String: String] = [:], site: String = LanguageTests.site) throws -> TestKernel {
        try TestKernel(
            LanguageTests.yaml, site: site, plugins: [LeadMagnets.self],
            files: ["plan.pdf": "%PDF"].merging(files) { _, own in own })
    }

    /// Fills in the form of a page as a person does.
    private func send(
        _ magnet: String, _ fields: KeyValuePairs<String, String>, _ listener: Listener, _ crm: TestKernel
    ) async throws -> Answer {
        let form = try #require(try await listener.get("/offers/\(magnet)").forms.first)
        crm.clock.advance(by: "3s")
        return try await listener.post(form.action, form.body(fields))
    }

    @Test func `a German page holds no English`() async throws {
        let crm = try crm()
        let listener = try Listener.open(crm)
        let page = try await listener.get("/offers/plan").body
        for part in [
            "<html lang=\"de\">", "rel=\"privacy-policy\">Datenschutz</a>",
            "<span class=\"optional\">(freiwillig)</span>",
            "<option value=\"\">Bitte wählen</option>", "Dürfen wir uns merken", "180 Tage", ">Ja, merken</button>",
            "Jetzt anfordern",
        ] { #expect(page.contains(part), "\(part)") }
        let wrong = try await send("plan", ["email": "", "budget": "1.234"], listener, crm)
        #expect(wrong.status == 422 && wrong.body.contains("<title>Bitte prüfen: Der Plan – Acme</title>"))
        #expect(wrong.body.contains("<p>Bitte prüfen Sie diese Angaben:</p>"))
        #expect(wrong.body.contains("<a href=\"#email\">E-Mail-Adresse: Bitte füllen Sie dieses Feld aus.</a>"))
        #expect(
            wrong.body.contains(
                "<a href=\"#budget\">Budget: Bitte schreiben Sie die Zahl ohne Tausenderpunkt, etwa 1234 oder 12,5.</a>"
            ))
        let right = try await send("plan", ["email": "ann@a.example", "budget": "12,5"], listener, crm)
        let thanks = try await listener.get(try #require(right.location))
        #expect(thanks.heading == "Es ist unterwegs")
        #expect(
            thanks.body.contains(
                "<p>Wir haben es an <strong class=\"address\">ann@a.example</strong> gesendet. Falsche Adresse? <a href=\"/offers/plan\">Formular noch einmal ausfüllen</a>.</p>"
            ))
        #expect(try crm.value("SELECT budget FROM leads") == "12.5")
    }

    @Test func `a page of confirmation is in the language of its magnet`() async throws {
        let crm = try crm()
        let listener = try Listener.open(crm)
        let sent = try await send("guide", ["email": "ann@a.example"], listener, crm)
        let thanks = try await listener.get(try #require(sent.location)).body
        #expect(
            thanks.contains(
                "<li>Öffnen Sie die Mail von Acme an <strong class=\"address\">ann@a.example</strong>.</li>"))
        try await crm.work()
        let text = try #require(crm.transport.sent.last?.text)
        let link = try #require(text.firstMatch(of: #/https:\/\/crm\.acme\.example(\/confirm\/[A-Za-z0-9_-]+)/#)).1
        let page = try await listener.get(String(link))
        #expect(
            page.body.contains(
                "<p class=\"lead\">Jemand hat <strong>Der Leitfaden</strong> mit der Adresse <strong class=\"address\">a•••@a.example</strong> angefordert. Wenn Sie das waren, klicken Sie auf die Schaltfläche.</p>"
            ))
        #expect(page.heading == "Waren Sie das?" && page.body.contains(">Das habe ich nicht angefordert</button>"))
        let rejected = try await listener.post(String(link) + "/reject")
        #expect(rejected.heading == "Bitte entschuldigen Sie die Störung")
        let again = try await listener.get(String(link))
        #expect(again.status == 410 && again.heading == "Sie sagten, dass Sie es nicht waren")
    }

    @Test func `problems are in the language of the site`() async throws {
        let crm = try crm()
        let listener = try Listener.open(crm)
        let none = try await listener.get("/none")
        #expect(none.status == 404 && none.heading == "Hier ist nichts" && none.body.contains("<html lang=\"de\">"))
        let program = try await listener.get("/offers/none", [.accept: "application/json"])
        #expect(
            program.json?["error"]?.scalarText
                == "Unter dieser Adresse gibt es nichts. Vielleicht ist der Link abgeschnitten oder zu alt.")
        var last = try await listener.post("/forms/none")
        for _ in 1...12 { last = try await listener.post("/forms/none") }
        #expect(last.status == 429 && last.heading == "Einen Moment, bitte" && last.body.contains("Bitte warten Sie "))
        // Programs of the house read English.
        let admin = try await Listener.admin(crm).get("/api/leads/1", [.accept: "application/json"])
        #expect(admin.json?["error"]?.scalarText?.hasPrefix("The token is missing") == true)
    }

    @Test(arguments: [
        ("email=a%00b", "In einer der Angaben stehen Zeichen, die sich nicht speichern lassen."),
        ("first_name=J%FCrgen", "In einer der Angaben stehen Zeichen, die sich nicht speichern lassen."),
        ("email=" + String(repeating: "x", count: FormBody.valueBytesMax + 1), "Eine der Angaben ist zu lang."),
    ])
    func `what was typed and cannot be read is said in the language of the site`(
        _ body: String, _ sentence: String
    ) async throws {
        let crm = try crm()
        let answer = try await Listener.open(crm).post("/forms/plan", body)
        #expect(answer.status == 400 && answer.heading == "Das konnten wir nicht lesen")
        #expect(answer.body.contains(sentence))
        #expect(try crm.events() == [])
    }

    // MARK: - Leaving

    private func path(_ purpose: String, _ lead: Int64, _ crm: TestKernel) throws -> String {
        "/\(purpose)/" + (try crm.kernel.config.signer.token(purpose: purpose, subject: String(lead)))
    }

    @Test func `leaving is in the language of the lead, of the form they filled in, or of the site`() async throws {
        let crm = try crm()
        let listener = try Listener.open(crm)
        let leads = [
            (try crm.capture(["email": "a@a.example"]), "Keine Werbemails mehr?"),
            (try crm.capture(["email": "b@a.example"], form: "paper"), "Stop all marketing mail?"),
            (try crm.capture(["email": "c@a.example"], form: "paper"), "Keine Werbemails mehr?"),
            // Nobody wrote words for it.
            (try crm.capture(["email": "d@a.example"], form: "paper"), "Stop all marketing mail?"),
            (try crm.capture(["email": "e@a.example", "language": "??"]), "Keine Werbemails mehr?"),
        ]
        try crm.foreign("UPDATE leads SET language = CASE id WHEN 3 THEN 'de-AT' ELSE 'fr' END WHERE id IN (3, 4)")
        for (lead, heading) in leads {
            #expect(try await listener.get(path("unsubscribe", lead, crm)).heading == heading, "\(lead)")
        }
        let page = try await listener.get(path("unsubscribe", leads[2].0, crm)).body
        #expect(page.contains("<html lang=\"de-AT\">"))
        #expect(
            page.contains("senden wir keine Werbemails mehr an <strong class=\"address\">c•••@a.example</strong>.</p>"))
        #expect(page.contains("Weniger, aber nicht nichts? <a href=\"/preferences/"))
        let left = try await listener.post(path("unsubscribe", leads[0].0, crm) + "?leave=yes")
        #expect(left.heading == "Sie sind abgemeldet")
        let choices = try await listener.get(path("preferences", leads[0].0, crm) + "?saved=1")
        #expect(
            choices.heading == "Was dürfen wir Ihnen senden?"
                && choices.body.contains("<title>Gespeichert: Ihre Mails von uns"))
        let once = try await listener.post(path("unsubscribe", leads[1].0, crm), "List-Unsubscribe=One-Click")
        #expect(once.body == "You are unsubscribed.\n")
    }

    // MARK: - Words of the site

    @Test func `words of the site are escaped as any other text`() async throws {
        let crm = try crm([
            "words/de.yaml": """
            form_optional: <script>alert(1)</script>
            privacy: "\\"><b>"
            thanks_sent: "<i>{address}</i>"
            form_error: "{error} <u>'{label}'"
            """
        ])
        let listener = try Listener.open(crm)
        let wrong = try await send("plan", ["email": "", "budget": "a"], listener, crm).body
        #expect(wrong.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !wrong.contains("<script"))
        #expect(wrong.contains("rel=\"privacy-policy\">&quot;&gt;&lt;b&gt;</a>"))
        #expect(wrong.contains("<a href=\"#budget\">Bitte geben Sie eine Zahl ein. &lt;u&gt;&#39;Budget&#39;</a>"))
        let right = try await send("plan", ["email": "ann@a.example"], listener, crm)
        let thanks = try await listener.get(try #require(right.location)).body
        #expect(thanks.contains("&lt;i&gt;<strong class=\"address\">ann@a.example</strong>&lt;/i&gt;"))
    }

    @Test func `a language without words says of itself what it is`() async throws {
        let site = LanguageTests.site.replacing("language: de", with: "language: ar")
        let crm = try crm(["words/ar.yaml": "privacy: الخصوصية\n"], site: site)
        let page = try await Listener.open(crm).get("/offers/plan").body
        #expect(
            page.contains("<html lang=\"ar\" dir=\"rtl\">") && page.contains(">الخصوصية</a>")
                && page.contains("Please choose"))
    }

    @Test func `a template of the site from before still works, and may name words`() async throws {
        let crm = try crm(["templates/problem.mustache": "{{language}}|{{heading}}|{{words.privacy}}|{{site_name}}"])
        #expect(try await Listener.open(crm).get("/none").body == "de|Hier ist nichts|Datenschutz|Acme")
    }

    @Test func `a download whose file is gone says so in the language of its magnet`() async throws {
        let crm = try crm()
        let (listener, lead) = (try Listener.open(crm), try crm.capture(["email": "ann@a.example"]))
        try FileManager.default.removeItem(atPath: crm.folder + "/plan.pdf")
        for (magnet, heading, sentence) in [
            ("plan", "Die Datei fehlt", "Sie ist gerade nicht verfügbar, und wir wissen davon."),
            ("paper", "The file is missing", "It is not here at the moment, and we know of it."),
        ] {
            let token = try crm.kernel.signer.token(purpose: "download", subject: "[\"\(magnet)\",\(lead)]")
            let answer = try await listener.get("/download/\(token)")
            #expect(answer.status == 503 && answer.heading == heading && answer.body.contains(sentence), "\(magnet)")
        }
    }

    @Test func `pages of the house stay English`() async throws {
        let pages = try Pages(config: try crm().kernel.config, plugins: [LeadMagnets.self])
        let page = try #require(pages.render("problem", ["title": "T", "heading": "H", "text": "X", "language": "en"]))
        #expect(page.contains("<html lang=\"en\">") && page.contains("rel=\"privacy-policy\">Privacy</a>"))
    }

    @Test func `a marketing mail ends in the language of the site`() async throws {
        let crm = try TestKernel(
            site: LanguageTests.site,
            files: ["mails/letter.md": "---\nsubject: Brief\npurpose: marketing\n---\nHallo.\n"])
        let lead = try crm.capture(["email": "a@a.example"], consents: ["newsletter"])
        let page = try MailPreview(crm.kernel).render("letter", lead: lead)
        #expect(
            page.text.contains("\nAbbestellen: https://crm.acme.example/unsubscribe/")
                && page.html.contains(">Abbestellen</a>"))
    }
}
