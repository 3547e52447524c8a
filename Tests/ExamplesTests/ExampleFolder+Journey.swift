import Foundation
import Testing
import TrellisKernel
import TrellisTesting

/// What happens to a lead from outside while time passes.
extension ExampleFolder {
    /// Lets time pass, and does everything at the moment it is due, as a program does that runs all the while.
    func live(until time: String) async throws {
        let end = try #require(Timestamp.date(time))
        try await work()
        while clock.now < end {
            let next = try rows(
                """
                SELECT min(at) FROM (SELECT min(due_at) AS at FROM scheduled_events UNION ALL
                                     SELECT min(ready_at) FROM outbox_messages WHERE state = 'waiting')
                """
            ).first.flatMap { Timestamp.date($0) }
            // What cannot be done now, such as a mail that is held up, is tried again within the hour.
            clock.set(Timestamp.text(min(next.map { $0 > clock.now ? $0 : clock.now + 3600 } ?? end, end)))
            try await work()
        }
    }

    /// `template 2026-03-02 11:00` of each mail a lead got, in order.
    func post(_ lead: Int64 = 1) throws -> [String] {
        try rows(
            """
            SELECT template || ' ' || strftime('%Y-%m-%d %H:%M', settled_at) FROM outbox_messages
            WHERE lead_id = \(lead) AND state = 'sent' AND purpose <> 'internal' ORDER BY settled_at, id
            """)
    }

    /// `sequence|cycle|state|reason`, in the order in which they began.
    func enrolments(_ lead: Int64 = 1) throws -> [String] {
        try rows("SELECT sequence, cycle, state, reason FROM drip_enrolments WHERE lead_id = \(lead) ORDER BY id")
    }

    /// `kind|due|state` of the tasks about a lead.
    func tasks(_ lead: Int64 = 1) throws -> [String] {
        try rows(
            """
            SELECT kind, strftime('%Y-%m-%d %H:%M', due_at), state FROM drip_tasks WHERE lead_id = \(lead) ORDER BY id
            """)
    }

    /// What is still to come for a lead: nothing, after every way out.
    func pending(_ lead: Int64 = 1) throws -> [String] {
        try rows(
            """
            SELECT sequence FROM drip_enrolments WHERE lead_id = \(lead) AND state = 'active'
            UNION ALL SELECT key FROM outbox_messages WHERE lead_id = \(lead) AND state IN ('waiting', 'sending', 'inflight')
            UNION ALL SELECT kind FROM drip_tasks WHERE lead_id = \(lead) AND state = 'open'
            """)
    }

    /// The lead follows a link of a mail it got.
    func click(_ mail: String, lead: Int64 = 1) throws {
        try kernel.write(origin: "mail-hits") {
            try $0.emit(
                "mail.clicked",
                forEach: """
                    SELECT lead_id, NULL AS cause_id, json_object('mail', template, 'message_id', id) AS body
                    FROM outbox_messages WHERE lead_id = :lead AND template = :mail AND state = 'sent'
                    """, arguments: ["lead": lead, "mail": mail])
        }
    }

    /// A command of a plugin, as in the shell: its rows or its sentence.
    @discardableResult
    func command(_ path: String, _ arguments: String..., options: [String: String] = [:]) throws -> [String] {
        let command = try #require(
            kernel.plugins.flatMap { $0.commands }.first { $0.path.joined(separator: " ") == path })
        switch try command(CommandCall(kernel: kernel, arguments: arguments, options: options)) {
        case .table(let table), .tableWithNote(let table, _):
            return table.rows.map { row in row.map { $0.text ?? "" }.joined(separator: "|") }
        case .text(let sentence): return [sentence]
        case .page(let name, _): return [name]
        }
    }

    /// Another program changes the file.
    func foreign(_ sql: String) throws {
        try SQLConnection(path: kernel.config.databasePath, access: .write).run(sql) { _ in true }
    }
}

/// A way out of a sequence that is not an activity of the config.
enum WayOut: String, CaseIterable {
    case reply, bounce, unsubscribed
}

extension ExampleFolder {
    /// The lead answers the last mail it got, its mailbox turns out to be gone, or it wants no more.
    func leave(by way: WayOut, lead: Int64 = 1) throws {
        let address = try #require(try rows("SELECT email FROM leads WHERE id = \(lead)").first)
        if way == .unsubscribed {
            return try kernel.write(origin: "web") {
                try $0.db.execute(
                    sql: "INSERT INTO suppressions (email, reason, origin, at) VALUES (?, 'unsubscribed', 'web', ?)",
                    arguments: [address, $0.stamp])
            }
        }
        let mail = try #require(transport.sent.last { $0.recipient == address })
        let identity = try #require(
            mail.source.split(separator: "\r\n").first { $0.lowercased().hasPrefix("message-id:") })
        let reference = String(identity.dropFirst("message-id:".count)).trimmingCharacters(in: .whitespaces)
        let returned = way == .reply ? Self.reply(reference, from: address) : Self.bounce(reference, of: address)
        let filed = try Mailroom(kernel).take(Array(returned.utf8))
        #expect(filed.kind == (way == .reply ? .reply : .hardBounce))
    }

    private static func reply(_ reference: String, from address: String) -> String {
        """
        From: \(address)
        Subject: Re: your mail
        Message-ID: <answer@customer.example>
        In-Reply-To: \(reference)

        Please ring me on Thursday.
        """
    }

    /// A delivery status notification (RFC 3464).
    private static func bounce(_ reference: String, of address: String) -> String {
        """
        From: MAILER-DAEMON@mx.example
        Subject: Undelivered Mail Returned to Sender
        Message-ID: <bounce@mx.example>
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="part"

        --part
        Content-Type: text/plain

        There is no such mailbox.

        --part
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example

        Final-Recipient: rfc822; \(address)
        Action: failed
        Status: 5.1.1

        --part
        Content-Type: text/rfc822-headers

        Message-ID: \(reference)

        --part--
        """
    }
}
