import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ReturnInboxTests {
    /// A folder of its own, with new/ and without cur/.
    private final class Folder {
        let path = NSTemporaryDirectory() + "trellis-inbox-" + UUID().uuidString

        init() throws {
            try FileManager.default.createDirectory(atPath: path + "/new", withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func put(_ name: String, _ bytes: [UInt8] = Array("mail".utf8)) throws {
            try Data(bytes).write(to: URL(filePath: "\(path)/new/\(name)"))
        }

        func names(_ folder: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? []).sorted()
        }
    }

    private struct Stop: Error {}

    @Test func `mails are handed on by name, and moved to cur as seen`() throws {
        let folder = try Folder()
        for name in ["3", "1", "2:2,F", ".hidden"] { try folder.put(name, Array(name.utf8)) }
        var seen: [String] = []
        #expect(try ReturnInbox(folder: folder.path).each { seen.append(String(decoding: $0, as: UTF8.self)) } == 3)
        #expect(seen == ["1", "2:2,F", "3"])
        #expect(folder.names("cur") == ["1:2,S", "2:2,F", "3:2,S"])
        #expect(folder.names("new") == [".hidden"])
        #expect(try ReturnInbox(folder: folder.path).each { _ in } == 0)
    }

    @Test func `a mail that could not be taken in stays, with those after it`() throws {
        let folder = try Folder()
        for name in ["1", "2", "3"] { try folder.put(name, Array(name.utf8)) }
        #expect(throws: Stop.self) {
            try ReturnInbox(folder: folder.path).each { if $0 == Array("2".utf8) { throw Stop() } }
        }
        #expect(folder.names("new") == ["2", "3"])
        #expect(folder.names("cur") == ["1:2,S"])
    }

    @Test func `a dry run moves nothing`() throws {
        let folder = try Folder()
        try folder.put("1")
        #expect(try ReturnInbox(folder: folder.path).each(moves: false) { _ in } == 1)
        #expect(folder.names("new") == ["1"])
    }

    @Test func `what is no plain file is left alone`() throws {
        let folder = try Folder()
        try folder.put("1")
        mkfifo(folder.path + "/new/2", 0o600)
        symlink("/etc/hostname", folder.path + "/new/3")
        mkdir(folder.path + "/new/4", 0o700)
        #expect(try ReturnInbox(folder: folder.path).each { _ in } == 1)
        #expect(folder.names("new") == ["2", "3", "4"])
    }

    @Test func `of a mail no more than a megabyte is read`() throws {
        let folder = try Folder()
        try folder.put("1", [UInt8](repeating: 65, count: 3_000_000))
        var length = 0
        try ReturnInbox(folder: folder.path).each { length = $0.count }
        #expect(length >= ReceivedMail.bytesMax && length < ReceivedMail.bytesMax + 65_536)
    }

    @Test func `a folder that is not there is told`() {
        let error = #expect(throws: KernelError.self) { try ReturnInbox(folder: "/nowhere/at/all").each { _ in } }
        #expect(
            "\(error.map { "\($0)" } ?? "")"
                == "/nowhere/at/all/new cannot be read. A Maildir is a folder with new/, cur/ and tmp/; make it, or name another one."
        )
    }

    @Test func `a process that dies between the commit and the move does not count a bounce twice`() async throws {
        let site = try await ReturnsSite()
        let folder = try Folder()
        try folder.put("1", site.mail("hard_bounce/postfix-user-unknown"))
        #expect(throws: Stop.self) {
            try ReturnInbox(folder: folder.path).each {
                try site.mailroom.take($0)
                throw Stop()
            }
        }
        #expect(folder.names("new") == ["1"])
        var filed: [Mailroom.Filed] = []
        try ReturnInbox(folder: folder.path).each { filed.append(try site.mailroom.take($0)) }
        #expect(filed.map(\.isNew) == [false])
        #expect(folder.names("cur") == ["1:2,S"])
        #expect(try site.facts.filter { $0.hasPrefix("mail.") } == [ReturnsSite.hard])
    }

    @Test func `the worker reads the inbox of the config`() async throws {
        let site = try await ReturnsSite()
        #expect(site.crm.kernel.ownChores.isEmpty)
        let path = site.crm.folder + "/returned/new"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for number in 1...3 {
            try Data(site.mail("reply/plain", number: number)).write(to: URL(filePath: "\(path)/\(number)"))
        }
        let crm = try TestKernel(
            site: TestKernel.site.replacing("mail: {", with: "mail: {inbox: returned, returns: bounces@acme.example, "),
            folder: site.crm.folder)
        let chore = try #require(crm.kernel.ownChores.first)
        #expect(chore.pause == .seconds(30))
        try await chore.run(on: crm.kernel)
        #expect(try crm.rows("SELECT kind FROM mail_returns") == ["reply", "reply", "reply"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
    }
}
