import Foundation
import Testing

@testable import TrellisKernel

@Suite struct MailTemplateTests {
    private static let front = "---\nsubject: Hello\n---\n"

    private func template(_ body: String) throws -> MailTemplate {
        try MailTemplate(name: "mails/welcome.md", source: Self.front + body)
    }

    private func text(_ body: String, _ values: [String: String] = [:]) throws -> String {
        try template(body).rendered(values).text
    }

    private func html(_ body: String, _ values: [String: String] = [:]) throws -> String {
        try template(body).rendered(values).html
    }

    private func problem(_ source: String, _ values: [String: String] = [:]) -> MailTemplateProblem? {
        do throws(MailTemplateProblem) {
            _ = try MailTemplate(name: "mails/welcome.md", source: source).rendered(values)
            return nil
        } catch { return error }
    }

    @Test func `a template is its front matter and its body`() throws {
        let source =
            "---\r\n# a note\r\nsubject: \"Your plan, {{first_name|there}}\"\r\n"
            + "preheader: For {{ company }}\r\n"
            + "from: Acme <hello@acme.example>\r\nreply_to: ask@acme.example\r\npurpose: transactional\r\n---\r\nHi {{first_name|you}}\r\n"
        let template = try MailTemplate(name: "a.md", source: source)
        #expect(template.subject == "Your plan, {{first_name|there}}")
        #expect(template.from == .address(MailAddress(name: "Acme", address: "hello@acme.example")))
        #expect(template.replyTo == .address(MailAddress(address: "ask@acme.example")))
        #expect(template.purpose == .transactional)
        #expect(template.body == "Hi {{first_name|you}}")
        #expect(template.variables == ["first_name", "company"])
        let mail = try template.rendered(["company": "Lee & Co"])
        #expect(mail.subject == "Your plan, there")
        #expect(mail.preheader == "For Lee & Co")
        #expect(mail.text == "Hi you\n")
    }

    @Test func `without further keys a mail is marketing from the site's own sender`() throws {
        let template = try template("Hi")
        #expect(template.purpose == .marketing && template.from == nil && template.replyTo == nil)
        #expect(template.preheader == nil)
    }

    @Test(arguments: [
        ("subject: x", 1, MailTemplateProblem.Kind.frontMatterMissing), ("", 1, .frontMatterMissing),
        ("---\nsubject: x\nHi", 1, .frontMatterOpen), ("---\nsubject\n---\nHi", 2, .notKeyAndValue),
        ("---\nsubject: x\nsubjct: y\n---\nHi", 3, .unknownKey("subjct")),
        ("---\nsubject: x\nwithin: soon\n---\nHi", 3, .badWithin("soon")),
        ("---\nsubject: x\nwithin: 0\n---\nHi", 3, .badWithin("0")),
        ("---\nsubject: x\nlist: a b\n---\nHi", 3, .badList("a b")),
        ("---\nsubject: x\nlist: none\n---\nHi", 3, .badList("none")),
        ("---\nsubject: x\nlist: news\npurpose: transactional\n---\nHi", 3, .listOfTransactional),
        ("---\nsubject: x\nsubject: y\n---\nHi", 3, .repeatedKey("subject")),
        ("---\nsubject:\n---\nHi", 2, .missingSubject),
        ("---\nfrom: a@b.example\n---\nHi", 1, .missingSubject),
        ("---\nsubject: x\npurpose: news\n---\nHi", 3, .badPurpose("news")),
        ("---\nsubject: x\nfrom: Acme\n---\nHi", 3, .badSender("Acme")),
        ("---\nsubject: x\nreply_to: me\n---\nHi", 3, .badReplyTo("me")),
        ("---\nsubject: x\nList-Unsubscribe: <https://a.example>\n---\nHi", 3, .unknownKey("List-Unsubscribe")),
        ("---\nsubject: x\n---\n\n", 3, .emptyBody),
        ("---\nsubject: x\n---\n\nHi\n a\u{8}b", 6, .controlCharacter),
        ("---\nsubject: {{x\n---\nHi", 2, .openPlaceholder),
        ("---\nsubject: x\n---\nA\nHi {{name", 5, .openPlaceholder),
        ("---\nsubject: x\n---\n\nHi {{Name}}", 5, .badPlaceholder("Name")),
        ("---\nsubject: x\n---\n{{{a}}}", 4, .badPlaceholder("{a")),
        ("---\nsubject: x\n---\n{{#each a}}", 4, .badPlaceholder("#each a")),
        ("---\nsubject: x\n---\n{{ }}", 4, .badPlaceholder(" ")),
        ("---\nsubject: x\n---\n- a\n- [x](/plan)", 5, .badTarget("/plan")),
        ("---\nsubject: x\n---\n[x](javascript:alert(1))", 4, .badTarget("javascript:alert(1)")),
        ("---\nsubject: x\n---\nA\\\nB  \nC {{c}}", 6, .missingValue("c")),
    ])
    func `a problem carries its line`(_ source: String, _ line: Int, _ kind: MailTemplateProblem.Kind) {
        let expected = MailTemplateProblem(template: "mails/welcome.md", line: line, kind: kind)
        #expect(problem(source) == expected)
    }

    @Test func `the wording says what to do`() {
        #expect(
            problem("---\nsubject: x\nsubjct: y\n---\nHi")?.description
                == "mails/welcome.md:3: 'subjct' is not a key of a mail. Did you mean 'subject'? "
                + "The keys are subject, preheader, from, reply_to, purpose, list, within.")
        #expect(
            problem("---\nsubject: x\nList-Unsubscribe: y\n---\nHi")?.description.contains(
                "is not a key of a mail. Trellis writes this header itself.") == true)
        #expect(
            problem(Self.front + "{{#company}}")?.description.hasSuffix(
                "There are no sections, partials or unescaped values: write a fallback, or a variant of the mail.")
                == true)
        #expect(
            problem(Self.front + "Hi {{name}}")?.description
                == "mails/welcome.md:4: there is no value for 'name'. "
                + "Give it one, or write a fallback: {{name|…}}.")
        #expect(
            problem(Self.front + "Hi [x](www.acme.example)")?.description
                == "mails/welcome.md:4: a link begins with https://, http:// or mailto:, "
                + "got 'www.acme.example'. Write the whole address.")
    }

    @Test(arguments: ["", " ", "\u{0}", "\r\n\t"]) func `an empty value holds the mail or takes the fallback`(
        _ value: String
    ) throws {
        #expect(problem(Self.front + "Hi {{name}},", ["name": value])?.kind == .missingValue("name"))
        #expect(try text("Hi {{ name | there }},", ["name": value]) == "Hi there,\n")
        #expect(try text("Hi{{name|}},", ["name": value]) == "Hi,\n")
    }

    @Test(arguments: [
        ("one\ntwo\n\nthree", "one two\n\nthree\n", "<p>one two</p>\n<p>three</p>"),
        ("one  \ntwo\\\nthree", "one\ntwo\nthree\n", "<p>one<br>\ntwo<br>\nthree</p>"),
        (
            "# A\n## B\n### C\n#### D", "A\n\nB\n\nC\n\n#### D\n",
            "<h1>A</h1>\n<h2>B</h2>\n<h3>C</h3>\n<p>#### D</p>"
        ),
        (
            "- a\n  more\n\n- b\n\nend", "- a more\n- b\n\nend\n",
            "<ul>\n<li>a more</li>\n<li>b</li>\n</ul>\n<p>end</p>"
        ),
        ("3. a  \nb\n4. c", "3. a\n   b\n4. c\n", "<ol start=\"3\">\n<li>a<br>\nb</li>\n<li>c</li>\n</ol>"),
        ("in\n2024. That", "in 2024. That\n", "<p>in 2024. That</p>"),
        ("a\n\n---\nb", "a\n\n---\n\nb\n", "<p>a</p>\n<hr>\n<p>b</p>"),
        (
            "**b** *i* ***both*** **a *b***", "b i both a b\n",
            "<p><strong>b</strong> <em>i</em> <strong><em>both</em></strong> <strong>a <em>b</em></strong></p>"
        ),
        (
            "2 * 3 ** 4 *open **x \\*y\\* a_b_c", "2 * 3 ** 4 *open **x *y* a_b_c\n",
            "<p>2 * 3 ** 4 *open **x *y* a_b_c</p>"
        ),
        ("<b>&amp; \"q\"", "<b>&amp; \"q\"\n", "<p>&lt;b&gt;&amp;amp; &quot;q&quot;</p>"),
        (
            "Get [the *plan*](https://a.example/x?a=1&b=(2)).",
            "Get the plan: https://a.example/x?a=1&b=(2).\n",
            "<p>Get <a href=\"https://a.example/x?a=1&amp;b=(2)\">the <em>plan</em></a>.</p>"
        ),
        (
            "(see https://a.example/b). x", "(see https://a.example/b). x\n",
            "<p>(see <a href=\"https://a.example/b\">https://a.example/b</a>). x</p>"
        ),
        (
            "[a@b.example](mailto:a@b.example) !", "a@b.example !\n",
            "<p><a href=\"mailto:a@b.example\">a@b.example</a> !</p>"
        ),
        (
            "[1] and [x] (y) \\[z](q) \\{{n}}", "[1] and [x] (y) [z](q) {{n}}\n",
            "<p>[1] and [x] (y) [z](q) {{n}}</p>"
        ),
        (
            "[a [b](https://c.example) d](http://e)",
            "[a b: https://c.example d](http://e)\n",
            "<p>[a <a href=\"https://c.example\">b</a> d](<a href=\"http://e\">http://e</a>)</p>"
        ),
    ])
    func `Markdown becomes text and HTML`(_ source: String, _ text: String, _ html: String) throws {
        let mail = try template(source).rendered([:])
        #expect(mail.text == text)
        #expect(Self.content(mail.html) == html)
    }

    /// The body without styles and classes.
    private static func content(_ html: String) -> String {
        html.replacing(#/ (?:style|class)="[^"]*"/#, with: "")
    }

    @Test(arguments: [
        "<script>alert(1)</script>", "**b** *i* [x](https://evil.example)", "# h", "- l",
        "https://evil.example",
        "\"><img src=x onerror=1>", "' onmouseover='1", "<\u{338}script>", "a\r\n\r\n# b\n---", "{{other}}",
        "\\", "](x",
    ])
    func `a value is never Markdown or HTML`(_ value: String) throws {
        let mail = try template("# {{v}}\n\n- {{v}}\n\n**{{v}}** [{{v}}](https://a.example/?q={{v}}) {{v}}")
            .rendered(["v": value])
        let plain = try template("# V\n\n- V\n\n**V** [V](https://a.example/?q=V) V").rendered([:])
        let bare = "<>\"'".utf8.map { byte in
            (mail.html.utf8.filter { $0 == byte }.count, plain.html.utf8.filter { $0 == byte }.count)
        }
        #expect(bare.allSatisfy { $0.0 == $0.1 })
        #expect(mail.html.components(separatedBy: "href=").count == 2)
        #expect(mail.text.utf8.filter { $0 == 0x0A }.count == plain.text.utf8.filter { $0 == 0x0A }.count)
        #expect(mail.text.contains(value) || value.contains("\n"))
    }

    @Test func `a link is built from a value, and its data is percent-encoded`() throws {
        let values = [
            "url": "https://a.example/f?a=1&b=%20\"ü", "q": "a&b=c d/@e", "mail": "ann@lee.example",
        ]
        #expect(
            try Self.content(html("x [get]({{ url }})", values))
                == "<p>x <a href=\"https://a.example/f?a=1&amp;b=%20%22%C3%BC\">get</a></p>")
        #expect(try text("[get]({{url}})", values) == "get: https://a.example/f?a=1&b=%20%22%C3%BC\n")
        #expect(
            try text("[get](https://a.example/?q={{q}})", values)
                == "get: https://a.example/?q=a%26b%3Dc%20d%2F%40e\n")
        #expect(
            try text("see https://a.example/{{q}}.", values)
                == "see https://a.example/a%26b%3Dc%20d%2F%40e.\n")
        #expect(try text("[write](mailto:{{mail}})", values) == "write: mailto:ann@lee.example\n")
    }

    @Test(arguments: [
        "javascript:alert(1)", "data:text/html,x", "//evil.example", "acme.example", " https://a.example",
    ])
    func `a value that is no address of a page is not linked`(_ value: String) throws {
        let page = try html("x [get]({{url}})", ["url": value])
        #expect(!page.contains("href"))
        #expect(try text("[get]({{url}})", ["url": value]) == "get: \(value)\n")
    }

    @Test func `a link alone in its paragraph is a button`() throws {
        #expect(
            try html("[Get it]({{url}})", ["url": "https://a.example"]).contains("background-color:#0b5cad"))
        #expect(
            try !html("[Get it]({{url}}) now", ["url": "https://a.example"]).contains(
                "background-color:#0b5cad"))
    }

    @Test func `source, target and output have their limits`() throws {
        let long = String(repeating: "x", count: 262_144)
        #expect(problem(Self.front + long)?.kind == .sourceTooLarge(bytes: 262_144 + Self.front.utf8.count))
        #expect(problem(Self.front + "[x](https://a.example/\(long.prefix(2_100)))")?.kind == .targetTooLong)
        let many = Self.front + String(repeating: "{{v}} ", count: 1_000)
        #expect(
            problem(many, ["v": String(repeating: "x", count: 1_100)])?.kind
                == .outputTooLarge(bytes: 1_100_000))
        #expect(problem(many, ["v": String(repeating: "<", count: 500)]) != nil)
        #expect(problem(many, ["v": "x"]) == nil)
    }

    @Test(
        arguments: [
            "*a ", "[", "**", "](", "[x](", "***a", "*[", "[a]", "\\", "https://", "- ", "h", "# ",
            "*a**b[c](d ",
            "a\n", "{{v|w}}", "[a](https://b/{{v|w}})", "[a](b{{v|w}} ", "*a*", "\n\n",
        ])
    func `a large file of one mark is read in one pass`(_ mark: String) throws {
        let body = "a" + String(repeating: mark, count: 200_000 / mark.utf8.count)
        var found: MailTemplateProblem?
        let took = ContinuousClock().measure { found = problem(Self.front + body) }
        if let found { #expect([.targetTooLong, .badTarget("d")].contains(found.kind)) }
        #expect(took < .seconds(60))
    }

    @Test func `10,000 random bodies neither trap nor make a tag of their own`() throws {
        var random = Congruential(state: 20_261_123)
        let pieces = [
            "a", " ", "\n", "  \n", "\\\n", "*", "**", "[", "](", ")", "https://a.example", "{{", "}}",
            "{{v}}", "{{v|w}}",
            "# ", "- ", "1. ", "---", "\\", "<", "&", "ü", "👩‍👩‍👧", "\n\n", "mailto:", "(", "\u{338}",
        ]
        let tags: Set<String> = [
            "table", "tr", "td", "p", "h1", "h2", "h3", "ul", "ol", "li", "strong", "em", "a", "br", "hr",
        ]
        var rendered = 0
        for _ in 0..<10_000 {
            let body = (0..<Int.random(in: 1..<40, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            guard let mail = try? template(body.joined()).rendered(["v": body.joined() + "x"]) else {
                continue
            }
            rendered += 1
            let found = Self.content(mail.html).utf8.split(
                separator: UInt8(ascii: "<"), omittingEmptySubsequences: false
            ).dropFirst().map { rest in
                String(
                    decoding: rest.drop { $0 == UInt8(ascii: "/") }.prefix {
                        MailEncoding.isAlphanumeric($0)
                    }, as: UTF8.self)
            }
            #expect(tags.isSuperset(of: found))
        }
        #expect(rendered > 2_000)
    }
}

/// A small seeded generator, so that a failure comes again (Knuth's MMIX constants, the upper half used).
private struct Congruential: RandomNumberGenerator {
    var state: UInt64

    private mutating func half() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 32
    }

    mutating func next() -> UInt64 { half() << 32 | half() }
}
