import Dispatch
import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

/// Forms that come while a commit is under way are taken in by the statements of one: nobody may tell it from the rows.
@Suite struct IntakeTests {
    private struct Counter: Plugin {
        static let name = "counter"
        static let summary = "Numbers leads by how many are there."

        init(settings: NoSettings) {}

        var hooks: [any Hook] {
            Filter("number", LeadDraft.self) { draft, tx in
                draft["title"] = (try Int.fetchOne(tx.db, sql: "SELECT count(*) FROM leads") ?? 0).databaseValue
            }
        }
    }

    private static let consents = [("consent_newsletter", "on")]

    /// Who fills in which form with what, besides their name.
    private static func people(rivals: Bool) -> [(email: String, offer: String, fields: [(String, String)])] {
        [
            ("ann@a.example", "/offers/plan?utm_source=google&utm_medium=cpc", consents),
            ("bob@b.example", "/offers/plan", [("company", "B"), ("budget", "7")]),
            ("known@k.example", "/offers/plan", [("company", "K")] + consents),
            ("cem@c.example", "/offers/guide", consents),
            ("dan@d.example", "/offers/guide", []),
            ("eve@e.example", "/offers/plan", [("size", "large")] + consents),
        ] + (rivals ? [("fay@rival.example", "/offers/plan", [])] : [])
    }

    /// A site where somebody is known, and the forms of these people, filled in.
    private func site(rivals: Bool) async throws -> (crm: TestKernel, posts: [@Sendable () async throws -> Int]) {
        let crm = try MagnetSite.crm("visitors: always", plugins: [Desk.self], sections: "  desk: {}\n")
        try crm.capture(["email": "known@k.example", "first_name": "Kim"])
        let browser = Browser(crm)
        var posts: [@Sendable () async throws -> Int] = []
        for (number, person) in IntakeTests.people(rivals: rivals).enumerated() {
            // Every other comes with a cookie.
            let cookie = ["cookie": "trellis_visitor=\(String(repeating: "0", count: 31))\(number)"]
            let headers = number.isMultiple(of: 2) ? cookie : [:]
            let form = try await browser.open(person.offer, headers)
            let name = String(person.email.prefix { $0 != "@" })
            let fields = form.hidden + [("email", person.email), ("first_name", name)] + person.fields
            let post = try browser.prepared(form.action, fields, headers)
            posts.append { try await post().status }
        }
        return (crm, posts)
    }

    /// The answers to forms that come while a commit is under way.
    private func statusesAtOnce(_ crm: TestKernel, _ posts: [@Sendable () async throws -> Int]) async throws -> [Int] {
        let (began, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        func hasBegun() -> Bool { began.wait(timeout: .now()) == .success }
        let kernel = crm.kernel
        let first = Task {
            try await kernel.writeTogether(origin: "first") { _ in
                began.signal()
                mayGoOn.wait()
            }
        }
        while !hasBegun() { try await Task.sleep(for: .milliseconds(1)) }
        let statuses = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for (number, post) in posts.enumerated() { group.addTask { (number, try await post()) } }
            // Long enough for most of them to come; whoever is late has a commit of their own.
            try await Task.sleep(for: .milliseconds(100))
            mayGoOn.signal()
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        try await first.value
        return statuses.sorted { $0.key < $1.key }.map(\.value)
    }

    /// What forms leave behind, by person and without the ids.
    private func rows(_ crm: TestKernel) throws -> [String] {
        try crm.rows(
            """
            SELECT email, first_name, company, budget, size, source, medium, stage,
                (SELECT group_concat(kind || ' ' || origin || ' ' || body || ' ' || coalesce(cause_id, ''), ' / ')
                 FROM (SELECT * FROM events WHERE lead_id = l.id ORDER BY id)),
                (SELECT group_concat(kind || ' ' || channel || ' ' || coalesce(landing_page, ''), ' / ')
                 FROM (SELECT * FROM touches WHERE lead_id = l.id ORDER BY id)),
                (SELECT group_concat(purpose || ' ' || state || ' ' || text || ' ' || source, ' / ')
                 FROM (SELECT * FROM consents WHERE lead_id = l.id ORDER BY id)),
                (SELECT count(*) FROM magnets_receipts WHERE lead_id = l.id),
                (SELECT group_concat(visitor || ' ' || field, ' / ')
                 FROM (SELECT * FROM magnets_told WHERE lead_id = l.id ORDER BY field)),
                (SELECT count(*) FROM magnets_visits WHERE lead_id = l.id)
            FROM leads AS l ORDER BY email
            """)
    }

    @Test(arguments: [false, true])
    func `forms that come at once leave what they leave one after the other`(rivals: Bool) async throws {
        let (together, apart) = (try await site(rivals: rivals), try await site(rivals: rivals))
        let statuses = try await statusesAtOnce(together.crm, together.posts)
        for (post, status) in zip(apart.posts, statuses) { #expect(try await post() == status) }
        #expect(statuses == [303, 303, 303, 303, 303, 303] + (rivals ? [422] : []))
        let expected = try rows(apart.crm)
        #expect(expected.count == 6)
        #expect(try rows(together.crm) == expected)
        for crm in [together.crm, apart.crm] {
            try await crm.work()
            #expect(try crm.troubles() == [])
        }
        let mails = { (crm: TestKernel) in crm.transport.sent.map { "\($0.recipient) \($0.subject)" }.sorted() }
        #expect(mails(together.crm) == mails(apart.crm) && !mails(apart.crm).isEmpty)
    }

    /// What is taken in of forms of a page of ours, in one transaction.
    private func intake(_ email: String, form: String, _ crm: TestKernel) throws -> Intake {
        var draft = try crm.kernel.draft([("email", email), ("first_name", "Ann")])
        draft.form = "plan"
        draft.consents = ["newsletter": true]
        draft.proof = ConsentProof()
        let token = FormToken(magnet: "plan", number: form, madeAt: crm.clock.now)
        return Intake(magnet: "plan", token: token, draft: draft, visitor: nil, told: [], referral: nil)
    }

    @Test func `they are written at once`() throws {
        let crm = try MagnetSite.crm()
        try crm.capture(["email": "bob@b.example"])
        let before = try crm.lastEvent
        let all = try ["ann@a.example", "bob@b.example", "cem@c.example"].map { try intake($0, form: "of \($0)", crm) }
        #expect(try crm.kernel.write(origin: "form:plan") { try Intake.take(all, $0) } == [2, 1, 4])
        #expect(
            try crm.events(after: before) == ["lead.created", "lead.created", "lead.updated"]
                + Array(repeating: "consent.granted", count: 3) + Array(repeating: "form.submitted", count: 3))
        #expect(try crm.value("SELECT count(DISTINCT lead_id) FROM magnets_receipts") == "3")
        #expect(try crm.troubles() == [])
    }

    @Test func `a filter that reads the file sees those before`() throws {
        let crm = try MagnetSite.crm("", plugins: [Counter.self], sections: "  counter: {}\n")
        let all = try ["ann@a.example", "cem@c.example"].map { try intake($0, form: "of \($0)", crm) }
        try crm.kernel.write(origin: "form:plan") { _ = try Intake.take(all, $0) }
        #expect(try crm.rows("SELECT email, title FROM leads") == ["ann@a.example|0", "cem@c.example|1"])
        #expect(try crm.events().filter { $0 == "form.submitted" }.count == 2)
    }

    @Test func `a person or a form that is there twice is not written at once`() throws {
        let crm = try MagnetSite.crm()
        for (second, form) in [("ANN@a.example", "2"), ("bob@b.example", "1")] {
            let both = try [intake("ann@a.example", form: "1", crm), intake(second, form: form, crm)]
            #expect(throws: (any Error).self) {
                try crm.kernel.write(origin: "form:plan") { try Intake.take(both, $0) }
            }
        }
        #expect(try crm.events() == [])
    }

    @Test func `a double click among them is one submission`() async throws {
        let (crm, posts) = try await site(rivals: false)
        let statuses = try await statusesAtOnce(crm, posts + posts + posts)
        #expect(statuses == Array(repeating: 303, count: 18))
        #expect(try crm.value("SELECT count(*) FROM events WHERE kind = 'form.submitted'") == "6")
        #expect(try crm.value("SELECT count(*) FROM magnets_receipts") == "6")
        #expect(try crm.value("SELECT count(*) FROM leads") == "6")
        #expect(try crm.troubles() == [])
    }
}
