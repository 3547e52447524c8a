import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MailLayoutTests {
    private func problem(_ source: String) -> String? {
        do throws(MailTemplateProblem) {
            _ = try MailLayout(name: "mails/layout.html", source: source)
            return nil
        } catch { return error.description }
    }

    @Test(arguments: [
        (
            "{{{footer}}}",
            "mails/layout.html:1: the layout has no {{{body}}}. Put it where the body of each mail shall stand."
        ),
        (
            "{{{body}}}\n",
            "mails/layout.html:1: the layout has no {{{footer}}}. Put it where the footer of each mail shall stand."
        ),
        (
            "{{{body}}}\n{{{footer}}} {{{body}}}",
            "mails/layout.html:2: the slot 'body' stands here a second time. Keep one."
        ),
        (
            "{{{body",
            "mails/layout.html:1: '{{' is not closed by '}}' on the same line. Close it, or write '\\{{' for the braces themselves."
        ),
    ])
    func `a layout without body or footer is refused`(_ source: String, _ expected: String) {
        #expect(problem(source) == expected)
    }

    @Test func `a slot it does not know is told with the near miss, and so is a body that would be escaped`() {
        #expect(problem("{{{body}}}{{{footr}}}")?.contains("has no slot 'footr'. Did you mean 'footer'?") == true)
        #expect(problem("{{body}}{{{footer}}}")?.contains("has no slot 'body'.") == true)
    }

    @Test func `text in a slot is escaped, style sheets are left alone`() throws {
        let crm = try TestKernel()
        let layout = try MailLayout(
            name: "l",
            source: "<style>@media x { .a { b: c }}</style>{{subject}}|{{site_name}}|{{{body}}}|{{{footer}}}|{{color}}")
        let page = layout.page(
            MailLayout.Content(subject: "<b>", preheader: nil, body: "<p>B</p>", footer: "<i>F</i>"),
            config: crm.kernel.config, style: .standard)
        #expect(page == "<style>@media x { .a { b: c }}</style>&lt;b&gt;|Acme|<p>B</p>|<i>F</i>|#0b5cad\n")
    }

    @Test func `the built-in layout holds what it is given`() async throws {
        let site = try MailSite(
            mail: "brand: {color: \"#ffcc00\", logo: \"https://acme.example/logo.png\"}",
            files: [
                "mails/news.md": "---\nsubject: N\npreheader: For {{first_name}} & Co\n---\n[Go](https://a.example)\n"
            ])
        try await site.send()
        let html = try #require(site.crm.transport.sent.first).html
        #expect(html.contains(">For Ann &amp; Co&zwnj;"))
        #expect(html.contains("<img src=\"https://acme.example/logo.png\" alt=\"Acme\" height=\"40\""))
        #expect(html.contains("bgcolor=\"#ffcc00\"") && html.contains("color:#000000;font-weight:600"))
        #expect(html.contains("Acme, 1 Main Street<br>") && html.contains(">Unsubscribe</a>"))
        #expect(html.contains("prefers-color-scheme: dark") && html.contains("<!--[if mso]>"))
        #expect(html.utf8.count < 20_000, "Gmail cuts at 102 KB")
    }

    @Test func `the site's own layout goes around every mail`() async throws {
        let site = try MailSite(files: [
            "mails/layout.html": "<html><body>MINE {{{body}}} {{{footer}}}</body></html>"
        ])
        try await site.send()
        try await site.send("receipt", .transactional, key: "r")
        let pages = site.crm.transport.sent.map(\.html)
        #expect(
            pages.count == 2
                && pages.allSatisfy { $0.hasPrefix("<html><body>MINE <table") || $0.hasPrefix("<html><body>MINE <p") })
        #expect(pages[0].contains("Unsubscribe") && !pages[1].contains("Unsubscribe"))
    }

    @Test func `a layout of the site that cannot be read is a problem of the config`() {
        #expect {
            _ = try MailSite(files: ["mails/layout.html": "{{{body}}}"])
        } throws: { error in
            "\(error)".contains("mails/layout.html:1: the layout has no {{{footer}}}.")
        }
    }
}
