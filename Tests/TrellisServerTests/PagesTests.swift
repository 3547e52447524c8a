import Foundation
import Hummingbird
import LeadMagnets
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

@Suite struct PagesTests {
    private static let values: PageValues = ["title": "T", "heading": "H", "text": "It & that"]

    /// The pages of a site with these files in its folder of templates.
    private func pages(_ files: [String: String] = [:], _ yaml: String = "") throws -> Pages {
        let crm = try TestKernel(
            yaml, files: Dictionary(uniqueKeysWithValues: files.map { ("templates/\($0)", $1) }))
        return try Pages(config: crm.kernel.config, plugins: [LeadMagnets.self])
    }

    private func problem(_ files: [String: String]) throws -> ConfigProblem {
        let problems = try #require(throws: ConfigProblems.self) { try pages(files) }.problems
        #expect(problems.count == 1)
        return try #require(problems.first)
    }

    // MARK: - Built in

    @Test func `there is a page for every answer of the server and of the plugins`() throws {
        let pages = try pages()
        for name in [
            "problem", "unsubscribe", "left", "preferences", "offer", "offers", "thanks", "confirm", "rejected",
            "embed", "upgrade",
        ] {
            #expect(pages.render(name, PagesTests.values) != nil, "\(name)")
        }
        #expect(pages.render("gone", [:]) == nil)
        #expect(pages.style.contains("--trellis-accent"))
    }

    @Test func `every page names the site, its address and its notice`() throws {
        let page = try #require(try pages().render("problem", PagesTests.values))
        #expect(page.contains("<html lang=\"en\">") && page.contains("<title>T – Acme</title>"))
        #expect(page.contains("<address>1 Main Street</address>") && !page.contains("privacy-policy"))
        let config = try Config.parse("site: {name: Acme, privacy_url: \"https://acme.example/privacy\"}", plugins: [])
        let other = try #require(try Pages(config: config, plugins: []).render("problem", PagesTests.values))
        #expect(other.contains("<a href=\"https://acme.example/privacy\" rel=\"privacy-policy\">Privacy</a>"))
        #expect(!other.contains("<address>"))
    }

    @Test func `a text is escaped, and only what is HTML by its name is not`() throws {
        let pages = try pages(["problem.mustache": "{{text}}|{{{text_html}}}|{{#flag}}yes{{/flag}}{{^flag}}no{{/flag}}"]
        )
        #expect(
            pages.render("problem", ["text": "<b>\"'&", "text_html": "<b>&amp;</b>", "flag": true])?.hasSuffix(
                "|<b>&amp;</b>|yes") == true)
        // To a person, a quotation mark with an accent over it is one character.
        #expect(pages.render("problem", ["text": "\"\u{301}"])?.contains("\"") == false)
        #expect(pages.render("problem", ["text": "<script>"])?.contains("<script>") == false)
        #expect(pages.render("problem", ["text": "a", "flag": false]) == "a||no")
    }

    @Test func `lists and records are read by the page`() throws {
        let pages = try pages([
            "problem.mustache": "{{#rows}}[{{name}}{{#.more}}+{{.}}{{/.more}}]{{/rows}}{{#one}}{{name}}{{/one}}"
        ])
        let rows: PageValue = .list([["name": "a", "more": "x"], ["name": "b"]])
        #expect(pages.render("problem", ["rows": rows, "one": .record(["name": "c"])]) == "[a+x][b]c")
    }

    // MARK: - The site's own

    @Test func `a file of the site stands in the place of the built-in one`() async throws {
        let crm = try TestKernel(files: ["templates/problem.mustache": "Oh no: {{text}}"])
        let answer = try await Listener.open(crm).get("/gone")
        #expect(answer.status == 404)
        #expect(answer.body == "Oh no: There is nothing at this address. The link may be cut off or too old.")
    }

    @Test func `a layout of the site stands around the built-in pages`() throws {
        let pages = try pages(["layout.mustache": "<main>{{$content}}{{/content}}</main>"])
        let page = try #require(pages.render("problem", PagesTests.values))
        #expect(page.hasPrefix("<main>") && page.contains("<h1>H</h1>") && page.contains("It &amp; that"))
    }

    @Test func `a style sheet of the site has a tag of its own`() throws {
        let (own, built) = (try pages(["style.css": "body {}"]), try pages())
        #expect(own.style == "body {}" && own.styleTag != built.styleTag)
        #expect(try #require(own.render("problem", PagesTests.values)).contains("/trellis.css?\(own.styleTag)\""))
        #expect(try pages().styleTag == built.styleTag)
        #expect(try pages(["style.css": "body {}"]).styleTag == own.styleTag)
    }

    @Test func `the folder may have another name, and other files in it are left alone`() throws {
        let crm = try TestKernel(
            "server: {templates: house}",
            files: [
                "house/problem.mustache": "own", "house/notes.txt": "{{#open", "templates/problem.mustache": "{{#open",
            ])
        #expect(try Pages(config: crm.kernel.config, plugins: []).render("problem", [:]) == "own")
    }

    // MARK: - Refused

    @Test(arguments: [
        ("{{#open}}never closed", "1:22: a section is never closed. Write {{/NAME}} where it ends."),
        (
            "Hello\n{{/closed}}",
            "2:4: this closes a section that is not the one open here. Close the innermost one, or delete the tag."
        ),
    ])
    func `a page that cannot be read is told by its place`(_ text: String, _ sentence: String) throws {
        #expect(try problem(["offer.mustache": text]).description == "templates/offer.mustache:\(sentence)")
    }

    @Test func `a tag that is not closed is told in words`() throws {
        let problem = try problem(["offer.mustache": "{{{text}}"])
        #expect(problem.place.file == "templates/offer.mustache" && problem.place.line == 1)
        #expect(problem.message == "a tag is not closed. Write it as {{name}}.")
        #expect(
            try self.problem(["offer.mustache": "{{a%b}}"]).message
                == "a tag is not closed, or its name holds signs that no name has. Write it as {{name}}.")
    }

    @Test func `a file that no page is, and no template names, is refused`() throws {
        #expect(
            try problem(["ofer.mustache": "x"]).description
                == "templates/ofer.mustache: there is no page 'ofer', and no template names it. Did you mean 'offer'? 'trellis pages' lists them."
        )
        let pages = try pages([
            "problem.mustache": "<{{>house-foot}}>", "house-foot.mustache": "{{text}}",
            "offer-of-last-year.mustache": "x",
        ])
        #expect(pages.render("problem", ["text": "a"]) == "<a>")
    }

    @Test func `a template that is named and not there is refused`() throws {
        #expect(
            try problem(["problem.mustache": "a\n {{<layuot}}{{$content}}x{{/content}}{{/layuot}}"]).description
                == "templates/problem.mustache:2:2: there is no template 'layuot', and nothing would be shown. Did you mean 'layout'? 'trellis pages' lists them."
        )
    }

    @Test func `a form that sends no token is refused`() throws {
        #expect(
            try problem(["form.mustache": "<form></form>"]).description
                == "templates/form.mustache: it sends nothing of {{#hidden}}, where its token is: all leads would land in quarantine. See 'trellis pages template form'."
        )
        let hidden = "{{# hidden }}<input name=\"{{name}}\">{{/ hidden }}"
        _ = try pages(["form.mustache": hidden])
        _ = try pages(["form.mustache": "{{>house-hidden}}", "house-hidden.mustache": hidden])
    }

    @Test func `the server does not begin with a page that cannot be read`() throws {
        let crm = try TestKernel(files: ["templates/problem.mustache": "{{#open}}"])
        #expect(throws: ConfigProblems.self) { try WebServer(crm.kernel) }
    }

    @Test func `a page that is no text is refused`() throws {
        let crm = try TestKernel(files: ["templates/offer.mustache": "text"])
        try Data([0xFF, 0xFE, 0x41]).write(to: URL(filePath: crm.folder + "/templates/offer.mustache"))
        let problems = try #require(throws: ConfigProblems.self) {
            try Pages(config: crm.kernel.config, plugins: [])
        }
        #expect(problems.description == "templates/offer.mustache: cannot be read as UTF-8 text. Save it as such.")
    }

    @Test func `the tiles of a report fill their rows, however many there are`() throws {
        let style = try #require(EmbeddedPages.files["report-style.mustache"])
        let rules = style.matches(of: /\.tiles(?: div)? \{([^}]*)\}/).map { String($0.1) }
        #expect(rules.count == 3 && rules[0].contains("display: flex; flex-wrap: wrap"), "\(rules)")
        #expect(rules.dropFirst().allSatisfy { $0.contains("flex: 1 1") || $0.contains("flex-basis") })
        #expect(!rules.contains { $0.contains("grid") })
    }
}
