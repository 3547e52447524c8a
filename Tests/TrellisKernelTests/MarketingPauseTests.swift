import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MarketingPauseTests {
    private func stops(_ site: ReturnsSite) throws -> [String] {
        try site.crm.rows("SELECT stop, subject FROM kernel_stops")
    }

    /// A mail of each purpose to Bob.
    private func order(_ crm: TestKernel) throws {
        try crm.capture(["email": "bob@customer.example", "first_name": "Bob"], consents: ["newsletter"])
        try crm.kernel.write(origin: "plugin:test") { tx in
            for purpose in [MessagePurpose.marketing, .transactional] {
                try tx.send(
                    purpose,
                    forEach: """
                        SELECT :key AS key, 2 AS lead_id, NULL AS recipient, 'welcome' AS template, '{}' AS body, NULL AS cause_id
                        """, arguments: ["key": purpose.rawValue])
            }
        }
    }

    @Test func `marketing mail waits after the second complaint until a person lets it go on, other mail goes`()
        async throws
    {
        let site = try await ReturnsSite()
        try await site.send("second")
        try site.take("complaint/fastmail-arf", about: 1)
        #expect(try stops(site) == [])
        try site.take("complaint/fastmail-arf", about: 2)
        #expect(try stops(site) == ["marketing mail paused|2 of the last 2 mails"])
        try order(site.crm)
        try await site.crm.work()
        let states = {
            try site.crm.rows("SELECT key, state, held_by FROM outbox_messages WHERE lead_id = 2 ORDER BY id")
        }
        #expect(try states() == ["marketing|held|kernel", "transactional|sent|"])
        let reason = try #require(try site.crm.value("SELECT reason FROM kernel_stops"))
        #expect(reason.hasPrefix("more than 0.3 % is called spam; marketing mails that wait: 1. "))

        #expect(try site.crm.kernel.write(origin: "cli") { try $0.resumeMarketing(by: "cli") } == 1)
        #expect(try site.crm.kernel.write(origin: "cli") { try $0.resumeMarketing(by: "cli") } == nil)
        try await site.crm.work()
        #expect(try states() == ["marketing|sent|", "transactional|sent|"])
        // What was sent before is not measured again, and one complaint about what came since is no reason.
        try site.take("complaint/fastmail-arf", about: 1, number: 1)
        try site.take("complaint/fastmail-arf", about: 3)
        #expect(try stops(site) == [])
        #expect(try site.crm.troubles() == [])
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
        let site = try await ReturnsSite()
        try await site.send("second")
        for id in 1...2 { try site.take("complaint/fastmail-arf", about: Int64(id)) }
        try site.crm.foreign("DELETE FROM mail_pauses")
        try site.crm.kernel.write(origin: "test") { try MarketingPause.beginIfDue(above: .infinity, $0) }
        #expect(try site.crm.rows("SELECT * FROM mail_pauses") == [])
        try site.crm.kernel.write(origin: "test") { try MarketingPause.beginIfDue(above: 0.4, $0) }
        #expect(try site.crm.rows("SELECT * FROM mail_pauses") == [], "0.4 % is not more than 0.4 %")
        try site.crm.kernel.write(origin: "test") { try MarketingPause.beginIfDue(above: 0.3, $0) }
        #expect(
            try site.crm.rows("SELECT complaints, sent, percent_max, settled_at FROM mail_pauses") == ["2|2|0.3|"])
    }
}
