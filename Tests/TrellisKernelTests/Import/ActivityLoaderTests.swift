import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ActivityLoaderTests {
    private static let yaml = "activities: {demo.booked: {slot: text, seats: integer}, page.viewed: {path: text}}"

    private func run(_ crm: TestKernel, _ csv: String) throws -> ImportReport {
        try Data(csv.utf8).write(to: URL(filePath: crm.folder + "/file.csv"))
        var mapping = ImportMapping()
        mapping.target = .activities
        return try Importer(crm.kernel, file: crm.folder + "/file.csv", mapping: mapping).run()
    }

    @Test func `rows become facts of their leads, at their time`() throws {
        let crm = try TestKernel(Self.yaml)
        try crm.capture(["email": "ann@acme.example", "external_id": "A"])
        let report = try run(
            crm,
            "lead,kind,at,slot,seats,fields\nann@acme.example,demo.booked,2026-01-31 14:00,Friday,2,\n"
                + "external:A,page.viewed,2026-02-01,,,\"{\"\"path\"\": \"\"/prices\"\"}\"\n1,page.viewed,,,,\n")
        #expect(report.created == 3 && report.rejected == 0)
        #expect(
            try crm.rows("SELECT kind, lead_id, origin, at, body FROM events WHERE id > 1") == [
                #"demo.booked|1|import:1|2026-01-31 14:00:00.000|{"seats":2,"slot":"Friday"}"#,
                #"page.viewed|1|import:1|2026-02-01 00:00:00.000|{"path":"/prices"}"#,
                "page.viewed|1|import:1|2026-03-02 09:00:00.000|{}",
            ])
    }

    @Test func `the same file twice is the same facts`() throws {
        let crm = try TestKernel(Self.yaml)
        try crm.capture(["external_id": "A"])
        for _ in 1...2 { _ = try run(crm, "lead,kind\nexternal:A,demo.booked\n") }
        #expect(try crm.events() == ["lead.created", "demo.booked"])
    }

    @Test func `what lies ahead waits`() throws {
        let crm = try TestKernel(Self.yaml)
        try crm.capture(["external_id": "A"])
        _ = try run(crm, "lead,kind,at\n1,demo.booked,2026-03-03\n")
        #expect(try crm.events() == ["lead.created"])
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.events() == ["lead.created", "demo.booked"])
    }

    /// Knows one talk.
    private struct Hall: Plugin {
        static let name = "hall"
        static let summary = "Knows a talk."

        init(settings: NoSettings) {}

        var hooks: [any Hook] { [] }
        var activityNames: [String: [String: [String]]] { ["talk.heard": ["talk": ["fair"]]] }
    }

    private func hall() throws -> TestKernel {
        let yaml = "activities: {talk.heard: {talk: text}, talk.given: {talk: text}}\nplugins: {hall: {}}"
        let crm = try TestKernel(yaml, plugins: [Hall.self])
        try crm.capture(["external_id": "A"])
        return crm
    }

    @Test func `a misspelt name is looked up once`() throws {
        let crm = try hall()
        try crm.kernel.write(origin: "test") { tx in
            func hear(_ memory: NameMemory) throws {
                _ = try tx.recordOnce("talk.heard", lead: 1, fields: [("talk", "fairs")], at: nil, memory: memory)
            }
            let memory = NameMemory()
            #expect(throws: FieldProblem.self) { try hear(memory) }
            try tx.emit("talk.heard", lead: 1, body: #"{"talk":"fairs"}"#)
            #expect(throws: FieldProblem.self) { try hear(memory) }
            try hear(NameMemory())
        }
        #expect(try crm.events() == ["lead.created", "talk.heard", "talk.heard"])
    }

    @Test func `a name that another row of the file brings into the log is known after it`() throws {
        let crm = try hall()
        let report = try run(
            crm, "lead,kind,talk\n1,talk.heard,fairs\n1,talk.given,fairs\n1,talk.heard,fairs\n1,talk.heard,fair\n")
        #expect(
            report.examples == ["line 2: talk: no such name. Did you mean 'fair'? There are: fair."])
        #expect(try crm.events() == ["lead.created", "talk.given", "talk.heard", "talk.heard"])
    }

    @Test func `what does not fit is rejected with the reason`() throws {
        let crm = try TestKernel(Self.yaml)
        try crm.capture(["external_id": "A"])
        let report = try run(
            crm,
            "lead,kind,at,seats,fields\n9,demo.booked,,,\n1,demo.boked,,,\n1,lead.deleted,,,\n1,demo.booked,noon,,\n1,demo.booked,,many,\n"
                + "1,demo.booked,,,not json\n1,page.viewed,,,\"{\"\"pat\"\": 1}\"\n,demo.booked,,,\n")
        #expect(report.created == 0)
        #expect(
            report.examples == [
                "line 2: There is no lead '9'. Give an id, an e-mail address, or external:ID.",
                "line 3: 'demo.boked' is no activity of this config. Did you mean 'demo.booked'? There are: demo.booked, page.viewed.",
                "line 4: 'lead.deleted' is no activity of this config. There are: demo.booked, page.viewed.",
                "line 5: at: expected a time such as 2026-01-31 14:00",
                "line 6: seats: expected a whole number",
                "line 7: fields: not a JSON object",
                "line 8: pat: not a field of page.viewed. Did you mean 'path'?",
                "line 9: lead: lead or kind is empty",
            ])
        #expect(try crm.events() == ["lead.created"])
    }

    @Test func `a file without leads or kinds is refused`() throws {
        let crm = try TestKernel(Self.yaml)
        let error = try #require(throws: KernelError.self) { try run(crm, "lead,at\n1,2026-01-01\n") }
        #expect(
            error.description
                == "The file has no column 'kind'. An import of activities needs lead, kind and at. Map one with --map, or give every row the same with --set kind=…"
        )
    }

    @Test func `a file that grew, or was corrected, adds what is new alone`() throws {
        let crm = try TestKernel(Self.yaml)
        try crm.capture(["email": "ann@acme.example"])
        try crm.capture(["email": "bob@acme.example"])
        let first =
            "lead,kind,at,slot\nann@acme.example,demo.booked,2026-01-31 14:00,Friday\nnobody,demo.booked,2026-01-31,\n"
        #expect(try run(crm, first).created == 1)
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: 2) }
        let grown =
            "lead,kind,slot,at\nbob@acme.example,demo.booked,Friday,2026-01-31 14:00\n2,demo.booked,Monday,2026-01-31 14:00\n2,page.viewed,,2026-04-01\n"
        let report = try run(crm, grown)
        #expect(report.created == 2 && report.same == 1 && report.rejected == 0, "also of a lead that was taken in")
        #expect(try run(crm, grown + "2,page.viewed,,2026-04-02\n").created == 1, "what lies ahead is known too")
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'demo.booked'") == [
                #"{"slot":"Friday"}"#, #"{"slot":"Monday"}"#,
            ])
        #expect(try crm.value("SELECT count(*) FROM scheduled_events") == "2")
    }

    @Test func `every row may be given the same kind`() throws {
        let crm = try TestKernel(Self.yaml, files: ["file.csv": "lead,seats\n1,2\n1,\n"])
        try crm.capture(["external_id": "A"])
        var mapping = ImportMapping()
        mapping.target = .activities
        mapping.constants = [Named("kind", "demo.booked"), Named("seats", "9")]
        let report = try Importer(crm.kernel, file: crm.folder + "/file.csv", mapping: mapping).run()
        #expect(report.created == 2)
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'demo.booked'") == [#"{"seats":2}"#, #"{"seats":9}"#])
        mapping.constants = [Named("kynd", "demo.booked")]
        #expect(throws: KernelError.data("constants: there is no field 'kynd'. Did you mean 'kind'?")) {
            try Importer(crm.kernel, file: crm.folder + "/file.csv", mapping: mapping).run()
        }
    }

    @Test func `fields that are null are none, and what is no text or number is refused`() throws {
        let crm = try TestKernel(Self.yaml)
        try crm.capture(["external_id": "A"])
        let report = try run(
            crm,
            "lead,kind,fields\n1,page.viewed,\"{\"\"path\"\": null}\"\n1,page.viewed,\"{\"\"path\"\": [1]}\"\n1,page.viewed,a,b\n"
        )
        #expect(report.created == 1 && report.rejected == 2)
        #expect(try crm.rows("SELECT body FROM events WHERE kind = 'page.viewed'") == ["{}"])
    }
}
