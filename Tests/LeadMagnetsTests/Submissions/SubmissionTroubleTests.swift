import Testing
import TrellisTesting

@testable import LeadMagnets
@testable import TrellisKernel

/// A file that somebody holds, and a disk that is full: the person finds what they typed again, and nothing of it is
/// half written.
@Suite struct SubmissionTroubleTests {
    private static let sentence =
        "We could not save this just now. Nothing is lost: please press the button again in a minute."
    private static let ann: KeyValuePairs = [
        "email": "ann@a.example", "first_name": "Ann", "company": "A <b>", "budget": "90", "size": "large",
        "consent_newsletter": "on",
    ]

    /// Sets something of the connection that writes.
    private func set(_ pragma: String, _ crm: TestKernel) throws {
        try crm.kernel.write(origin: "test") { try $0.db.execute(sql: "PRAGMA \(pragma)") }
    }

    /// The form in an answer that says to press the button again, with all that Ann typed.
    private func form(of reply: WebReply) throws -> WebForm {
        #expect(reply.status == 503 && reply.header("retry-after") == "30" && reply.pageName == "offer")
        let again = try WebForm(reply)
        #expect(again.problem == Self.sentence && again.errors == [])
        #expect(
            again.value("first_name") == "Ann" && again.value("company") == "A <b>" && again.value("budget") == "90")
        let sizes = again.fields.first { $0.text("name") == "size" }?.list("options") ?? []
        #expect(sizes.filter { $0["selected"] == true }.map { $0.text("value") } == ["large"])
        #expect(again.ticked == ["consent_newsletter"])
        return again
    }

    /// What there is of a lead, wherever a form writes.
    private func traces(of email: String, _ crm: TestKernel) throws -> [String] {
        try crm.rows(
            """
            SELECT l.company, l.budget, l.size, (SELECT count(*) FROM events WHERE lead_id = l.id),
                   (SELECT count(*) FROM touches WHERE lead_id = l.id),
                   (SELECT group_concat(purpose || ' ' || state) FROM consents WHERE lead_id = l.id),
                   (SELECT count(*) FROM magnets_receipts WHERE lead_id = l.id)
            FROM leads AS l WHERE l.email = '\(email)'
            """)
    }

    @Test func `while another program holds the file a form comes back whole, and is taken in as it is afterwards`()
        async throws
    {
        let crm = try MagnetSite.crm()
        let browser = Browser(crm)
        try set("busy_timeout = 50", crm)
        let first = try await browser.open("/offers/plan")
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let holder = try DatabaseQueue(path: crm.kernel.config.databasePath, configuration: configuration)
        try holder.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let again = try form(of: try await browser.submit(first, Self.ann))
        #expect(again.value("email") == "ann@a.example")
        let program = try await browser.submit(again, Self.ann, ["accept": "application/json"])
        #expect(program.status == 503 && program.header("retry-after") == "30")
        #expect(program.json?["error"]?.scalarText == Self.sentence && program.json?["fields"]?.text() == "{}")
        try holder.inDatabase { try $0.execute(sql: "ROLLBACK") }
        #expect(try crm.events() == [] && crm.rows("SELECT receipt FROM magnets_receipts") == [])
        #expect(try await browser.submit(again, Self.ann).status == 303)
        #expect(try traces(of: "ann@a.example", crm) == ["A <b>|90|large|3|1|newsletter granted|1"])
        #expect(try crm.events() == ["lead.created", "consent.granted", "form.submitted"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a form that would be held comes back whole, and is held afterwards`() async throws {
        let crm = try MagnetSite.crm()
        let browser = Browser(crm)
        try set("busy_timeout = 50", crm)
        let page = try await browser.open("/offers/plan")
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let holder = try DatabaseQueue(path: crm.kernel.config.databasePath, configuration: configuration)
        try holder.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let fields = Self.ann.map { ($0.key, $0.value) }
        let trapped = try form(of: try await browser.post(page.action, page.hidden + fields + [(Screening.trap, "x")]))
        #expect(trapped.value("email") == "ann@a.example")
        let again = try form(of: try await browser.post("/forms/plan", fields))
        #expect(again.value("email") == "ann@a.example")
        try holder.inDatabase { try $0.execute(sql: "ROLLBACK") }
        #expect(try crm.rows("SELECT id FROM magnets_quarantine") == [])
        #expect(try await browser.post(again.action, again.hidden + fields).status == 303)
        #expect(
            try crm.rows("SELECT magnet, reasons, email FROM magnets_quarantine") == [
                "plan|form token of another site|ann@a.example"
            ])
        #expect(try crm.events() == [] && crm.troubles() == [])
    }

    @Test func `where the disk is full a form comes back whole, and those before it are kept whole`() async throws {
        let crm = try MagnetSite.crm()
        let browser = Browser(crm)
        // No larger than it is: what needs one more page finds no room. Most forms fit into the pages there are.
        try set("max_page_count = 1", crm)
        var (taken, refused) = (0, WebForm?.none)
        while refused == nil, taken < 1000 {
            let fields = Self.ann.map { ($0.key, $0.key == "email" ? "lead\(taken)@a.example" : $0.value) }
            let page = try await browser.open("/offers/plan")
            let reply = try await browser.post(page.action, page.hidden + fields)
            if reply.status == 303 { taken += 1 } else { refused = try form(of: reply) }
        }
        let (again, email) = (try #require(refused), "lead\(taken)@a.example")
        #expect(again.value("email") == email)
        for number in 0..<taken {
            #expect(
                try traces(of: "lead\(number)@a.example", crm) == ["A <b>|90|large|3|1|newsletter granted|1"])
        }
        #expect(try crm.value("SELECT count(*) FROM leads") == "\(taken)")
        #expect(try traces(of: email, crm) == [])
        #expect(try crm.events().count == 3 * taken)
        try set("max_page_count = 1000000", crm)
        let fields = Self.ann.map { ($0.key, $0.key == "email" ? email : $0.value) }
        #expect(try await browser.post(again.action, again.hidden + fields).status == 303)
        #expect(try traces(of: email, crm) == ["A <b>|90|large|3|1|newsletter granted|1"])
        #expect(try crm.troubles() == [])
    }
}
