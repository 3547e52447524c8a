import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Sender: Plugin {
    static let name = "sender"
    static let summary = "Names a mail, and brings one."
    static let mails = ["notice": "---\nsubject: Notice\npurpose: transactional\n---\nLook.\n"]
    init(settings: NoSettings) {}
    var hooks: [any Hook] { [] }
    func check(_ check: ConfigCheck) {
        check.mail(Located("news", at: Place(file: "config.yaml", path: "plugins.sender.mail")))
        check.ownMail("notice")
    }
}

@Suite struct MailPreviewTests {
    private func crm() throws -> TestKernel {
        let crm = try TestKernel(
            "plugins: {sender: {}}", plugins: [Sender.self],
            files: [
                "mails/news.md":
                    "---\nsubject: News for {{first_name}}\n---\nFrom {{company}}: [read](https://acme.example/read) or [yours]({{download_url}})\n",
                "mails/news@mql.md": "---\nsubject: For a good lead\n---\nHi {{first_name|you}}\n",
                "mails/receipt.md": "---\nsubject: Receipt\npurpose: transactional\n---\nThanks.\n",
            ], checks: false)
        try crm.capture(["email": "ann@acme.example", "first_name": "Ann", "company": "Lee"])
        return crm
    }

    /// Everything in the file that a preview could touch.
    private func state(_ crm: TestKernel) throws -> [String] {
        try crm.rows(
            """
            SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM outbox_messages), (SELECT count(*) FROM mail_links),
                   (SELECT count(*) FROM scheduled_events), (SELECT group_concat(origin) FROM kernel_context)
            """)
    }

    @Test func `a mail is shown as the lead would get it, and nothing is written`() throws {
        let crm = try crm()
        let before = try state(crm)
        let page = try MailPreview(crm.kernel).render("news", lead: 1)
        #expect(page.subject == "News for Ann" && page.file == "mails/news.md")
        #expect(
            page.text.contains(
                "From Lee: read: https://acme.example/read or yours: https://crm.acme.example/preview/download_url"))
        #expect(page.text.contains("Unsubscribe: https://crm.acme.example/unsubscribe/"))
        #expect(page.html.contains("<!DOCTYPE html>") && page.html.contains(">Unsubscribe</a>"))
        #expect(
            page.problems == [
                "mails/news.md:4: there is no value for 'download_url'. Give it one, or write a fallback: {{download_url|…}}."
            ])
        #expect(try state(crm) == before)
    }

    @Test func `without a lead the names of what is missing stand in its place`() throws {
        let crm = try crm()
        let page = try withExtendedLifetime(crm) { try MailPreview(crm.kernel).render("news") }
        #expect(page.subject == "News for [first_name]" && page.text.hasPrefix("From [company]: "))
        #expect(page.problems.count == 3)
    }

    @Test func `a lead is shown its variant`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET stage = 'mql'")
        let page = try MailPreview(crm.kernel).render("news", lead: 1)
        #expect(page.file == "mails/news@mql.md" && page.subject == "For a good lead" && page.problems == [])
    }

    @Test func `what is not there is said`() throws {
        let crm = try crm()
        defer { withExtendedLifetime(crm) {} }
        let preview = MailPreview(crm.kernel)
        #expect(throws: KernelError.data("There is no mail 'new'. Did you mean 'news'?")) { try preview.render("new") }
        #expect(throws: KernelError.noLead("7")) { try preview.render("news", lead: 7) }
        #expect(throws: KernelError.usage("'ann' is no address a mail can be sent to.")) {
            try preview.send("news", to: "ann")
        }
    }

    @Test func `a mail that would be held says why`() throws {
        let crm = try TestKernel(
            site:
                "site: {name: Acme, base_url: \"https://crm.acme.example\", secret: \"${TRELLIS_SECRET}\"}\nmail: {from: a@acme.example}",
            files: ["mails/news.md": "---\nsubject: N\n---\nHi\n"])
        #expect(
            throws: KernelError.data(
                "The mail 'news' would be held: site.postal_address is not set, and marketing mail needs one.")
        ) { try MailPreview(crm.kernel).render("news") }
    }

    @Test func `a test mail goes to whoever asked, and is counted for nobody`() async throws {
        let crm = try crm()
        let events = try crm.events()
        let id = try MailPreview(crm.kernel).send("news", to: "Me <me@acme.example>", lead: 1)
        try MailPreview(crm.kernel).send("news", to: "me@acme.example", lead: 1)
        try await crm.work()
        let mail = try #require(crm.transport.sent.first)
        #expect(crm.transport.sent.count == 2 && mail.id == id)
        #expect(mail.recipient == "me@acme.example" && mail.subject == "[Test] News for Ann")
        #expect(!mail.source.contains("List-Unsubscribe:") && mail.text.contains("Unsubscribe: "))
        #expect(mail.text.contains("https://acme.example/read"), "a test is not watched")
        #expect(try crm.rows("SELECT DISTINCT state, purpose, lead_id FROM outbox_messages") == ["sent|internal|"])
        #expect(try crm.events() == events)
        #expect(try crm.rows("SELECT * FROM mail_engagement") == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `the list says what each mail is for and who uses it`() throws {
        let crm = try crm()
        let list = try withExtendedLifetime(crm) { try MailPreview(crm.kernel).list() }
        #expect(
            list == [
                MailPreview.Entry(
                    name: "news", purpose: "marketing", subject: "News for {{first_name}}", variants: ["news@mql.md"],
                    uses: ["plugins.sender.mail"]),
                MailPreview.Entry(
                    name: "notice", purpose: "transactional", subject: "Notice", variants: [], uses: ["plugins.sender"]),
                MailPreview.Entry(
                    name: "receipt", purpose: "transactional", subject: "Receipt", variants: [], uses: []),
            ])
    }

    @Test func `a mail that cannot be read says why, and hides no other`() throws {
        let crm = try TestKernel(
            files: [
                "mails/a.md": "---\nsubject: A\n---\nA\n", "mails/a@mql.md": "---\nsubject: A\n---\n{{\n",
                "mails/b.md": "---\nsubjct: B\n---\nB\n", "mails/c.md": "---\nsubject: C\n---\nC\n",
            ], checks: false)
        let list = try withExtendedLifetime(crm) { try MailPreview(crm.kernel).list() }
        #expect(list.map(\.name) == ["a", "b", "c"] && list.map(\.subject) == ["A", "", "C"])
        #expect(list[0].problem?.hasPrefix("mails/a@mql.md:4: ") == true)
        #expect(list[1].problem?.hasPrefix("mails/b.md:2: 'subjct' is not a key of a mail.") == true)
        #expect(list[2].problem == nil)
    }

    @Test func `an answer to a test mail is known for one, and tells nothing of a lead`() async throws {
        let crm = try crm()
        let id = try MailPreview(crm.kernel).send("news", to: "me@acme.example", lead: 1)
        try await crm.work()
        let source = try #require(crm.transport.sent.first).source
        let messageID = try #require(source.firstMatch(of: /Message-ID:\s*<([^>]+)>/)).1
        let answer = try #require(CorpusMail.named("reply/plain")).bytes(
            returnAddress: "bounces@acme.example", messageID: String(messageID))
        let events = try crm.events()
        let filed = try Mailroom(crm.kernel).take(answer)
        #expect(filed == Mailroom.Filed(kind: .reply, messageID: id, leadID: nil, status: nil, isNew: true))
        #expect(try crm.events() == events)
        #expect(try crm.troubles() == [])
    }
}
