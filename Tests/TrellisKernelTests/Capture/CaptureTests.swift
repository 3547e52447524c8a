import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Edits what comes from one company, and refuses a whole domain.
private struct Desk: Plugin {
    static let name = "desk"
    static let summary = "Looks at drafts."

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Filter("look", LeadDraft.self) { draft, _ in
            if draft.email?.hasSuffix("@rival.example") == true { throw Veto("no competitors, please") }
            if String.fromDatabaseValue(draft["company"]) == "acme" { draft["company"] = "Acme Ltd".databaseValue }
        }
    }
}

@Suite struct CaptureTests {
    /// Takes drafts in together, as a chunk of an import.
    private func take(
        _ crm: TestKernel, origin: String = "import:1", _ drafts: [KeyValuePairs<String, String>]
    ) throws -> [CaptureResult] {
        let drafts = try drafts.map { fields in
            var draft = try crm.kernel.draft(fields.map { ($0.key, $0.value) })
            try draft.normalise()
            return draft
        }
        return try crm.kernel.write(origin: origin) { try Capture(crm.kernel.leadLayout).take(drafts, $0) }
    }

    private func one(_ crm: TestKernel, _ fields: KeyValuePairs<String, String>) throws -> String {
        let result = try #require(try take(crm, [fields]).first)
        return "\(result.leadID) \(result.outcome)"
    }

    // MARK: - Created, changed, same

    @Test func `a draft makes a lead, changes it, or finds it as it is`() throws {
        let crm = try TestKernel()
        #expect(try one(crm, ["email": "ann@acme.example", "first_name": "Ann"]) == "1 created")
        #expect(try one(crm, ["email": "ann@acme.example", "first_name": "Ann"]) == "1 same")
        #expect(try one(crm, ["email": "ann@acme.example", "first_name": "Anna"]) == "1 changed")
        #expect(try crm.events() == ["lead.created", "lead.updated"])
        #expect(
            try crm.rows("SELECT id, first_name, stage, created_at FROM leads") == [
                "1|Anna|lead|2026-03-02 09:00:00.000"
            ])
    }

    @Test func `what a draft leaves out stays as it is`() throws {
        let crm = try TestKernel()
        _ = try one(crm, ["email": "ann@acme.example", "first_name": "Ann", "title": "Head", "employees": "5"])
        #expect(try one(crm, ["email": "ann@acme.example", "title": "", "company": "Acme"]) == "1 changed")
        #expect(try crm.rows("SELECT first_name, title, employees, company FROM leads") == ["Ann|Head|5|Acme"])
        #expect(try crm.rows("SELECT body FROM events WHERE kind = 'lead.updated'") == [#"{"columns":["company"]}"#])
    }

    @Test func `a lead that is found again is only touched when something differs`() throws {
        let crm = try TestKernel()
        _ = try one(crm, ["email": "ann@acme.example", "title": "Head"])
        crm.clock.advance(by: "1 hour")
        _ = try one(crm, ["email": "ann@acme.example", "title": "Head"])
        #expect(try crm.rows("SELECT updated_at FROM leads") == ["2026-03-02 09:00:00.000"])
        _ = try one(crm, ["email": "ann@acme.example", "title": "Boss"])
        #expect(try crm.rows("SELECT updated_at FROM leads") == ["2026-03-02 10:00:00.000"])
    }

    // MARK: - Who it is about

    @Test func `an address is the same in any case, and as it was typed last`() throws {
        let crm = try TestKernel()
        #expect(try one(crm, ["email": "Ann@Acme.Example"]) == "1 created")
        #expect(try crm.rows("SELECT email FROM leads") == ["Ann@acme.example"])
        #expect(try one(crm, ["email": "ann@ACME.example", "title": "Head"]) == "1 changed")
        #expect(try crm.rows("SELECT email, title FROM leads") == ["ann@acme.example|Head"])
    }

    @Test func `an external id finds a lead, and may bring its address`() throws {
        let crm = try TestKernel()
        #expect(try one(crm, ["external_id": "A-1"]) == "1 created")
        #expect(
            try one(crm, ["external_id": "a-1"]) == "2 created", "ids of other systems are compared letter by letter")
        #expect(try one(crm, ["external_id": "A-1", "email": "ann@acme.example"]) == "1 changed")
        #expect(try one(crm, ["email": "ann@acme.example"]) == "1 same")
    }

    @Test func `the address counts before the external id`() throws {
        let crm = try TestKernel()
        _ = try take(crm, [["email": "ann@acme.example"], ["external_id": "B"]])
        let problem = try #require(throws: FieldProblem.self) {
            try one(crm, ["email": "ann@acme.example", "external_id": "B"])
        }
        #expect(problem.description == "external_id: belongs to another lead. Merge the two first.")
        #expect(try crm.rows("SELECT email, external_id FROM leads") == ["ann@acme.example|", "|B"])
    }

    @Test func `a telephone number finds a lead where exactly one has it`() throws {
        let crm = try TestKernel()
        #expect(try one(crm, ["phone": "+49 30 123456"]) == "1 created")
        #expect(try one(crm, ["phone": "+4930123456", "title": "Head"]) == "1 changed")
        #expect(
            try one(crm, ["phone": "+4930123456", "email": "bob@acme.example"]) == "2 created",
            "a number is shared in a house")
        let problem = try #require(throws: FieldProblem.self) { try one(crm, ["phone": "+4930123456"]) }
        #expect(
            problem.description == "phone: more than one lead has this number. Give an email or an external_id too.")
        #expect(try crm.rows("SELECT id FROM leads") == ["1", "2"])
    }

    // MARK: - Many at once

    @Test func `of several drafts about one new lead the last counts`() throws {
        let crm = try TestKernel()
        let results = try take(
            crm,
            [
                ["email": "ann@acme.example", "title": "Clerk"], ["email": "bob@acme.example"],
                ["email": "ANN@acme.example", "title": "Head", "city": "Bonn"],
                ["email": "ann@acme.example", "title": "Boss"],
            ])
        #expect(results.map { "\($0.leadID) \($0.outcome)" } == ["1 created", "2 created", "1 changed", "1 changed"])
        #expect(try crm.rows("SELECT title, city FROM leads WHERE id = 1") == ["Boss|Bonn"])
    }

    @Test func `of several drafts about one known lead the last counts`() throws {
        let crm = try TestKernel()
        _ = try one(crm, ["email": "ann@acme.example", "title": "Clerk"])
        let results = try take(
            crm,
            [
                ["email": "ann@acme.example", "title": "Head"], ["email": "ann@acme.example", "title": "Head"],
                ["email": "ann@acme.example", "title": "Clerk"],
            ])
        #expect(results.map(\.outcome) == [.changed, .same, .changed])
        #expect(try crm.rows("SELECT title FROM leads") == ["Clerk"])
    }

    @Test func `several drafts with one new number are one lead`() throws {
        let crm = try TestKernel()
        let results = try take(
            crm,
            [
                ["phone": "+4930123456", "title": "Head"], ["phone": "+4930999999"],
                ["phone": "+4930123456", "city": "Bonn"],
            ])
        #expect(results.map { "\($0.leadID) \($0.outcome)" } == ["1 created", "2 created", "1 changed"])
        #expect(try crm.rows("SELECT phone, title, city FROM leads") == ["+4930123456|Head|Bonn", "+4930999999||"])
    }

    @Test func `a number alone is about the lead that came with it in the same chunk`() throws {
        let crm = try TestKernel()
        let results = try take(
            crm,
            [
                ["phone": "+4930123456", "city": "Bonn"],
                ["phone": "+4930123456", "email": "ann@acme.example", "title": "Head"],
            ])
        #expect(Set(results.map(\.leadID)) == [1])
        #expect(
            try crm.rows("SELECT email, phone, title, city FROM leads") == ["ann@acme.example|+4930123456|Head|Bonn"])
    }

    @Test func `known and new leads of one chunk leave no gap that a reader would notice`() throws {
        let crm = try TestKernel()
        _ = try one(crm, ["email": "ann@acme.example"])
        let results = try take(
            crm,
            [
                ["email": "new@acme.example"], ["phone": "+4930123456"],
                ["email": "ann@acme.example", "title": "Head"],
                ["external_id": "7"],
            ])
        // Ids are given in the order of the file, numbers alone last: the draft of a known lead leaves its own out.
        #expect(results.map { "\($0.leadID) \($0.outcome)" } == ["2 created", "5 created", "1 changed", "4 created"])
        _ = try take(crm, [["email": "last@acme.example"]])
        #expect(try crm.rows("SELECT id FROM leads ORDER BY id") == ["1", "2", "4", "5", "6"])
        #expect(try crm.rows("SELECT lead_id FROM events WHERE kind = 'lead.created'") == ["1", "2", "4", "5", "6"])
    }

    @Test func `an id that was deleted is never given again`() throws {
        let crm = try TestKernel()
        _ = try take(crm, [["email": "ann@acme.example"], ["email": "ben@acme.example"]])
        try crm.foreign("DELETE FROM leads WHERE id = 2")
        #expect(try one(crm, ["email": "cem@acme.example"]) == "3 created")
    }

    // MARK: - The log

    @Test func `what capture logs itself reads like what the triggers log`() throws {
        let crm = try TestKernel()
        var draft = try crm.kernel.draft([("email", "ann@acme.example"), ("stage", "subscriber")])
        draft.consents = ["newsletter": true, "ads": false]
        _ = try crm.kernel.write(origin: "import:1") { try Capture(crm.kernel.leadLayout).take([draft], $0) }
        try crm.foreign("INSERT INTO leads (email, stage) VALUES ('ben@acme.example', 'subscriber')")
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (2, 'newsletter', 'granted')")
        let log = "SELECT kind, cause_id, depth, body FROM events WHERE lead_id ="
        #expect(try crm.rows("\(log) 1 ORDER BY id") == crm.rows("\(log) 2 ORDER BY id"))
        #expect(try crm.rows("SELECT DISTINCT origin FROM events WHERE lead_id = 1") == ["import:1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the triggers log again after an error in what logs itself`() throws {
        struct Stop: Error {}
        let crm = try TestKernel()
        try crm.kernel.write(origin: "test") { tx in
            #expect(throws: Stop.self) { try tx.loggingItself { throw Stop() } }
            try tx.db.execute(sql: "INSERT INTO leads (email) VALUES ('ann@acme.example')")
        }
        #expect(try crm.events() == ["lead.created"])
    }

    // MARK: - First touch, stages

    @Test func `the first touch wins`() throws {
        let crm = try TestKernel()
        _ = try one(crm, ["email": "ann@acme.example", "source": "google", "created_at": "2020-01-01"])
        #expect(
            try one(crm, ["email": "ann@acme.example", "source": "linkedin", "created_at": "2021-01-01"]) == "1 same")
        #expect(try one(crm, ["email": "ann@acme.example", "source": "linkedin", "medium": "cpc"]) == "1 changed")
        #expect(try crm.rows("SELECT source, medium, created_at FROM leads") == ["google|cpc|2020-01-01 00:00:00.000"])
    }

    @Test func `a stage goes forward, and a draft that would move it back leaves it`() throws {
        let crm = try TestKernel()
        _ = try one(crm, ["email": "ann@acme.example", "stage": "mql"])
        #expect(try one(crm, ["email": "ann@acme.example", "stage": "lead"]) == "1 same")
        #expect(try one(crm, ["email": "ann@acme.example", "stage": "sql"]) == "1 changed")
        #expect(try one(crm, ["email": "ann@acme.example", "stage": "disqualified"]) == "1 changed")
        #expect(
            try crm.rows("SELECT from_stage, to_stage FROM stage_history") == ["|mql", "mql|sql", "sql|disqualified"])
        #expect(try crm.events() == ["lead.created", "lead.stage_changed", "lead.stage_changed"])
    }

    // MARK: - Forms, touches, consents

    private func submit(
        _ crm: TestKernel, origin: String = "form:plan", touch: LeadDraft.Touch? = nil, consents: [String: Bool]
    ) throws {
        var draft = try crm.kernel.draft([("email", "ann@acme.example")])
        draft.consents = consents
        draft.consentTexts = ["newsletter": "Yes, by mail."]
        draft.touch = touch
        let proposal = draft
        try crm.kernel.write(origin: origin) { _ = try $0.capture(proposal) }
    }

    private func consents(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT purpose, state, text, source FROM consents ORDER BY id")
    }

    @Test func `a form that is filled in is a fact each time`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"], form: "plan")
        try crm.capture(["email": "ann@acme.example"], form: "plan")
        #expect(try crm.events() == ["lead.created", "form.submitted", "form.submitted"])
        #expect(
            try crm.rows("SELECT body, origin FROM events WHERE kind = 'form.submitted'")
                == Array(repeating: "{\"form\":\"plan\"}|form:plan", count: 2))
    }

    @Test func `a consent is a row with its sentence, once`() throws {
        let crm = try TestKernel()
        for _ in 1...2 { try submit(crm, consents: ["newsletter": true, "ads": true]) }
        #expect(try consents(crm) == ["ads|granted||form:plan", "newsletter|granted|Yes, by mail.|form:plan"])
        #expect(
            try crm.rows("SELECT kind, body FROM events WHERE kind LIKE 'consent.%'") == [
                "consent.granted|{\"purpose\":\"ads\"}", "consent.granted|{\"purpose\":\"newsletter\"}",
            ])
    }

    @Test func `a box that stays empty is no withdrawal of what was never given`() throws {
        let crm = try TestKernel()
        try submit(crm, consents: ["newsletter": false])
        #expect(try consents(crm) == [])
        try submit(crm, consents: ["newsletter": true])
        try submit(crm, consents: ["newsletter": false])
        #expect(try crm.rows("SELECT state FROM consents") == ["granted", "withdrawn"])
    }

    @Test(arguments: ["import:7", "cli", "plugin:x"])
    func `nobody but the person gives back a consent that was withdrawn`(_ origin: String) throws {
        let crm = try TestKernel()
        try submit(crm, consents: ["newsletter": true])
        try submit(crm, consents: ["newsletter": false])
        try submit(crm, origin: origin, consents: ["newsletter": true])
        #expect(try crm.rows("SELECT state FROM consents_now") == ["withdrawn"])
        try submit(crm, consents: ["newsletter": true])
        #expect(try crm.rows("SELECT state FROM consents_now") == ["granted"])
    }

    @Test func `a form is a touch each time, an import only for a lead it made`() throws {
        let crm = try TestKernel()
        try submit(crm, origin: "import:1", touch: LeadDraft.Touch(kind: "import", source: "list"), consents: [:])
        try submit(crm, origin: "import:2", touch: LeadDraft.Touch(kind: "import", source: "list"), consents: [:])
        try submit(crm, touch: LeadDraft.Touch(kind: "form", channel: "paid_social"), consents: [:])
        try submit(crm, touch: LeadDraft.Touch(kind: "form", campaign: "spring"), consents: [:])
        #expect(
            try crm.rows("SELECT lead_id, kind, channel, source, campaign FROM touches") == [
                "1|import||list|", "1|form|paid_social||", "1|form|||spring",
            ])
    }

    // MARK: - Filters

    @Test func `a filter edits what is captured`() throws {
        let crm = try TestKernel("plugins: {desk: {}}", plugins: [Desk.self])
        try crm.capture(["email": "ann@acme.example", "company": "acme"])
        #expect(try crm.rows("SELECT company FROM leads") == ["Acme Ltd"])
    }

    @Test func `a veto is told by its reason alone, and changes nothing in a lead that is known`() throws {
        let crm = try TestKernel("plugins: {desk: {}}", plugins: [Desk.self])
        try crm.foreign("INSERT INTO leads (email) VALUES ('bob@rival.example')")
        let veto = try #require(throws: Veto.self) {
            try crm.capture(["email": "bob@rival.example", "title": "Head"], form: "plan")
        }
        #expect("\(veto)" == "no competitors, please")
        #expect(try crm.events() == ["lead.created"])
        #expect(try crm.rows("SELECT title FROM leads") == [""])
    }
}
