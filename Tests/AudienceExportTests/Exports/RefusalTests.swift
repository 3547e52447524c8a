import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct RefusalTests {
    private func crm(_ further: String = "", leads: Int = 3) throws -> TestKernel {
        let crm = try AudienceSite.crm("all: {sql: SELECT id AS lead_id FROM leads\(further)}")
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                    INSERT INTO leads (email) SELECT 'l' || i || '@a.example' FROM n
                    """, arguments: [leads])
            try tx.db.execute(
                sql: "INSERT INTO consents (lead_id, purpose, state) SELECT id, 'ads', 'granted' FROM leads")
        }
        return crm
    }

    @Test func `a list too small to reach anybody is refused unless it is wanted anyway`() throws {
        let crm = try crm()
        #expect(
            throws: KernelError.data(
                "all has 3 members who may be in a file, and google shows no ads to fewer than 100. Wait until there are more, or add --anyway."
            )
        ) { try crm.export("all", platform: "google", anyway: false) }
        #expect(try crm.rows("SELECT * FROM audiences_exports") == [])
        #expect(crm.lines(of: crm.folder + "/all.csv") == [])
        #expect(try crm.export("all", platform: "google", anyway: true).lines.count == 4)
        #expect(try crm.export("all", platform: "tiktok", anyway: false).lines.count == 4, "which names no minimum")
    }

    @Test func `the first difference is a list as well, and too small as well`() throws {
        let crm = try crm()
        #expect(
            throws: KernelError.data(
                "all has 3 members who may be in a file, and google shows no ads to fewer than 100. Wait until there are more, or add --anyway."
            )
        ) { try crm.export("all", platform: "google", diff: true, anyway: false) }
        #expect(try crm.rows("SELECT * FROM audiences_exports") == [])
        #expect(try crm.export("all", platform: "google", diff: true, anyway: true).lines.count == 4)
        // Whoever must be taken off a list is, however few are left on it.
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'ads', 'withdrawn')")
        #expect(try crm.export("all", platform: "google", diff: true, anyway: false).removals.count == 2)
    }

    @Test func `a list of nobody is refused, unless somebody is to be taken off it`() throws {
        let crm = try crm(", platforms: [tiktok, google]", leads: 1)
        _ = try crm.export("all", platform: "google", anyway: true)
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'ads', 'withdrawn')")
        for isDifference in [true, false] {
            #expect(
                throws: KernelError.data(
                    "all has nobody who may be in a file. 'trellis audiences show all' says why.")
            ) { try crm.export("all", platform: "tiktok", diff: isDifference, anyway: false) }
            #expect(try crm.export("all", platform: "google", diff: isDifference, anyway: true).removals.count == 2)
        }
    }

    @Test func `a platform the audience does not name is refused unless it is wanted anyway`() throws {
        let crm = try crm(", platforms: [google], minimum: 1")
        #expect(
            throws: KernelError.usage(
                "all is for google, and not for tiktok. Name the platform under platforms: of the audience, or add --anyway."
            )
        ) { try crm.export("all", platform: "tiktok", anyway: false) }
        #expect(try crm.export("all", platform: "tiktok", anyway: true).lines.count == 4)
        #expect(try crm.export("all", platform: "google", anyway: false).lines.count == 4)
    }

    @Test func `the config may know the minimum better`() throws {
        #expect(try crm(", minimum: 3").export("all", platform: "google", anyway: false).lines.count == 4)
        #expect(throws: KernelError.self) { try crm(", minimum: 4").export("all", platform: "tiktok", anyway: false) }
    }

    @Test func `a list larger than the platform takes is refused in any case`() throws {
        let crm = try crm(leads: 300_001)
        #expect(
            throws: KernelError.data(
                "all has 300001 members who may be in a file, and linkedin takes 300000 at most. Make audiences of parts of it."
            )
        ) { try crm.export("all", platform: "linkedin") }
        // 65 digits and six commas in each row are too many bytes before they are too many rows.
        try crm.foreign("DELETE FROM leads WHERE id > 290000")
        #expect(
            throws: KernelError.data(
                "The file would have 20590068 bytes, and linkedin takes 20000000 at most. Make audiences of parts of it."
            )
        ) { try crm.export("all", platform: "linkedin") }
        #expect(crm.lines(of: crm.folder + "/all.csv") == [])
        #expect(try !FileManager.default.contentsOfDirectory(atPath: crm.folder).contains { $0.hasSuffix(".part") })
    }

    @Test func `without anybody who ever agreed there is no file, and it is said what is missing`() throws {
        let crm = try crm(", consent: retargeting")
        #expect(
            throws: KernelError.data(
                "Nobody has ever agreed to 'retargeting', so that nobody may be in a file. Ask for it in a form (consent: {retargeting: …}), or name another purpose under consent: of the audience."
            )
        ) { try crm.export("all", platform: "google") }
    }

    @Test func `files are split where the platform takes so many rows at once`() throws {
        let crm = try crm(leads: 10_001)
        let note = try crm.run(
            "audiences export", "all",
            options: ["platform": "google", "output": crm.folder + "/all.csv", "split": "true"])
        #expect(note[0].hasPrefix("\(crm.folder)/all-1.csv and 1 more: 10001 of 10001 members for google."))
        let (first, second) = (crm.lines(of: crm.folder + "/all-1.csv"), crm.lines(of: crm.folder + "/all-2.csv"))
        #expect(first.count == 10_001 && first[0] == "Email")
        #expect(second == ["Email", Digest.hex("l10001@a.example")])
        #expect(Set(first + second).count == 10_002)
    }
}
