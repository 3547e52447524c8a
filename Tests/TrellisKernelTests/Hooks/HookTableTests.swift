import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Trouble: Error, CustomStringConvertible {
    let description = "the cupboard is bare"
}

/// Its filters write down the order in which they ran, in the industry of the lead.
private struct Stamper: Plugin {
    static let name = "stamper"
    static let summary = "Stamps drafts."

    init(settings: NoSettings) {}

    private static func stamp(_ word: String) -> @Sendable (inout LeadDraft, Transaction) throws -> Void {
        { draft, _ in
            let before = String.fromDatabaseValue(draft["industry"]) ?? ""
            draft["industry"] = (before + word).databaseValue
        }
    }

    var hooks: [any Hook] {
        Filter("late", LeadDraft.self, order: .late, Self.stamp("3"))
        Filter("usual", LeadDraft.self, Self.stamp("2"))
        Filter("early", LeadDraft.self, order: .early, Self.stamp("1"))
        Answer("card", LeadCard.self) { question, _ in [CardLine("stamp", "lead \(question.leadID)")] }
    }
}

private struct Guard: Plugin {
    static let name = "guard"
    static let summary = "Refuses rivals, and fails on ghosts."

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Filter("door", LeadDraft.self) { draft, _ in
            if draft.email?.hasSuffix("@rival.example") == true { throw Veto("no competitors") }
            if draft.email?.hasSuffix("@ghost.example") == true { throw Trouble() }
            draft["industry"] = ((String.fromDatabaseValue(draft["industry"]) ?? "") + "g").databaseValue
        }
        Answer("card", LeadCard.self) { question, _ in
            if question.leadID == 13 { throw Trouble() }
            return [CardLine("guard", "ok")]
        }
    }
}

private struct Twins: Plugin {
    static let name = "twins"
    static let summary = "Has two hooks of one name."

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("twin", to: nil, from: .nextEvent) { _, _ in }
        Answer("twin", LeadCard.self) { _, _ in [] }
    }
}

/// Hooks as `if` and `for` give them.
private struct Chosen: Plugin {
    struct Settings: SettingsRecord {
        var names: [String] = []
        var isLoud = false
        init() {}
        static var fields: [SettingsField<Self>] {
            SettingsField("names", \.names, .list(of: .text), "Names.")
            SettingsField("loud", \.isLoud, .flag, "Loud.")
        }
    }

    static let name = "chosen"
    static let summary = "As many hooks as names."
    let settings: Settings

    init(settings: Settings) { self.settings = settings }

    var hooks: [any Hook] {
        if settings.isLoud { Subscribe("loud", to: nil, from: .nextEvent) { _, _ in } }
        for name in settings.names { Subscribe(name, to: nil, from: .nextEvent) { _, _ in } }
    }
}

@Suite struct HookTableTests {
    private func crm() throws -> TestKernel {
        try TestKernel("plugins: {guard: {}, stamper: {}}", plugins: [Stamper.self, Guard.self])
    }

    @Test func `filters run early, usual, late, and within one order as the plugins stand`() throws {
        let crm = try crm()
        try crm.capture(["email": "ann@acme.example"])
        #expect(try crm.rows("SELECT industry FROM leads") == ["12g3"])
    }

    @Test func `a vetoed draft leaves no trace`() throws {
        let crm = try crm()
        let before = try crm.lastEvent
        #expect(throws: Veto("no competitors")) {
            try crm.capture(["email": "bob@rival.example"], form: "plan", consents: ["newsletter"])
        }
        #expect(try crm.lastEvent == before)
        for table in ["leads", "touches", "consents"] { #expect(try crm.rows("SELECT * FROM \(table)") == []) }
    }

    @Test func `a filter that fails is named, and nothing is kept`() throws {
        let crm = try crm()
        let failure = try #require(throws: HookFailure.self) { try crm.capture(["email": "boo@ghost.example"]) }
        #expect(failure.description == "guard/door failed: the cupboard is bare")
        #expect(try crm.rows("SELECT * FROM leads") == [])
    }

    @Test func `every plugin answers a question, in the order of the plugins`() throws {
        let crm = try crm()
        let answers = try crm.kernel.ask(LeadCard(leadID: 7))
        #expect(answers == [[CardLine("stamp", "lead 7")], [CardLine("guard", "ok")]])
    }

    @Test func `an answer that fails is named`() throws {
        let crm = try crm()
        let failure = try #require(throws: HookFailure.self) { try crm.kernel.ask(LeadCard(leadID: 13)) }
        #expect(failure.description == "guard/card failed: the cupboard is bare")
    }

    @Test func `a question nobody answers has no answers`() throws {
        let crm = try crm()
        #expect(try crm.kernel.ask(Report()).isEmpty)
    }

    @Test func `two hooks of one name are refused, because the name keys a cursor`() throws {
        let error = try #require(throws: KernelError.self) {
            try TestKernel("plugins: {twins: {}}", plugins: [Twins.self])
        }
        #expect(error.description == "Two hooks are called twins/twin. Rename one: its name keys its cursor.")
        #expect(error.exitCode == 78)
    }

    @Test func `hooks may follow from the settings`() throws {
        let crm = try TestKernel("plugins: {chosen: {names: [a, b], loud: yes}}", plugins: [Chosen.self])
        let ids = crm.kernel.hooks.ids.map(\.description).filter { $0.hasPrefix("chosen/") }
        #expect(ids == ["chosen/loud", "chosen/a", "chosen/b"])
    }

    @Test func `where nobody filters a draft, it is known`() throws {
        let crm = try crm()
        #expect(crm.kernel.hooks.hasFilters(LeadDraft.self))
        #expect(!crm.kernel.hooks.hasFilters(HandoffDraft.self))
    }

    @Test func `the trace is switched on by the environment, for hooks alone`() {
        #expect(HookTrace.fromEnvironment(["TRELLIS_TRACE": "hooks"]) != nil)
        #expect(HookTrace.fromEnvironment(["TRELLIS_TRACE": "sql,hooks"]) != nil)
        #expect(HookTrace.fromEnvironment(["TRELLIS_TRACE": "sql"]) == nil)
        #expect(HookTrace.fromEnvironment([:]) == nil)
    }
}
