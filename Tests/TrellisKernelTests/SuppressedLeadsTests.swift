import Testing
import TrellisTesting

@testable import TrellisKernel

/// The view `suppressed_leads`: an address in all the spellings of its mailbox.
@Suite struct SuppressedLeadsTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel()
    }

    private func suppress(_ email: String, _ reason: String = "unsubscribed") throws {
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('\(email)', '\(reason)')")
    }

    /// The addresses that a suppression is about, of those given.
    private func suppressed() throws -> [String] {
        try crm.rows("SELECT email FROM leads WHERE id IN (SELECT lead_id FROM suppressed_leads) ORDER BY id")
    }

    private func mailable() throws -> [String] { try crm.rows("SELECT email FROM mailable_leads ORDER BY id") }

    @Test func `two spellings are two leads, and both are out once the mailbox is`() throws {
        try crm.capture(["email": "A.b+x@Gmail.com"])
        try crm.capture(["email": "ab@gmail.com"])
        #expect(try mailable() == ["A.b+x@gmail.com", "ab@gmail.com"])
        try suppress("ab@gmail.com")
        #expect(try suppressed() == ["A.b+x@gmail.com", "ab@gmail.com"])
        #expect(try mailable() == [])
    }

    static let spellings: [(suppressed: String, lead: String, isOut: Bool)] = [
        // The address itself, in any case.
        ("ann@a.example", "ann@a.example", true), ("ANN@A.EXAMPLE", "ann@a.example", true),
        ("ann@a.example", "Ann@a.example", true), ("ann@a.example", "bob@a.example", false),
        ("ann@a.example", "ann@b.example", false), ("ann@a.example", "joann@a.example", false),
        // Tags, whichever of the two has one.
        ("ann@a.example", "ann+x@a.example", true), ("ann@a.example", "ANN+X+y@a.example", true),
        ("ann+x@a.example", "ann@a.example", true), ("ann+x@a.example", "ann+y@a.example", true),
        ("ann+x@a.example", "ann+x@a.example", true), ("ann+x@a.example", "ann+x@b.example", false),
        ("ann+x@a.example", "anne+x@a.example", false), ("ann@a.example", "+ann@a.example", false),
        ("+ann@a.example", "+ann@a.example", true), ("+ann@a.example", "ann@a.example", false),
        ("ann+@a.example", "ann@a.example", true),
        // Dots count everywhere but at Gmail.
        ("a.nn@a.example", "ann@a.example", false), ("ann@a.example", "a.nn@a.example", false),
        ("ann@gmail.com", "a.n.n@gmail.com", true), ("a.n.n@gmail.com", "ann@gmail.com", true),
        ("an.n+x@gmail.com", "a.nn+y@googlemail.com", true), ("ann@googlemail.com", "ann@gmail.com", true),
        ("ANN@GMAIL.COM", "a.nn@gmail.com", true), ("ann@gmail.com", "ann@gmail.com.example", false),
        ("ann@gmail.com", "ann@mail.gmail.com", false), ("ann@gmail.com", "anna@gmail.com", false),
        ("ann@gmail.com", "ann@agmail.com", false),
    ]

    @Test(arguments: spellings)
    func `a suppression is about every spelling of its mailbox, and about no other`(
        _ suppressed: String, _ lead: String, _ isOut: Bool
    ) throws {
        try crm.foreign("INSERT INTO leads (email) VALUES ('\(lead)')")
        for reason in ["unsubscribed", "complained", "manual"] {
            try suppress(suppressed, reason)
            #expect(try self.suppressed().isEmpty != isOut, "\(reason)")
            #expect(try mailable().isEmpty == isOut, "\(reason)")
            try crm.foreign("DELETE FROM suppressions")
        }
    }

    @Test func `a tagged address that bounces says nothing of the mailbox, unless every host of it knows tags`() throws
    {
        for email in ["ann@a.example", "ann+x@a.example", "ann+y@a.example", "b.ob@gmail.com", "bob+x@gmail.com"] {
            try crm.capture(["email": email])
        }
        try suppress("ann+x@a.example", "bounced")
        #expect(try suppressed() == ["ann+x@a.example"])
        try suppress("bob+y@gmail.com", "bounced")
        #expect(try suppressed() == ["ann+x@a.example", "b.ob@gmail.com", "bob+x@gmail.com"])
        try suppress("ann@a.example", "bounced")
        #expect(try mailable() == [])
    }

    @Test func `a lead has a row for each suppression, once`() throws {
        try crm.capture(["email": "ann+x@a.example"])
        for email in ["ann@a.example", "ann+x@a.example", "ann+y@a.example"] { try suppress(email) }
        try suppress("ann@a.example", "complained")
        #expect(
            try crm.rows("SELECT lead_id, reason, count(*) FROM suppressed_leads GROUP BY 1, 2 ORDER BY 2") == [
                "1|complained|1", "1|unsubscribed|3",
            ])
        #expect(try crm.value("SELECT count(DISTINCT suppression_id) FROM suppressed_leads") == "4")
    }

    @Test func `who has no address, and who was erased, is in nobody's way`() throws {
        try crm.capture(["phone": "+493012345"])
        try crm.capture(["email": "ann@a.example"])
        _ = try Person(email: "ann@a.example").erase(crm.kernel)
        #expect(try crm.rows("SELECT lead_id FROM suppressed_leads") == [])
        #expect(try crm.rows("SELECT mailbox FROM suppressions") == [""])
    }

    @Test func `erasing an address lets nobody back in who was out by it`() throws {
        for email in ["ann@a.example", "ann+x@a.example", "ann+y@a.example", "bob@a.example"] {
            try crm.capture(["email": email])
        }
        try suppress("ann+x@a.example", "complained")
        _ = try Person(email: "ann+x@a.example").erase(crm.kernel)
        #expect(try mailable() == ["bob@a.example"])
        #expect(
            try crm.rows("SELECT email, reason FROM suppressions ORDER BY email") == [
                "|erased", "ann+y@a.example|complained", "ann@a.example|complained",
            ])
        #expect(try !crm.rows("SELECT * FROM suppressions").joined().contains("+x@"))
    }

    @Test func `one lead is looked up without reading the others`() throws {
        let plan = try crm.rows(
            "EXPLAIN QUERY PLAN SELECT EXISTS (SELECT 1 FROM leads AS l WHERE l.id = 1 AND EXISTS (SELECT 1 FROM suppressed_leads AS s WHERE s.lead_id = l.id))"
        )
        #expect(!plan.contains { $0.contains("SCAN l") || $0.contains("SCAN s") }, "\(plan)")
        #expect(plan.filter { $0.contains("suppressions_by_mailbox") }.count == 2, "\(plan)")
    }

    @Test func `the doctor finds what was sent to another spelling`() throws {
        let lead = try crm.capture(["email": "ann+x@a.example"])
        try crm.foreign(
            "INSERT INTO suppressions (email, reason, at) VALUES ('ann@a.example', 'unsubscribed', '2026-03-02 09:00:00.000')"
        )
        try crm.foreign(
            """
            INSERT INTO outbox_messages (key, origin, lead_id, template, state, ready_at, leased_at, created_at, settled_at)
            VALUES ('k', 'test', \(lead), 'x', 'sent', '2026-03-02 10:00:00.000', '2026-03-02 10:00:00.000', '2026-03-02 10:00:00.000', '2026-03-02 10:00:00.000')
            """)
        #expect(try crm.troubles().contains { $0.hasPrefix("nothing was sent to a suppressed address") })
    }
}
