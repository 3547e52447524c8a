import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct PersonTests {
    private static let secrets = ["zebulon", "quixano", "4930555777", "maelstrom", "windmill"]

    private func crm() throws -> TestKernel {
        let crm = try TestKernel(files: [
            "mails/welcome.md":
                "---\nsubject: Welcome, {{first_name}}\npurpose: transactional\n---\nHello {{last_name}}.\n"
        ])
        for number in 1...40 { try crm.capture(["email": "other\(number)@acme.example", "first_name": "Other"]) }
        try crm.capture(
            [
                "email": "Zebulon@acme.example", "first_name": "Zebulon", "last_name": "Quixano",
                "phone": "+49 30 555777",
            ], consents: ["newsletter"])
        return crm
    }

    private let lead: Int64 = 41

    /// Which of the secrets stand in the files of the closed database.
    private func leaks(_ crm: TestKernel) throws -> [String] {
        try crm.kernel.close()
        let names = try FileManager.default.contentsOfDirectory(atPath: crm.folder).filter {
            $0.hasPrefix("crm.sqlite")
        }
        #expect(names.contains("crm.sqlite"))
        let text = try names.map { name in
            String(decoding: try Data(contentsOf: URL(filePath: crm.folder + "/" + name)), as: Unicode.ASCII.self)
                .lowercased()
        }.joined()
        return Self.secrets.filter { text.contains($0) }
    }

    @Test func `an erased person leaves no byte in the file`() async throws {
        let crm = try crm()
        try crm.kernel.write(origin: "test") { tx in
            try tx.send(
                .transactional,
                forEach: """
                    SELECT 'k' AS key, \(lead) AS lead_id, NULL AS recipient, 'welcome' AS template, '{"note":"maelstrom"}' AS body, NULL AS cause_id
                    """)
        }
        try await crm.work()
        try crm.kernel.write(origin: "test") { _ = try $0.convert(lead: lead) }
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('zebulon@acme.example', 'bounced')")
        #expect(try Person(email: "zebulon@acme.example").erase(crm.kernel) == 2)
        #expect(try crm.rows("SELECT id FROM leads WHERE id = \(lead)") == [])
        #expect(try crm.rows("SELECT id FROM contacts") == [])
        #expect(try crm.rows("SELECT state, body, content, recipient FROM outbox_messages") == ["sent|{}||"])
        #expect(try crm.rows("SELECT kind FROM events WHERE lead_id = \(lead) ORDER BY id").last == "lead.erased")
        #expect(try crm.value("SELECT count(*) FROM leads") == "40")
        #expect(try crm.troubles() == [])
        #expect(try leaks(crm) == [])
    }

    @Test func `what the person was called before is gone too`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET first_name = 'Maelstrom', company = 'Windmill' WHERE id = \(lead)")
        try crm.foreign(
            "UPDATE leads SET first_name = 'Zebulon', company = 'A much longer name than before, so that the row moves' WHERE id = \(lead)"
        )
        #expect(try Person(email: "zebulon@acme.example").erase(crm.kernel) == 1)
        #expect(try leaks(crm) == [])
    }

    @Test func `before that it does stand there, else the test would prove nothing`() throws {
        #expect(try Set(leaks(crm())).isSuperset(of: ["zebulon", "quixano", "4930555777"]))
    }

    @Test func `a row in the trash goes with the person`() throws {
        let crm = try crm()
        try crm.foreign("DELETE FROM leads WHERE id = \(lead)")
        #expect(try Person(email: "ZEBULON@acme.example").erase(crm.kernel) == 0)
        #expect(try crm.rows("SELECT * FROM trash") == [])
        #expect(try leaks(crm) == [])
    }

    @Test func `an erased person does not come back by an import or a command`() throws {
        let crm = try crm()
        _ = try Person(email: "zebulon@acme.example").erase(crm.kernel)
        let veto = try #require(throws: Veto.self) { try crm.capture(["email": "ZEBULON@acme.example"]) }
        #expect(veto.reason == "this person was erased on request; only they can come back, through a form")
        try Data("email\nzebulon@acme.example\nother41@acme.example\n".utf8).write(
            to: URL(filePath: crm.folder + "/list.csv"))
        let report = try Importer(crm.kernel, file: crm.folder + "/list.csv", mapping: ImportMapping()).run()
        #expect(report.created == 1 && report.examples == ["line 2: \(veto.reason)"])
    }

    @Test func `whom another client writes back is suppressed`() throws {
        let crm = try crm()
        _ = try Person(email: "zebulon@acme.example").erase(crm.kernel)
        try crm.foreign("INSERT INTO leads (email) VALUES ('Zebulon@acme.example')")
        try crm.pump()
        #expect(try crm.rows("SELECT reason FROM suppressions WHERE email = 'zebulon@acme.example'") == ["erased"])
        #expect(try crm.rows("SELECT id FROM mailable_leads WHERE email = 'zebulon@acme.example'") == [])
    }

    @Test func `only the person's rows go`() throws {
        let crm = try crm()
        _ = try Person(email: "other1@acme.example").erase(crm.kernel)
        #expect(try crm.rows("SELECT first_name FROM leads WHERE id = \(lead)") == ["Zebulon"])
        #expect(try crm.rows("SELECT purpose FROM consents") == ["newsletter"])
        #expect(try crm.value("SELECT count(*) FROM suppressions") == "1")
    }

    @Test func `what is kept about a person is given out by table`() throws {
        let crm = try crm()
        try crm.kernel.write(origin: "test") { _ = try $0.convert(lead: lead) }
        let text = try Person(email: "zebulon@acme.example").export(crm.kernel).text(isIndented: true)
        let tables = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [[String: Any]]])
        #expect(Set(tables.keys) == ["leads", "consents", "events", "contacts", "opportunities"])
        #expect(tables["leads"]?.first?["last_name"] as? String == "Quixano")
        #expect(tables["consents"]?.first?["purpose"] as? String == "newsletter")
        #expect(!text.contains("other1@acme.example"))
        #expect(try Person(email: "nobody@acme.example").export(crm.kernel).text() == "{}")
    }

    @Test func `an address that is none is refused`() throws {
        let error = try #require(throws: KernelError.self) { try Person(email: "zebulon") }
        #expect(error.exitCode == 64)
    }
}
