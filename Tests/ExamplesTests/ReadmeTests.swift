import Foundation
import Testing
import TrellisKernel
import TrellisTesting

struct ReadmeTests {
    private func text(_ name: String) throws -> String {
        try String(contentsOf: repository.appending(path: name), encoding: .utf8)
    }

    @Test(arguments: [("Examples/readme/config.yaml", "yaml"), ("Examples/Plugin/FirstDownload.swift", "swift")])
    func `the README shows a file that is run, word for word`(_ file: String, language: String) throws {
        let block = "```\(language)\n\(try text(file))```\n"
        #expect(try text("README.md").contains(block))
    }

    /// Tests/Clients runs the blocks of that page.
    @Test func `the magnet of the README names files that are laid down`() throws {
        let after = try text("README.md").components(separatedBy: "\n      price-guide: ")
        let block = try #require(after.dropFirst().first?.components(separatedBy: "```").first)
        let files = block.matches(of: #/(?:page|picture|asset): \/?([a-z]+\/[a-z.-]+)/#).map { String($0.1) }
        #expect(files == ["pages/demand-calendar.md", "public/demand-calendar.svg", "assets/demand-calendar.md"])
        for file in files { #expect(try !text("Starter/\(file)").isEmpty) }
    }

    @Test func `the query of DuckDB in the README is the one of the page about SQL`() throws {
        let page = try text("Documentation/YourCRMInSQL.md")
        let blocks = page.components(separatedBy: "```python\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        let block = try #require(blocks.first { $0.contains("import duckdb") })
        #expect(try text("README.md").contains("```python\n\(block)```\n"))
    }

    @Test func `the CRM of the README does what the README says`() async throws {
        let crm = try ExampleFolder("Examples/readme", at: "2026-03-02 09:00:00")
        let lead = try crm.capture(
            "solar-checklist", ["email": "nora@example.org", "first_name": "Nora", "roof_area": "80"])
        try await crm.work()
        #expect(try crm.sent() == ["magnet-delivery nora@example.org"])
        crm.clock.advance(by: "2 days")
        try await crm.work()
        #expect(try crm.sent().last == "survey nora@example.org")
        try crm.record("survey.booked", lead: lead, ["day": "2026-03-20"])
        try await crm.work()
        #expect(try crm.query("best-roofs", ["at_least": "60"]).first?.hasPrefix("\(lead)|Nora|80.0|mql|") == true)
        #expect(try crm.sent().last == "handoff-offer ada@lumen.example")
        #expect(try crm.troubles() == [])
    }

    @Test func `the hooks of the README pass check`() throws {
        let chapter = try #require(text("README.md").components(separatedBy: "## Hooks in SQL").last)
        let yaml = try #require(chapter.components(separatedBy: "```yaml\n").dropFirst().first)
        let mail = "---\nsubject: A word\npurpose: marketing\n---\nHello."
        _ = try TestKernel(
            yaml.components(separatedBy: "```")[0], plugins: shippedPlugins, files: ["mails/nudge.md": mail])
    }

    @Test func `what the README says of ways beyond mail is so`() throws {
        let chapter = try #require(text("README.md").components(separatedBy: "## Beyond mail\n").last)
        let yaml = try #require(chapter.components(separatedBy: "```yaml\n").dropFirst().first)
        let environment = [
            "SMS_SECRET": "a secret of the tests for texts", "CHAT_SECRET": "a secret of the tests for the chat",
            "COMPANY_SECRET": "a secret of the tests for companies",
        ]
        let crm = try TestKernel(
            yaml.components(separatedBy: "```")[0], plugins: shippedPlugins, environment: environment)
        for (number, consents) in [["sms"], [], ["sms"]].enumerated() {
            try crm.capture(
                ["email": "l\(number)@a.example", "external_id": "u\(number)", "phone": "+491511234567\(number)"],
                consents: consents)
        }
        try crm.pump()
        #expect(try crm.rows("SELECT app_banner FROM leads") == ["upgrade", "upgrade", "upgrade"])
        try crm.record("banner.clicked", lead: 3)
        try crm.record("company.found", lead: 1, ["employees": "120"])
        try crm.foreign("UPDATE leads SET company = 'Acme', stage = 'sql' WHERE id = 2")
        try crm.pump()
        // The week is over on a Monday; the text comes on Tuesday.
        for (time, banner) in [("2026-03-09 09:00:00", "upgrade"), ("2026-03-11 00:00:00", "none")] {
            crm.clock.set(time)
            try crm.pump()
            #expect(
                try crm.rows("SELECT external_id, app_banner, employees FROM leads ORDER BY id") == [
                    "u0|\(banner)|120", "u1|\(banner)|", "u2|none|",
                ])
        }
        #expect(
            try crm.rows("SELECT recipient, lead_id FROM outbox_messages WHERE transport = 'webhook' ORDER BY 1, 2")
                == [
                    "chat|2", "company|1", "company|2", "company|3", "sms|1",
                ])
        #expect(try crm.rows("SELECT count(*) FROM outbox_messages") == ["5"])
    }

    /// Whoever copies one would give the receiver the key of the API.
    @Test func `no webhook of the README is signed with the token of the API`() throws {
        let signed = try text("README.md").components(separatedBy: "\n").filter {
            $0.contains("https://hooks.acme.example/") && $0.contains("secret: ")
        }
        #expect(signed.count >= 4)
        #expect(signed.filter { $0.contains("TRELLIS_") } == [])
    }

    @Test func `a row of another SQLite client fires the same hooks`() async throws {
        let crm = try ExampleFolder("Examples/readme", at: "2026-03-02 09:00:00")
        let foreign = try SQLConnection(path: crm.kernel.config.databasePath, access: .write)
        try foreign.run("INSERT INTO leads (email, roof_area) VALUES ('otto@example.org', 75)") { _ in true }
        try await crm.work()
        #expect(try crm.rows("SELECT kind, origin FROM events WHERE kind LIKE 'lead.%'") == ["lead.created|sql"])
        #expect(try crm.rows("SELECT score FROM scoring_scores") == ["30.0"])
    }
}
