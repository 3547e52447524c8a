import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct BackupTests {
    @Test func `a backup holds everything, while the file is in use, and can be worked with`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example", "title": "Head"], consents: ["newsletter"])
        // Committed, and still in the write-ahead log alone.
        let path = crm.folder + "/copy.sqlite"
        let bytes = try Backup.make(crm.kernel, to: path)
        try crm.capture(["email": "late@acme.example"])
        #expect(bytes == FileManager.default.contents(atPath: path).map { Int64($0.count) })
        let folder = NSTemporaryDirectory() + "trellis-backup-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: path, toPath: folder + "/crm.sqlite")
        let copy = try TestKernel(folder: folder)
        #expect(try copy.rows("SELECT email, title FROM leads") == ["ann@acme.example|Head"])
        #expect(try copy.events() == ["lead.created", "consent.granted"])
        #expect(try copy.troubles() == [])
    }

    @Test func `a backup overwrites nothing and leaves no half`() throws {
        let crm = try TestKernel()
        let path = crm.folder + "/copy.sqlite"
        try Data("mine".utf8).write(to: URL(filePath: path))
        let error = try #require(throws: KernelError.self) { try Backup.make(crm.kernel, to: path) }
        #expect(error.description == "\(path) is there already. Name another file; a backup never overwrites one.")
        #expect(FileManager.default.contents(atPath: path) == Data("mine".utf8))
        try Data("a file".utf8).write(to: URL(filePath: crm.folder + "/taken"))
        #expect(throws: KernelError.cannotCreate(crm.folder + "/taken/copy.sqlite")) {
            try Backup.make(crm.kernel, to: crm.folder + "/taken/copy.sqlite")
        }
        let parts = try FileManager.default.contentsOfDirectory(atPath: crm.folder).filter { $0.hasSuffix(".part") }
        #expect(parts == [])
    }

    @Test func `the folder of a backup is made, and both are for their owner alone`() throws {
        let crm = try TestKernel()
        let path = crm.folder + "/backups/daily/copy.sqlite"
        _ = try Backup.make(crm.kernel, to: path)
        let modes = try [path, crm.folder + "/backups/daily"].map { name in
            try FileManager.default.attributesOfItem(atPath: name)[.posixPermissions] as? Int
        }
        #expect(modes == [0o600, 0o700])
        #expect(
            throws: KernelError.usage("\(path) is there already. Name another file; a backup never overwrites one.")
        ) {
            try Backup.make(crm.kernel, to: path)
        }
    }
}
