import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct FilesOfPersonTests {
    private func files(_ crm: TestKernel, _ email: String) throws -> [String] {
        try Person(email: email).files(crm.kernel).map { ($0 as NSString).lastPathComponent }
    }

    private func export(_ crm: TestKernel, to name: String, _ options: [String: String] = [:]) throws {
        let all = ["output": crm.folder + "/" + name, "anyway": "true"].merging(options) { $1 }
        _ = try crm.run("audiences export", "all", options: all)
    }

    @Test func `the files that hold a person are named before the person is erased`() throws {
        let crm = try AudienceSite.crm("all: {sql: SELECT id AS lead_id FROM leads, platforms: [google]}")
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example") }
        #expect(try files(crm, "ann@a.example") == [])
        try export(crm, to: "first.csv")
        try export(crm, to: "second.csv")
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'ads', 'withdrawn')")
        try export(crm, to: "third.csv")
        #expect(try files(crm, "ann@a.example") == ["first.csv", "second.csv", "third-remove.csv"])
        #expect(try files(crm, "bob@a.example") == ["first.csv", "second.csv", "third.csv"])
        #expect(try files(crm, "nobody@a.example") == [])
        try FileManager.default.removeItem(atPath: crm.folder + "/first.csv")
        #expect(try files(crm, "ann@a.example") == ["second.csv", "third-remove.csv"])
        try export(crm, to: "second.csv")
        #expect(
            try files(crm, "ann@a.example") == ["second-remove.csv", "third-remove.csv"],
            "what was written over holds nobody")
    }

    @Test func `a file in parts is named part by part`() throws {
        let crm = try AudienceSite.crm("all: {sql: SELECT id AS lead_id FROM leads, platforms: [google]}")
        try crm.lead("ann@a.example")
        try export(crm, to: "people.csv", ["split": "true"])
        #expect(try files(crm, "ann@a.example") == ["people-1.csv"])
    }
}
