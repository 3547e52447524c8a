import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct LeadDraftTests {
    private static let yaml = """
        leads:
          default_country: DE
          fields:
            budget: real
            is_partner: boolean
            born: date
            met_at: time
            visits: integer
            size: {type: text, one_of: [small, big]}
        """

    private func crm() throws -> TestKernel { try TestKernel(Self.yaml) }

    /// The value of a column after it was read from a text.
    private func read(_ crm: TestKernel, _ field: String, _ text: String) throws -> String? {
        var draft = try crm.kernel.draft([(field, text), ("external_id", "1")])
        try draft.normalise()
        return Cell(draft[field]).text
    }

    // MARK: - What fits

    @Test(arguments: [
        ("email", " Ann@ACME.example ", "Ann@acme.example"), ("phone", "030 123456", "+4930123456"),
        ("phone", "+44 20 7946 0018", "+442079460018"),
        ("country", "Germany", "DE"), ("country", "fr", "FR"), ("stage", "mql", "mql"), ("first_name", " Änn ", "Änn"),
        ("employees", "1200", "1200"), ("employees", "12.0", "12"), ("visits", "-3", "-3"), ("budget", "2.50", "2.5"),
        ("is_partner", "Yes", "1"), ("is_partner", "off", "0"), ("born", "1990-02-28", "1990-02-28"),
        ("born", "1990-02-28T14:00:00Z", "1990-02-28"),
        ("met_at", "2026-01-31 14:00", "2026-01-31 14:00:00.000"),
        ("met_at", "2026-01-31T14:00:00+02:00", "2026-01-31 12:00:00.000"),
        ("size", "big", "big"), ("created_at", "2020-01-01", "2020-01-01 00:00:00.000"),
    ])
    func `a text becomes the value of its column`(_ field: String, _ text: String, _ expected: String) throws {
        let crm = try crm()
        #expect(try read(crm, field, text) == expected)
    }

    @Test(arguments: ["title", "email", "born", "is_partner", "size"])
    func `an empty text is no value`(_ field: String) throws {
        let crm = try crm()
        #expect(try read(crm, field, "   ") == nil)
    }

    @Test func `a number belongs to the country of the lead before that of the site`() throws {
        let crm = try crm()
        var draft = try crm.kernel.draft([("phone", "020 7946 0018"), ("country", "GB")])
        try draft.normalise()
        #expect(Cell(draft["phone"]).text == "+442079460018")
    }

    // MARK: - What does not

    @Test(arguments: [
        ("country", "Atlantis", "country: expected a country such as DE or Germany"),
        ("stage", "mqll", "stage: expected a stage of the config. Did you mean 'mql'?"),
        ("stage", "nowhere", "stage: expected a stage of the config."),
        ("employees", "many", "employees: expected a whole number"),
        ("employees", "1.5", "employees: expected a whole number"),
        ("visits", "99999999999999999999", "visits: expected a whole number"),
        ("budget", "1.000,50", "budget: expected a number"), ("budget", "nan", "budget: expected a number"),
        ("is_partner", "maybe", "is_partner: expected yes or no"),
        ("born", "31.01.1990", "born: expected a day such as 2026-01-31"),
        ("born", "1990-02-29", "born: expected a day such as 2026-01-31"),
        ("met_at", "noon", "met_at: expected a time such as 2026-01-31 14:00"),
        ("size", "Big", "size: expected one of big, small"),
        ("phone", "call me", "phone: not a telephone number"),
        ("title", "a\u{0}b", "title: contains a NUL character"),
    ])
    func `a text that does not fit is refused, and is not repeated`(_ field: String, _ text: String, _ expected: String)
        throws
    {
        let crm = try crm()
        let problem = try #require(throws: FieldProblem.self) { try read(crm, field, text) }
        #expect(problem.description == expected)
        #expect(problem.field == field)
    }

    @Test func `an address that is none is refused with what is wrong`() throws {
        let crm = try crm()
        let problem = try #require(throws: FieldProblem.self) { try read(crm, "email", "ann.acme.example") }
        #expect(problem.description.hasPrefix("email: "))
        #expect(!problem.description.contains("ann.acme.example"))
    }

    @Test func `a number without a country needs one`() throws {
        let crm = try TestKernel()
        let problem = try #require(throws: FieldProblem.self) { try read(crm, "phone", "030 123456") }
        #expect(
            problem.description == "phone: a number without + needs a country; give one, or set leads.default_country")
    }

    @Test func `a lead is known by an address, a number or an id`() throws {
        let crm = try crm()
        var draft = try crm.kernel.draft([("first_name", "Ann"), ("email", "")])
        let problem = try #require(throws: FieldProblem.self) { try draft.normalise() }
        #expect(problem.description == "email: a lead needs an email, a phone or an external_id")
    }

    @Test(arguments: [
        ("titel", "titel: no such column. Did you mean 'title'?"), ("shoe_size", "shoe_size: no such column."),
    ])
    func `a field that is no column is refused`(_ field: String, _ expected: String) throws {
        let crm = try crm()
        let problem = try #require(throws: FieldProblem.self) { try crm.kernel.draft([(field, "1")]) }
        #expect(problem.description == expected)
    }

    @Test(arguments: ["id", "updated_at", "account_id", "contact_id"])
    func `what the kernel sets itself nobody proposes`(_ field: String) throws {
        let crm = try crm()
        #expect(throws: FieldProblem.self) { try crm.kernel.draft([(field, "1")]) }
    }

    // MARK: - In a filter

    @Test func `a column is read and written by name, and an unknown one takes nothing`() throws {
        let crm = try crm()
        var draft = crm.kernel.draft()
        draft["title"] = "Head".databaseValue
        draft["nowhere"] = "x".databaseValue
        draft.email = "ann@acme.example"
        #expect(draft["nowhere"].isNull)
        #expect(draft.givenColumns == ["email", "title"])
        draft.email = nil
        #expect(draft["email"].isNull)
    }

    @Test func `a consent is yes or no, and another word takes none away`() throws {
        let crm = try TestKernel()
        var draft = try crm.kernel.draft([(name: "email", text: "ann@acme.example")])
        for (word, isGranted) in [("yes", true), (" Y ", true), ("ON", true), ("no", false), ("0", false)] {
            try draft.consent(to: "newsletter", word, field: "consent_newsletter")
            #expect(draft.consents == ["newsletter": isGranted])
        }
        for word in ["ja", "maybe", "", "granted"] {
            #expect(throws: FieldProblem(field: "consent_newsletter", message: "expected yes or no")) {
                try draft.consent(to: "newsletter", word, field: "consent_newsletter")
            }
        }
        #expect(throws: FieldProblem(field: "consent_", message: "names no purpose")) {
            try draft.consent(to: "", "yes", field: "consent_")
        }
        #expect(draft.consents == ["newsletter": false])
    }
}
