import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

/// The file of each platform for the same people, byte for byte.
@Suite struct PlatformFilesTests {
    private func crm(_ match: String = "[email, phone, name, company]") throws -> TestKernel {
        let crm = try AudienceSite.crm(
            """
            people: {sql: "SELECT id AS lead_id FROM leads", platforms: [google], match: \(match), phones: [phone, mobile], lists: {microsoft: "77"}}
            """, before: "leads: {fields: {mobile: text}}")
        try crm.foreign(
            "INSERT INTO accounts (domain, name, industry) VALUES ('xn--bcher-kva.example', 'Bücher AG', 'Books')")
        try crm.capture(
            [
                "email": "Ann.Lee+ads@Gmail.com", "first_name": "Anné", "last_name": "O'Lee", "country": "US",
                "region": "CA", "city": "San José", "postal_code": "94107-1234", "phone": "+16505551212",
                "title": "Head of \"Sales\"", "company": "Lee, Ltd",
            ], consents: ["ads"])
        try crm.capture(
            [
                "email": "valery@bücher.example", "first_name": "Valéry", "last_name": "Müller", "country": "DE",
                "region": "Bayern", "city": "München", "postal_code": "80331", "phone": "+4989123456",
                "mobile": "0170 1234567", "company": "=Bücher",
            ], consents: ["ads"])
        try crm.capture(
            ["email": "zoe.x+y@example.com", "first_name": "Mrs. Zoe", "last_name": "Doe Jr."], consents: ["ads"])
        try crm.capture(
            ["phone": "+442071234567", "first_name": "Al", "country": "GB", "postal_code": "SW1A 1AA"],
            consents: ["ads"])
        try crm.pump()
        return crm
    }

    private func hash(_ text: String) -> String { Digest.hex(text) }

    @Test func `Google: Gmail folded, plus kept in numbers, country and zip in clear`() throws {
        #expect(
            try crm().export("people", platform: "google").lines == [
                "Email,First Name,Last Name,Country,Zip,Phone,Phone",
                "\(hash("annlee@gmail.com")),\(hash("anné")),\(hash("o'lee")),US,94107-1234,\(hash("+16505551212")),",
                "\(hash("valery@xn--bcher-kva.example")),\(hash("valéry")),\(hash("müller")),DE,80331,\(hash("+4989123456")),\(hash("+491701234567"))",
                "\(hash("zoe.x+y@example.com")),\(hash("zoe")),\(hash("doe")),,,,",
                ",\(hash("al")),,GB,SW1A 1AA,\(hash("+442071234567")),",
            ])
    }

    @Test func `Meta: nothing folded, digits without a plus, everything hashed`() throws {
        #expect(
            try crm().export("people", platform: "meta").lines == [
                "email,phone,phone,fn,ln,ct,st,zip,country",
                "\(hash("ann.lee+ads@gmail.com")),\(hash("16505551212")),,\(hash("anné")),\(hash("olee")),\(hash("sanjos")),\(hash("ca")),\(hash("94107")),\(hash("us"))",
                "\(hash("valery@xn--bcher-kva.example")),\(hash("4989123456")),\(hash("491701234567")),\(hash("valéry")),\(hash("müller")),\(hash("mnchen")),\(hash("bayern")),\(hash("80331")),\(hash("de"))",
                "\(hash("zoe.x+y@example.com")),,,\(hash("mrs zoe")),\(hash("doe jr")),,,,",
                ",\(hash("442071234567")),,\(hash("al")),,,,\(hash("sw1a1")),\(hash("gb"))",
            ])
    }

    @Test func `LinkedIn: the header whole, names and titles in clear, no formula for a spreadsheet`() throws {
        #expect(
            try crm().export("people", platform: "linkedin").lines == [
                "email,firstname,lastname,jobtitle,employeecompany,country,googleaid",
                "\(hash("ann.lee+ads@gmail.com")),Anné,O'Lee,\"Head of \"\"Sales\"\"\",\"Lee, Ltd\",US,",
                "\(hash("valery@xn--bcher-kva.example")),Valéry,Müller,,'=Bücher,DE,",
                "\(hash("zoe.x+y@example.com")),Mrs. Zoe,Doe Jr.,,,,",
            ])
        #expect(
            try crm("[email]").export("people", platform: "linkedin").lines.dropFirst().first
                == "\(hash("ann.lee+ads@gmail.com")),,,,,,")
    }

    @Test func `LinkedIn companies: each once, without a person`() throws {
        let crm = try crm()
        try crm.capture(["email": "bob@bücher.example"], consents: ["ads"])
        try crm.pump()
        let file = try crm.export("people", platform: "linkedin_companies")
        #expect(
            file.lines == [
                "companyname,companywebsite,companyemaildomain,linkedincompanypageurl,stocksymbol,industry,city,state,companycountry,zipcode",
                "\"Lee, Ltd\",,,,,,San José,,US,",
                "Bücher AG,xn--bcher-kva.example,xn--bcher-kva.example,,,Books,München,,DE,",
            ])
        #expect(
            throws: KernelError.usage(
                "linkedin_companies takes lists of companies as a whole. Export it without --diff.")
        ) {
            try crm.export("people", platform: "linkedin_companies", diff: true)
        }
        #expect(try crm.rows("SELECT * FROM audiences_uploads") == [])
    }

    @Test func `TikTok: cut at the plus, and numbers as digits unless the config says otherwise`() throws {
        #expect(
            try crm().export("people", platform: "tiktok").lines == [
                "Email_SHA256,Phone_SHA256,Phone_SHA256",
                "\(hash("ann.lee@gmail.com")),\(hash("16505551212")),",
                "\(hash("valery@xn--bcher-kva.example")),\(hash("4989123456")),\(hash("491701234567"))",
                "\(hash("zoe.x@example.com")),,", ",\(hash("442071234567")),",
            ])
        let plus = try AudienceSite.crm(
            "all: {sql: \"SELECT id AS lead_id FROM leads\", match: [phone], tiktok_phone: plus}")
        try plus.capture(["phone": "+442071234567"], consents: ["ads"])
        #expect(try plus.export("all", platform: "tiktok").lines == ["Phone_SHA256", hash("+442071234567")])
    }

    @Test func `Microsoft: records of the bulk service under the list of the config`() throws {
        let crm = try crm()
        let item = "Customer List Item,,,77,,,,,,,,Email,"
        #expect(
            try crm.export("people", platform: "microsoft").lines == [
                "Type,Status,Id,Parent Id,Client Id,Modified Time,Name,Description,Scope,Audience,Action Type,Sub Type,Text",
                "Format Version,,,,,,6.0,,,,,,", "Customer List,Active,77,,,,,,Customer,people,Add,,",
                item + hash("ann.lee+ads@gmail.com"), item + hash("valery@xn--bcher-kva.example"),
                item + hash("zoe.x+y@example.com"),
            ])
        try crm.foreign("DELETE FROM leads WHERE id = 3")
        let removals = try crm.export("people", platform: "microsoft").removals
        #expect(removals[2] == "Customer List,Active,77,,,,,,Customer,people,Remove,,")
        #expect(removals.dropFirst(3) == [item + hash("zoe.x+y@example.com")])
    }

    @Test func `X: a hash per line and nothing else`() throws {
        #expect(
            try crm().export("people", platform: "x").lines == [
                hash("ann.lee+ads@gmail.com"), hash("valery@xn--bcher-kva.example"), hash("zoe.x+y@example.com"),
            ])
    }

    @Test func `whom a platform would not take is counted and has no receipt`() throws {
        let crm = try AudienceSite.crm("all: {sql: \"SELECT id AS lead_id FROM leads\"}")
        for email in ["_jane@example.com", "joe@example.com", "...a@gmail.com"] { _ = try? crm.lead(email) }
        let file = try crm.export("all", platform: "tiktok")
        #expect(file.lines == ["Email_SHA256", hash("joe@example.com")])
        #expect(file.note.contains("Withheld: 1 × the address is none for tiktok."))
        #expect(try crm.rows("SELECT lead_id FROM audiences_receipts") == ["2"])
        #expect(try crm.rows("SELECT lead_id FROM audiences_uploads") == ["2"])
        #expect(try crm.troubles() == [])
    }
}
