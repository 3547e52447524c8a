import Foundation
import Testing

@testable import TrellisTransports

/// A class, so that its folder goes when the test is over.
@Suite final class MaildirTests {
    private let parent: URL
    private var folder: String { parent.path + "/mail" }
    private var maildir: Maildir { Maildir(folder: folder) }

    init() throws {
        parent = FileManager.default.temporaryDirectory.appending(path: "maildir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: parent)
    }

    private func files(_ part: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder + "/" + part).sorted()
    }

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func problem(_ folder: String, _ name: String = "a") -> MaildirProblem? {
        do {
            _ = try Maildir(folder: folder).deliver([65], name: name)
            return nil
        } catch { return error }
    }

    @Test func `a mail stands in new, whole and for its owner alone`() throws {
        let bytes = [UInt8]((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) })
        #expect(try maildir.deliver(bytes, name: "42.welcome"))
        #expect(try Array(Data(contentsOf: URL(filePath: folder + "/new/42.welcome"))) == bytes)
        #expect(try files("new") == ["42.welcome"] && files("tmp").isEmpty && files("cur").isEmpty)
        #expect(try permissions(folder + "/new/42.welcome") == 0o600)
        for part in ["", "/tmp", "/new", "/cur"] { #expect(try permissions(folder + part) == 0o700) }
    }

    @Test func `an empty mail is delivered too`() throws {
        #expect(try maildir.deliver([], name: "empty"))
        #expect(try files("new") == ["empty"])
    }

    @Test func `a delivery repeated changes nothing`() throws {
        #expect(try maildir.deliver([1], name: "a"))
        #expect(try !maildir.deliver([2], name: "a"))
        #expect(try Array(Data(contentsOf: URL(filePath: folder + "/new/a"))) == [1])
    }

    @Test(arguments: ["a", "a:2,", "a:2,RS"])
    func `a mail that was already read is not delivered again`(_ read: String) throws {
        #expect(try maildir.deliver([1], name: "a"))
        try FileManager.default.moveItem(atPath: folder + "/new/a", toPath: folder + "/cur/" + read)
        #expect(try !maildir.deliver([1], name: "a"))
        #expect(try files("new").isEmpty)
    }

    @Test func `a mail whose name only begins alike is another one`() throws {
        #expect(try maildir.deliver([1], name: "a.b"))
        try FileManager.default.moveItem(atPath: folder + "/new/a.b", toPath: folder + "/cur/a.b:2,S")
        #expect(try maildir.deliver([2], name: "a"))
        #expect(try maildir.deliver([3], name: "a.b.c"))
    }

    @Test func `what a crash left in tmp is written over`() throws {
        #expect(try maildir.deliver([1], name: "first"))
        try Data("half a mail, and longer than the whole".utf8).write(to: URL(filePath: folder + "/tmp/a"))
        #expect(try maildir.deliver([7, 8], name: "a"))
        #expect(try Array(Data(contentsOf: URL(filePath: folder + "/new/a"))) == [7, 8])
        #expect(try files("tmp").isEmpty)
    }

    @Test func `a link planted in tmp is not followed`() throws {
        #expect(try maildir.deliver([1], name: "first"))
        let target = parent.path + "/precious"
        try Data("kept".utf8).write(to: URL(filePath: target))
        try FileManager.default.createSymbolicLink(atPath: folder + "/tmp/a", withDestinationPath: target)
        #expect(problem(folder) == .failed(step: "create", path: folder + "/tmp/a", code: ELOOP))
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "kept")
    }

    @Test(arguments: [
        "", ".", "..", ".a", "a/b", "../a", "a:2,S", "a b", "a\0", "ä", String(repeating: "a", count: 201),
    ])
    func `a name that is no plain file name is refused`(_ name: String) throws {
        #expect(problem(folder, name) == .badName)
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test func `200 characters of name are delivered`() throws {
        #expect(try maildir.deliver([1], name: String(repeating: "a", count: 200)))
    }

    @Test func `a folder without a parent, and a file in its place, say what to do`() throws {
        let missing = parent.path + "/none/mail"
        #expect(
            problem(missing)?.description
                == "\(missing): could not make the folder: No such file or directory (errno 2). "
                + "Check that the path is a folder on a working disk and that its parent is there.")
        try Data().write(to: URL(filePath: folder))
        #expect(problem(folder) == .failed(step: "make the folder", path: folder, code: ENOTDIR))
    }

    @Test func `a full disk, a missing permission and the rest are told apart`() {
        for code in [ENOSPC, EDQUOT] {
            #expect(MaildirProblem(step: "write", path: "m", code: code) == .diskFull(path: "m", code: code))
        }
        for code in [EACCES, EPERM, EROFS] {
            #expect(
                MaildirProblem(step: "write", path: "m", code: code) == .noPermission(path: "m", code: code))
        }
        #expect(
            MaildirProblem(step: "sync", path: "m", code: EIO) == .failed(step: "sync", path: "m", code: EIO))
        #expect(
            MaildirProblem.diskFull(path: "m", code: 28).description
                == "m: the disk or its quota is full (errno 28). Make room; the mail waits in the outbox.")
    }

    @Test func `twenty first deliveries at once make the folders and lose nothing`() async throws {
        let maildir = maildir
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask { try maildir.deliver([9], name: "n\(number)") }
            }
            for try await delivered in group { #expect(delivered) }
        }
        #expect(try files("new").count == 20)
    }
}
