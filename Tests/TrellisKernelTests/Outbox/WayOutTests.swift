import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct WayOutTests {
    @Test(arguments: ["42", "42 product-news"]) func `what a link seals is read again`(_ subject: String) throws {
        #expect(try #require(WayOut(subject)).subject == subject)
        #expect(WayOut(subject)?.leadID == 42)
    }

    @Test(arguments: ["", "x", "42 ", "42 a b", "42 none", " 42", "42 <b>"])
    func `anything else is no way out`(_ subject: String) {
        #expect(WayOut(subject) == nil)
    }

    @Test(arguments: [
        ("form:unsubscribe", true), ("form:preferences", true), ("mail-in", true), ("cli", false), ("import:1", false),
    ]) func `one comes back to a list where a way out was taken`(_ source: String, _ comesBack: Bool) throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"])
        try crm.foreign(
            """
            INSERT INTO consents (lead_id, purpose, state, text, source) VALUES
                (1, 'ads', 'granted', 'Yes.', 'form:offer'), (1, 'ads', 'withdrawn', NULL, '\(source)')
            """)
        let out = WayOut(leadID: 1, list: "ads")
        #expect(try crm.kernel.write(origin: "test") { try $0.canComeBack(out) } == comesBack)
        try crm.kernel.write(origin: "test") { try $0.comeBack(out) }
        #expect(
            try crm.rows("SELECT state, text, source FROM consents ORDER BY id DESC LIMIT 1") == [
                comesBack ? "granted|Yes.|test" : "withdrawn||\(source)"
            ])
    }

    @Test func `nobody comes back to a list they had not agreed to or have not left`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"])
        try crm.foreign(
            "INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'calls', 'requested'), (1, 'ads', 'granted')")
        try crm.kernel.write(origin: "form:unsubscribe") { try $0.leave(WayOut(leadID: 1, list: "calls")) }
        for list in ["calls", "ads"] {
            let out = WayOut(leadID: 1, list: list)
            #expect(try crm.kernel.write(origin: "test") { try $0.canComeBack(out) } == false)
        }
    }
}
