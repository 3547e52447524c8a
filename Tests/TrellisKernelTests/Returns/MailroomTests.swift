import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// A CRM that has sent Ann one mail.
struct ReturnsSite {
    let crm: TestKernel
    let mailroom: Mailroom

    /// - Parameter returns: whether each mail has its own return address.
    init(returns: Bool = true, purpose: MessagePurpose = .marketing, recipient: String? = nil) async throws {
        crm = try TestKernel(
            site: returns
                ? TestKernel.site.replacing("mail: {", with: "mail: {returns: bounces@acme.example, ")
                : TestKernel.site,
            files: [
                "mails/welcome.md":
                    "---\nsubject: Welcome, {{first_name}}\npurpose: marketing\n---\nHello {{first_name}}.\n"
            ])
        mailroom = Mailroom(crm.kernel)
        try crm.capture(["email": "ann@customer.example", "first_name": "Ann"], consents: ["newsletter"])
        try await send("first", purpose, recipient)
        #expect(try crm.value("SELECT state FROM outbox_messages") == "sent")
    }

    func send(_ key: String, _ purpose: MessagePurpose = .marketing, _ recipient: String? = nil) async throws {
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                purpose,
                forEach:
                    "SELECT :key AS key, 1 AS lead_id, :to AS recipient, 'welcome' AS template, '{}' AS body, NULL AS cause_id",
                arguments: ["key": key, "to": recipient])
        }
        try await crm.work()
    }

    func returnAddress(_ id: Int64 = 1) throws -> String {
        try #require(BounceAddress(config: crm.kernel.config) ?? BounceAddress(config: strangers)).address(for: id)
    }

    /// Where the site has no return addresses, the corpus needs one all the same.
    private var strangers: Config {
        var config = crm.kernel.config
        config.site.mail.returns = "bounces@acme.example"
        config.site.site.secret = "the secret of somebody else"
        return config
    }

    func messageID(_ id: Int64 = 1) throws -> String {
        let key = try #require(try crm.value("SELECT key FROM outbox_messages WHERE id = \(id)"))
        return MessageIdentity(config: crm.kernel.config).text(of: id, key: key) + "@acme.example"
    }

    /// A mail of the corpus about a message of ours.
    func mail(
        _ name: String, about id: Int64 = 1, returnAddress: String? = nil, messageID: String? = nil, number: Int = 0
    ) throws -> [UInt8] {
        let mail = try #require(CorpusMail.named(name), "there is no \(name)")
        return try mail.bytes(
            returnAddress: returnAddress ?? self.returnAddress(id), messageID: messageID ?? self.messageID(id))
            + Array("\nX\(number)".utf8)
    }

    @discardableResult
    func take(_ name: String, about id: Int64 = 1, number: Int = 0) throws -> Mailroom.Filed {
        try mailroom.take(mail(name, about: id, number: number))
    }

    var suppressions: [String] {
        get throws { try crm.rows("SELECT email, reason, origin FROM suppressions ORDER BY id") }
    }

    var facts: [String] {
        get throws {
            try crm.rows(
                """
                SELECT kind, lead_id, body FROM events
                WHERE kind IN ('mail.bounced', 'mail.complained', 'mail.replied', 'lead.unsubscribed', 'suppression.lapsed') ORDER BY id
                """)
        }
    }

    static let hard = #"mail.bounced|1|{"class":"hard","mail":"welcome","message_id":1}"#
    static let soft = #"mail.bounced|1|{"class":"soft","mail":"welcome","message_id":1}"#
}

@Suite struct MailroomTests {
    // MARK: - Every format

    @Test(arguments: [true, false])
    func `each mail of the corpus is believed where it can be proved`(returns: Bool) async throws {
        let site = try await ReturnsSite(returns: returns)
        for mail in CorpusMail.all {
            let bytes = try mail.bytes(returnAddress: site.returnAddress(), messageID: site.messageID())
            let filed = try site.mailroom.look(bytes)
            #expect(filed.kind == mail.kind, "\(mail)")
            let needsMessage = ![.unknown, .automaticReply, .notice, .unsubscribe].contains(mail.kind)
            if needsMessage { #expect(filed.messageID == 1, "\(mail)") }
        }
        #expect(try site.crm.rows("SELECT * FROM mail_returns") == [])
    }

    // MARK: - Bounces

    @Test func `a hard bounce suppresses the address at once, and stops what waits`() async throws {
        let site = try await ReturnsSite()
        let filed = try site.take("hard_bounce/postfix-user-unknown")
        #expect(filed == Mailroom.Filed(kind: .hardBounce, messageID: 1, leadID: 1, status: "5.1.1", isNew: true))
        #expect(try site.suppressions == ["ann@customer.example|bounced|mail-in"])
        #expect(try site.facts == [#"lead.unsubscribed|1|{"reason":"bounced"}"#, ReturnsSite.hard])
        #expect(
            try site.crm.rows(
                "SELECT kind, message_id, lead_id, known_by, status, diagnostic, raw, at FROM mail_returns") == [
                    "hard_bounce|1|1|return_address|5.1.1|smtp; 550 5.1.1 … Recipient address rejected: User unknown in virtual mailbox table||2026-03-02 09:00:00.000"
                ])
        try await site.send("second")
        try await site.send("third", .transactional)
        #expect(
            try site.crm.rows("SELECT state, reason FROM outbox_messages ORDER BY id") == [
                "sent|", "cancelled|the address is suppressed", "cancelled|the address is suppressed",
            ])
        #expect(try site.crm.troubles() == [])
    }

    @Test func `the same mail twice is one bounce, and so is a second report about the message`() async throws {
        let site = try await ReturnsSite()
        try site.take("hard_bounce/postfix-user-unknown")
        #expect(try site.take("hard_bounce/postfix-user-unknown").isNew == false)
        #expect(try site.mailroom.look(site.mail("hard_bounce/postfix-user-unknown")).isNew == false)
        #expect(try site.crm.rows("SELECT kind FROM mail_returns") == ["hard_bounce"])
        #expect(try site.take("hard_bounce/sendmail-user-unknown").isNew)
        #expect(try site.facts.filter { $0.hasPrefix("mail.") } == [ReturnsSite.hard])
        #expect(try site.suppressions.count == 1)
    }

    @Test func `a bounce whose return address was made up does nothing, whatever else it says`() async throws {
        let site = try await ReturnsSite()
        let real = try site.returnAddress()
        let flipped = real.replacing(/.@/) { $0.output == "0@" ? "1@" : "0@" }
        #expect(flipped != real)
        for made in [flipped, "bounces@acme.example", "hello@acme.example", try site.returnAddress(2)] {
            let mail = try site.mail("hard_bounce/postfix-user-unknown", returnAddress: made)
            #expect(try site.mailroom.take(mail).kind == .unknown, "\(made)")
        }
        #expect(try site.suppressions == [])
        #expect(try site.facts == [])
        #expect(
            try site.crm.rows("SELECT DISTINCT kind, message_id, lead_id, known_by FROM mail_returns") == ["unknown|||"]
        )
    }

    @Test func `the address the mail server hands over is proof as well`() async throws {
        let site = try await ReturnsSite()
        let mail = try site.mail("hard_bounce/postfix-user-unknown", returnAddress: "hello@acme.example")
        #expect(try site.mailroom.take(mail, recipient: site.returnAddress().uppercased()).kind == .hardBounce)
    }

    @Test func `without return addresses the identity of the mail is proof, if the report is about its recipient`()
        async throws
    {
        let site = try await ReturnsSite(returns: false)
        let mail = try site.mail("hard_bounce/postfix-user-unknown")
        let other = String(decoding: mail, as: UTF8.self).replacing(
            "2; ann@customer.example", with: "2; bob@customer.example"
        )
        .replacing("2;ann@customer.example", with: "2; bob@customer.example")
        #expect(try site.mailroom.take(Array(other.utf8)).kind == .unknown)
        let made = try site.mail("hard_bounce/postfix-user-unknown", messageID: "1.0123456789abcdef@acme.example")
        #expect(try site.mailroom.take(made).kind == .unknown)
        #expect(try site.suppressions == [])
        #expect(try site.mailroom.take(mail).kind == .hardBounce)
        #expect(try site.crm.rows("SELECT known_by FROM mail_returns WHERE kind = 'hard_bounce'") == ["message_id"])
    }

    @Test func `what is suppressed is the address the mail went to, not the one the lead has now`() async throws {
        let site = try await ReturnsSite()
        try site.crm.foreign("UPDATE leads SET email = 'ann@elsewhere.example' WHERE id = 1")
        try site.take("hard_bounce/postfix-user-unknown")
        #expect(try site.suppressions == ["ann@customer.example|bounced|mail-in"])
        try await site.send("second")
        #expect(try site.crm.value("SELECT state FROM outbox_messages WHERE key = 'second'") == "sent")
    }

    @Test func `a refusal for what we are, a delay and a delivery change nothing`() async throws {
        let site = try await ReturnsSite()
        for name in ["blocked/postfix-spamhaus", "notice/postfix-greylisted", "notice/postfix-delivered"] {
            try site.take(name)
        }
        #expect(try site.crm.rows("SELECT kind, lead_id FROM mail_returns") == ["blocked|1", "notice|1", "notice|1"])
        #expect(try site.suppressions == [])
        #expect(try site.facts == [])
    }

    @Test func `mail to the house that bounces is a stop, and says nothing about the lead`() async throws {
        let site = try await ReturnsSite(purpose: .internal, recipient: "rep@acme.example")
        try site.take("hard_bounce/postfix-user-unknown")
        #expect(try site.suppressions == [])
        #expect(try site.facts == [])
        #expect(try site.crm.rows("SELECT lead_id, message_id FROM mail_returns") == ["|1"])
        #expect(
            try site.crm.rows("SELECT stop, subject, reason FROM kernel_stops") == [
                "mail to the house came back|first|smtp; 550 5.1.1 … Recipient address rejected: User unknown in virtual mailbox table; correct the address in the config"
            ])
        try await site.send("second", .internal, "new.rep@acme.example")
        #expect(try site.crm.troubles() == [])
    }

    // MARK: - Soft bounces

    @Test func `soft bounces on three days let an address rest for thirty`() async throws {
        let site = try await ReturnsSite()
        for number in 1...3 {
            try site.take("soft_bounce/postfix-mailbox-full", number: number)
            #expect(try site.suppressions.count == (number == 3 ? 1 : 0))
            if number < 3 { site.crm.clock.advance(by: "2 days") }
        }
        #expect(try site.suppressions == ["ann@customer.example|bounced|mail-in:soft"])
        #expect(try site.facts == [ReturnsSite.soft, #"lead.unsubscribed|1|{"reason":"bounced"}"#])
        site.crm.clock.advance(by: "29 days")
        try site.crm.pump()
        #expect(try site.suppressions.count == 1)
        site.crm.clock.advance(by: "1 day")
        try site.crm.pump()
        #expect(try site.suppressions == [])
        #expect(try site.facts.last == #"suppression.lapsed|1|{"suppression_id":1}"#)
        try await site.send("second")
        #expect(try site.crm.value("SELECT state FROM outbox_messages WHERE key = 'second'") == "sent")
        #expect(try site.crm.troubles() == [])
    }

    @Test func `three on one day do not, nor do three within fifteen days`() async throws {
        let site = try await ReturnsSite()
        for number in 1...3 { try site.take("soft_bounce/postfix-mailbox-full", number: number) }
        #expect(try site.suppressions == [])
        site.crm.clock.advance(by: "7 days")
        try site.take("soft_bounce/postfix-mailbox-full", number: 4)
        site.crm.clock.advance(by: "8 days")
        try site.take("soft_bounce/postfix-mailbox-full", number: 5)
        #expect(try site.suppressions == [])
    }

    @Test func `an address that turns out to be dead while it rests stays suppressed`() async throws {
        let site = try await ReturnsSite()
        for number in 1...3 {
            try site.take("soft_bounce/postfix-mailbox-full", number: number)
            site.crm.clock.advance(by: "1 day")
        }
        try site.take("hard_bounce/postfix-user-unknown")
        #expect(try site.suppressions == ["ann@customer.example|bounced|mail-in"])
        site.crm.clock.advance(by: "60 days")
        try site.crm.pump()
        #expect(try site.suppressions == ["ann@customer.example|bounced|mail-in"])
    }

    // MARK: - People

    @Test func `a complaint suppresses at once`() async throws {
        let site = try await ReturnsSite()
        #expect(try site.take("complaint/aol-arf").kind == .complaint)
        #expect(try site.suppressions == ["ann@customer.example|complained|mail-in"])
        #expect(
            try site.facts == [
                #"lead.unsubscribed|1|{"reason":"complained"}"#,
                #"mail.complained|1|{"mail":"welcome","message_id":1}"#,
            ])
        #expect(try site.crm.rows("SELECT kind FROM mail_returns") == ["complaint"])
        #expect(try site.crm.troubles() == [])
    }

    @Test func `that a mail is no spam is no complaint`() async throws {
        let site = try await ReturnsSite()
        #expect(try site.take("notice/arf-not-spam").kind == .notice)
        #expect(try site.suppressions == [])
        #expect(try site.facts == [])
    }

    @Test(arguments: CorpusMail.all.filter { $0.kind == .automaticReply })
    func `an automatic reply is neither a bounce nor a reply`(mail: CorpusMail) async throws {
        let site = try await ReturnsSite()
        let bytes = try mail.bytes(returnAddress: site.returnAddress(), messageID: site.messageID())
        #expect(try site.mailroom.take(bytes).kind == .automaticReply)
        #expect(try site.suppressions == [])
        #expect(try site.facts == [])
    }

    @Test func `each reply is a fact and nothing else`() async throws {
        let site = try await ReturnsSite()
        try site.take("reply/plain", number: 1)
        try site.take("reply/plain", number: 2)
        #expect(try site.take("reply/plain", number: 2).isNew == false)
        let fact = #"mail.replied|1|{"mail":"welcome","message_id":1}"#
        #expect(try site.facts == [fact, fact])
        #expect(try site.suppressions == [])
        #expect(try site.crm.rows("SELECT DISTINCT raw FROM mail_returns") == [""])
    }

    @Test func `a reply to a mail of another sender is unknown`() async throws {
        let site = try await ReturnsSite()
        let mail = try site.mail("reply/plain", messageID: "1.0123456789abcdef@acme.example")
        #expect(try site.mailroom.take(mail).kind == .unknown)
        #expect(try site.facts == [])
    }

    @Test func `a person may leave by mail, known by our mail or by their address`() async throws {
        for name in ["by-subject", "by-address", "apple-mail", "arf-opt-out"] {
            let site = try await ReturnsSite()
            #expect(try site.take("unsubscribe/\(name)").kind == .unsubscribe)
            #expect(try site.suppressions == ["ann@customer.example|unsubscribed|mail-in"])
            #expect(try site.facts == [#"lead.unsubscribed|1|{"reason":"unsubscribed"}"#])
        }
        let site = try await ReturnsSite()
        try site.crm.foreign("UPDATE leads SET email = 'bob@customer.example'")
        #expect(try site.take("unsubscribe/by-subject").kind == .unknown)
    }

    // MARK: - The file

    @Test func `nothing is written when the transaction fails`() async throws {
        let site = try await ReturnsSite()
        try site.crm.foreign(
            "CREATE TRIGGER stop BEFORE INSERT ON events WHEN NEW.kind = 'mail.bounced' BEGIN SELECT RAISE(ABORT, 'stop'); END"
        )
        #expect(throws: (any Error).self) { try site.take("hard_bounce/postfix-user-unknown") }
        #expect(try site.suppressions == [])
        #expect(try site.crm.rows("SELECT * FROM mail_returns") == [])
        try site.crm.foreign("DROP TRIGGER stop")
        #expect(try site.take("hard_bounce/postfix-user-unknown").isNew)
        #expect(try site.suppressions.count == 1)
    }

    @Test func `a lead that was merged is the one that stayed, and one that is gone is none`() async throws {
        let site = try await ReturnsSite()
        let kept = try site.crm.capture(["email": "ann@elsewhere.example"])
        try site.crm.kernel.write(origin: "test") { try $0.merge(1, into: kept) }
        #expect(try site.take("soft_bounce/postfix-mailbox-full").leadID == kept)
        #expect(try site.take("hard_bounce/qmail-no-mailbox").leadID == kept)
        #expect(try site.crm.troubles() == [])
        try site.crm.foreign("DELETE FROM leads")
        #expect(try site.take("hard_bounce/postfix-user-unknown").leadID == nil)
        #expect(try site.facts.filter { $0.contains("hard") }.count == 1)
        #expect(try site.suppressions == ["ann@customer.example|bounced|mail-in"])
    }

    @Test func `too many bounces, refusals or complaints are stops`() async throws {
        let site = try await ReturnsSite()
        try site.crm.foreign(
            """
            INSERT INTO outbox_messages (id, key, origin, lead_id, template, state, ready_at, created_at, settled_at)
            WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
            SELECT i, 'k' || i, 'test', 1, 'welcome', 'sent', '2026-03-02', '2026-03-02', '2026-03-02' FROM n
            """)
        try site.crm.foreign(
            """
            INSERT INTO events (kind, lead_id, origin, at, body)
            SELECT 'mail.sent', 1, 'kernel', '2026-03-02', json_object('message_id', id) FROM outbox_messages WHERE id > 1 ORDER BY id
            """)
        func returned(_ kind: String, _ range: ClosedRange<Int>) throws {
            for id in range {
                try site.crm.foreign(
                    "INSERT INTO mail_returns (digest, kind, message_id, at) VALUES ('\(kind)\(id)', '\(kind)', \(id), '2026-03-02')"
                )
            }
        }
        let stops = { try site.crm.rows("SELECT stop, subject FROM kernel_stops ORDER BY stop") }
        try returned("hard_bounce", 576...600)
        try returned("blocked", 301...325)
        try returned("complaint", 101...101)
        // Before the last 500.
        try returned("complaint", 2...50)
        #expect(try stops() == [])
        try returned("hard_bounce", 575...575)
        try returned("blocked", 326...326)
        try returned("complaint", 600...600)
        #expect(
            try stops() == [
                "mail blocked|26 of the last 500 mails", "mail called spam|2 of the last 500 mails",
                "mail to nobody|26 of the last 500 mails",
            ])
        #expect(
            try site.crm.rows("SELECT domain, sent, hard, blocked, complaints, hard_percent FROM mail_bounces") == [
                "customer.example|600|26|26|51|4.33"
            ])
    }

    @Test func `an address that is mailed after its bounce breaks a promise`() async throws {
        let site = try await ReturnsSite()
        try site.take("hard_bounce/postfix-user-unknown")
        try site.crm.foreign("UPDATE outbox_messages SET purpose = 'transactional', leased_at = '2026-03-03'")
        #expect(
            try site.crm.troubles() == [
                "nothing was sent to an address after it bounced or complained: id 1, reason bounced"
            ])
    }
}
