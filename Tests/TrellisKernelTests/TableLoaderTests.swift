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

    // MARK: - Deals

    @Test func `a deal names the lead it grew from by the address`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@a.example"])
        let csv = """
            external_id,name,lead,stage,amount,closed_at
            D1,Plan,ANN@a.example,won,120,2026-03-01 10:00:00
            D2,Plan,nobody@a.example,open,5,
            D3,Plan,,open,7,

            """
        let report = try run(crm, into: .opportunities, csv)
        #expect(counts(report) == [3, 2, 0, 0, 1])
        #expect(report.examples == ["line 3: lead: no lead has this address. Import the leads first."])
        #expect(
            try crm.rows("SELECT external_id, lead_id, stage, amount FROM opportunities ORDER BY id") == [
                "D1|1|won|120.0", "D3||open|7.0",
            ])
        #expect(counts(try run(crm, into: .opportunities, csv, repeats: true)) == [3, 0, 0, 2, 1])
    }

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
