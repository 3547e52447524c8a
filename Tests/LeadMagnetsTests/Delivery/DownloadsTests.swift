import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct DownloadsTests {
    private let crm: TestKernel
    private let browser: Browser

    init() throws {
        crm = try MagnetSite.crm()
        browser = Browser(crm)
    }

    private func link() async throws -> String {
        try await browser.fillIn("plan", ["email": "ann@a.example", "first_name": "Ann"])
        try await crm.work()
        return try #require(crm.link("download", to: "ann@a.example"))
    }

    private func fetches() throws -> [String] {
        try crm.rows("SELECT lead_id, magnet, fetches, first_at, last_at FROM magnets_downloads")
    }

    private func status(_ address: String) async throws -> Int {
        do {
            return try await browser.get(address).status
        } catch let problem as WebProblem {
            return problem.status
        }
    }

    @Test func `a link in a mail is the file under its own name`() async throws {
        let reply = try await browser.get(try await link())
        guard case .file(let file) = reply.body else {
            Issue.record("no file")
            return
        }
        #expect(file.path == crm.folder + "/assets/plan.pdf" && file.name == "plan.pdf")
        #expect(reply.status == 200)
    }

    @Test func `each fetch is counted, and means nothing by itself`() async throws {
        let link = try await link()
        let events = try crm.events()
        _ = try await browser.get(link)
        crm.clock.advance(by: "1 hour")
        _ = try await browser.get(link)
        #expect(try fetches() == ["1|plan|2|2026-03-02 09:00:03.000|2026-03-02 10:00:03.000"])
        try await crm.work()
        #expect(try crm.events() == events)
        #expect(try crm.troubles() == [])
    }

    @Test func `a file in many parts is one fetch, and a look at its head is none`() async throws {
        let link = try await link()
        for range in ["bytes=0-3", "bytes=4-7", "bytes=8-"] { _ = try await browser.get(link, ["range": range]) }
        _ = try await browser.get(link, method: "HEAD")
        #expect(try fetches().map { $0.split(separator: "|")[2] } == ["1"])
    }

    @Test func `a link works as long as the mail says, and no longer`() async throws {
        let link = try await link()
        crm.clock.advance(by: "6 days")
        #expect(try await status(link) == 200)
        crm.clock.advance(by: "1 day")
        #expect(try await status(link) == 410)
        #expect(try fetches().map { $0.split(separator: "|")[2] } == ["1"])
    }

    @Test func `whoever has no link of ours gets no file`() async throws {
        let signer = try crm.kernel.config.signer
        let link = try await link()
        #expect(try await status(String(link.dropLast())) == 404)
        for (purpose, subject) in [
            ("unsubscribe", #"["plan",1]"#), ("download", #"["gone",1]"#), ("download", #"["plan"]"#),
            ("download", "1"), ("download", #"["plan","x"]"#), ("download", #"["tool",1]"#),
        ] {
            #expect(try await status("/download/\(signer.token(purpose: purpose, subject: subject))") == 404)
        }
        #expect(try fetches() == [])
    }

    @Test func `five years later a link says that it is too old, whichever secret sealed it`() async throws {
        var config = crm.kernel.config
        config.site.site.olderSecrets = ["the secret of 2024, gone too", "the secret of 2021, long gone"]
        let now = crm.kernel.clock.now()
        let tokens = try ([crm.kernel.config.site.site.secret ?? ""] + config.site.site.olderSecrets).map {
            try LinkSigner(secret: $0).token(
                purpose: "download", subject: #"["plan",1]"#, expires: now + 7 * 86_400)
        }
        try crm.capture(["email": "ann@a.example", "first_name": "Ann"], form: "plan")
        let kernel = try Kernel(config: config, plugins: [LeadMagnets.self], clock: crm.clock.clock)
        let endpoint = try #require(browser.endpoints.first { $0.path == "/download/:token" })
        func answer(_ token: String) async throws -> Int {
            let request = WebRequest(
                kernel: kernel, method: "GET", path: "/download/\(token)", parameters: ["token": token], client: .none)
            do {
                return try await endpoint(request).status
            } catch let problem as WebProblem {
                return problem.status
            }
        }
        for token in tokens { #expect(try await answer(token) == 200) }
        crm.clock.advance(by: "260 weeks")
        for token in tokens { #expect(try await answer(token) == 410) }
        #expect(try fetches().map { $0.split(separator: "|")[2] } == ["3"])
    }
}
