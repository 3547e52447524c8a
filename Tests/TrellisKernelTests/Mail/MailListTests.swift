import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MailListTests {
    private func headers(_ message: RenderedMessage) -> [String] {
        message.source.replacing("\r\n ", with: " ").components(separatedBy: "\r\n\r\n")[0].split(separator: "\r\n")
            .map(String.init)
            .filter { line in ["List-", "Feedback-ID", "Auto-"].contains { line.hasPrefix($0) } }
    }

    @Test func `marketing mail says which list it is of and how to leave it`() async throws {
        let site = try MailSite()
        try await site.send()
        let leave = try site.crm.kernel.config.link("unsubscribe", "1")
        #expect(
            headers(try #require(site.crm.transport.sent.first)) == [
                "List-Unsubscribe: <\(leave)>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
                "List-Id: <newsletter.acme.example>", "Feedback-ID: news:test:marketing:acme.example",
                "Auto-Submitted: auto-generated",
            ])
    }

    @Test func `where no consent is asked for the list has a name all the same`() async throws {
        let site = try MailSite(mail: "consent: none")
        try await site.send()
        #expect(headers(try #require(site.crm.transport.sent.first)).contains("List-Id: <mail.acme.example>"))
    }

    @Test func `mail of a list says so, and its links leave that list`() async throws {
        let site = try MailSite(
            files: ["mails/product.md": "---\nsubject: Product\nlist: product-news\n---\nNew.\n"],
            consents: ["product-news"])
        try await site.send("product")
        let leave = try site.crm.kernel.config.link("unsubscribe", "1 product-news")
        let mail = try #require(site.crm.transport.sent.first)
        #expect(
            headers(mail) == [
                "List-Unsubscribe: <\(leave)>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
                "List-Id: <product-news.acme.example>", "Feedback-ID: product:test:marketing:acme.example",
                "Auto-Submitted: auto-generated",
            ])
        #expect(mail.text.contains("Unsubscribe: \(leave)"))
    }

    @Test func `mail that a lead asked for is of no list`() async throws {
        let site = try MailSite()
        try await site.send("receipt", .transactional)
        #expect(headers(try #require(site.crm.transport.sent.first)) == ["Auto-Submitted: auto-generated"])
    }

    @Test func `one click is promised over https alone`() throws {
        let crm = try TestKernel()
        let order = MailRenderer.Order(
            id: 1, key: "k", origin: "plugin:drip", purpose: .marketing, leadID: 1, template: "we lcome\r\nBcc: x")
        let list = MailList(config: crm.kernel.config)
        #expect(!list.headers(order, leaving: ["http://a.example/u"]).contains { $0.name == "List-Unsubscribe-Post" })
        let both = list.headers(order, leaving: ["https://a.example/u", "mailto:leave@a.example"])
        #expect(both.first?.value == "<https://a.example/u>, <mailto:leave@a.example>")
        #expect(both.last?.value == "we-lcome--Bcc--x:drip:marketing:acme.example")
    }
}
