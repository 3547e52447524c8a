import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct DifferenceTests {
    private static let rules = """
        people: {sql: "SELECT id AS lead_id FROM leads WHERE title = 'Head'", platforms: [google], exclude: [customers]}
        customers: {sql: "SELECT id AS lead_id FROM leads WHERE stage = 'customer'"}
        """

    private func hash(_ name: String) -> String { Digest.hex("\(name)@a.example") }

    /// Six people on Google's list.
    private func uploaded() throws -> TestKernel {
        let crm = try AudienceSite.crm(Self.rules)
        for name in ["ann", "bob", "cleo", "dan", "eve", "fay"] { try crm.lead("\(name)@a.example", title: "Head") }
        try crm.pump()
        #expect(try crm.export("people").lines.count == 7)
        #expect(try crm.accept() == "google has taken export 1 of people: 6 added, 0 taken off.")
        crm.clock.advance(by: "1 day")
        return crm
    }

    @Test func `without a change there is nothing to add and nobody to take off`() throws {
        let crm = try uploaded()
        #expect(
            try crm.run("audiences diff", "people") == [
                "Nobody is to be added to the list of people on google, and nobody taken off it."
            ])
        let file = try crm.export("people", diff: true)
        #expect(file.lines == [] && file.removals == [])
        #expect(
            file.note
                == "Nobody is to be added to the list on google. When google has taken it: trellis audiences accept 2")
    }

    @Test func `whoever may not be on the list any more is in the file of removals, each with the reason`() throws {
        let crm = try uploaded()
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'ads', 'withdrawn')")
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('bob@a.example', 'unsubscribed')")
        _ = try Person(email: "cleo@a.example").erase(crm.kernel)
        try crm.foreign("UPDATE leads SET title = 'Clerk' WHERE id = 4")
        try crm.foreign("UPDATE leads SET stage = 'customer' WHERE id = 5")
        try crm.foreign("UPDATE leads SET email = 'fay.new@a.example' WHERE id = 6")
        try crm.lead("gus@a.example", title: "Head")
        try crm.pump()
        #expect(
            try crm.run("audiences diff", "people") == [
                "add|new, or due again|2", "remove|address changed|1", "remove|consent withdrawn|1",
                "remove|erased|1", "remove|excluded|1", "remove|left the audience|1", "remove|suppressed|1",
                "withhold|excluded by customers|1", "withhold|suppressed|1", "withhold|without consent|1",
            ])
        #expect(try crm.rows("SELECT count(*) FROM audiences_exports") == ["1"], "and nothing was written")
        for isDifference in [true, false] {
            let file = try crm.export("people", diff: isDifference)
            #expect(file.lines == ["Email", hash("fay.new"), hash("gus")])
            #expect(file.removals == ["Email"] + ["ann", "bob", "cleo", "dan", "eve", "fay"].map(hash))
        }
        #expect(
            try crm.rows("SELECT lead_id, reason FROM audiences_removals WHERE export_id = 2 ORDER BY lead_id") == [
                "1|consent withdrawn", "2|suppressed", "3|erased", "4|left the audience", "5|excluded",
                "6|address changed",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `once a removal was accepted nothing of the person is kept`() throws {
        let crm = try uploaded()
        _ = try Person(email: "cleo@a.example").erase(crm.kernel)
        try crm.pump()
        #expect(try crm.export("people", diff: true).removals == ["Email", hash("cleo")])
        #expect(try crm.export("people", diff: true).removals == ["Email", hash("cleo")], "again until it was taken")
        #expect(try crm.accept() == "google has taken export 3 of people: 0 added, 1 taken off.")
        #expect(try crm.rows("SELECT lead_id FROM audiences_uploads WHERE lead_id = 3") == [])
        #expect(try crm.rows("SELECT count(*), count(key) FROM audiences_removals") == ["2|0"])
        #expect(try crm.rows("SELECT consent_id FROM audiences_receipts WHERE lead_id = 3") == ["0"])
        #expect(try crm.export("people", diff: true).removals == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `each key is kept with its lead, whether numbers are missing between them or not`() throws {
        for missing in ["0", "3, 4, 9"] {
            let crm = try AudienceSite.crm(Self.rules)
            for number in 1...12 { try crm.lead("l\(number)@a.example", title: "Head") }
            try crm.foreign("DELETE FROM leads WHERE id IN (\(missing))")
            _ = try crm.export("people")
            let kept = try crm.rows("SELECT lead_id, lower(hex(key)) FROM audiences_uploads ORDER BY lead_id")
            #expect(kept == (try crm.rows("SELECT id FROM leads ORDER BY id")).map { "\($0)|\(hash("l\($0)"))" })
            #expect(try crm.export("people", diff: true).removals == [])
        }
    }

    @Test func `a file that was not accepted may have been uploaded: its people are taken off too, and added again`()
        throws
    {
        let crm = try AudienceSite.crm(Self.rules)
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example", title: "Head") }
        try crm.pump()
        _ = try crm.export("people")
        try crm.foreign("UPDATE leads SET title = 'Clerk' WHERE id = 1")
        try crm.pump()
        let file = try crm.export("people", diff: true)
        #expect(file.lines == ["Email", hash("bob")])
        #expect(file.removals == ["Email", hash("ann")])
    }

    @Test func `who came back before the removal was accepted stays on the list`() throws {
        let crm = try uploaded()
        try crm.foreign("UPDATE leads SET title = 'Clerk' WHERE id = 1")
        try crm.pump()
        #expect(try crm.export("people").removals == ["Email", hash("ann")])
        try crm.foreign("UPDATE leads SET title = 'Head' WHERE id = 1")
        try crm.pump()
        #expect(try crm.export("people").removals == [])
        try crm.run("audiences accept", "2")
        try crm.run("audiences accept", "3")
        #expect(try crm.rows("SELECT count(*) FROM audiences_uploads WHERE lead_id = 1 AND is_accepted") == ["1"])
        #expect(try crm.export("people", diff: true).lines == [])
    }

    @Test func `a number that is no export, one accepted before and one that is outdated are told apart`() throws {
        let crm = try uploaded()
        #expect(
            throws: KernelError.usage("There is no export 9. 'trellis audiences show NAME' lists those of an audience.")
        ) {
            try crm.run("audiences accept", "9")
        }
        #expect(throws: KernelError.usage("'x' is no number of an export.")) { try crm.run("audiences accept", "x") }
        #expect(try crm.run("audiences accept", "1") == ["Export 1 was accepted before. Nothing changed."])
        for _ in 1...2 { _ = try crm.export("people") }
        try crm.run("audiences accept", "3")
        #expect(throws: KernelError.usage("Export 3 is newer and was accepted already. What was in 2 counts no more."))
        {
            try crm.run("audiences accept", "2")
        }
    }

    @Test func `a difference that cannot be finished leaves no file and no row`() throws {
        let crm = try uploaded()
        try crm.lead("gus@a.example", title: "Head")
        try crm.foreign("UPDATE leads SET title = 'Clerk' WHERE id = 1")
        try crm.pump()
        let path = crm.folder + "/taken.csv"
        try FileManager.default.createDirectory(
            atPath: Export.removalPath(path) + "/full", withIntermediateDirectories: true)
        #expect(throws: KernelError.usage("\(Export.removalPath(path)) is a folder. Name a file.")) {
            try crm.run("audiences export", "people", options: ["output": path, "diff": "true"])
        }
        #expect(crm.lines(of: path) == [] && crm.lines(of: path + ".part") == [])
        #expect(try crm.rows("SELECT count(*) FROM audiences_exports") == ["1"])
        #expect(try crm.rows("SELECT count(*) FROM audiences_removals") == ["0"])
        #expect(try crm.rows("SELECT count(*) FROM audiences_uploads") == ["6"])
    }

    @Test func `members whose time on the list runs out are reminded of, and written once more`() throws {
        let crm = try uploaded()
        #expect(
            try crm.rows("SELECT kind, due_at FROM scheduled_events") == [
                "audiences.lifetime_due|2027-07-25 09:00:00.000"
            ])
        crm.clock.set("2027-07-25 09:00:00")
        try crm.pump()
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'audience.expiring'") == [
                #"{"audience":"people","platform":"google","members":6,"days":30}"#
            ])
        let overview = Overview(audiences: Audiences(AudienceSettings()), stamp: "2027-07-25 09:00:00.000")
        #expect(
            try crm.kernel.read { try overview.endingSoon($0) }?.rows == [
                ["people", "google", 6, "2027-08-24"]
            ])
        #expect(try crm.export("people", diff: true).lines.count == 7)
        try crm.accept()
        #expect(try crm.kernel.read { try overview.endingSoon($0) } == nil)
        #expect(try crm.export("people", diff: true).lines == [])
    }

    // MARK: - Two who are one to the platform

    private static let folded = """
        people: {sql: "SELECT id AS lead_id FROM leads", platforms: [google], match: [email, phone]}
        """

    private func digest(_ text: String) -> String { Digest.hex(text) }

    @Test(arguments: [true, false])
    func `of two addresses that are one to the platform, one may go and the hash stays`(isMerged: Bool) throws {
        let crm = try AudienceSite.crm("people: {sql: SELECT id AS lead_id FROM leads, platforms: [google]}")
        for email in ["j.doe@gmail.com", "jdoe@gmail.com", "ann@a.example"] { try crm.lead(email) }
        try crm.pump()
        let full = try crm.export("people")
        #expect(full.lines == ["Email", digest("jdoe@gmail.com"), digest("ann@a.example")], "each hash once")
        #expect(try crm.rows("SELECT members, rows FROM audiences_exports") == ["3|2"])
        try crm.accept()
        if isMerged {
            try crm.kernel.write(origin: "cli") { try $0.merge(2, into: 1) }
        } else {
            try crm.foreign("DELETE FROM leads WHERE id = 1")
        }
        try crm.pump()
        crm.clock.advance(by: "1 day")
        for isDifference in [true, false] {
            let file = try crm.export("people", diff: isDifference)
            #expect(file.removals == [])
            #expect(file.lines == (isDifference ? [] : ["Email", digest("jdoe@gmail.com"), digest("ann@a.example")]))
        }
        #expect(
            try crm.rows("SELECT DISTINCT reason FROM audiences_removals") == ["another has the same address"])
        try crm.accept()
        #expect(try crm.rows("SELECT count(*) FROM audiences_uploads") == ["2"])
        try crm.foreign("DELETE FROM leads WHERE id IN (1, 2)")
        try crm.pump()
        #expect(try crm.export("people", diff: true).removals == ["Email", digest("jdoe@gmail.com")])
        #expect(try crm.troubles() == [])
    }

    @Test func `who changes the address and keeps the number is taken off by the address alone`() throws {
        let crm = try AudienceSite.crm(Self.folded)
        try crm.capture(["email": "ann@a.example", "phone": "+43 660 1234567"], consents: ["ads"])
        try crm.capture(["email": "bob@a.example", "phone": "+43 660 1234567"], consents: ["ads"])
        try crm.pump()
        let phone = digest("+436601234567")
        #expect(
            try crm.export("people").lines == [
                "Email,Phone", "\(digest("ann@a.example")),\(phone)", "\(digest("bob@a.example")),",
            ])
        try crm.accept()
        try crm.foreign("UPDATE leads SET email = 'ann.new@a.example' WHERE id = 1")
        try crm.pump()
        crm.clock.advance(by: "1 day")
        for isDifference in [true, false] {
            let file = try crm.export("people", diff: isDifference)
            #expect(file.lines.contains("\(digest("ann.new@a.example")),\(phone)"))
            #expect(file.removals == ["Email,Phone", "\(digest("ann@a.example")),"])
        }
        try crm.foreign("DELETE FROM leads WHERE id = 1")
        try crm.pump()
        let gone = try crm.export("people", diff: true).removals
        #expect(!gone.joined().contains(phone), "Bob still has it")
    }

    @Test func `people are counted for the least a platform takes, not leads`() throws {
        let crm = try AudienceSite.crm(
            "people: {sql: SELECT id AS lead_id FROM leads, platforms: [google], minimum: 2}")
        for email in ["j.doe@gmail.com", "jdoe@gmail.com"] { try crm.lead(email) }
        try crm.pump()
        for isDifference in [true, false] {
            #expect(
                throws: KernelError.data(
                    "people has 1 members who may be in a file, and google shows no ads to fewer than 2. Wait until there are more, or add --anyway."
                )
            ) { _ = try crm.export("people", diff: isDifference, anyway: false) }
        }
    }

    @Test func `a difference leaves nothing in its work tables`() throws {
        let crm = try uploaded()
        try crm.foreign("UPDATE leads SET title = 'Clerk' WHERE id = 1")
        try crm.pump()
        _ = try crm.export("people", diff: true)
        for table in ["next", "keys", "leaving"] {
            #expect(try crm.rows("SELECT count(*) FROM audiences_\(table)") == ["0"], "\(table)")
        }
    }

    @Test func `an export says how many members it leaves out and why`() throws {
        let crm = try AudienceSite.crm(Self.rules)
        try crm.lead("ann@a.example", title: "Head")
        try crm.lead("bob@a.example", title: "Head", consents: [])
        try crm.lead("cleo@a.example", title: "Head", stage: "customer")
        try crm.pump()
        _ = try crm.export("people")
        #expect(
            try crm.rows(
                "SELECT json_extract(withheld, '$.\"without consent\"', '$.\"excluded by customers\"') FROM audiences_exports"
            ) == ["[1,1]"])
    }

    /// Where a list and its accepted files part ways, somebody is shown ads who said no.
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `whatever is uploaded file by file, the list is whom the audience may have there`(_ seed: UInt64) throws {
        let crm = try AudienceSite.crm(Self.rules, at: "2030-03-02 09:00:00")
        var dice = Dice(seed: seed)
        var list: Set<String> = []
        for number in 1...40 {
            let lead = dice.below(number) + 1
            switch dice.below(7) {
            case 0: try crm.lead("l\(number)@a.example", title: "Head")
            case 1:
                // Nine addresses, and three mailboxes to Google.
                let dots = ["", ".", "+x"][dice.below(3)]
                let name = ["ab", "cd", "ef"][dice.below(3)]
                let local = dots == "." ? "\(name.prefix(1)).\(name.suffix(1))" : name + dots
                if try crm.rows("SELECT 1 FROM leads WHERE email = '\(local)@gmail.com'") == [] {
                    try crm.lead("\(local)@gmail.com", title: "Head")
                }
            case 2: try crm.foreign("UPDATE leads SET title = iif(title = 'Head', 'Clerk', 'Head') WHERE id = \(lead)")
            case 3:
                try crm.foreign(
                    "INSERT INTO consents (lead_id, purpose, state) VALUES (\(lead), 'ads', '\(["granted", "withdrawn"][dice.below(2)])')"
                )
            case 4: try crm.foreign("UPDATE OR IGNORE leads SET email = 'm\(number)@a.example' WHERE id = \(lead)")
            case 5:
                let other = dice.below(number) + 1
                let areLeads = try crm.rows("SELECT id FROM leads WHERE id IN (\(lead), \(other))").count == 2
                if areLeads { try crm.kernel.write(origin: "cli") { try $0.merge(Int64(other), into: Int64(lead)) } }
            default:
                if let email = try crm.value("SELECT email FROM leads WHERE id = \(lead)") {
                    _ = try Person(email: email).erase(crm.kernel)
                }
            }
            guard dice.below(3) == 0, try crm.value("SELECT 1 FROM leads") != nil else { continue }
            crm.clock.advance(by: "1 hour")
            let file = try crm.export("people", diff: dice.below(2) == 0)
            // Now and then a file is lost on the way.
            guard dice.below(4) > 0 else { continue }
            list.subtract(file.removals.dropFirst())
            list.formUnion(file.lines.dropFirst())
            if dice.below(4) > 0 { try crm.accept() }
            let allowed = try crm.rows(
                """
                SELECT email FROM leads WHERE title = 'Head' AND stage <> 'customer' AND id IN (
                    SELECT lead_id FROM consents_now WHERE purpose = 'ads' AND state = 'granted')
                """)
            let rule = EmailRule(foldsGmail: true)
            #expect(list == Set(allowed.compactMap { rule.normalised($0).map { Digest.hex($0) } }), "step \(number)")
            #expect(Set(file.lines).count == file.lines.count && Set(file.removals).count == file.removals.count)
            #expect(Set(file.lines.dropFirst()).isDisjoint(with: file.removals.dropFirst()))
        }
        let troubles = try crm.troubles()
        #expect(troubles == [])
    }
}
