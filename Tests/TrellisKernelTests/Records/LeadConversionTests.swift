import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct LeadConversionTests {
    private func convert(_ crm: TestKernel, _ lead: Int64, _ name: String? = nil, amount: Double? = nil) throws
        -> Conversion
    {
        try crm.kernel.write(origin: "cli") { try $0.convert(lead: lead, opportunity: name, amount: amount) }
    }

    @Test func `a lead becomes a contact at the account of its domain, with an opportunity`() throws {
        let crm = try TestKernel()
        let ann = try crm.capture([
            "email": "ann@acme.example", "first_name": "Ann", "company": "Acme", "title": "Head", "employees": "12",
            "country": "DE",
        ])
        let conversion = try convert(crm, ann, "Big deal", amount: 5000)
        #expect(conversion == Conversion(contactID: 1, accountID: 1, opportunityID: 1))
        #expect(try crm.rows("SELECT name, domain, employees, country FROM accounts") == ["Acme|acme.example|12|DE"])
        #expect(
            try crm.rows("SELECT email, first_name, title, account_id FROM contacts") == ["ann@acme.example|Ann|Head|1"]
        )
        #expect(
            try crm.rows("SELECT name, amount, account_id, contact_id, lead_id, stage FROM opportunities") == [
                "Big deal|5000.0|1|1|1|open"
            ])
        #expect(try crm.rows("SELECT stage, account_id, contact_id FROM leads") == ["opportunity|1|1"])
        #expect(
            try crm.events() == [
                "lead.created", "account.created", "contact.created", "opportunity.created", "lead.updated",
                "lead.converted", "lead.stage_changed",
            ])
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'lead.converted'") == [
                #"{"account_id":1,"contact_id":1,"opportunity_id":1}"#
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead that was converted before gets a further opportunity and nothing twice`() throws {
        let crm = try TestKernel()
        let ann = try crm.capture(["email": "ann@acme.example", "company": "Acme"])
        _ = try convert(crm, ann)
        #expect(try convert(crm, ann, "Second") == Conversion(contactID: 1, accountID: 1, opportunityID: 2))
        #expect(try crm.rows("SELECT name FROM opportunities") == ["Acme", "Second"])
        #expect(try crm.value("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM contacts)") == "1|1")
    }

    @Test func `colleagues share the account`() throws {
        let crm = try TestKernel()
        for name in ["ann", "bob"] { _ = try convert(crm, try crm.capture(["email": "\(name)@acme.example"])) }
        #expect(try crm.rows("SELECT name, domain FROM accounts") == ["acme.example|acme.example"])
        #expect(try crm.rows("SELECT account_id FROM contacts") == ["1", "1"])
    }

    @Test func `an address at a free mailbox provider makes no account of the provider`() throws {
        let crm = try TestKernel()
        let private1 = try convert(crm, try crm.capture(["email": "ann@gmail.com"]))
        #expect(private1.accountID == nil)
        let named = try convert(crm, try crm.capture(["email": "bob@gmail.com", "company": "Bob & Sons"]))
        #expect(named.accountID == 1)
        #expect(try crm.rows("SELECT name, domain FROM accounts") == ["Bob & Sons|"])
        // The same company by name, in any case.
        #expect(try convert(crm, try crm.capture(["email": "cleo@gmail.com", "company": "BOB & sons"])).accountID == 1)
    }

    @Test func `a contact that is there already is the one`() throws {
        let crm = try TestKernel()
        try crm.foreign("INSERT INTO contacts (email, first_name) VALUES ('ANN@acme.example', 'Anna')")
        #expect(try convert(crm, try crm.capture(["email": "ann@acme.example", "first_name": "Ann"])).contactID == 1)
        #expect(try crm.rows("SELECT first_name FROM contacts") == ["Anna"])
    }

    @Test func `a stage further on is not moved back, and a config without the stage is no error`() throws {
        let crm = try TestKernel()
        let ann = try crm.capture(["email": "ann@acme.example", "stage": "customer"])
        _ = try convert(crm, ann)
        #expect(try crm.rows("SELECT stage FROM leads") == ["customer"])
        let small = try TestKernel("leads: {stages: [lead, customer]}")
        _ = try convert(small, try small.capture(["email": "ann@acme.example"]))
        #expect(try small.rows("SELECT stage FROM leads") == ["lead"])
    }

    @Test func `a lead that is not there is said so, and nothing is made`() throws {
        let crm = try TestKernel()
        #expect(throws: KernelError.noLead("9")) { try convert(crm, 9) }
        #expect(try crm.events() == [])
    }

    @Test func `an amount has a currency, and what is none is refused`() throws {
        let crm = try TestKernel()
        let ann = try crm.capture(["email": "ann@acme.example"])
        try crm.kernel.write(origin: "cli") { tx in
            _ = try tx.convert(lead: ann, opportunity: "Deal", amount: 5000, currency: "usd")
        }
        #expect(try crm.rows("SELECT amount, currency FROM opportunities") == ["5000.0|USD"])
        for text in ["dollars", "$", "", "ßa"] {
            #expect(throws: FieldProblem(field: "currency", message: "expected a code such as EUR")) {
                try crm.kernel.write(origin: "cli") { try $0.convert(lead: ann, amount: 1, currency: text) }
            }
        }
        #expect(try crm.rows("SELECT count(*) FROM opportunities") == ["1"])
    }
}
