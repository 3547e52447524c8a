import Foundation
import TrellisTesting

@testable import TrellisKernel

/// A site with one lead and mails that are watched, and those who fetch what stands in them.
struct MailSite {
    let crm: TestKernel
    static let files = [
        "mails/news.md":
            "---\nsubject: News\n---\n[Read](https://acme.example/read?a=1&b=2)\n\nOr the [plan](https://acme.example/plan).\n",
        "mails/receipt.md": "---\nsubject: Receipt\npurpose: transactional\n---\n[Read](https://acme.example/read)\n",
    ]
    static let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

    /// - Parameter mail: further keys of `mail:`, as `tracking: none`.
    init(mail: String = "", files: [String: String] = [:], leads: Int = 1, consents: [String] = ["newsletter"]) throws {
        let more = mail.isEmpty ? "" : ", \(mail)"
        crm = try TestKernel(
            site: TestKernel.site.replacing("<hello@acme.example>\"}", with: "<hello@acme.example>\"\(more)}"),
            files: MailSite.files.merging(files) { _, own in own })
        for number in 1...leads {
            try crm.capture(["email": "ann\(number)@acme.example", "first_name": "Ann"], consents: consents)
        }
    }

    init(crm: TestKernel) {
        self.crm = crm
    }

    /// Sends a mail to every lead.
    func send(_ mail: String = "news", _ purpose: MessagePurpose = .marketing, key: String = "k") async throws {
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                purpose,
                forEach: """
                    SELECT :key || id AS key, id AS lead_id, NULL AS recipient, :mail AS template, '{}' AS body, NULL AS cause_id FROM leads
                    """, arguments: ["key": key, "mail": mail])
        }
        try await crm.work()
    }

    /// The addresses in the plain text of a mail that lead over the site: their paths.
    func links(_ index: Int = 0) -> [String] {
        guard crm.transport.sent.indices.contains(index) else { return [] }
        return crm.transport.sent[index].text.matches(of: #/https://crm\.acme\.example(/c/[\w-]+)/#).map {
            String($0.1)
        }
    }

    /// Asks one of the site's endpoints for a path.
    @discardableResult
    func ask(
        _ path: String, method: String = "GET", agent: String? = browser, from address: String = "203.0.113.7",
        headers: [String: String] = [:]
    ) async throws -> WebReply {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count == 2, let endpoint = MailHits.endpoints.first(where: { $0.path == "/\(parts[0])/:token" }),
            let client = ClientAddress(address)
        else { throw WebProblem.notFound }
        var headers = headers
        headers["user-agent"] = agent
        return try await endpoint(
            WebRequest(
                kernel: crm.kernel, method: method, path: path, parameters: ["token": parts[1]], client: client,
                headers: headers))
    }

    /// Lets the minute pass that hits wait, and handles what is due.
    func judge() throws {
        crm.clock.advance(by: "2 minutes")
        try crm.pump()
    }

    func verdicts() throws -> [String] {
        try crm.rows("SELECT verdict, reason FROM mail_hits ORDER BY id")
    }

    /// What is known about people from the mail.
    func facts() throws -> [String] {
        try crm.rows("SELECT kind, lead_id, body FROM events WHERE kind IN ('mail.clicked', 'mail.opened') ORDER BY id")
    }
}
