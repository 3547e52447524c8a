import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Messages that processes die of while they are written.
@Suite struct WritingMarkTests {
    /// One message is due.
    private func crm() throws -> TestKernel {
        let mail = "---\nsubject: Welcome\npurpose: transactional\n---\nHello.\n"
        let crm = try TestKernel(files: ["mails/welcome.md": mail])
        try crm.capture(["email": "ann@acme.example"])
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .transactional,
                forEach:
                    "SELECT 'k' AS key, 1 AS lead_id, NULL AS recipient, 'welcome' AS template, '{}' AS body, 1 AS cause_id"
            )
        }
        return crm
    }

    @Test(arguments: [(1, "sent|"), (2, "held|the process died three times while it was written")])
    func `a message that three processes died of is held unseen, and goes when it is let go`(deaths: Int, state: String)
        async throws
    {
        let crm = try crm()
        let path = WritingMark.file(crm.folder + "/marks", "mail")
        try Data("mail 1 1 \(deaths)".utf8).write(to: URL(filePath: path))
        let mark = try WritingMark(path: crm.folder + "/marks", transport: "mail", isAfterCrash: true)
        let courier = Courier(crm.kernel, transport: crm.transport, mark: mark)
        try await courier.runUntilIdle()
        #expect(try crm.rows("SELECT state, reason FROM outbox_messages") == [state])
        #expect(crm.transport.sent.count == (deaths == 1 ? 1 : 0))
        // Nothing is being written now.
        #expect(try RunningMark(path: path, isAfterCrash: true).found == nil)
        try crm.foreign("UPDATE outbox_messages SET state = 'waiting', reason = NULL WHERE state = 'held'")
        try await courier.runUntilIdle()
        #expect(try crm.rows("SELECT state, reason FROM outbox_messages") == ["sent|"])
    }

    @Test func `a process that dies while it writes leaves the message, and how often`() throws {
        let crm = try crm()
        let path = crm.folder + "/marks"
        for deaths in 0..<3 {
            let mark = try WritingMark(path: path, transport: "mail", isAfterCrash: deaths > 0)
            #expect(mark.begin(7) && mark.begin(8))
            let found = try RunningMark(path: WritingMark.file(path, "mail"), isAfterCrash: true).found
            #expect(found?.event == 8 && found?.deaths == deaths + 1)
        }
        let mark = try WritingMark(path: path, transport: "mail", isAfterCrash: true)
        #expect(mark.begin(7))
        #expect(!mark.begin(8))
        #expect(mark.begin(8))
    }
}
