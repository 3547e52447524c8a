import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// What the rep is told.
@Suite struct BriefingTests {
    private struct Stars: Plugin {
        static let name = "stars"
        static let summary = "Says how many stars a lead has, and why."
        init(settings: NoSettings) {}

        @HookBuilder var hooks: [any Hook] {
            Answer("line", LeadCard.self) { card, _ in
                [CardLine("stars", "lead \(card.leadID) has 5: demo +3, title +2")]
            }
        }
    }

    @Test func `the mail says who the lead is, what it did, and what other plugins know of it`() async throws {
        let crm = try HandoffSite.crm(plugins: [Stars.self])
        try crm.capture([
            "email": "lee@lead.example", "first_name": "Lee", "last_name": "Low", "title": "Head of Sales",
            "company": "Lead & Sons", "country": "DE",
            "source": "partner",
        ])
        crm.clock.advance(by: "2 days")
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try await crm.work()
        let mail = try #require(crm.transport.sent.first)
        #expect(mail.subject == "New lead: Lee Low")
        for part in [
            "Lee Low is yours.", "title: Head of Sales · company: Lead & Sons", "country: DE · email: lee@lead.example",
            "source: partner",
            "stars: lead 1 has 5: demo +3, title +2", "2026-03-02 lead.created", "trellis handoff accept 1",
        ] { #expect(mail.text.contains(part), "\(part) is not in: \(mail.text)") }
        #expect(!mail.text.contains("Unsubscribe"))
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead without a name is called by its number`() async throws {
        let crm = try HandoffSite.crm()
        try crm.capture(["phone": "+49 30 1234567", "stage": "mql"])
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["New lead: Lead 1"])
        #expect(crm.transport.sent.first?.text.contains("phone: +49301234567") == true)
    }

    @Test func `a mail of the site takes the place of the built-in one`() async throws {
        let crm = try TestKernel(
            "plugins: {handoff: {\(HandoffSite.threeReps)}}", plugins: [Handoff.self],
            files: [
                "mails/handoff-offer.md":
                    "---\nsubject: For you\npurpose: transactional\n---\n{{lead_name}}: {{handoff}}\n"
            ])
        try crm.qualified(1)
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["For you"])
        #expect(crm.transport.sent.first?.text.hasPrefix("Lead 1: 1") == true)
    }

    @Test func `the card tells every try`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(1)
        try crm.run("handoff reject", "1", "no budget")
        #expect(
            try crm.kernel.ask(LeadCard(leadID: 1)) == [
                [CardLine("handoff", "rejected (no budget) to ann by route 1: round_robin")]
            ])
    }
}
