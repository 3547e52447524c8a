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
        let pages = try pages(["note.mustache": "{{text}}|{{{text_html}}}|{{#flag}}yes{{/flag}}{{^flag}}no{{/flag}}"])
        #expect(
            pages.render("note", ["text": "<b>\"'&", "text_html": "<b>&amp;</b>", "flag": true])?.hasSuffix(
                "|<b>&amp;</b>|yes") == true)
        // To a person, a quotation mark with an accent over it is one character.
        #expect(pages.render("note", ["text": "\"\u{301}"])?.contains("\"") == false)
        #expect(pages.render("note", ["text": "<script>"])?.contains("<script>") == false)
        #expect(pages.render("note", ["text": "a", "flag": false]) == "a||no")
    }

    @Test func `lists and records are read by the page`() throws {
        let pages = try pages([
            "list.mustache": "{{#rows}}[{{name}}{{#.more}}+{{.}}{{/.more}}]{{/rows}}{{#one}}{{name}}{{/one}}"
        ])
        let rows: PageValue = .list([["name": "a", "more": "x"], ["name": "b"]])
        #expect(pages.render("list", ["rows": rows, "one": .record(["name": "c"])]) == "[a+x][b]c")
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

    @Test(arguments: ["{{#open}}never closed", "{{/closed}}", "{{{text}}"])
    func `a page that cannot be read is named by its file`(_ text: String) throws {
        let problem = try problem(["offer.mustache": text])
        #expect(problem.place.file == "offer.mustache")
        #expect(problem.description.hasPrefix("offer.mustache: the page offer.mustache: "))
        #expect(problem.description.hasSuffix("."))
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
        #expect(problems.description == "offer.mustache: the page offer.mustache: cannot be read as UTF-8 text.")
    }

    @Test func `the tiles of a report fill their rows, however many there are`() throws {
        let style = try #require(EmbeddedPages.files["report-style.mustache"])
        let rules = style.matches(of: /\.tiles(?: div)? \{([^}]*)\}/).map { String($0.1) }
        #expect(rules.count == 3 && rules[0].contains("display: flex; flex-wrap: wrap"), "\(rules)")
        #expect(rules.dropFirst().allSatisfy { $0.contains("flex: 1 1") || $0.contains("flex-basis") })
        #expect(!rules.contains { $0.contains("grid") })
    }
}
