import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct OffersTests {
    private let crm: TestKernel
    private let browser: Browser

    init() throws {
        crm = try MagnetSite.crm()
        browser = Browser(crm)
    }

    private func status(_ address: String) async throws -> Int {
        do {
            return try await browser.get(address).status
        } catch let problem as WebProblem {
            return problem.status
        }
    }

    // MARK: - Pages

    @Test func `the first page lists every offer with its address`() async throws {
        let page = try await browser.get("/")
        #expect(page.pageName == "offers")
        let offers = page.page.list("offers").map { "\($0.text("url"))|\($0.text("title"))|\($0.text("kind_label"))" }
        #expect(
            offers == [
                "/offers/plan|The plan|Download", "/offers/guide|The guide|Download", "/offers/map|The map|Download",
                "/offers/atlas|The atlas|Download", "/offers/chart|The chart|Download",
                "/offers/course|The course|Webinar", "/offers/trial|The trial|Free trial", "/offers/tool|The tool|Link",
            ])
        #expect(page.page.list("offers").map { $0["summary"]?.text }.prefix(2) == ["Twelve months on one page.", nil])
    }

    @Test func `a landing page has its text, and a form that carries its token`() async throws {
        let page = try await browser.get("/offers/plan")
        #expect(page.status == 200 && page.pageName == "offer")
        #expect(page.page.text("title") == "The plan")
        #expect(page.page.text("headline") == "Know what sells")
        #expect(page.page.text("text_html") == "<h2>For whom</h2>\n<p>Buyers &amp; owners.</p>")
        #expect(page.page.text("meta") == "PDF, 8 bytes")
        let form = try WebForm(page)
        #expect(form.action == "/forms/plan")
        #expect(form.names == ["email", "first_name", "company", "budget", "size"])
        #expect(form.fields.map { $0["required"] == true } == [true, true, false, false, false])
        #expect(form.fields.map { $0.text("label") } == ["Email", "First name", "Company", "Your budget", "Size"])
        #expect(form.fields.map { $0.text("type") } == ["email", "text", "text", "number", "select"])
        #expect(form.hidden.map(\.0) == ["_form", "_page"])
        #expect(form.ticked == [] && form.errors == [] && form.problem == nil)
        #expect(form.values["trap"]?.record?.text("name") == Screening.trap)
    }

    @Test func `a picture stands on the page, and its whole address for those who link to it`() async throws {
        let crm = try TestKernel(
            """
            plugins:
              lead_magnets:
                magnets:
                  tool: {title: Tool, kind: link, url: "https://tool.acme.example", picture: /public/a.svg, page: tool.md,
                    variants: {bold: {picture: "https://cdn.example/b.png", weight: 0}}}
            """, plugins: [LeadMagnets.self],
            files: ["public/a.svg": "<svg/>", "tool.md": "See ![the tool](/public/a.svg)\n"])
        let browser = Browser(crm)
        let page = try await browser.get("/offers/tool").page
        #expect(page.text("picture") == "/public/a.svg")
        #expect(page.text("picture_url") == "https://crm.acme.example/public/a.svg")
        #expect(page.text("page_url") == "https://crm.acme.example/offers/tool")
        #expect(page.text("text_html").contains(#"<img src="/public/a.svg" alt="the tool""#))
        let bold = try await browser.get("/offers/tool?variant=bold").page
        #expect(bold.text("picture") == "https://cdn.example/b.png" && bold.text("picture_url") == bold.text("picture"))
    }

    @Test func `a form with a mistake comes back in the words of the variant`() async throws {
        let crm = try TestKernel(
            """
            plugins:
              lead_magnets:
                magnets:
                  tool: {title: Tool, kind: link, url: "https://tool.acme.example", variants: {bold: {headline: Bold, weight: 0}}}
            """, plugins: [LeadMagnets.self])
        let browser = Browser(crm)
        let form = try await browser.open("/offers/tool?variant=bold")
        let again = try await browser.submit(form, ["email": "no address"])
        #expect(again.status == 422 && again.page.text("headline") == "Bold")
    }

    @Test func `an offer nobody makes is not there`() async throws {
        for address in ["/offers/plans", "/forms/plans", "/offers/..", "/r/0123456789ab/plans"] {
            #expect(try await status(address) == 404, "\(address)")
        }
        await #expect(throws: WebProblem.self) { try await browser.post("/forms/plans", [("email", "a@a.example")]) }
        #expect(try crm.events() == [])
    }

    @Test func `an address may say what stands in the fields`() async throws {
        let form = try WebForm(
            try await browser.get("/offers/plan?first_name=Ann&size=large&budget=9&title=Boss&email=ann%40a.example"))
        #expect(form.value("first_name") == "Ann" && form.value("email") == "ann@a.example")
        #expect(form.value("company") == nil)
        #expect(
            form.fields.first { $0.text("name") == "size" }?.list("options").map { $0["selected"] == true } == [
                false, true,
            ])
        #expect(!form.names.contains("title"))
    }

    @Test func `no link ticks a box`() async throws {
        let form = try WebForm(try await browser.get("/offers/guide?consent_newsletter=on&consent_ads=on"))
        #expect(form.ticked == [])
    }

    @Test func `each form is one of its own`() async throws {
        let (one, other) = (try await browser.open("/offers/plan"), try await browser.open("/offers/plan"))
        #expect(one.hidden[0].1 != other.hidden[0].1)
    }

    // MARK: - Known leads

    @Test func `a lead we wrote to is asked for what is missing`() async throws {
        let lead = try crm.capture(["email": "ann@a.example", "first_name": "Ann", "company": "A"])
        let key = try crm.kernel.config.signer.token(purpose: "lead", subject: String(lead))
        let form = try WebForm(try await browser.get("/offers/plan?for=\(key)"))
        #expect(form.names == ["budget", "size", "phone", "city"])
        #expect(form.fields.allSatisfy { $0["required"] == false })
        try crm.foreign("UPDATE leads SET budget = 5, size = 'small', phone = '+4930123456'")
        #expect(try WebForm(try await browser.get("/offers/plan?for=\(key)")).names == ["city", "country"])
    }

    @Test func `the key of a lead that was merged is that of the one that was kept, and of one that is gone nobody's`()
        async throws
    {
        let gone = try crm.capture(["email": "ann@a.example", "first_name": "Ann"])
        let kept = try crm.capture(["email": "ann@b.example", "company": "B"])
        let key = try crm.kernel.signer.token(purpose: "lead", subject: String(gone))
        try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
        #expect(
            try WebForm(try await browser.get("/offers/plan?for=\(key)")).names == ["budget", "size", "phone", "city"])
        try crm.foreign("DELETE FROM leads WHERE id = \(kept)")
        #expect(try WebForm(try await browser.get("/offers/plan?for=\(key)")).names.first == "email")
    }

    @Test(arguments: ["", "x", "unsubscribe"])
    func `whoever has no key of ours is asked for everything`(_ purpose: String) async throws {
        let lead = try crm.capture(["email": "ann@a.example", "first_name": "Ann"])
        let key = purpose.isEmpty ? "1" : try crm.kernel.config.signer.token(purpose: purpose, subject: String(lead))
        let form = try WebForm(try await browser.get("/offers/plan?for=\(key)"))
        #expect(form.names == ["email", "first_name", "company", "budget", "size"])
    }

    // MARK: - For programs

    @Test func `a program is given the fields of a form and its token`() async throws {
        let reply = try await browser.get("/forms/plan", ["accept": "application/json"])
        let json = try #require(reply.json)
        #expect(json["title"]?.scalarText == "The plan")
        #expect(json["action"]?.scalarText == "https://crm.acme.example/forms/plan")
        #expect(
            json["fields"]?.elements.map { "\($0["name"]?.scalarText ?? "") \($0["required"]?.scalarText ?? "")" } == [
                "email true", "first_name true", "company false", "budget false", "size false",
            ])
        #expect(json["consents"]?.text() == #"[{"name":"consent_newsletter","text":"Yes, write to me."}]"#)
        #expect(
            json["fields"]?.elements.map { "\($0["label"]?.scalarText ?? "") \($0["type"]?.scalarText ?? "")" } == [
                "Email email", "First name text", "Company text", "Your budget number", "Size select",
            ])
        #expect(json["fields"]?.elements.last?["options"]?.text() == #"["small","large"]"#)
        #expect(json["leave_empty"]?.scalarText == Screening.trap)
        #expect(json["wait_seconds"]?.scalarText == "2")
        guard
            case .token(let token) = FormToken.read(
                json[FormToken.field]?.scalarText, magnet: "plan", try crm.kernel.config.signer, now: crm.clock.now)
        else {
            Issue.record("the token does not open")
            return
        }
        #expect(token.madeAt == crm.clock.now && token.leadID == nil)
    }

    @Test func `a person is shown the landing page instead`() async throws {
        let reply = try await browser.get("/forms/plan")
        #expect(reply.status == 303 && reply.header("location") == "/offers/plan")
    }

    // MARK: - The page after the form

    @Test func `the page after a form may be loaded again, and its address tells nothing`() async throws {
        let reply = try await browser.fillIn("plan", ["email": "ann@a.example", "first_name": "Ann"])
        let address = try #require(reply.header("location"))
        #expect(!address.contains("ann") && address.hasPrefix("/thanks/"))
        for _ in 1...2 {
            let page = try await browser.get(address)
            #expect(page.pageName == "thanks" && page.page["is_private"] == true)
            #expect(page.page.text("heading") == "It is on its way")
            #expect(page.page.text("text") == "Thank you. The plan should be in your mail in a minute.")
            #expect(page.page.text("address") == "ann@a.example")
            #expect(page.page["download_url"] == nil)
        }
        #expect(try crm.events() == ["lead.created", "form.submitted"])
        crm.clock.advance(by: "1 day")
        #expect(try await status(address) == 410)
    }

    @Test func `what is delivered at once stands on the page`() async throws {
        let page = try await browser.follow(try await browser.fillIn("chart", ["email": "ann@a.example"])).page
        #expect(page.text("heading") == "Here you are" && page["address"] == nil)
        #expect(page.text("download_name") == "plan.pdf")
        #expect(try await browser.get(page.text("download_url")).status == 200)
    }

    @Test func `of a form that is held the page says that it comes by mail, and a program is told what a person is`()
        async throws
    {
        let held = try await browser.post("/forms/chart", [("email", "ann@a.example")])
        let page = try await browser.follow(held).page
        #expect(page.text("heading") == "It is on its way" && page["download_url"] == nil)
        #expect(page.text("text") == "Thank you. The chart should be in your mail in a minute.")
        #expect(page.text("address") == "ann@a.example")
        let json = ["accept": "application/json"]
        let program = try await browser.post("/forms/chart", [("email", "bob@b.example")], json)
        let person = try await browser.submit(
            try await browser.open("/offers/chart"), ["email": "cem@c.example"], json)
        #expect(person.json?["message"]?.scalarText == "Thank you. The chart is yours.")
        #expect(program.json?["message"] == person.json?["message"])
        #expect(try crm.rows("SELECT email FROM leads") == ["cem@c.example"])
    }

    @Test func `with double opt-in the page says which step is left`() async throws {
        let page = try await browser.follow(try await browser.fillIn("atlas", ["email": "ann@a.example"])).page
        #expect(page.text("heading") == "Check your mail" && page["needs_confirmation"] == true)
        #expect(page.text("address") == "ann@a.example" && page["download_url"] == nil)
    }

    @Test func `an address of another kind opens no page after a form`() async throws {
        let signer = try crm.kernel.config.signer
        #expect(try await status("/thanks/abc") == 404)
        #expect(try await status("/thanks/\(signer.token(purpose: "download", subject: #"["plan",1,null]"#))") == 404)
        #expect(try await status("/thanks/\(signer.token(purpose: "thanks", subject: #"["plan"]"#))") == 404)
        #expect(try await status("/thanks/\(signer.token(purpose: "thanks", subject: #"["gone",1,null]"#))") == 404)
    }
}
