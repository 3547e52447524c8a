import Testing

@testable import TrellisKernel

@Suite struct WebTextTests {
    private func html(_ markdown: String) throws -> String { try WebText.html(markdown, name: "pages/plan.md") }

    // MARK: - Blocks

    @Test func `a page is paragraphs, headings, lists and rules`() throws {
        #expect(
            try html(
                """
                # Know what sells
                Twelve months
                on one page.

                ## For whom
                - Buyers
                - Owners

                3. Print it
                4. Hang it up

                ---
                ### Last
                Done.
                """) == """
                    <h2>Know what sells</h2>
                    <p>Twelve months on one page.</p>
                    <h2>For whom</h2>
                    <ul><li>Buyers</li><li>Owners</li></ul>
                    <ol start="3"><li>Print it</li><li>Hang it up</li></ol>
                    <hr>
                    <h3>Last</h3>
                    <p>Done.</p>
                    """)
    }

    @Test func `the page has the only heading of the first level`() throws {
        #expect(try html("# A") == "<h2>A</h2>")
        #expect(try html("## A") == "<h2>A</h2>")
        #expect(try html("### A") == "<h3>A</h3>")
    }

    // MARK: - Within a line

    @Test(arguments: [
        ("**Twelve** months", "<p><strong>Twelve</strong> months</p>"), ("*one* page", "<p><em>one</em> page</p>"),
        ("one  \ntwo", "<p>one<br>two</p>"), (#"2 \* 3"#, "<p>2 * 3</p>"),
        ("[Acme](https://acme.example/a?b=1&c=2)", #"<p><a href="https://acme.example/a?b=1&amp;c=2">Acme</a></p>"#),
        (
            "See https://acme.example.",
            #"<p>See <a href="https://acme.example">https://acme.example</a>.</p>"#
        ),
        ("[Write](mailto:hello@acme.example)", #"<p><a href="mailto:hello@acme.example">Write</a></p>"#),
        (
            "[**Read** it](https://acme.example)",
            #"<p><a href="https://acme.example"><strong>Read</strong> it</a></p>"#
        ),
    ])
    func `emphasis, links and breaks become HTML`(_ markdown: String, _ expected: String) throws {
        #expect(try html(markdown) == expected)
    }

    @Test(arguments: [
        ("<script>alert('1')</script>", "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</p>"),
        ("a & b", "<p>a &amp; b</p>"), (#"# "A" <b>"#, "<h2>&quot;A&quot; &lt;b&gt;</h2>"),
        (
            #"[x](https://acme.example/'onclick='x)"#,
            #"<p><a href="https://acme.example/&#39;onclick=&#39;x">x</a></p>"#
        ),
    ])
    func `HTML within the text is text`(_ markdown: String, _ expected: String) throws {
        #expect(try html(markdown) == expected)
    }

    @Test func `a variable has no value on a page but its fallback`() throws {
        #expect(try html("Hello {{first_name|there}}, {{company}}!") == "<p>Hello there, !</p>")
        #expect(try html("Hello {{first_name|<b>}}") == "<p>Hello &lt;b&gt;</p>")
        #expect(try html("[Go]({{url|https://acme.example}})") == #"<p><a href="https://acme.example">Go</a></p>"#)
        #expect(try html("[Go]({{url|javascript:alert(1)}})") == "<p>Go</p>")
    }

    @Test(arguments: [
        (
            "![A calendar](https://acme.example/a.png?b=1&c=2)",
            #"<p><img src="https://acme.example/a.png?b=1&amp;c=2" alt="A calendar" loading="lazy"></p>"#
        ),
        ("See ![](/a.png) here", #"<p>See <img src="/a.png" alt="" loading="lazy"> here</p>"#),
        (
            #"![" onerror="x](https://acme.example/"x)"#,
            #"<p><img src="https://acme.example/&quot;x" alt="&quot; onerror=&quot;x" loading="lazy"></p>"#
        ),
        ("Wow! [Go](https://acme.example)", #"<p>Wow! <a href="https://acme.example">Go</a></p>"#),
        (#"\![Go](https://acme.example)"#, #"<p>!<a href="https://acme.example">Go</a></p>"#),
        ("![no picture]", "<p>![no picture]</p>"),
        (
            "![two](https://acme.example/a b)",
            "<p>![two](<a href=\"https://acme.example/a\">https://acme.example/a</a> b)</p>"
        ),
    ])
    func `a page shows pictures, with what stands for them`(_ markdown: String, _ expected: String) throws {
        #expect(try html(markdown) == expected)
    }

    @Test(arguments: [
        "a.png", "//evil.example/a.png", "http://acme.example/a.png", "javascript:x", "data:image/png;x", "",
    ])
    func `a picture from where a page may not have one is refused`(_ source: String) throws {
        let problem = try #require(throws: MailTemplateProblem.self) { try html("Text\n![A](\(source))") }
        #expect(
            problem.description
                == "pages/plan.md:2: a picture comes from an address that begins with https://, or with / for one of this site, got '\(source)'. Write the whole address."
        )
    }

    @Test func `a table is refused with its line, and a text with bars is none`() throws {
        let problem = try #require(throws: MailTemplateProblem.self) {
            try html("Plans\n\n| A | B |\n|---|:-:|\n| 1 | 2 |")
        }
        #expect(
            problem.description
                == "pages/plan.md:4: a page has no tables: this would be shown as rows of signs. Write a list.")
        #expect(try html("a | b\n\n---\n\n- c") == "<p>a | b</p>\n<hr>\n<ul><li>c</li></ul>")
    }

    @Test func `a mail has no pictures, and its tables are not refused`() throws {
        let mail = try MailTemplate(
            name: "m", source: "---\nsubject: s\n---\n![A](https://acme.example/a.png)\n\n|---|")
        #expect(try !mail.rendered([:]).html.contains("<img"))
    }

    @Test func `a link of a page is not called one of a mail`() throws {
        let problem = try #require(throws: MailTemplateProblem.self) { try html("[Press](/download)") }
        #expect(
            problem.description
                == "pages/plan.md:1: a link begins with https://, http:// or mailto:, got '/download'. Write the whole address."
        )
    }

    // MARK: - Refused

    @Test(arguments: ["[Press](javascript:alert(1))", "[Press](//evil.example)", "[Press](/download)"])
    func `a link that leads nowhere a reader may go is refused`(_ markdown: String) throws {
        let problem = try #require(throws: MailTemplateProblem.self) { try html(markdown) }
        #expect(problem.template == "pages/plan.md")
        guard case .badTarget = problem.kind else {
            Issue.record("\(problem)")
            return
        }
    }

    @Test func `a page without text is told as a page`() throws {
        let problem = try #require(throws: MailTemplateProblem.self) { try html("") }
        #expect(problem.description == "pages/plan.md:1: the page has no text. Write it into this file.")
    }

    @Test(arguments: ["Hello {{first_name", "Hello {{First Name}}", "a\u{7}b", ""])
    func `a text that cannot be read is refused`(_ markdown: String) {
        #expect(throws: MailTemplateProblem.self) { try html(markdown) }
    }
}
