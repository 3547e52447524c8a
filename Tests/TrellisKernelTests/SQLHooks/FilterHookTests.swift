import Testing
import TrellisKernel
import TrellisTesting

@Suite struct FilterHookTests {
    private static let noCompetitors = """
        hooks:
          no-competitors: {filter: lead, sql: "SELECT 'competitor' WHERE :email LIKE '%@rival.example'"}
        """

    @Test func `a row refuses the lead, with its first column as the reason`() throws {
        let crm = try TestKernel(FilterHookTests.noCompetitors)
        let veto = #expect(throws: Veto.self) { try crm.capture(["email": "spy@rival.example"]) }
        #expect(veto?.reason == "competitor")
        try crm.capture(["email": "ann@acme.example"])
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@acme.example"])
    }

    @Test func `an import counts the rows that SQL refused, and keeps the others`() throws {
        let crm = try TestKernel(
            FilterHookTests.noCompetitors,
            files: ["leads.csv": "email\nspy@rival.example\nann@acme.example\n"])
        let file = crm.folder + "/leads.csv"
        let report = try Importer(crm.kernel, file: file, mapping: ImportMapping()).run()
        #expect(report.rejected == 1)
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@acme.example"])
    }

    @Test func `a row changes the draft: each column the field of its name, and NULL nothing`() throws {
        let crm = try TestKernel(
            """
            leads: {fields: {budget: real}}
            hooks:
              route:
                filter: lead
                set: SELECT 'dach' AS owner, NULL AS company, 12 AS budget WHERE :country IN ('DE', 'AT', 'CH')
            """)
        try crm.capture(["email": "a@acme.example", "country": "AT", "company": "Acme"])
        try crm.capture(["email": "b@acme.example", "country": "FR"])
        #expect(try crm.rows("SELECT owner, company, budget FROM leads ORDER BY id") == ["dach|Acme|12.0", "||"])
    }

    @Test func `a filter of mails refuses one, or has it written from another template`() async throws {
        let crm = try TestKernel(
            """
            hooks:
              hello:
                on: lead.created
                send: {mail: hello, sql: SELECT lead_id FROM batch}
              no-french:
                filter: mail
                sql: SELECT 'not in France' FROM leads WHERE id = :lead_id AND country = 'FR'
                set: SELECT 'hallo' AS template FROM leads WHERE id = :lead_id AND country = 'DE'
            """,
            files: [
                "mails/hello.md": "---\nsubject: Hello\npurpose: transactional\n---\nHello.",
                "mails/hallo.md": "---\nsubject: Hallo\npurpose: transactional\n---\nHallo.",
            ])
        try crm.capture(["email": "a@acme.example", "country": "DE"])
        try crm.capture(["email": "b@acme.example", "country": "FR"])
        try crm.capture(["email": "c@acme.example", "country": "US"])
        try await crm.work()
        #expect(
            try crm.rows("SELECT state, reason FROM outbox_messages ORDER BY id")
                == ["sent|", "cancelled|not in France", "sent|"])
        let subjects = crm.transport.sent.map { message in
            String(decoding: message.bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
                .first { $0.hasPrefix("Subject:") }.map(String.init) ?? ""
        }
        #expect(subjects.sorted() == ["Subject: Hallo", "Subject: Hello"])
    }

    @Test func `a filter that takes too long fails, and names itself`() throws {
        let crm = try TestKernel(
            """
            hooks:
              endless:
                filter: lead
                sql: WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n
            """)
        let error = #expect(throws: (any Error).self) { try crm.capture(["email": "a@acme.example"]) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("hooks/endless"))
        #expect(try crm.rows("SELECT count(*) FROM leads") == ["0"])
    }
}
