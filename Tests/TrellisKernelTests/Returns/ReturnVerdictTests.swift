import Testing

@testable import TrellisKernel

@Suite struct ReturnVerdictTests {
    private static let returnAddress = "bounces+1-0123456789abcdef@acme.example"
    private static let messageID = "1.fedcba9876543210@acme.example"

    private func verdict(_ mail: CorpusMail) -> ReturnVerdict {
        ReturnVerdict(ReceivedMail(mail.bytes(returnAddress: Self.returnAddress, messageID: Self.messageID)))
    }

    @Test func `the corpus is there, with every kind`() {
        #expect(CorpusMail.all.count >= 90)
        #expect(Set(CorpusMail.all.map(\.kind)) == Set(ReturnVerdict.Kind.allCases))
    }

    @Test(arguments: CorpusMail.all)
    func `each mail is what its folder says`(mail: CorpusMail) {
        #expect(verdict(mail).kind == mail.kind)
    }

    @Test(arguments: CorpusMail.all.filter { [.hardBounce, .softBounce, .blocked, .complaint].contains($0.kind) })
    func `each report names our mail by its return address or by its identity`(mail: CorpusMail) {
        let verdict = verdict(mail)
        #expect(verdict.returnAddresses.contains(Self.returnAddress) || verdict.messageIDs.contains(Self.messageID))
        #expect(mail.kind == .complaint || verdict.recipients.contains("ann@customer.example"))
    }

    @Test(arguments: CorpusMail.all)
    func `what is kept of a mail holds no address`(mail: CorpusMail) {
        #expect(verdict(mail).diagnostic?.contains("@") != true)
        #expect((verdict(mail).diagnostic?.count ?? 0) <= ReturnVerdict.diagnosticMax)
    }

    @Test(arguments: [
        ("hard_bounce/postfix-user-unknown", "5.1.1"), ("hard_bounce/office-365-in-base64", "5.1.10"),
        ("hard_bounce/exim-report", "5.1.1"), ("hard_bounce/qmail-no-mailbox", "5.1.1"),
        ("soft_bounce/office-365-expired", "4.4.7"),
        ("blocked/outlook-515", "5.7.515"), ("soft_bounce/one-of-two-recovered", "5.2.2"),
    ])
    func `the status is that of the report`(name: String, status: String) throws {
        #expect(verdict(try #require(CorpusMail.named(name))).status == status)
    }

    @Test func `line ends of any kind make no difference`() throws {
        for mail in CorpusMail.all where mail.kind != .unknown {
            let bytes = mail.bytes(returnAddress: Self.returnAddress, messageID: Self.messageID)
            let plain = bytes.filter { $0 != UInt8(ascii: "\r") }
            let expected = ReturnVerdict(ReceivedMail(plain))
            for lineEnd in ["\r\n", "\r", "\r\r\n"] {
                let other = plain.flatMap { $0 == UInt8(ascii: "\n") ? Array(lineEnd.utf8) : [$0] }
                #expect(ReturnVerdict(ReceivedMail(other)) == expected, "\(mail) with \(Array(lineEnd.utf8))")
            }
        }
    }

    @Test func `the recipient that the server names comes before all others`() {
        let mail = ReceivedMail(Array("To: a@x.example\nDelivered-To: b@x.example\n\n".utf8))
        #expect(
            ReturnVerdict(mail, recipient: "c@x.example").returnAddresses == [
                "c@x.example", "b@x.example", "a@x.example",
            ])
    }

    @Test func `words of a person are never taken for those of a server`() {
        let mail = """
            From: ann@customer.example
            To: hello@acme.example
            Subject: Hi
            In-Reply-To: <\(Self.messageID)>

            Hi. This is not the qmail-send program.
            <bob@customer.example>:
            550 5.1.1 user unknown. X-Failed-Recipients: bob@customer.example

            """
        #expect(ReturnVerdict(ReceivedMail(Array(mail.utf8))).kind == .reply)
    }
}
