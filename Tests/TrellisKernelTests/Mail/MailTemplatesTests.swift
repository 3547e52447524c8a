import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Sender: Plugin {
    static let name = "sender"
    static let summary = "Names a mail."
    static let mails = ["built-in": "---\nsubject: Built in\n---\nHi\n"]
    init(settings: NoSettings) {}
    var hooks: [any Hook] { [] }
    func check(_ check: ConfigCheck) {
        check.mail(Located("welcome", at: Place(file: "config.yaml", path: "plugins.sender")))
    }
}

@Suite struct MailTemplatesTests {
    private static func mail(_ subject: String, purpose: String = "marketing") -> String {
        "---\nsubject: \(subject)\npurpose: \(purpose)\n---\nHi\n"
    }

    private func crm(_ files: [String: String], checks: Bool = true) throws -> TestKernel {
        let own = ["mails/welcome.md": Self.mail("plain")].merging(files) { _, own in own }
        return try TestKernel("plugins: {sender: {}}", plugins: [Sender.self], files: own, checks: checks)
    }

    private func problems(_ files: [String: String]) -> String {
        do {
            _ = try crm(files)
            return ""
        } catch { return "\(error)" }
    }

    @Test func `the variant that says most about the lead is taken`() throws {
        let crm = try crm([
            "mails/welcome@mql.md": Self.mail("mql"), "mails/welcome@language=de.md": Self.mail("de"),
            "mails/welcome@mql@language=de.html": Self.mail("both"), "mails/welcome@country=AT.md": Self.mail("at"),
        ])
        func subject(_ values: [String: String]) throws -> String? {
            try crm.kernel.templates.named("welcome", values: values)?.subject
        }
        #expect(try subject([:]) == "plain")
        #expect(try subject(["stage": "lead"]) == "plain")
        #expect(try subject(["stage": "mql"]) == "mql")
        #expect(try subject(["stage": "lead", "language": "de"]) == "de")
        #expect(try subject(["stage": "mql", "language": "de"]) == "both")
        #expect(try subject(["language": "de", "country": "AT"]) == "at", "of equals the first by name")
        #expect(crm.kernel.templates.names == ["built-in", "welcome"])
    }

    @Test func `a lead gets the mail of its stage and is counted for the mail`() async throws {
        let crm = try crm(["mails/welcome@mql.md": Self.mail("For you, {{first_name}}")])
        try crm.capture(["email": "ann@acme.example", "first_name": "Ann"], consents: ["newsletter"])
        try crm.capture(["email": "bob@acme.example"], consents: ["newsletter"])
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try crm.kernel.write(origin: "plugin:sender") { tx in
            try tx.send(
                .marketing,
                forEach:
                    "SELECT id AS key, id AS lead_id, NULL AS recipient, 'welcome' AS template, '{}' AS body, NULL AS cause_id FROM leads ORDER BY id"
            )
        }
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["For you, Ann", "plain"])
        #expect(try crm.rows("SELECT mail, sent FROM mail_engagement") == ["welcome|2"])
    }

    @Test(arguments: [
        (["mails/welcome@mqll.md": mail("x")], "there is no stage 'mqll'. Did you mean 'mql'?"),
        (["mails/welcome@persona=buyer.md": mail("x")], "leads has no column 'persona'."),
        (
            ["mails/welcome@mql.md": mail("{{firstname}}")],
            "the mail 'welcome@mql' names the unknown variable {{firstname}}."
        ),
        (
            ["mails/welcome@mql.md": mail("x", purpose: "transactional")],
            "mails/welcome@mql.md is transactional, and the mail it is a variant of is marketing."
        ),
        (
            ["mails/welcom@mql.md": mail("x")],
            "mails/welcom@mql.md is a variant of 'welcom', which is not there. Did you mean 'welcome'?"
        ),
        (["mails/welcome.html": mail("x")], "mails/welcome.md and mails/welcome.html are the same mail. Keep one."),
        (["mails/welcome@mql.html": mail("x") + "<p>"], "mails/welcome@mql.html:6: <p> is not closed"),
    ])
    func `the check reads every variant`(_ files: [String: String], _ expected: String) {
        #expect(problems(files).contains(expected), "\(problems(files))")
    }

    @Test func `a file that changed or came is read`() throws {
        let crm = try crm([:])
        let templates = crm.kernel.templates
        #expect(try templates.named("welcome")?.subject == "plain")
        try Data(Self.mail("changed and longer").utf8).write(to: URL(filePath: crm.folder + "/mails/welcome.md"))
        #expect(try templates.named("welcome")?.subject == "changed and longer")
        try Data(Self.mail("mql").utf8).write(to: URL(filePath: crm.folder + "/mails/welcome@mql.md"))
        #expect(try templates.named("welcome", values: ["stage": "mql"])?.subject == "mql")
        try FileManager.default.removeItem(atPath: crm.folder + "/mails/welcome.md")
        #expect(try templates.named("welcome") == nil)
    }

    @Test(arguments: ["../welcome", "welcome@mql", "", "layout", "a/b", "wel come"]) func `a name is never a path`(
        _ name: String
    )
        throws
    {
        let crm = try crm(["mails/welcome@mql.md": Self.mail("x"), "mails/layout.html": "{{{body}}}{{{footer}}}"])
        #expect(try crm.kernel.templates.named(name) == nil)
    }

    @Test func `a mail called mustache is one of HTML`() throws {
        let crm = try crm(["mails/offer.mustache": "---\nsubject: O\n---\n<p>{{first_name|you}} & <b>me</b></p>\n"])
        let mail = try #require(try crm.kernel.templates.named("offer")).rendered([:])
        #expect(mail.html == "<p>you & <b>me</b></p>\n" && mail.text == "you & me\n")
    }
}
