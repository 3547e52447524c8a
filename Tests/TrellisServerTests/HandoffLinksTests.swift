import Handoff
import Hummingbird
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

/// What a rep sees behind the links of an offer, and what programs get over the API.
@Suite struct HandoffLinksTests {
    private static let token: HTTPFields = [.authorization: "Bearer a token for tests only, and long enough"]

    private func offered() throws -> TestKernel {
        let crm = try TestKernel(
            """
            server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}"}}
            plugins:
              handoff:
                reps: {ann: {email: ann@acme.example}, ben: {email: ben@acme.example}}
                accept_within: 4 hours
                reject_reasons: [no budget, "wrong <person>"]
            """, plugins: [Handoff.self])
        try crm.capture(["email": "lee@lead.example", "first_name": "Lee & Co", "stage": "mql"])
        try crm.pump()
        return crm
    }

    private func path(_ crm: TestKernel, _ kind: String) throws -> String {
        "/handoff/\(try crm.kernel.config.signer.token(purpose: "handoff", subject: "[1,1]"))/\(kind)"
    }

    @Test func `the page shows the lead, its buttons act, and it says what came of it`() async throws {
        let crm = try offered()
        let site = try Listener.open(crm)
        let page = try await site.get(try path(crm, "accept"))
        #expect(page.status == 200)
        #expect(page.heading == "Lee &amp; Co")
        #expect(page.body.contains("<meta name=\"robots\" content=\"noindex\">"))
        #expect(page.body.contains("This lead is offered to you, until 2026-03-02 13:00"))
        #expect(page.body.contains("<option>wrong &lt;person&gt;</option>"))
        #expect(page.forms.map(\.action) == [try path(crm, "accept"), try path(crm, "reject")])
        let done = try await site.post(page.forms[0].action, page.forms[0].body())
        #expect(done.status == 303 && done.location == page.forms[0].action)
        let after = try await site.get(page.forms[0].action)
        #expect(after.body.contains("You have accepted this lead."))
        #expect(after.forms.map(\.action) == [try path(crm, "contact"), try path(crm, "reject")])
        let back = try await site.post(after.forms[1].action, after.forms[1].body(["reason": "wrong <person>"]))
        #expect(back.status == 303)
        let gone = try await site.get(after.forms[1].action)
        #expect(gone.heading == "This is settled" && gone.forms.isEmpty)
        #expect(gone.body.contains("You gave it back. Thank you for saying why.") && !gone.body.contains("lee@"))
        #expect(try crm.rows("SELECT state, reason FROM handoff_handoffs") == ["recycled|wrong <person>"])
        #expect(try await site.post(try path(crm, "accept")).status == 409)
    }

    @Test func `a look by a scanner changes nothing, and a changed link is nothing`() async throws {
        let crm = try offered()
        let site = try Listener.open(crm)
        let before = try crm.lastEvent
        for kind in ["accept", "reject", "contact"] {
            for method in [HTTPRequest.Method.get, .head] {
                #expect(try await site.ask(method, try path(crm, kind)).status == 200)
            }
        }
        #expect(try await site.get(try path(crm, "accept").replacing("/handoff/", with: "/handoff/x")).status == 404)
        #expect(try await site.post(try path(crm, "reject")).status == 422)
        #expect(try crm.lastEvent == before)
    }

    @Test func `the API takes the token, answers in JSON, and refuses what it does not know`() async throws {
        let crm = try offered()
        let admin = try Listener.admin(crm)
        #expect(try await admin.get("/api/handoffs").status == 401)
        let list = try await admin.get("/api/handoffs?state=offered", Self.token)
        #expect(list.json?["handoffs"]?.elements.first?["rep"]?.scalarText == "ann")
        var json = Self.token
        json[.contentType] = "application/json"
        let accepted = try await admin.post("/api/handoffs/1/accept", "{}", json)
        #expect(accepted.body == "{\"handoff\":1,\"lead\":1,\"state\":\"accepted\"}\n")
        let refused = try await admin.post("/api/handoffs/1/convert", "{\"price\": 5}", json)
        #expect(refused.status == 422)
        #expect(
            refused.json?["error"]?.scalarText == "price: there is no such field. There are: amount, currency, name.")
        let converted = try await admin.post(
            "/api/handoffs/1/convert", "{\"amount\": 1200.5, \"name\": \"Seats\"}", json)
        #expect(converted.json?["state"]?.scalarText == "converted")
        let away = try await admin.post("/api/absences", "{\"rep\": \"ben\", \"hand_over\": true}", json)
        #expect(away.body == "{\"absence\":1,\"handed_over\":0,\"queued\":0}\n")
        #expect(try crm.rows("SELECT amount, name FROM opportunities") == ["1200.5|Seats"])
    }
}
