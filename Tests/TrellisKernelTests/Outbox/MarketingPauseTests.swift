import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MarketingPauseTests {
    private static let complaint = "complaint/fastmail-arf"

    private func stops(_ site: ReturnsSite) throws -> [String] {
        try site.crm.rows("SELECT stop, subject FROM kernel_stops")
    }

    private func pauses(_ site: ReturnsSite) throws -> [String] {
        try site.crm.rows("SELECT complaints, sent, percent_max, settled_at FROM mail_pauses")
    }

    /// Has sent the mails 1 and 2 to Ann, and 3 to Bob.
    private func site() async throws -> ReturnsSite {
        let site = try await ReturnsSite()
        try await site.send("second")
        try site.crm.capture(["email": "bob@customer.example", "first_name": "Bob"], consents: ["newsletter"])
        try order(.marketing, to: 2, site.crm)
        try await site.crm.work()
        return site
    }

    private func order(_ purpose: MessagePurpose, to lead: Int64, _ crm: TestKernel) throws {
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                purpose,
                forEach: """
                    SELECT :key AS key, :lead AS lead_id, NULL AS recipient, 'welcome' AS template, '{}' AS body, NULL AS cause_id
                    """, arguments: ["key": "\(purpose.rawValue) to \(lead)", "lead": lead])
        }
    }

    @Test func `marketing mail waits once a second person complains until a person lets it go on, other mail goes`()
        async throws
    {
        let site = try await site()
        try site.take(Self.complaint, about: 1)
        #expect(try stops(site) == [])
        try site.take(Self.complaint, about: 3)
        #expect(try stops(site) == ["marketing mail paused|2 of the last 3 mails"])
        try site.crm.capture(["email": "cleo@customer.example", "first_name": "Cleo"], consents: ["newsletter"])
        try order(.marketing, to: 3, site.crm)
        try order(.transactional, to: 3, site.crm)
        try await site.crm.work()
        let states = {
            try site.crm.rows("SELECT purpose, state, held_by FROM outbox_messages WHERE lead_id = 3 ORDER BY id")
        }
        #expect(try states() == ["marketing|held|kernel", "transactional|sent|"])
        let reason = try #require(try site.crm.value("SELECT reason FROM kernel_stops"))
        #expect(reason.hasPrefix("more than 0.3 % is called spam; marketing mails that wait: 1. "))

        #expect(try site.crm.kernel.write(origin: "cli") { try $0.resumeMarketing(by: "cli") } == 1)
        #expect(try site.crm.kernel.write(origin: "cli") { try $0.resumeMarketing(by: "cli") } == nil)
        try await site.crm.work()
        #expect(try states() == ["marketing|sent|", "transactional|sent|"])
        // What was sent before is not measured again, and one complaint about what came since is no reason.
        try site.take(Self.complaint, about: 1, number: 1)
        try site.take(Self.complaint, about: 4)
        #expect(try stops(site) == [])
        #expect(try site.crm.troubles() == [])
    }

    @Test func `one person alone pauses nothing, whatever the share and however many mails they call spam`()
        async throws
    {
        let site = try await site()
        for id in 1...2 { try site.take(Self.complaint, about: Int64(id)) }
        #expect(try site.crm.rows("SELECT complaints, people_complained FROM mail_health") == ["2|1"])
        try site.crm.kernel.write(origin: "test") { try MarketingPause.beginIfDue(above: 0, $0) }
        #expect(try pauses(site) == [])
        #expect(try stops(site) == ["mail called spam|2 of the last 3 mails"], "a person is told all the same")
        try site.take(Self.complaint, about: 3)
        #expect(try pauses(site) == ["3|3|0.3|"])
    }

    @Test func `leads that were merged are one person, and pause nothing alone`() async throws {
        let site = try await site()
        try site.crm.kernel.write(origin: "cli") { try $0.merge(2, into: 1) }
        for id in [1, 3] { try site.take(Self.complaint, about: Int64(id)) }
        #expect(try site.crm.rows("SELECT sent, complaints, people_complained FROM mail_health") == ["3|2|1"])
        #expect(try pauses(site) == [])
    }

    @Test func `to let it go on settles complaints, and no bounces`() async throws {
        let site = try await site()
        try site.take("hard_bounce/postfix-user-unknown", about: 2)
        for id in [1, 3] { try site.take(Self.complaint, about: Int64(id)) }
        let health = { try site.crm.rows("SELECT sent, hard, complaints, people_complained FROM mail_health") }
        #expect(try health() == ["3|1|2|2"])
        #expect(try site.crm.kernel.write(origin: "cli") { try $0.resumeMarketing(by: "cli") } == 0)
        #expect(try health() == ["3|1|0|0"])
    }

    @Test func `the share is that of the config`() throws {
        func percent(_ text: String) throws -> Double {
            let site = TestKernel.site.replacing("mail: {", with: "mail: {complaints_max: \(text), ")
            return try TestKernel(site: site).kernel.config.site.mail.complaintPercentMax
        }
        #expect(try percent("0.1%") == 0.1)
        #expect(try percent("1 %") == 1)
        #expect(try percent("never") == .infinity)
        #expect(throws: (any Error).self) { try percent("0.3") }
        #expect(try TestKernel().kernel.config.site.mail.complaintPercentMax == 0.3)
    }

    @Test func `never, and a share that is just reached, pause nothing`() async throws {
        let site = try await site()
        for id in [1, 3] { try site.take(Self.complaint, about: Int64(id)) }
        try site.crm.foreign("DELETE FROM mail_pauses")
        try site.crm.kernel.write(origin: "test") { try MarketingPause.beginIfDue(above: .infinity, $0) }
        #expect(try pauses(site) == [])
        try site.crm.kernel.write(origin: "test") { try MarketingPause.beginIfDue(above: 0.4, $0) }
        #expect(try pauses(site) == [], "0.4 % is not more than 0.4 %")
        try site.crm.kernel.write(origin: "test") { try MarketingPause.beginIfDue(above: 0.3, $0) }
        #expect(try pauses(site) == ["2|3|0.3|"])
    }
}
