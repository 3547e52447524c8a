import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

/// Double opt-in when a simulation draws who confirms.
@Suite struct SimulatedConfirmationsTests {
    private func crm() throws -> TestKernel {
        let crm = try MagnetSite.crm()
        var draft = try crm.kernel.draft([(name: "email", text: "ann@a.example")])
        draft.form = "guide"
        draft.consents = ["newsletter": true]
        let proposal = draft
        try crm.kernel.write(origin: "form:guide") { _ = try $0.capture(proposal) }
        try crm.pump()
        return crm
    }

    @Test func `who presses the button has agreed, and gets what was asked for`() async throws {
        let crm = try crm()
        let done = try await crm.simulate(days: 3, ["form.confirmed": (1, "1h")])
        #expect(try done.rows("SELECT state FROM consents_now WHERE purpose = 'newsletter'") == ["granted"])
        #expect(
            try done.rows("SELECT body FROM events WHERE kind = 'form.confirmed'") == [#"{"form":"guide"}"#])
        #expect(try done.rows("SELECT count(*) FROM events WHERE kind = 'asset.downloaded'") == ["1"])
        #expect(try crm.rows("SELECT state FROM consents_now") == ["requested"], "the file itself is not touched")
    }

    @Test func `who does not has not`() async throws {
        let done = try await crm().simulate(days: 3, ["form.confirmed": (0, "1h")])
        #expect(try done.rows("SELECT state FROM consents_now WHERE purpose = 'newsletter'") == ["requested"])
        #expect(try done.rows("SELECT count(*) FROM events WHERE kind = 'asset.downloaded'") == ["0"])
    }
}
