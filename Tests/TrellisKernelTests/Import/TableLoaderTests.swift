import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct TableLoaderTests {
    private func run(_ crm: TestKernel, into target: ImportMapping.Target, _ csv: String, repeats: Bool = false) throws
        -> ImportReport
    {
        try Data(csv.utf8).write(to: URL(filePath: crm.folder + "/file.csv"))
        var mapping = ImportMapping()
        mapping.target = target
        return try Importer(crm.kernel, file: crm.folder + "/file.csv", mapping: mapping).run(repeats: repeats)
    }

    private func counts(_ report: ImportReport) -> [Int] {
        [report.rows, report.created, report.changed, report.same, report.rejected]
    }

    private static let accounts = "name,domain,employees,country\nAcme,ACME.example,12,Germany\nCorp,corp.example,,FR\n"

    // MARK: - Accounts

    @Test func `accounts are made, found again and changed`() throws {
        let crm = try TestKernel()
        #expect(counts(try run(crm, into: .accounts, Self.accounts)) == [2, 2, 0, 0, 0])
        #expect(
            try crm.rows("SELECT name, domain, employees, country FROM accounts") == [
                "Acme|acme.example|12|DE", "Corp|corp.example||FR",
            ])
        #expect(counts(try run(crm, into: .accounts, Self.accounts, repeats: true)) == [2, 0, 0, 2, 0])
        #expect(
            counts(try run(crm, into: .accounts, Self.accounts.replacing(",12,", with: ",13,"))) == [2, 0, 1, 1, 0])
        #expect(try crm.events() == ["account.created", "account.created", "account.updated"])
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'account.updated'") == [
                #"{"account_id":1,"columns":["employees"]}"#
            ])
    }

    @Test func `an account without a domain is known by its name, in any case`() throws {
        let crm = try TestKernel()
        #expect(
            counts(try run(crm, into: .accounts, "name,city\nAcme,Bonn\nACME,Bonn\nCorp,Kiel\n")) == [3, 2, 0, 1, 0])
        #expect(counts(try run(crm, into: .accounts, "name,city\nacme,Berlin\n")) == [1, 0, 1, 0, 0])
        #expect(try crm.rows("SELECT city FROM accounts") == ["Berlin", "Kiel"])
    }

    @Test func `an id and a name that look alike are two accounts`() throws {
        let crm = try TestKernel()
        let report = try run(crm, into: .accounts, "external_id,name\nAcme,First\n,Acme\n")
        #expect(counts(report) == [2, 2, 0, 0, 0])
    }

    @Test func `rows that do not fit are rejected, the others kept`() throws {
        let crm = try TestKernel()
        let report = try run(
            crm, into: .accounts, "name,employees,country\nAcme,many,DE\n,5,DE\nCorp,5,Atlantis\nGood,5,DE\n")
        #expect(counts(report) == [4, 1, 0, 0, 3])
        #expect(
            report.examples == [
                "line 2: employees: expected a whole number",
                "line 3: external_id: is empty, and the row is known by it",
                "line 4: country: expected a country such as DE or Germany",
            ])
    }

    @Test func `a row the database refuses is isolated`() throws {
        let crm = try TestKernel()
        let long = String(repeating: "x", count: 501)
        let report = try run(
            crm, into: .accounts, "domain,name\n" + (1...9).map { "d\($0).example,\($0 == 4 ? long : "ok")\n" }.joined()
        )
        #expect(counts(report) == [9, 8, 0, 0, 1])
        #expect(report.examples == ["line 5: the database refused it: CHECK constraint failed: length(name) <= 500"])
        #expect(try crm.value("SELECT count(*) FROM accounts") == "8")
    }

    // MARK: - Contacts and opportunities

    @Test func `a contact stands at the account of its name`() throws {
        let crm = try TestKernel()
        _ = try run(crm, into: .accounts, Self.accounts)
        let report = try run(
            crm, into: .contacts, "email,first_name,account\nann@acme.example,Ann,acme\nnobody,X,Acme\n")
        #expect(counts(report) == [2, 1, 0, 0, 1])
        #expect(try crm.rows("SELECT email, first_name, account_id FROM contacts") == ["ann@acme.example|Ann|1"])
    }

    @Test func `an opportunity is known by its id, and stands at the account of its name`() throws {
        let crm = try TestKernel()
        _ = try run(crm, into: .accounts, Self.accounts)
        let csv =
            "external_id,name,account,amount,stage,closed_at\nO1,Deal,CORP,12.5,won,2026-01-31\nO2,Other,Acme,,,\n"
        #expect(counts(try run(crm, into: .opportunities, csv)) == [2, 2, 0, 0, 0])
        #expect(
            try crm.rows("SELECT external_id, name, account_id, amount, stage, closed_at FROM opportunities") == [
                "O1|Deal|2|12.5|won|2026-01-31 00:00:00.000", "O2|Other|1||open|",
            ])
        #expect(counts(try run(crm, into: .opportunities, csv, repeats: true)) == [2, 0, 0, 2, 0])
        #expect(counts(try run(crm, into: .opportunities, csv.replacing("12.5", with: "20"))) == [2, 0, 1, 1, 0])
        #expect(try crm.rows("SELECT amount FROM opportunities") == ["20.0", ""])
        #expect(counts(try run(crm, into: .opportunities, csv.replacing("CORP", with: "Acme"))) == [2, 0, 1, 1, 0])
        #expect(try crm.rows("SELECT account_id FROM opportunities") == ["1", "1"])
    }

    @Test func `a row that names an account which is not there is rejected, one that names none is not`() throws {
        let crm = try TestKernel()
        _ = try run(crm, into: .accounts, Self.accounts)
        let report = try run(crm, into: .opportunities, "external_id,account\nO1,Acme\nO2,Acne\nO3,\n")
        #expect(counts(report) == [3, 2, 0, 0, 1])
        #expect(report.examples == ["line 3: account: no account has this name. Import the accounts first."])
        #expect(try crm.rows("SELECT external_id, account_id FROM opportunities") == ["O1|1", "O3|"])
    }

    @Test func `an opportunity names its lead by an id, an address or an external id`() throws {
        let crm = try TestKernel()
        for (email, id) in [("ann@acme.example", "A-1"), ("bob@acme.example", "B-1"), ("cleo@acme.example", "C-1")] {
            try crm.capture(["email": email, "external_id": id])
        }
        try crm.kernel.write(origin: "cli") { try $0.merge(3, into: 2) }
        let report = try run(
            crm, into: .opportunities,
            """
            external_id,lead,amount
            O1,ANN@Acme.example,10
            O2,external:B-1,20
            O3,1,30
            O4,3,40
            O5,nobody@acme.example,50
            O6,external:none,60
            O7,99,70
            O8,Ann,80
            O9,,90
            """)
        #expect(counts(report) == [9, 5, 0, 0, 4])
        #expect(
            try crm.rows("SELECT external_id, lead_id FROM opportunities ORDER BY external_id") == [
                "O1|1", "O2|2", "O3|1", "O4|2", "O9|",
            ])
        #expect(
            report.examples.sorted() == [
                "line 6: lead: there is no such lead. Import the leads first.",
                "line 7: lead: there is no such lead. Import the leads first.",
                "line 8: lead: there is no such lead. Import the leads first.",
                "line 9: lead: expected an id, an e-mail address, or external:ID",
            ])
        #expect(counts(try run(crm, into: .opportunities, "external_id,lead\nO1,2\nO2,2\n")) == [2, 0, 1, 1, 0])
        #expect(try crm.rows("SELECT lead_id FROM opportunities WHERE external_id = 'O1'") == ["2"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a column of the site called lead is that column`() throws {
        let crm = try TestKernel("opportunities: {fields: {lead: text}}")
        #expect(counts(try run(crm, into: .opportunities, "external_id,lead\nO1,Ann\n")) == [1, 1, 0, 0, 0])
        #expect(try crm.rows("SELECT lead, lead_id FROM opportunities") == ["Ann|"])
    }

    @Test func `a deal that is closed before it is opened is rejected with its line`() throws {
        let crm = try TestKernel()
        let report = try run(
            crm, into: .opportunities,
            """
            external_id,opened_at,closed_at
            O1,2026-02-01,2026-01-31
            O2,2026-02-01 14:00,2026-02-01 13:59
            O3,2026-02-01 14:00,2026-02-01
            O4,2026-02-01,2026-02-01
            O5,2026-02-01,
            O6,,2026-01-31
            """)
        #expect(counts(report) == [6, 4, 0, 0, 2])
        #expect(
            report.examples == [
                "line 2: closed_at: is before opened_at. Mend one of them.",
                "line 3: closed_at: is before opened_at. Mend one of them.",
            ])
        // What is there already counts too.
        let closing = try run(crm, into: .opportunities, "external_id,closed_at\nO5,2026-01-31\nO3,2026-03-01\n")
        #expect(counts(closing) == [2, 0, 1, 0, 1])
        let opening = try run(crm, into: .opportunities, "external_id,opened_at\nO6,2026-02-01\n")
        #expect(counts(opening) == [1, 0, 0, 0, 1])
        #expect(try crm.rows("SELECT external_id FROM opportunities WHERE closed_at < date(opened_at)") == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `a file without a key is refused`() throws {
        let crm = try TestKernel()
        let error = try #require(throws: KernelError.self) {
            try run(crm, into: .opportunities, "name,amount\nDeal,5\n")
        }
        #expect(
            error.description == "No column gives external_id, by which opportunities are known. Map one with --map.")
    }

    @Test func `a consent is of a lead, and of an account it is a column that is left out`() throws {
        let crm = try TestKernel("", files: ["file.csv": "name,consent_newsletter\nAcme,yes\n"])
        var mapping = ImportMapping()
        mapping.target = .accounts
        let report = try Importer(crm.kernel, file: crm.folder + "/file.csv", mapping: mapping).run()
        #expect(report.created == 1 && report.ignoredColumns == ["consent_newsletter"])
    }
}
