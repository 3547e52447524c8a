import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Gate: Plugin {
    static let name = "gate"
    static let summary = "Stops a mail, and sends another instead of one."
    init(settings: NoSettings) {}
    var hooks: [any Hook] {
        Filter("look", MessageDraft.self) { draft, _ in
            if draft.values["company"] == "Rival" { throw Veto("not to rivals") }
            if draft.template == "old" { draft.template = "welcome" }
        }
    }
}

@Suite struct CourierTests {
    private static let files = [
        "mails/welcome.md": "---\nsubject: Welcome, {{first_name}}\npurpose: marketing\n---\nHello {{first_name}}.\n",
        "mails/receipt.md": "---\nsubject: Your receipt\npurpose: transactional\n---\nThank you.\n",
        "mails/briefing.md": "---\nsubject: A lead for you\npurpose: transactional\n---\nCall {{email}}.\n",
    ]

    private func crm(_ yaml: String = "", plugins: [any Plugin.Type] = [], consents: [String] = ["newsletter"]) throws
        -> TestKernel
    {
        let crm = try TestKernel(yaml, plugins: plugins, files: Self.files)
        try crm.capture(["email": "ann@acme.example", "first_name": "Ann"], consents: consents)
        return crm
    }

    private func order(
        _ crm: TestKernel, _ template: String = "welcome", _ purpose: MessagePurpose = .marketing, key: String = "k",
        to recipient: String? = nil
    ) throws {
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                purpose,
                forEach:
                    "SELECT :key AS key, 1 AS lead_id, :to AS recipient, :template AS template, '{}' AS body, 1 AS cause_id",
                arguments: ["key": key, "to": recipient, "template": template])
        }
    }

    private func states(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT state, reason FROM outbox_messages ORDER BY id")
    }

    // MARK: - Sent

    @Test func `a message is sent once, and is a fact`() async throws {
        let crm = try crm()
        try order(crm)
        try await crm.work()
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["ann@acme.example"])
        #expect(crm.transport.sent.map(\.subject) == ["Welcome, Ann"])
        #expect(
            try crm.rows("SELECT state, attempts, lease, settled_at FROM outbox_messages") == [
                "sent|1||2026-03-02 09:00:00.000"
            ])
        #expect(
            try crm.rows("SELECT kind, lead_id, cause_id, body FROM events WHERE kind LIKE 'mail.%'") == [
                #"mail.sent|1|1|{"mail":"welcome","message_id":1}"#
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `the same intent is one message`() async throws {
        let crm = try crm()
        for _ in 1...3 { try order(crm) }
        try await crm.work()
        try order(crm)
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
    }

    @Test func `a mail is made from the lead as it is when it is sent`() async throws {
        let crm = try crm()
        try order(crm)
        try crm.foreign("UPDATE leads SET first_name = 'Anna', email = 'anna@acme.example'")
        try await crm.work()
        #expect(crm.transport.sent.map { "\($0.recipient) \($0.subject)" } == ["anna@acme.example Welcome, Anna"])
    }

    @Test func `two couriers do not send one message twice`() async throws {
        let crm = try crm()
        for number in 1...250 { try order(crm, key: "k\(number)") }
        let (ours, theirs) = (RecordingTransport(), RecordingTransport())
        let second = Courier(crm.kernel, transport: theirs)
        // The second claims while the first holds a hundred, of which each is about to go.
        let first = Courier(
            crm.kernel, transport: Interrupted(recording: ours) { _ = try await second.round() })
        try await first.runUntilIdle()
        #expect(ours.sent.count == 100 && theirs.sent.count == 150)
        #expect(Set((ours.sent + theirs.sent).map(\.stableID)).count == 250)
    }

    /// A transport in the middle of whose sending something else happens.
    private struct Interrupted: Transport {
        let name = "mail"
        let isIdempotent = false
        let recording: RecordingTransport
        let meanwhile: @Sendable () async throws -> Void

        func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
            await #expect(throws: Never.self) { try await meanwhile() }
            return await recording.send(message, handingOver: handingOver)
        }
    }

    // MARK: - Not yet, never, nobody knows

    @Test func `a message that cannot go now goes later, with the same bytes`() async throws {
        let crm = try crm()
        crm.transport.answer { _ in .retry(because: "451 try later") }
        try order(crm)
        var waits: [Double] = []
        for attempt in 1...6 {
            try await crm.work()
            #expect(crm.transport.sent.count == attempt)
            let ready = try #require(Timestamp.date(try crm.value("SELECT ready_at FROM outbox_messages") ?? ""))
            waits.append(ready.timeIntervalSince(crm.clock.now))
            try await crm.work()
            #expect(crm.transport.sent.count == attempt, "too early")
            crm.clock.set(Timestamp.text(ready))
        }
        for (wait, base) in zip(waits, [60.0, 300, 1500, 7500, 14_400, 14_400]) {
            #expect(wait >= base * 0.8 && wait <= base * 1.2)
        }
        #expect(try states(crm) == ["waiting|451 try later"])
        crm.transport.answer { _ in .sent }
        try crm.foreign("UPDATE leads SET first_name = 'Other'")
        try await crm.work()
        #expect(Set(crm.transport.sent.map(\.bytes)).count == 1 && Set(crm.transport.sent.map(\.stableID)).count == 1)
        #expect(try states(crm) == ["sent|"])
    }

    @Test func `after five days it has failed`() async throws {
        let crm = try crm()
        crm.transport.answer { _ in .retry(because: "no route") }
        try order(crm)
        for _ in 1...RetrySchedule.attemptsMax {
            try await crm.work()
            crm.clock.advance(by: "5 hours")
        }
        #expect(try states(crm) == ["failed|no route"])
        #expect(crm.transport.sent.count == RetrySchedule.attemptsMax)
        #expect(try crm.rows("SELECT stop, subject, reason FROM kernel_stops") == ["mail failed|k|no route"])
        #expect((1...31).map { RetrySchedule.wait(after: $0, messageID: 1) }.reduce(0, +) > 4 * 86_400)
    }

    @Test func `a refusal is final, and is a fact`() async throws {
        let crm = try crm()
        crm.transport.answer { _ in .refused(because: "550 no such user") }
        try order(crm)
        try await crm.work()
        crm.clock.advance(by: "10 days")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        #expect(try states(crm) == ["refused|550 no such user"])
        #expect(try crm.events().last == "mail.refused")
    }

    @Test func `a lost reply is unknown until a person decides`() async throws {
        let crm = try crm()
        crm.transport.answer { _ in .unknown(because: "the connection broke after the final dot") }
        for key in ["a", "b"] { try order(crm, key: key) }
        try await crm.work()
        crm.transport.answer { _ in .sent }
        crm.clock.advance(by: "10 days")
        try await crm.work()
        #expect(crm.transport.sent.count == 2)
        #expect(try crm.rows("SELECT stop FROM kernel_stops") == ["mail unknown", "mail unknown"])
        let decided = try crm.kernel.write(origin: "cli") {
            [
                try $0.resolveUnknown(1, resend: false), try $0.resolveUnknown(2, resend: true),
                try $0.resolveUnknown(1, resend: true),
            ]
        }
        #expect(decided == [true, true, false])
        try await crm.work()
        #expect(crm.transport.sent.count == 3 && crm.transport.sent[2].stableID == crm.transport.sent[1].stableID)
        #expect(try crm.rows("SELECT state FROM outbox_messages") == ["sent", "sent"])
        #expect(try crm.troubles() == [])
    }

    @Test func `mail that somebody waits for is sent once more, and then a person decides`() async throws {
        let crm = try crm()
        crm.transport.answer { _ in .unknown(because: "the reply was lost") }
        try order(crm, "welcome", .transactional)
        try await crm.work()
        #expect(try states(crm) == ["waiting|the reply was lost: it is sent once more"])
        #expect(try crm.rows("SELECT stop FROM kernel_stops") == [])
        crm.clock.advance(by: "14 minutes")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        crm.clock.advance(by: "1 minute")
        try await crm.work()
        #expect(crm.transport.sent.count == 2)
        #expect(Set(crm.transport.sent.map(\.stableID)).count == 1)
        #expect(try states(crm) == ["unknown|the reply was lost"])
        crm.clock.advance(by: "10 days")
        try await crm.work()
        #expect(crm.transport.sent.count == 2)
        #expect(try crm.rows("SELECT stop FROM kernel_stops") == ["mail unknown"])
        #expect(try crm.rows("SELECT resends FROM outbox_messages") == ["1"])
    }

    // MARK: - A crash

    /// As the process left it: claimed, and handed over or not.
    private func crashed(_ crm: TestKernel, _ state: String) throws {
        try order(crm)
        try crm.foreign(
            "UPDATE outbox_messages SET state = '\(state)', lease = 'of the dead', leased_at = ready_at, attempts = 1")
    }

    @Test(arguments: [
        ("sending", false, "waiting|"), ("sending", true, "waiting|"), ("inflight", true, "waiting|"),
        ("inflight", false, "unknown|the process stopped while it was handed over"),
    ])
    func `a crash in the middle is healed only where sending again is harmless`(
        _ state: String, _ isIdempotent: Bool, _ expected: String
    ) async throws {
        let crm = try crm()
        try crashed(crm, state)
        let transport = RecordingTransport(isIdempotent: isIdempotent)
        let courier = Courier(crm.kernel, transport: transport)
        try await courier.runUntilIdle()
        #expect(transport.sent.isEmpty, "it belongs to another")
        try courier.recover()
        #expect(try states(crm) == [expected])
        try await courier.runUntilIdle()
        #expect(transport.sent.count == (expected == "waiting|" ? 1 : 0))
    }

    @Test func `mail that somebody waits for outlives a crash, later`() async throws {
        let crm = try crm()
        try crashed(crm, "inflight")
        try crm.foreign("UPDATE outbox_messages SET purpose = 'transactional'")
        let courier = Courier(crm.kernel, transport: crm.transport)
        try courier.recover()
        #expect(try states(crm) == ["waiting|the process stopped while it was handed over: it is sent once more"])
        try await courier.runUntilIdle()
        #expect(crm.transport.sent.isEmpty)
        crm.clock.advance(by: "15 minutes")
        try await courier.runUntilIdle()
        #expect(crm.transport.sent.count == 1)
        try crm.foreign("UPDATE outbox_messages SET state = 'inflight', lease = 'of the dead', settled_at = NULL")
        try courier.recover()
        #expect(try states(crm) == ["unknown|the process stopped while it was handed over"])
    }

    @Test func `whoever lost the lease settles nothing`() async throws {
        let crm = try crm()
        try order(crm)
        let kernel = crm.kernel
        crm.transport.answer { _ in
            // While this courier waits for the reply, another process took over.
            try? kernel.write(origin: "test") { try $0.db.execute(sql: "UPDATE outbox_messages SET lease = 'another'") }
            return .sent
        }
        _ = try await Courier(kernel, transport: crm.transport).runUntilIdle()
        #expect(try crm.rows("SELECT state, lease FROM outbox_messages") == ["inflight|another"])
        #expect(try !crm.events().contains("mail.sent"))
    }

    // MARK: - Held and cancelled

    @Test func `a mail with a gap is held, not sent`() async throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET first_name = NULL")
        try order(crm)
        try order(crm, "nowhere", key: "k2")
        try await crm.work()
        #expect(crm.transport.sent.isEmpty)
        let reasons = try crm.rows("SELECT reason FROM outbox_messages WHERE state = 'held' ORDER BY id")
        #expect(reasons.count == 2 && reasons[0].contains("first_name") && reasons[1] == "there is no mail 'nowhere'")
    }

    @Test func `a mail to letters other than ASCII before the @ names two ways out, and both work`() async throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET email = 'jürgen@acme.example'")
        try order(crm)
        try await crm.work()
        let reason =
            "To: the part before the @ is not ASCII, and no mail is written for such an address (SMTPUTF8, RFC 6531). Use another."
            + " Correct leads.email, or never mail it again ('trellis suppress ADDRESS'); then 'trellis outbox retry'."
        #expect(try states(crm) == ["held|\(reason)"])
        #expect(try crm.rows("SELECT stop, reason FROM kernel_stops") == ["mail held|\(reason)"])
        let retry = "UPDATE outbox_messages SET state = 'waiting', reason = NULL WHERE state = 'held'"
        try crm.foreign("UPDATE leads SET email = 'juergen@acme.example'")
        try crm.foreign(retry)
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["juergen@acme.example"])

        try crm.foreign("UPDATE leads SET email = 'jörg@acme.example'")
        try order(crm, key: "k2")
        try await crm.work()
        let address = try EmailAddress("jörg@acme.example").address
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('\(address)', 'manual')")
        try crm.foreign(retry)
        try await crm.work()
        #expect(try states(crm) == ["sent|", "cancelled|the address is suppressed"])
    }

    @Test(arguments: [
        ("DELETE FROM leads", "the lead is gone"),
        ("UPDATE leads SET email = NULL, external_id = '1'", "the lead has no e-mail address"),
        (
            "INSERT INTO suppressions (email, reason) VALUES ('ANN@acme.example', 'unsubscribed')",
            "the address is suppressed"
        ),
        ("UPDATE leads SET stage = 'disqualified'", "the lead is disqualified"),
        (
            "INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'newsletter', 'withdrawn')",
            "no consent for newsletter"
        ),
    ])
    func `what happened since it was ordered is asked when it is sent`(_ sql: String, _ reason: String) async throws {
        let crm = try crm()
        try order(crm)
        try crm.foreign(sql)
        try await crm.work()
        #expect(crm.transport.sent.isEmpty)
        #expect(try states(crm) == ["cancelled|\(reason)"])
    }

    @Test func `marketing needs consent, what the lead asked for does not`() async throws {
        let crm = try crm(consents: [])
        try order(crm, key: "a")
        try order(crm, "receipt", .transactional, key: "b")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Your receipt"])
        #expect(try states(crm) == ["cancelled|no consent for newsletter", "sent|"])
    }

    @Test(arguments: [
        ("unsubscribed", "sent|"), ("bounced", "cancelled|the address is suppressed"),
        ("erased", "cancelled|the address is suppressed"),
    ])
    func `what the lead asked for goes unless the address is dead`(_ reason: String, _ expected: String) async throws {
        let crm = try crm()
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann@acme.example', '\(reason)')")
        try order(crm, "receipt", .transactional)
        try await crm.work()
        #expect(try states(crm) == [expected])
    }

    @Test func `a mail of the house goes to its address, whatever the lead says, and is no fact of the lead`()
        async throws
    {
        let crm = try crm(consents: [])
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann@acme.example', 'complained')")
        let before = try crm.lastEvent
        try order(crm, "briefing", .internal, to: "rita@acme.example")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["rita@acme.example"])
        #expect(try crm.events(after: before) == [])
    }

    @Test func `a filter cancels a mail or sends another`() async throws {
        let crm = try crm("plugins: {gate: {}}", plugins: [Gate.self])
        try order(crm, "old", key: "a")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Welcome, Ann"])
        try crm.foreign("UPDATE leads SET company = 'Rival'")
        try order(crm, key: "b")
        try await crm.work()
        #expect(try states(crm) == ["sent|", "cancelled|not to rivals"])
    }
}
