import HTTPTypes
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

@Suite struct MailLinksTests {
    private let crm: TestKernel
    private let site: Listener
    private let path: String

    init() async throws {
        crm = try TestKernel(files: ["mails/news.md": "---\nsubject: News\n---\n[Read](https://acme.example/read)\n"])
        try crm.capture(["email": "ann@a.example"], consents: ["newsletter"])
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .marketing,
                forEach: """
                    SELECT 'k' AS key, 1 AS lead_id, NULL AS recipient, 'news' AS template, '{}' AS body, NULL AS cause_id
                    """)
        }
        try await crm.work()
        path = "/c/" + (try crm.kernel.signer.token(purpose: "click", subject: "1.1"))
        site = try Listener.open(crm)
    }

    private func hits() throws -> [String] {
        try crm.rows("SELECT method, agent FROM mail_hits ORDER BY id")
    }

    @Test func `a link of a mail leads on, and is noted by its method`() async throws {
        for method in [HTTPRequest.Method.head, .get] {
            let answer = try await site.ask(method, path, [.userAgent: "Firefox"])
            #expect(answer.status == 302 && answer.location == "https://acme.example/read")
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(answer.headers.first { $0.name.canonicalName == "referrer-policy" }?.value == "no-referrer")
        }
        #expect(try hits() == ["HEAD|Firefox", "GET|Firefox"])
    }

    @Test func `what is no link of a mail is a page that says so`() async throws {
        for path in ["/c/x", "/o/x.gif", path + "A", path.replacing("/c/", with: "/o/")] {
            let answer = try await site.get(path)
            #expect(answer.status == 404 && answer.heading == "Nothing here")
        }
        #expect(try await site.post(path).status == 405)
        #expect(try hits() == [])
    }

    @Test func `the picture is never kept`() async throws {
        let token = try crm.kernel.signer.token(purpose: "open", subject: "1")
        let answer = try await site.get("/o/\(token).gif")
        #expect(answer.status == 200 && answer.headers[.contentType] == "image/gif")
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(try hits() == [], "openings are not watched by this site")
    }
}
