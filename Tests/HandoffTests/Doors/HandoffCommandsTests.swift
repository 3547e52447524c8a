import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// `trellis handoff list`.
@Suite struct HandoffCommandsTests {
    @Test func `the list of open handoffs has both clocks and the cycle`() async throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", accept_within: 4 hours, contact_within: 8 hours")
        try crm.qualified(2)
        try await crm.work()
        try crm.run("handoff accept", "1")
        try await crm.work()
        let (answerBy, talkBy) = ("2026-03-02 13:00:00.000", "2026-03-02 17:00:00.000")
        #expect(
            try crm.run("handoff list") == [
                "1|l1@lead.example||accepted|ann|route 1: round_robin|2026-03-02 09:00:00.000|\(answerBy)|\(talkBy)|1",
                "2|l2@lead.example||offered|ben|route 1: round_robin|2026-03-02 09:00:00.000|\(answerBy)||1",
            ])
        #expect(try crm.run("handoff list", options: ["rep": "ben"]).count == 1)
        #expect(try crm.run("handoff list", options: ["rep": "cy"]) == [])
        #expect(throws: KernelError.usage("There is no rep 'bem'. Did you mean 'ben'? There are: ann, ben, cy.")) {
            try crm.run("handoff list", options: ["rep": "bem"])
        }
    }

    @Test func `who is no rep of the config any more may be asked for, while a handoff is in that name`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(1)
        try crm.foreign("UPDATE handoff_handoffs SET state = 'offered', rep = 'gone' WHERE id = 1")
        #expect(try crm.run("handoff list", options: ["rep": "gone"]).count == 1)
    }
}
