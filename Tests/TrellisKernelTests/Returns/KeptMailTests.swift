import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct KeptMailTests {
    private func kept(_ site: ReturnsSite) throws -> [String] {
        try site.crm.rows("SELECT id FROM mail_returns WHERE raw IS NOT NULL")
    }

    @Test func `only a mail nobody could tell is kept, and its beginning alone`() async throws {
        let site = try await ReturnsSite()
        try site.take("hard_bounce/postfix-user-unknown")
        try site.take("reply/plain")
        try site.take("automatic_reply/gmail-vacation")
        try site.take("unknown/person-without-reference")
        let long = Array("From: x@y.example\n\n".utf8) + [UInt8](repeating: 65, count: 500_000)
        try site.mailroom.take(long)
        #expect(
            try site.crm.rows("SELECT kind, length(raw) FROM mail_returns WHERE raw IS NOT NULL ORDER BY id").map {
                $0.split(separator: "|")[0]
            }
                == ["unknown", "unknown"])
        #expect(try site.crm.value("SELECT max(length(raw)) FROM mail_returns") == "\(Mailroom.rawBytesMax)")
    }

    @Test func `of a flood the newest are kept, and every row`() async throws {
        let site = try await ReturnsSite()
        try site.crm.foreign(
            """
            INSERT INTO mail_returns (digest, kind, raw, at)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT 'd' || i, 'unknown', x'41', '2026-03-02' FROM n
            """)
        try site.take("unknown/person-without-reference")
        #expect(
            try site.crm.rows(
                "SELECT count(*), min(CASE WHEN raw IS NOT NULL THEN id END), count(raw) FROM mail_returns") == [
                    "1001|2|1000"
                ])
    }

    @Test(arguments: [
        "From: ANN@customer.example\n\nHello.", "Subject: =?utf-8?B?YW5uQGN1c3RvbWVyLmV4YW1wbGU=?=\n\nHello.",
        "Content-Transfer-Encoding: base64\n\nV3JpdGUgdG8gYW5uQGN1c3RvbWVyLmV4YW1w\nbGUu",
        "To: list+ann=customer.example@lists.example\n\nHello.",
        "Content-Transfer-Encoding: quoted-printable\n\nWrite to ann@cust=\nomer.example.",
        "From: x@y.example\n\nhttps://x.example/?u=ann%40customer.example",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\nYW5uQGN1c3RvbWVyLmV4YW1wbGU=\n--b--",
    ])
    func `erasing a person erases every kept mail that names them`(text: String) async throws {
        let site = try await ReturnsSite()
        try site.mailroom.take(Array(text.utf8))
        try site.mailroom.take(
            Array("From: joann@customer.example.org\n\nSomebody else.".utf8).map {
                $0 == UInt8(ascii: "@") ? UInt8(ascii: "#") : $0
            })
        #expect(try kept(site) == ["1", "2"])
        #expect(try Person(email: "ann@customer.example").erase(site.crm.kernel) == 1)
        #expect(try kept(site) == ["2"])
        // The row stays: the same mail is not taken in again.
        #expect(try site.mailroom.take(Array(text.utf8)).isNew == false)
    }

    @Test func `erasing a person erases what servers said of them`() async throws {
        let site = try await ReturnsSite()
        try site.take("hard_bounce/domino")
        #expect(try site.crm.value("SELECT diagnostic FROM mail_returns")?.contains("User ann") == true)
        #expect(try Person(email: "ann@customer.example").erase(site.crm.kernel) == 1)
        #expect(try site.crm.rows("SELECT kind, diagnostic, raw FROM mail_returns") == ["hard_bounce||"])
        #expect(try site.crm.troubles() == [])
    }

    @Test func `more kept mails than are read at a time are all looked through`() async throws {
        let site = try await ReturnsSite()
        for number in 1...120 {
            try site.mailroom.take(
                Array("Subject: \(number)\n\n\(number % 40 == 0 ? "ann@customer.example" : "-")".utf8))
        }
        _ = try Person(email: "ann@customer.example").erase(site.crm.kernel)
        #expect(try site.crm.rows("SELECT id FROM mail_returns WHERE raw IS NULL") == ["40", "80", "120"])
    }
}
