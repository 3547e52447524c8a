import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MailMarkupTests {
    private static let front = "---\nsubject: S\n---\n"

    private func mail(_ body: String, _ values: [String: String] = [:], text: String? = nil) throws
        -> MailTemplate.Rendered
    {
        try MailTemplate(name: "mails/a.html", source: Self.front + body, format: .html, text: text).rendered(values)
    }

    private func problem(_ body: String, _ values: [String: String] = [:]) -> MailTemplateProblem? {
        do throws(MailTemplateProblem) {
            _ = try MailTemplate(name: "mails/a.html", source: Self.front + body, format: .html).rendered(values)
            return nil
        } catch { return error }
    }

    @Test func `values are escaped where they stand`() throws {
        let body = "<p title=\"{{v}}\">{{v}} {{w|none}}</p><a href=\"https://a.example/?q={{v}}&amp;x=1\">go</a>"
        #expect(
            try mail(body, ["v": "<b>\"&'"]).html
                == "<p title=\"&lt;b&gt;&quot;&amp;&#39;\">&lt;b&gt;&quot;&amp;&#39; none</p>"
                + "<a href=\"https://a.example/?q=%3Cb%3E%22%26%27&amp;x=1\">go</a>\n")
    }

    @Test(arguments: [
        ("<h1>A &amp; B</h1><p>one\n  two</p><p>three</p>", "A & B\n\none two\n\nthree\n"),
        ("<p>a<br>b<br/>c</p>", "a\nb\nc\n"),
        ("<ul><li>a</li><li>b</li></ul><ol><li>c</li><li>d</li></ol>", "- a\n- b\n\n1. c\n2. d\n"),
        (
            "<p>Get <a href=\"https://a.example/x?a=1&amp;b=2\">the plan</a>.</p>",
            "Get the plan: https://a.example/x?a=1&b=2.\n"
        ),
        (
            "<a href=\"https://a.example\"><img src=\"https://a.example/i.png\" alt=\"Our plan\"></a>",
            "Our plan: https://a.example\n"
        ),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
        (
            "<style>p { color: red }</style><!-- no --><p>x&nbsp;y &#8230; &#x2026; &unknown; &#0;</p><hr>z",
            "x y … … &unknown; &#0;\n\n---\n\nz\n"
        ),
        ("<p>1 < 2 { x }</p>", "1 < 2 { x }\n"),
        ("<!--[if mso]><b>only Outlook</b><![endif]--><p>a</p>", "a\n"),
    ])
    func `the plain text is made from the HTML`(_ body: String, _ text: String) throws {
        #expect(try mail(body).text == text)
    }

    @Test func `plain text of the author's own is taken as it stands`() throws {
        let mail = try mail(
            "<p>x</p>", ["name": "Ann"],
            text: "Hello {{name}},\n\n  * see https://a.example/b.\n  *not* [this](x)\n\n\n")
        #expect(mail.text == "Hello Ann,\n\n  * see https://a.example/b.\n  *not* [this](x)\n")
    }

    @Test(arguments: [
        ("<p>a\n{{Name}}</p>", 5, MailTemplateProblem.Kind.badPlaceholder("Name")),
        ("<p>{{#a}}x{{/a}}</p>", 4, .badPlaceholder("#a")), ("<p>{{{a}}}</p>", 4, .badPlaceholder("{a")),
        ("\n<p>a", 5, .openElement("p")), ("<p><b>a</p></b>", 4, .openElement("b")), ("a</p>", 4, .strayEnd("p")),
        ("<p", 4, .openElement("p")), ("<p class=\"a>", 4, .openElement("class")), ("<!-- a", 4, .openElement("!--")),
        ("<html><body>a</body></html>", 4, .wholePage), ("<!DOCTYPE html>a", 4, .wholePage),
        ("<script>x</script>", 4, .activeContent("script")), ("<p onclick=\"x\">a</p>", 4, .activeContent("onclick")),
        ("<a href={{u}}>a</a>", 4, .unquotedValue("href")),
        ("<a href=https://a.example>a</a>", 4, .unquotedValue("href")),
        ("<p style=\"color:{{c}}\">a</p>", 4, .misplacedValue("a style")),
        ("<p {{x}}>a</p>", 4, .misplacedValue("a tag")),
        ("<!-- {{x}} -->a", 4, .misplacedValue("a comment")),
        ("<style>{{x}}</style>a", 4, .misplacedValue("a style sheet")),
        ("<a href=\"/plan\">a</a>", 4, .badTarget("/plan")), ("<a href=\"\">a</a>", 4, .badTarget("")),
        ("<a href=\"javascript:alert(1)\">a</a>", 4, .badTarget("javascript:alert(1)")),
        ("<a href=\"&#106;avascript:alert(1)\">a</a>", 4, .badTarget("javascript:alert(1)")),
        ("<p>\n{{v}}</p>", 5, .missingValue("v")),
    ])
    func `a problem carries its line`(_ body: String, _ line: Int, _ kind: MailTemplateProblem.Kind) {
        #expect(problem(body) == MailTemplateProblem(template: "mails/a.html", line: line, kind: kind))
    }

    @Test func `elements nest only so deep`() {
        let deep = String(repeating: "<b>", count: 101) + "a" + String(repeating: "</b>", count: 101)
        #expect(problem(deep)?.kind == .tooDeep)
    }

    @Test(arguments: ["javascript:alert(1)", "//evil.example", "acme.example"])
    func `a value that is no address of a page holds the mail`(_ value: String) {
        #expect(problem("<a href=\"{{url}}\">a</a>", ["url": value])?.kind == .missingValue("url"))
    }

    @Test func `links in HTML are watched as those in Markdown, pictures are not`() async throws {
        let site = try MailSite(files: [
            "mails/offer.html":
                "---\nsubject: Offer\n---\n<p><a href=\"https://acme.example/a?x=1&amp;y=2\"><img src=\"https://acme.example/i.png\" alt=\"A\"></a></p>\n",
            "mails/offer.txt": "See https://acme.example/a?x=1&y=2 now.\n",
        ])
        try await site.send("offer")
        let mail = try #require(site.crm.transport.sent.first)
        let link = try #require(site.links().first)
        #expect(mail.text.hasPrefix("See https://crm.acme.example\(link) now.\n"))
        #expect(
            mail.html.contains("<a href=\"https://crm.acme.example\(link)\"><img src=\"https://acme.example/i.png\""))
        #expect(try site.crm.rows("SELECT url FROM mail_links") == ["https://acme.example/a?x=1&y=2"])
    }
}
