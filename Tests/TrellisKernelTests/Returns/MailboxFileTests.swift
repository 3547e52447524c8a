import Foundation
import Testing

@testable import TrellisKernel

@Suite struct MailboxFileTests {
    private func mails(_ text: String) -> [String] {
        var mails: [String] = []
        MailboxFile(Data(text.utf8)).each { mails.append(String(decoding: $0, as: UTF8.self)) }
        return mails
    }

    @Test func `mails are parted by their From lines after an empty line`() {
        #expect(
            mails(
                "From ann Mon\nSubject: 1\n\ntext\nFrom here on\n>From quoted\n\nFrom bob Tue\r\nSubject: 2\r\n\r\nFrom eve\nSubject: 3"
            )
                == ["Subject: 1\n\ntext\nFrom here on\n>From quoted\n\n", "Subject: 2\r\n\r\n", "Subject: 3"])
    }

    @Test func `a file without such a line holds no mail, and an empty one neither`() {
        #expect(mails("Subject: 1\n\ntext\n") == [])
        #expect(mails("") == [])
        #expect(mails("From x") == [""])
    }

    @Test func `of a mail no more than a megabyte is handed on`() {
        let lengths = mails("From a\n" + String(repeating: "x", count: 2_000_000) + "\n\nFrom b\ny").map(\.utf8.count)
        #expect(lengths == [1_048_576, 1])
    }

    @Test func `a file that is not there is told`() {
        #expect(throws: KernelError.noFile("/nowhere")) { try MailboxFile(path: "/nowhere") }
    }
}
