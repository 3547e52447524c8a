import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Writes a file when a lead comes.
private struct Scribe: Plugin {
    static let name = "scribe"
    static let summary = "Writes what the config says."
    init(settings: NoSettings) {}
    var hooks: [any Hook] {
        Subscribe("write", to: ["lead.created"], from: .nextEvent) { _, tx in
            let path = tx.path("../exports/list.csv")
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(filePath: path))
        }
    }
}

@Suite struct TrialCopyTests {
    private func trial(_ crm: TestKernel, _ yaml: String = "", plugins: [any Plugin.Type] = []) throws -> TrialCopy {
        let config = try Config.parse(
            TestKernel.site + "\n" + yaml, folder: crm.folder, plugins: plugins, environment: TestKernel.environment)
        return try TrialCopy(
            of: crm.kernel.config.databasePath, config: config, plugins: plugins, clock: crm.clock.clock)
    }

    private func bytes(_ crm: TestKernel) throws -> Data {
        try crm.kernel.close()
        return try Data(contentsOf: URL(filePath: crm.kernel.config.databasePath))
    }

    @Test func `what is done in the copy leaves the file as it is, byte for byte`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"])
        let before = try bytes(crm)
        let trial = try trial(crm, "leads: {fields: {budget: integer}}")
        try trial.kernel.write(origin: "test") { tx in
            try tx.db.execute(sql: "UPDATE leads SET budget = 7")
        }
        #expect(try trial.kernel.read { try Int.fetchOne($0, sql: "SELECT budget FROM leads") } == 7)
        #expect(try Data(contentsOf: URL(filePath: crm.kernel.config.databasePath)) == before)
    }

    @Test func `the copy is gone with the trial`() throws {
        let crm = try TestKernel()
        var path = ""
        do {
            let trial = try trial(crm)
            path = (trial.kernel.config.databasePath as NSString).deletingLastPathComponent
            #expect(FileManager.default.fileExists(atPath: path))
        }
        #expect(!path.isEmpty && !FileManager.default.fileExists(atPath: path))
    }

    @Test func `a config that does not fit leaves no copy either`() throws {
        let crm = try TestKernel("leads: {fields: {budget: integer}}")
        let folder = crm.folder + "/trials"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let config = try Config.parse(
            TestKernel.site + "\nleads: {fields: {budget: text}}", folder: crm.folder, plugins: [],
            environment: TestKernel.environment)
        let error = try #require(throws: ConfigProblems.self) {
            try TrialCopy(of: crm.kernel.config.databasePath, config: config, plugins: [], in: folder)
        }
        #expect(error.description.contains("leads.budget is INTEGER in the database and TEXT in the config."))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }

    @Test func `files that a plugin writes stand beside the copy`() throws {
        let crm = try TestKernel("plugins: {scribe: {}}", plugins: [Scribe.self])
        let trial = try trial(crm, "plugins: {scribe: {}}", plugins: [Scribe.self])
        try trial.kernel.write(origin: "test") { tx in
            try tx.db.execute(sql: "INSERT INTO leads (email) VALUES ('ann@acme.example')")
        }
        try EventPump(trial.kernel).runUntilIdle()
        let folder = (trial.kernel.config.databasePath as NSString).deletingLastPathComponent
        #expect(FileManager.default.fileExists(atPath: folder + "/files/exports/list.csv"))
        let beside = try FileManager.default.contentsOfDirectory(atPath: crm.folder)
        #expect(!beside.contains("exports") && !FileManager.default.fileExists(atPath: crm.folder + "/../exports"))
    }

    @Test func `it can be kept, and overwrites nothing`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"])
        let trial = try trial(crm)
        let path = crm.folder + "/kept.sqlite"
        #expect(try trial.keep(as: path) > 0)
        #expect(try SQLConnection(path: path, access: .read).table("SELECT email FROM leads").rows.count == 1)
        #expect(throws: KernelError.self) { try trial.keep(as: path) }
    }

    @Test func `a file that is not there, or of another program, is refused`() throws {
        let crm = try TestKernel()
        let config = crm.kernel.config
        #expect(throws: KernelError.noDatabase("/nowhere/x.sqlite")) {
            try TrialCopy(of: "/nowhere/x.sqlite", config: config, plugins: [])
        }
        let foreign = crm.folder + "/other.sqlite"
        try DatabaseQueue(path: foreign).write { try $0.execute(sql: "CREATE TABLE t (x)") }
        #expect(throws: KernelError.foreignDatabase(foreign)) {
            try TrialCopy(of: foreign, config: config, plugins: [])
        }
    }

    @Test func `a disk without room says how much is missing`() throws {
        try TrialCopy.checkRoom(bytes: 100_000_000, free: 150_000_000, "/tmp")
        let refusal = #expect(throws: KernelError.self) {
            try TrialCopy.checkRoom(bytes: 100_000_000, free: 90_000_000, "/tmp")
        }
        #expect(
            refusal?.description
                == "A copy of the file takes about 151 MB, and /tmp has 90 MB left. Free some space, or name a folder with more room: TMPDIR=/var/tmp."
        )
        #expect(refusal?.exitCode == 74)
    }

    @Test func `the copy and what is kept of it are their owner's alone`() throws {
        let crm = try TestKernel()
        let trial = try trial(crm)
        try trial.keep(as: crm.folder + "/kept.sqlite")
        for path in [trial.kernel.config.databasePath, crm.folder + "/kept.sqlite"] {
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `another config that is not there is a file that is missing`() throws {
        let crm = try TestKernel()
        #expect(throws: KernelError.noFile("nofile.yaml")) { try TrialCopy(of: crm.kernel, config: "nofile.yaml") }
        #expect(throws: KernelError.usage("\(crm.folder) is a folder. Name a file.")) {
            try TrialCopy(of: crm.kernel, config: crm.folder)
        }
    }
}
