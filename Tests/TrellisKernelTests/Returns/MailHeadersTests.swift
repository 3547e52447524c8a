import Testing

@testable import TrellisKernel

@Suite struct MailHeadersTests {
    private func headers(_ text: String) -> (MailHeaders, String) {
        var rest = Array(text.utf8)[...]
        let headers = MailHeaders(reading: &rest)
        return (headers, String(decoding: rest, as: UTF8.self))
    }

    @Test func `headers are unfolded, in any case, up to the empty line`() {
        let (headers, rest) = headers("Subject: one\n two\n\tthree\nX-A :  1 \nx-a: 2\n\nbody: no\n")
        #expect(headers["subject"] == "one two\tthree")
        #expect(headers.all("x-a") == ["1", "2"])
        #expect(headers["body"] == nil)
        #expect(rest == "body: no\n")
    }

    @Test func `lines that are no headers are passed over with what is folded below them`() {
        let (headers, _) = headers(
            "From ann Mon Mar  2\n folded\n: empty\nno colon\n>From: quoted\nA B: two words\nTo: x@y.example\n")
        #expect(headers.fields.map(\.name) == [">from", "to"])
    }

    @Test func `an endless header and endless headers stop at their limits`() {
        let folded =
            "A: " + String(repeating: "x", count: 100)
            + String(repeating: "\n " + String(repeating: "y", count: 900), count: 1000)
        let (long, _) = headers(folded)
        #expect((long["a"]?.utf8.count ?? 0) < 2 * MailHeaders.valueBytesMax)
        let (many, rest) = headers(String(repeating: "a: b\n", count: 5000) + "\nbody")
        #expect(many.fields.count == MailHeaders.fieldsMax)
        #expect(rest == "body")
    }

    @Test(arguments: [
        ("multipart/report; boundary=abc; report-type=x", "abc"), ("multipart/report; Boundary = \"a b;c\"", "a b;c"),
        ("multipart/report;boundary=\"a\\\"b\"", "a\"b"), ("multipart/report; junk; =x; boundary=a=_b/c", "a=_b/c"),
        ("multipart/report; boundary=one; boundary=two", "one"), ("multipart/report; boundary=\"open", "open"),
        ("multipart/report; boundary=", ""), ("multipart/report; boundary=\"\\", "\\"),
    ])
    func `a parameter is found however it is written`(value: String, expected: String) {
        #expect(MailHeaders.parameter("boundary", of: value) == expected)
    }

    @Test func `a parameter that is not there is none`() {
        #expect(MailHeaders.parameter("boundary", of: "multipart/report; x-boundary=a") == nil)
        #expect(MailHeaders.parameter("boundary", of: "boundary=a") == nil)
        #expect(MailHeaders.parameter("boundary", of: "") == nil)
    }

    @Test func `addresses and identities are taken out of what surrounds them`() {
        #expect(
            MailHeaders.addresses("\"Archer, Ann\" <ann@customer.example>, bob@customer.example (Bob), nobody")
                == ["ann@customer.example", "bob@customer.example"])
        #expect(MailHeaders.addresses("rfc822;ann@customer.example") == ["ann@customer.example"])
        #expect(MailHeaders.messageIDs("<a@x> <b@x>\t<c@x>, nothing") == ["a@x", "b@x", "c@x"])
        #expect(MailHeaders.addresses(String(repeating: "a@b,", count: 5000)).count == 20)
    }
}
