import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

/// A file has its name if, and only if, its receipts are committed.
@Suite struct PublicationTests {
    private let crm: TestKernel
    private var path: String { crm.folder + "/out/all-x-1.csv" }

    init() throws {
        crm = try AudienceSite.crm(
            "all: {sql: SELECT id AS lead_id FROM leads, platforms: [x], minimum: 1, export: {to: out/}}")
        try crm.lead("ann@a.example")
        try FileManager.default.createDirectory(atPath: crm.folder + "/out", withIntermediateDirectories: true)
    }

    private struct Failure: Error {}

    private func export(_ tx: Transaction) throws -> Export.Outcome {
        let audiences = try #require(crm.kernel.plugins.compactMap { $0 as? AudienceExport }.first).audiences
        let audience = try audiences.require("all")
        let platform = try #require(Platform.named("x"))
        return try Export(audience: audience, audiences: audiences, platform: platform, path: path).write(tx)
    }

    private var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: crm.folder + "/out").sorted() }
    }

    private func begin() throws {
        try crm.kernel.write(origin: "plugin:audiences") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
    }

    @Test func `an error after the file was written leaves no file and no receipt`() throws {
        #expect(throws: Failure.self) {
            try crm.kernel.write(origin: "plugin:audiences") { tx in
                #expect(try export(tx).members == 1)
                #expect(try files == ["all-x-1.csv.part"])
                throw Failure()
            }
        }
        #expect(try files == [])
        #expect(try crm.rows("SELECT * FROM audiences_receipts") == [])
    }

    @Test func `an error that undoes the export alone leaves no file, though the rest is committed`() throws {
        try crm.kernel.write(origin: "plugin:audiences") { tx in
            try tx.db.inSavepoint {
                _ = try export(tx)
                return .rollback
            }
        }
        #expect(try files == [])
    }

    @Test func `the file has its name once it is committed`() throws {
        try crm.kernel.write(origin: "plugin:audiences") { tx in
            _ = try export(tx)
            #expect(try files == ["all-x-1.csv.part"])
        }
        #expect(try files == ["all-x-1.csv"])
    }

    @Test func `what a crash left without its name gets it at the next start, and what was never committed goes`()
        throws
    {
        try crm.kernel.write(origin: "plugin:audiences") { _ = try export($0) }
        try FileManager.default.moveItem(atPath: path, toPath: path + ".part")
        try Data("hashes".utf8).write(to: URL(filePath: crm.folder + "/out/all-x-2.csv.part"))
        try begin()
        #expect(try files == ["all-x-1.csv"])
        #expect(try crm.rows("SELECT * FROM audiences_unpublished") == [])
    }

    @Test func `what could not be renamed is said, and stays`() throws {
        try FileManager.default.createDirectory(atPath: path + "/full", withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: path + ".part"))
        #expect(
            throws: KernelError.data(
                "\(path).part is complete and could not be renamed to \(path). Make room for the name, and rename it.")
        ) { try Publication.confirm([path]) }
    }
}
