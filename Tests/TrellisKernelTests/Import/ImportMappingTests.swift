import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ImportMappingTests {
    private static let yaml = "leads: {fields: {born: date, met_at: time}}"

    private func run(_ csv: String, _ change: (inout ImportMapping) -> Void, crm: TestKernel) throws -> ImportReport {
        try Data(csv.utf8).write(to: URL(filePath: crm.folder + "/file.csv"))
        var mapping = ImportMapping()
        change(&mapping)
        return try Importer(crm.kernel, file: crm.folder + "/file.csv", mapping: mapping).run()
    }

    @Test func `columns go where they are sent, and names that fit need no word`() throws {
        let crm = try TestKernel(Self.yaml)
        let report = try run(
            "E-Mail,Job,City,Internal\nann@acme.example,Head,Bonn,x\n",
            {
                $0.columns = [Named("E-Mail", "email"), Named("Job", "title")]
                $0.ignore = ["Internal"]
            }, crm: crm)
        #expect(report.ignoredColumns == [])
        #expect(try crm.rows("SELECT email, title, city FROM leads") == ["ann@acme.example|Head|Bonn"])
    }

    @Test func `texts become values, and texts that mean nothing are nothing`() throws {
        let crm = try TestKernel(Self.yaml)
        _ = try run(
            "email,stage,city\nann@acme.example,Qualified,Select\nbob@acme.example,lead,Bonn\n",
            {
                $0.values = [Named("stage", [Named("Qualified", "mql")])]
                $0.empty = ["Select", "N/A"]
                $0.constants = [Named("source", "list"), Named("city", "Berlin")]
            }, crm: crm)
        #expect(try crm.rows("SELECT stage, city, source FROM leads") == ["mql|Berlin|list", "lead|Bonn|list"])
    }

    @Test(arguments: [
        ("MM/DD/YYYY", "3/1/2017"), ("DD/MM/YYYY", "01/03/2017"), ("DD.MM.YYYY", "1.3.2017"),
        ("YYYY-MM-DD", "2017-03-01"),
    ])
    func `days are read as the file writes them`(_ dates: String, _ text: String) throws {
        let crm = try TestKernel(Self.yaml)
        _ = try run("email,born,met_at\nann@acme.example,\(text),\(text)\n", { $0.dates = dates }, crm: crm)
        #expect(try crm.rows("SELECT born, met_at FROM leads") == ["2017-03-01|2017-03-01 00:00:00.000"])
    }

    @Test(arguments: [
        ("MM/DD/YYYY", "13/1/2017"), ("DD.MM.YYYY", "31.2.2017"), ("DD/MM/YYYY", "2017-03-01x"),
        ("DD.MM.YYYY", "1.3.17"),
    ])
    func `a day that is none is refused`(_ dates: String, _ text: String) throws {
        let crm = try TestKernel(Self.yaml)
        let report = try run("email,born\nann@acme.example,\(text)\n", { $0.dates = dates }, crm: crm)
        #expect(report.examples == ["line 2: born: expected a day such as 2026-01-31"])
    }

    @Test func `a refusal names the column of the file beside the field`() throws {
        let crm = try TestKernel(Self.yaml)
        let report = try run(
            "email,Staff\nann@acme.example,many\n", { $0.columns = [Named("Staff", "employees")] }, crm: crm)
        #expect(report.examples == ["line 2: Staff (employees): expected a whole number"])
    }

    @Test func `consents stand in columns of their own`() throws {
        let crm = try TestKernel(Self.yaml)
        let report = try run(
            "email,consent_newsletter,consent_ads\nann@acme.example,yes,no\nbob@acme.example,,1\ncleo@acme.example,perhaps,\n",
            { _ in }, crm: crm)
        #expect(
            try crm.rows("SELECT lead_id, purpose, state, source FROM consents") == [
                "1|newsletter|granted|import:1", "2|ads|granted|import:1",
            ])
        #expect(report.examples == ["line 4: consent_newsletter: expected yes or no"])
    }

    @Test func `a column the file lacks is refused with the near miss`() throws {
        let crm = try TestKernel(Self.yaml)
        let error = try #require(throws: KernelError.self) {
            try run("E-Mail,Name\na@b.example,Ann\n", { $0.columns = [Named("EMail", "email")] }, crm: crm)
        }
        #expect(error.description == "The file has no column 'EMail'. Did you mean 'E-Mail'? It has: E-Mail, Name.")
    }

    @Test func `a field that is none is refused with the near miss`() throws {
        let crm = try TestKernel(Self.yaml)
        let error = try #require(throws: KernelError.self) {
            try run("email,Job\na@b.example,Head\n", { $0.columns = [Named("Job", "titel")] }, crm: crm)
        }
        #expect(
            error.description
                == "'Job=titel': there is no field 'titel'. Did you mean 'title'? Declare it under fields: in the config."
        )
        let constant = try #require(throws: KernelError.self) {
            try run("email\na@b.example\n", { $0.constants = [Named("sorce", "x")] }, crm: crm)
        }
        #expect(constant.description == "constants: there is no field 'sorce'. Did you mean 'source'?")
    }

    @Test func `a mapping file is read with every problem at its place`() throws {
        let crm = try TestKernel(files: [
            "map.yaml": "into: lead\ncolums: {A: email}\ndates: YY-MM-DD\n",
            "good.yaml": "into: accounts\nempty: [Select]\n",
        ])
        let problems = try #require(throws: ConfigProblems.self) { try ImportMapping.load(crm.folder + "/map.yaml") }
        #expect(
            problems.description == """
                map.yaml:1:7: into: expected one of leads, contacts, accounts, opportunities, activities, spend, got 'lead'.
                map.yaml:2:1: unknown key 'colums'. Did you mean 'columns'?
                map.yaml:3:8: dates: expected one of YYYY-MM-DD, MM/DD/YYYY, DD/MM/YYYY, DD.MM.YYYY, got 'YY-MM-DD'.
                """)
        let mapping = try ImportMapping.load(crm.folder + "/good.yaml")
        #expect(mapping.target == .accounts && mapping.empty == ["Select"])
    }
}
