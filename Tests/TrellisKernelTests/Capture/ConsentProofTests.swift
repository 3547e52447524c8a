import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ConsentProofTests {
    private static let proof = ConsentProof(
        page: "https://crm.acme.example/offers/plan", network: "203.0.113.0/24", agent: "Firefox")

    /// Takes in a form of a browser; without a proof, one that somebody of the house filled in.
    private func submit(
        _ crm: TestKernel, origin: String = "form:plan", consents: [String: Bool] = ["newsletter": true],
        awaitsConfirmation: Bool = false, proof: ConsentProof? = ConsentProofTests.proof
    ) throws {
        var draft = try crm.kernel.draft([("email", "ann@acme.example")])
        draft.form = "plan"
        draft.consents = consents
        draft.consentTexts = ["newsletter": "Yes, by mail."]
        draft.awaitsConfirmation = awaitsConfirmation
        draft.proof = proof
        let proposal = draft
        try crm.kernel.write(origin: origin) { _ = try $0.capture(proposal) }
    }

    private func states(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT purpose, state FROM consents ORDER BY id")
    }

    // MARK: - What is kept

    @Test func `a consent says the page, the network and the browser it was given with`() throws {
        let crm = try TestKernel()
        try submit(crm)
        #expect(
            try crm.rows("SELECT purpose, state, text, source, page, network, agent, at FROM consents") == [
                "newsletter|granted|Yes, by mail.|form:plan|https://crm.acme.example/offers/plan|203.0.113.0/24|Firefox|2026-03-02 09:00:00.000"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `a consent of a lead that is known is proved as well`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"])
        try submit(crm)
        #expect(
            try crm.rows("SELECT page, network, agent FROM consents") == [
                "https://crm.acme.example/offers/plan|203.0.113.0/24|Firefox"
            ])
    }

    @Test func `what somebody else says of a person is proved by nothing`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"], consents: ["newsletter"])
        #expect(try crm.rows("SELECT state, source, page, network, agent FROM consents") == ["granted|cli|||"])
    }

    @Test func `a browser's name is cut`() {
        let proof = ConsentProof(agent: String(repeating: "x", count: 301))
        #expect(proof.agent?.count == 300)
        #expect(ConsentProof().agent == nil)
    }

    // MARK: - To be confirmed

    @Test func `a consent that awaits its confirmation is asked for and not granted`() throws {
        let crm = try TestKernel()
        try submit(crm, consents: ["newsletter": true, "ads": false], awaitsConfirmation: true)
        #expect(try states(crm) == ["newsletter|requested"])
        #expect(try crm.events() == ["lead.created", "consent.requested", "form.submitted"])
        #expect(try crm.rows("SELECT state FROM consents_now") == ["requested"])
    }

    @Test func `what is known as granted is not asked for again`() throws {
        let crm = try TestKernel()
        try submit(crm)
        try submit(crm, consents: ["newsletter": true, "ads": true], awaitsConfirmation: true)
        #expect(try states(crm) == ["newsletter|granted", "ads|requested"])
    }

    @Test func `what was asked for is asked for once, and granted by a form that awaits nothing`() throws {
        let crm = try TestKernel()
        for _ in 1...2 { try submit(crm, awaitsConfirmation: true) }
        #expect(try states(crm) == ["newsletter|requested"])
        try submit(crm)
        #expect(try states(crm) == ["newsletter|requested", "newsletter|granted"])
    }

    @Test func `a consent that was withdrawn may be asked for again by its owner`() throws {
        let crm = try TestKernel()
        try submit(crm)
        try submit(crm, consents: ["newsletter": false])
        try submit(crm, awaitsConfirmation: true)
        #expect(try states(crm) == ["newsletter|granted", "newsletter|withdrawn", "newsletter|requested"])
    }

    // MARK: - Erased

    @Test func `an erased person comes back by a form of their own alone`() throws {
        let crm = try TestKernel()
        try submit(crm)
        #expect(try Person(email: "ann@acme.example").erase(crm.kernel) == 1)
        #expect(throws: Veto("this person was erased on request; only they can come back, through a form")) {
            try submit(crm, origin: "cli", proof: nil)
        }
        #expect(try crm.rows("SELECT id FROM leads") == [])
        #expect(try crm.rows("SELECT reason FROM suppressions") == ["erased"])
        try submit(crm)
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@acme.example"])
        #expect(try states(crm) == ["newsletter|granted"])
        #expect(try crm.rows("SELECT reason FROM suppressions") == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `a form of somebody else lets nobody back in`() throws {
        let crm = try TestKernel()
        try submit(crm)
        _ = try Person(email: "ann@acme.example").erase(crm.kernel)
        var draft = try crm.kernel.draft([("email", "bob@acme.example")])
        draft.proof = ConsentProofTests.proof
        let proposal = draft
        try crm.kernel.write(origin: "form:plan") { _ = try $0.capture(proposal) }
        #expect(try crm.rows("SELECT reason FROM suppressions") == ["erased"])
    }

    @Test func `the number of a consent is not given twice, also after its person was erased`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@a.example"], consents: ["newsletter"])
        try crm.capture(["email": "ben@b.example"], consents: ["newsletter"])
        _ = try Person(email: "ben@b.example").erase(crm.kernel)
        try crm.capture(["email": "cem@c.example"], consents: ["newsletter"])
        #expect(try crm.rows("SELECT id, lead_id FROM consents ORDER BY id") == ["1|1", "3|3"])
    }
}
