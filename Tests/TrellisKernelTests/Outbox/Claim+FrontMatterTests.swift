import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Mail of a list, which leads agree to and leave by itself.
@Suite struct ClaimFrontMatterTests {
    private static let files = [
        "mails/product.md": "---\nsubject: Product\nlist: product-news\n---\nNew.\n"
    ]

    private static func mail(_ list: String, _ text: String) -> String {
        "---\nsubject: Product\n\(list)---\n\(text)\n"
    }

    private func outcomes(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id, template, list, state, reason FROM outbox_messages ORDER BY id")
    }

    @Test func `mail of a list goes to those who agreed to it, whatever else they agreed to or left`() async throws {
        let site = try MailSite(files: Self.files, leads: 3, consents: [])
        try site.crm.foreign(
            """
            INSERT INTO consents (lead_id, purpose, state) VALUES
                (1, 'product-news', 'granted'), (1, 'newsletter', 'withdrawn'), (2, 'newsletter', 'granted'),
                (3, 'newsletter', 'granted'), (3, 'product-news', 'granted'), (3, 'product-news', 'withdrawn')
            """)
        try await site.send("product")
        try await site.send("news", key: "n")
        #expect(
            try outcomes(site.crm) == [
                "1|product|product-news|sent|", "2|product|product-news|cancelled|no consent for product-news",
                "3|product|product-news|cancelled|no consent for product-news",
                "1|news||cancelled|no consent for newsletter", "2|news||sent|", "3|news||sent|",
            ])
        #expect(try site.crm.troubles() == [])
    }

    @Test func `a list wants consent where other mail needs none`() async throws {
        let site = try MailSite(mail: "consent: none", files: Self.files, consents: [])
        try await site.send("product")
        try await site.send("news", key: "n")
        #expect(
            try outcomes(site.crm) == [
                "1|product|product-news|cancelled|no consent for product-news", "1|news||sent|",
            ])
    }

    @Test func `whoever orders may name the list, and the mail itself knows better`() async throws {
        let site = try MailSite(files: Self.files, consents: ["events", "product-news"])
        try site.crm.kernel.write(origin: "plugin:test") { tx in
            for (mail, purpose) in [
                ("news", MessagePurpose.marketing), ("product", .marketing), ("receipt", .transactional),
            ] {
                try tx.send(
                    purpose,
                    forEach: """
                        SELECT :mail AS key, 1 AS lead_id, NULL AS recipient, :mail AS template, '{}' AS body, NULL AS cause_id
                        """, list: "events", arguments: ["mail": mail])
            }
        }
        try await site.crm.work()
        #expect(
            try outcomes(site.crm) == [
                "1|news|events|sent|", "1|product|product-news|sent|", "1|receipt||sent|",
            ])
    }

    @Test func `a list that is changed counts for what waits, and one that is taken out stays`() async throws {
        // Ann has no last name, and so her mail is held until it asks for none.
        let site = try MailSite(
            files: ["mails/product.md": Self.mail("list: product-news\n", "{{last_name}}")],
            consents: ["product-news", "events"])
        func edit(_ list: String, _ text: String) async throws {
            try Data(Self.mail(list, text).utf8).write(to: URL(filePath: site.crm.folder + "/mails/product.md"))
            try site.crm.foreign("UPDATE outbox_messages SET state = 'waiting', reason = NULL")
            try await site.crm.work()
        }
        let lists = { try site.crm.rows("SELECT list, state FROM outbox_messages") }
        try await site.send("product")
        #expect(try lists() == ["product-news|held"])
        try await edit("list: events\n", "{{last_name}}")
        #expect(try lists() == ["events|held"])
        try await edit("", "New.")
        #expect(try lists() == ["events|sent"])
    }

    @Test func `who takes the way out of a mail leaves its list, and who writes so to a person leaves all`()
        async throws
    {
        for (mail, consent, suppressions) in [
            ("arf-opt-out", "withdrawn|mail-in", []),
            ("apple-mail", "granted|sql", ["ann@customer.example|unsubscribed|mail-in"]),
        ] {
            let site = try await ReturnsSite()
            try site.crm.foreign("UPDATE outbox_messages SET list = 'product-news'")
            try site.crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'product-news', 'granted')")
            #expect(try site.take("unsubscribe/\(mail)").kind == .unsubscribe)
            #expect(
                try site.crm.rows(
                    "SELECT state, source FROM consents WHERE purpose = 'product-news' ORDER BY id DESC LIMIT 1") == [
                        consent
                    ])
            #expect(try site.suppressions == suppressions)
        }
    }
}
