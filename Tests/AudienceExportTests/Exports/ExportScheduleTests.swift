import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct ExportScheduleTests {
    private func begin(_ crm: TestKernel) throws {
        try crm.kernel.write(origin: "plugin:audiences") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
    }

    @Test func `files are written to a folder by themselves, as often as was said`() throws {
        let crm = try AudienceSite.crm(
            "all: {sql: SELECT id AS lead_id FROM leads, platforms: [google, meta, x], minimum: 1, export: {every: 1 day, to: out/, platforms: [google, x]}}"
        )
        try crm.lead("ann@a.example")
        try begin(crm)
        try crm.pump()
        let names = { try FileManager.default.contentsOfDirectory(atPath: crm.folder + "/out").sorted() }
        #expect(try names() == ["all-google-2026-03-02T0900.csv", "all-x-2026-03-02T0900.csv"])
        #expect(crm.lines(of: crm.folder + "/out/all-x-2026-03-02T0900.csv") == [Digest.hex("ann@a.example")])
        crm.clock.advance(by: "23 hours")
        try crm.pump()
        #expect(try names().count == 2)
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(try names().count == 4)
        #expect(
            try crm.rows("SELECT due_at FROM scheduled_events WHERE kind = 'audiences.export_due'") == [
                "2026-03-04 09:00:00.000"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `an audience that is there already is written too, once the config says so`() throws {
        let all = "all: {sql: SELECT id AS lead_id FROM leads, platforms: [x], minimum: 1"
        let before = try AudienceSite.crm(all + "}")
        try before.lead("ann@a.example")
        try begin(before)
        try before.pump()
        let crm = try before.reopened(AudienceSite.yaml(all + ", export: {to: out/}}"))
        try begin(crm)
        try crm.pump()
        #expect(try crm.rows("SELECT platform, members FROM audiences_exports") == ["x|1"])
    }

    @Test func `a refusal is an event with the reason, and undoes itself alone`() throws {
        let crm = try AudienceSite.crm(
            "all: {sql: SELECT id AS lead_id FROM leads, platforms: [google, tiktok], export: {to: out/}}")
        try crm.lead("ann@a.example")
        try begin(crm)
        try crm.pump()
        #expect(try crm.rows("SELECT platform, members FROM audiences_exports") == ["tiktok|1"])
        #expect(
            try crm.rows(
                "SELECT json_extract(body, '$.platform'), json_extract(body, '$.reason') FROM events WHERE kind = 'audience.export_refused'"
            ) == [
                "google|all has 1 members who may be in a file, and google shows no ads to fewer than 100. Wait until there are more, or add --anyway."
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `a folder that cannot be written is a refusal, and is tried again`() throws {
        let crm = try AudienceSite.crm(
            "all: {sql: SELECT id AS lead_id FROM leads, platforms: [x], minimum: 1, export: {every: 1 day, to: out/}}")
        try crm.lead("ann@a.example")
        // A file stands where the folder is to be; the folder of root is no obstacle to root.
        try Data().write(to: URL(filePath: crm.folder + "/out"))
        try begin(crm)
        try crm.pump()
        #expect(
            try crm.rows("SELECT json_extract(body, '$.reason') FROM events WHERE kind = 'audience.export_refused'")
                == [
                    KernelError.folderNotWritable(crm.folder + "/out").description
                ])
        #expect(try crm.troubles() == [])
        try FileManager.default.removeItem(atPath: crm.folder + "/out")
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.rows("SELECT platform, members FROM audiences_exports") == ["x|1"])
        #expect(crm.lines(of: crm.folder + "/out/all-x-2026-03-03T0900.csv").count == 1)
    }

    @Test func `the first difference that is written by itself is a list as well`() throws {
        let crm = try AudienceSite.crm(
            "all: {sql: SELECT id AS lead_id FROM leads, platforms: [google], export: {to: out/, difference: true}}")
        try crm.lead("ann@a.example")
        try begin(crm)
        try crm.pump()
        #expect(try crm.rows("SELECT count(*) FROM audiences_exports") == ["0"])
        #expect(try crm.events().contains("audience.export_refused"))
    }

    @Test func `files older than they are kept are deleted, and no others`() throws {
        let crm = try AudienceSite.crm(
            "all: {sql: SELECT id AS lead_id FROM leads, platforms: [x], minimum: 1, export: {every: 1 day, to: out/, keep: 2 days}}"
        )
        try crm.lead("ann@a.example")
        try begin(crm)
        let other = crm.folder + "/out/mine.csv"
        for _ in 0..<4 {
            try crm.pump()
            try Data().write(to: URL(filePath: other))
            crm.clock.advance(by: "1 day")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: crm.folder + "/out").sorted()
        #expect(
            names == [
                "all-x-2026-03-03T0900.csv", "all-x-2026-03-04T0900.csv", "all-x-2026-03-05T0900.csv", "mine.csv",
            ])
        #expect(try crm.rows("SELECT count(*) FROM audiences_exports") == ["4"], "the receipts stay")
    }
}
