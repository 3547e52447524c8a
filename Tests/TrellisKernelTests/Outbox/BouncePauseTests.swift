import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct BouncePauseTests {
    private static let file = "---\nsubject: News\npurpose: marketing\n---\nNews.\n"

    /// - Parameter most: what the config says under `mail: {bounces_max: …}`; nothing where it is nil.
    private func crm(_ leads: Int, most: String? = nil) throws -> TestKernel {
        let site = most.map { TestKernel.site.replacing("mail: {", with: "mail: {bounces_max: \($0), ") }
        let crm = try TestKernel(site: site ?? TestKernel.site, files: ["mails/news.md": Self.file])
        for number in 1...leads {
            try crm.capture(["email": "l\(number)@acme.example"], consents: ["newsletter"])
        }
        return crm
    }

    /// Mails those leads, and the relay answers so.
    private func mail(
        _ leads: ClosedRange<Int>, _ crm: TestKernel, _ purpose: MessagePurpose = .marketing,
        _ template: String = "news", answer: Delivery
    ) async throws {
        crm.transport.answer { _ in answer }
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                purpose,
                forEach: """
                    SELECT :kind || id || ' after ' || (SELECT count(*) FROM outbox_messages) AS key, id AS lead_id, NULL AS recipient,
                           :template AS template, '{}' AS body, NULL AS cause_id
                    FROM leads WHERE id BETWEEN :first AND :last ORDER BY id
                    """,
                arguments: [
                    "kind": purpose.rawValue, "template": template, "first": leads.lowerBound,
                    "last": leads.upperBound,
                ])
        }
        try await crm.work()
    }

    private func rejections(_ crm: TestKernel) throws -> String? {
        try crm.value("SELECT mails, people_bounced, people_blocked FROM mail_rejections")
    }

    private func pauses(_ crm: TestKernel) throws -> [String] {
        try crm.rows(
            "SELECT cause, complaints, sent, printf('%g', percent_max), people_bounced, people_blocked FROM mail_pauses"
        )
    }

    private static let nobody = Delivery.undeliverable(because: "550 5.1.1 nobody")
    private static let policy = Delivery.blocked(because: "550 5.7.1 not from you")

    @Test func `marketing mail waits once the 26th address is nobody's, until a person lets it go on; other mail goes`()
        async throws
    {
        let crm = try crm(28)
        try await mail(1...25, crm, answer: Self.nobody)
        #expect(try pauses(crm) == [])
        #expect(try crm.troubles() == [])
        try await mail(26...26, crm, answer: Self.nobody)
        #expect(try pauses(crm) == ["bounces|0|26|5|26|0"])
        try await mail(27...27, crm, answer: .sent)
        try await mail(27...27, crm, .transactional, answer: .sent)
        let states = {
            try crm.rows("SELECT purpose, state, held_by, reason FROM outbox_messages WHERE lead_id = 27 ORDER BY id")
        }
        #expect(
            try states() == [
                "marketing|held|kernel|marketing mail is paused: too much of it bounced or was refused",
                "transactional|sent||",
            ])
        #expect(
            try crm.rows("SELECT stop, subject, reason FROM kernel_stops") == [
                "marketing mail paused|26 people of the last 26 marketing mails|more than 5 % bounced or was refused"
                    + " (no such address: 26, refused: 0); marketing mails that wait: 1. Stop mailing the list they came from,"
                    + " check SPF, DKIM and DMARC where it was refused, then 'trellis outbox resume'; transactional mail goes on"
            ])

        #expect(try crm.kernel.write(origin: "cli") { try $0.resumeMarketing(by: "cli") } == 1)
        #expect(try rejections(crm) == "0|0|0")
        try await crm.work()
        #expect(try states() == ["marketing|sent||", "transactional|sent||"])
        // What was sent before is not measured again, and one address is no reason.
        try await mail(28...28, crm, answer: Self.nobody)
        #expect(try rejections(crm) == "2|1|0")
        #expect(try pauses(crm).count == 1)
        #expect(try crm.troubles() == [])
    }

    @Test func `refusals by policy pause it too, counted by people and not by mails`() async throws {
        let crm = try crm(26)
        for _ in 1...2 { try await mail(1...25, crm, answer: Self.policy) }
        #expect(try rejections(crm) == "50|0|25")
        #expect(try pauses(crm) == [])
        try await mail(26...26, crm, answer: Self.policy)
        #expect(try pauses(crm) == ["bounces|0|51|5|0|26"])
        #expect(try crm.rows("SELECT * FROM suppressions") == [], "the addresses are not at fault")
    }

    @Test func `both are counted together, nobody twice, and no other refusal`() async throws {
        let crm = try crm(30)
        try await mail(1...30, crm, answer: .refused(because: "552 5.2.2 full"))
        #expect(try rejections(crm) == "30|0|0")
        try await mail(1...10, crm, answer: Self.policy)
        #expect(try rejections(crm) == "40|0|10")
        try await mail(6...25, crm, answer: Self.nobody)
        #expect(try rejections(crm) == "60|20|5")
        #expect(try pauses(crm) == [])
        try await mail(26...26, crm, answer: Self.policy)
        #expect(try pauses(crm) == ["bounces|0|61|5|20|6"])
        #expect(
            try crm.rows(
                "SELECT body ->> 'class', count(*) FROM events WHERE kind = 'mail.refused' GROUP BY 1 ORDER BY 1")
                == ["blocked|11", "hard|20", "other|30"])
    }

    @Test func `four people pause nothing, whatever the share, and five do`() async throws {
        let crm = try crm(5, most: "0%")
        try await mail(1...4, crm, answer: Self.policy)
        #expect(try pauses(crm) == [])
        try await mail(5...5, crm, answer: Self.nobody)
        #expect(try pauses(crm) == ["bounces|0|5|0|1|4"])
    }

    @Test func `leads that were merged are one person`() async throws {
        let crm = try crm(2)
        try await mail(1...2, crm, answer: Self.policy)
        #expect(try rejections(crm) == "2|0|2")
        try crm.kernel.write(origin: "cli") { try $0.merge(2, into: 1) }
        #expect(try rejections(crm) == "2|0|1")
    }

    @Test func `transactional mail that nobody takes pauses nothing`() async throws {
        let crm = try crm(27)
        try await mail(1...26, crm, .transactional, answer: Self.nobody)
        #expect(try crm.value("SELECT count(*) FROM suppressions") == "26")
        try await mail(27...27, crm, answer: Self.policy)
        #expect(try rejections(crm) == "1|0|1")
        #expect(try pauses(crm) == [])
    }

    @Test
    func
        `nothing pauses under never, nor at a share that is just reached, nor for what came before the last 500 mails`()
        async throws
    {
        let crm = try crm(27, most: "never")
        try await mail(1...26, crm, answer: Self.policy)
        #expect(try pauses(crm) == [])
        try crm.foreign(
            """
            INSERT INTO outbox_messages (id, key, origin, lead_id, template, state, ready_at, created_at, settled_at)
            WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE i < 575)
            SELECT i, 'k' || i, 'test', 27, 'news', 'sent', '2026-03-02', '2026-03-02', '2026-03-02' FROM n
            """)
        try crm.foreign(
            """
            INSERT INTO events (kind, lead_id, origin, at, body)
            SELECT 'mail.sent', 27, 'kernel', '2026-03-02', json_object('message_id', id) FROM outbox_messages WHERE id > 100 ORDER BY id
            """)
        #expect(try rejections(crm) == "500|0|25", "the first of 501 is left out")
        func begin(above percent: Double) throws {
            try crm.kernel.write(origin: "test") { try MarketingPause.beginIfBouncing(above: percent, after: 1, $0) }
        }
        try begin(above: 5)
        #expect(try pauses(crm) == [], "5 % is not more than 5 %")
        for _ in 1...2 { try begin(above: 4.9) }
        #expect(try pauses(crm) == ["bounces|0|500|4.9|0|25"], "once, while it pauses")
    }

    @Test func `bounces that come back later count, of hosts that refused it too`() async throws {
        let site = try await ReturnsSite()
        for number in 2...26 {
            try site.crm.capture(["email": "l\(number)@acme.example", "first_name": "Lee"], consents: ["newsletter"])
        }
        try await mail(2...26, site.crm, .marketing, "welcome", answer: .sent)
        for id in 1...25 { try site.take("hard_bounce/postfix-user-unknown", about: Int64(id), number: id) }
        #expect(try rejections(site.crm) == "26|25|0")
        #expect(try site.crm.rows("SELECT stop FROM kernel_stops") == [])
        try site.take("blocked/postfix-spamhaus", about: 26)
        #expect(try pauses(site.crm) == ["bounces|0|26|5|25|1"])
        let stops = { try site.crm.rows("SELECT stop, subject FROM kernel_stops") }
        // The pause says it already.
        try site.take("hard_bounce/postfix-user-unknown", about: 26, number: 26)
        #expect(try rejections(site.crm) == "26|26|0")
        #expect(try stops() == ["marketing mail paused|26 people of the last 26 marketing mails"])
        #expect(try site.crm.kernel.write(origin: "cli") { try $0.resumeMarketing(by: "cli") } == 0)
        #expect(try stops() == ["mail to nobody|26 of the last 26 mails"])
        try site.take("hard_bounce/postfix-user-unknown", about: 1, number: 27)
        #expect(try rejections(site.crm) == "0|0|0")
        #expect(try pauses(site.crm).count == 1)
    }

    @Test func `the share is that of the config`() throws {
        func percent(_ text: String) throws -> Double {
            let site = TestKernel.site.replacing("mail: {", with: "mail: {bounces_max: \(text), ")
            return try TestKernel(site: site).kernel.config.site.mail.bouncePercentMax
        }
        #expect(try percent("2.5%") == 2.5)
        #expect(try percent("never") == .infinity)
        #expect(throws: (any Error).self) { try percent("5") }
        #expect(try TestKernel().kernel.config.site.mail.bouncePercentMax == 5)
    }
}
