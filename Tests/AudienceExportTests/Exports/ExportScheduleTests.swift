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

    @Test func `a webhook is told of the rows, signed and in parts, and what it took is accepted and emptied`()
        async throws
    {
        let crm = try TestKernel(
            """
            webhooks: {ads: {url: "https://hooks.acme.example/ads", secret: "${TRELLIS_ADMIN_TOKEN}"}}
            plugins:
              audiences:
                all: {sql: SELECT id AS lead_id FROM leads, platforms: [google], minimum: 1, export: {to: ads, difference: true}}
            """, plugins: [AudienceExport.self])
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example") }
        try begin(crm)
        try crm.pump()
        #expect(
            try crm.rows("SELECT key, transport, purpose, recipient, template, lead_id FROM outbox_messages") == [
                "audiences:1:audience.add 1|webhook|internal|ads|audience.add|"
            ])
        #expect(
            try crm.value("SELECT json_extract(body, '$.rows') FROM outbox_messages")
                == "Email\n\(Digest.hex("ann@a.example"))\n\(Digest.hex("bob@a.example"))\n")
        #expect(
            try crm.rows(
                "SELECT json_extract(body, '$.signals'), json_extract(body, '$.parts'), json_extract(body, '$.consent') FROM outbox_messages"
            ) == [
                "ad_user_data ad_personalization|1|ads"
            ])
        try crm.foreign("UPDATE outbox_messages SET state = 'sent', settled_at = '2026-03-02', content = x'00'")
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'ads', 'withdrawn')")
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(
            try crm.rows("SELECT id, kind, accepted_at FROM audiences_exports") == [
                "1|difference|2026-03-03 09:00:00.000", "2|difference|",
            ])
        #expect(
            try crm.rows("SELECT key, json_extract(body, '$.rows') FROM outbox_messages ORDER BY id") == [
                "audiences:1:audience.add 1|", "audiences:2:audience.remove 1|Email\n\(Digest.hex("ann@a.example"))\n",
            ])
        #expect(try crm.troubles() == [])
    }
}
