import AudienceExport
import DripSequencer
import Handoff
import LeadMagnets
import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// From a form to a handoff, told from whatever end.
@Suite struct TraceTests {
    private let crm: TestKernel
    private let lead: Int64

    init() async throws {
        crm = try NurturingSite.crm()
        lead = try NurturingSite.fillInForm(crm, "ann@acme.example", "Ann", title: "Head of Sales")
        try await crm.work()
        try crm.record("demo.booked", lead: lead, ["slot": "monday"])
        try await crm.work()
    }

    private func tree(_ reference: String) throws -> [String] {
        try crm.kernel.trace(reference).lines.map { String(repeating: "  ", count: $0.depth) + $0.node.says }
    }

    private func id(_ sql: String) throws -> String { try #require(try crm.value(sql)) }

    @Test func `a lead is told in words, each thing below what caused it`() throws {
        let story = try tree("ann@acme.example")
        for expected in [
            "came in as lead", "  scored 20 points for head", "consented to newsletter",
            "filled in the form sales-plan",
            "  was given sales-plan", "  entered the sequence welcome, and left it: handoff.offered",
            "  scored 15 points for asked", "  mail welcome sent", "    mail welcome was sent",
            "demo booked (slot monday)", "  scored 30 points for demo", "  went from lead to mql",
            "    was handed off (route 1: round_robin, now offered)", "      was offered to rita",
        ] {
            #expect(story.contains(expected), "\(expected) in \(story)")
        }
    }

    @Test func `a message is traced to the form it answers, and on to what became of it`() throws {
        let mail = try id("SELECT id FROM outbox_messages WHERE template = 'welcome'")
        #expect(
            try tree("mail:\(mail)") == [
                "filled in the form sales-plan", "  mail welcome sent", "    mail welcome was sent",
            ])
        #expect(try crm.kernel.trace("mail:\(mail)").subject == "mail:\(mail)")
    }

    @Test func `a handoff is traced through the points to the demo, and on to its mails`() throws {
        let handoff = try id("SELECT id FROM handoff_handoffs")
        let story = try tree("handoff:\(handoff)")
        #expect(
            story.prefix(4) == [
                "demo booked (slot monday)", "  went from lead to mql",
                "    was handed off (route 1: round_robin, now offered)", "      was offered to rita",
            ])
        #expect(story.contains { $0.hasPrefix("        mail handoff-offer") }, "\(story)")
        #expect(!story.contains { $0.contains("sales-plan") })
    }

    @Test func `an entry of the ledger and an event are traced from their root`() throws {
        let entry = try id("SELECT id FROM scoring_entries WHERE rule = 'demo'")
        #expect(try tree("score:\(entry)") == ["demo booked (slot monday)", "  scored 30 points for demo"])
        let offered = try id("SELECT id FROM events WHERE kind = 'handoff.offered'")
        #expect(try tree("event:\(offered)").prefix(3).first == "demo booked (slot monday)")
        let booked = try id("SELECT id FROM events WHERE kind = 'demo.booked'")
        #expect(try tree("event:\(booked)").contains("      was offered to rita"))
    }

    @Test(arguments: [
        (
            "score:x", "score: takes a number, as in score:17, and not 'x'."
        ),
        ("mail:99999", "There is no mail:99999."), ("event:-1", "There is no event:-1."),
        (
            "hand:3",
            "'hand:…' cannot be traced. Give a lead (an id, an address, external:ID), or one of event:ID, mail:ID, enrolment:ID, task:ID, score:ID, handoff:ID."
        ),
        ("handof:3", "'handof:…' cannot be traced. Did you mean 'handoff'?"),
    ])
    func `what cannot be traced is refused with what can`(_ reference: String, _ sentence: String) throws {
        #expect {
            _ = try crm.kernel.trace(reference)
        } throws: { "\($0)".hasPrefix(sentence) }
    }

    @Test(arguments: ["nobody@acme.example", "4711", "external:score:3", ""])
    func `who is no lead is said to be none`(_ reference: String) throws {
        #expect {
            _ = try crm.kernel.trace(reference)
        } throws: { $0 as? KernelError == .noLead(reference) }
    }

    @Test func `causes that name each other are told once`() throws {
        try crm.kernel.write(origin: "test") { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO events (id, kind, lead_id, cause_id, origin, at) VALUES (90001, 'loop.made', \(lead), 90002, 'test', '2026-03-02'),
                        (90002, 'loop.made', \(lead), 90001, 'test', '2026-03-02')
                    """)
        }
        #expect(try crm.kernel.trace("event:90001").lines.count <= 4)
        #expect(try tree("ann@acme.example").count > 10)
    }

    @Test func `every kind that a plugin declares has a sentence that holds with a body and without`() throws {
        for kind in crm.kernel.kinds.keys.sorted() {
            let bare = crm.kernel.sentence(of: kind, body: "{}")
            #expect(!bare.isEmpty && !bare.contains("{") && !bare.contains("["), "\(kind): \(bare)")
        }
        #expect(
            crm.kernel.sentence(of: "handoff.offered", body: #"{"rep":"ada","offer":2}"#)
                == "was offered to ada, offer 2")
        #expect(crm.kernel.sentence(of: "handoff.offered", body: #"{"rep":"ada"}"#) == "was offered to ada")
        #expect(
            crm.kernel.sentence(of: "lead.updated", body: #"{"columns":["title","city"]}"#) == "title, city changed")
        #expect(crm.kernel.sentence(of: "quiz.passed", body: #"{"points":7}"#) == "quiz passed (points 7)")
        #expect(crm.kernel.sentence(of: "lead.updated", body: "no JSON") == "? changed")
    }
}
