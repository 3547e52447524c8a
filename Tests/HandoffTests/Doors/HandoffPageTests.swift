import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// The links in the mail of an offer.
@Suite struct HandoffPageTests {
    private func offered(_ more: String = ", reject_reasons: [no budget, wrong person]") async throws -> TestKernel {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + more)
        try crm.qualified(1)
        try await crm.work()
        return crm
    }

    /// The path of the first link of that kind in the last mail to a rep.
    private func link(_ crm: TestKernel, _ kind: String = "accept") throws -> String {
        let text = try #require(crm.transport.sent.last).text.replacing("\n", with: " ")
        let match = try #require(text.firstMatch(of: /https:\/\/crm.acme.example(\/handoff\/[A-Za-z0-9_-]+)\/accept/))
        return "\(match.1)/\(kind)"
    }

    private func ask(
        _ crm: TestKernel, _ method: String, _ path: String, _ fields: KeyValuePairs<String, String> = [:],
        json: Bool = false
    ) async throws -> WebReply {
        let parts = path.split(separator: "/").map(String.init)
        let endpoints = crm.kernel.plugins.flatMap { $0.endpoints }
        let endpoint = try #require(
            endpoints.first { $0.method.rawValue == method && $0.path == "/handoff/:token/\(parts[2])" })
        return try await endpoint(
            WebRequest(
                kernel: crm.kernel, method: method, path: path, parameters: ["token": parts[1]],
                fields: WebFields(fields.map { WebFields.Pair(name: $0.key, value: $0.value) }),
                client: .none, headers: json ? ["accept": "application/json"] : [:]))
    }

    private func page(_ reply: WebReply) throws -> PageValues {
        guard case .page("handoff", let values) = reply.body else {
            Issue.record("no page: \(reply)")
            return [:]
        }
        return values
    }

    @Test func `looking changes nothing, the button accepts, and then the page asks for the contact`() async throws {
        let crm = try await offered()
        let before = try crm.lastEvent
        let shown = try page(try await ask(crm, "GET", link(crm)))
        #expect(shown["heading"] == "l1@lead.example")
        #expect(shown["is_private"] == true)
        #expect(shown["accept_action"] == .text(try link(crm)))
        #expect(shown["reject_action"] == .text(try link(crm, "reject")))
        #expect(shown["reasons"] == .list([["text": "no budget"], ["text": "wrong person"]]))
        #expect(try crm.lastEvent == before)
        let done = try await ask(crm, "POST", link(crm))
        #expect(done.status == 303)
        #expect(done.headers.map(\.value) == [try link(crm)])
        #expect(try crm.handoffs == ["1|1|ann|accepted|"])
        #expect(try crm.rows("SELECT origin FROM handoff_transitions WHERE state = 'accepted'") == ["page:handoff"])
        let after = try page(try await ask(crm, "GET", link(crm)))
        #expect(after["accept_action"] == nil)
        #expect(after["contact_action"] == .text(try link(crm, "contact")))
        _ = try await ask(crm, "POST", link(crm, "contact"))
        #expect(try page(try await ask(crm, "GET", link(crm)))["contact_action"] == nil)
        #expect(try crm.rows("SELECT contacted_at FROM handoff_handoffs") == ["2026-03-02 09:00:00.000"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the page says why now, with the reasons on the card of the lead`() async throws {
        let crm = try HandoffSite.crm(plugins: [Stars.self])
        try crm.qualified(1)
        try await crm.work()
        let shown = try page(try await ask(crm, "GET", link(crm)))
        #expect(shown["why_now"] == "It came in on 2026-03-02. 5 stars: demo +3, title +2.")
    }

    @Test func `the page says until when, and once that is past that it is`() async throws {
        let crm = try HandoffSite.crm(
            "reps: {ann: {email: ann@acme.example, zone: Europe/Berlin}}, accept_within: 1 hour, escalate_to: head@acme.example"
        )
        try crm.qualified(1)
        try await crm.work()
        let path = try link(crm)
        #expect(
            try page(try await ask(crm, "GET", path))["text"]
                == "This lead is offered to you, until 2026-03-02 11:00 (Europe/Berlin).")
        crm.clock.advance(by: "2 hours")
        let late = "This lead is offered to you. The time to answer is over; you may still take it."
        #expect(try page(try await ask(crm, "GET", path))["text"] == .text(late))
        try await crm.work()
        #expect(try crm.handoffs == ["1|1|ann|escalated|"])
        #expect(try page(try await ask(crm, "GET", path))["text"] == .text(late))
        _ = try await ask(crm, "POST", path)
        #expect(try crm.handoffs == ["1|1|ann|accepted|"])
    }

    @Test func `a lead is given back with a reason of the config`() async throws {
        let crm = try await offered()
        for (fields, sentence): (KeyValuePairs<String, String>, String) in [
            ([:], "Say why: the reason is missing."),
            (
                ["reason": "no bugdet"],
                "'no bugdet' is no reason of this config. Did you mean 'no budget'? There are: no budget, wrong person."
            ),
        ] {
            let problem = await #expect(throws: WebProblem.self) {
                try await ask(crm, "POST", link(crm, "reject"), fields)
            }
            #expect(problem?.status == 422)
            #expect(problem?.description == sentence)
        }
        #expect(try crm.handoffs == ["1|1|ann|offered|"])
        _ = try await ask(crm, "POST", link(crm, "reject"), ["reason": "no budget"])
        #expect(try crm.handoffs == ["1|1|ann|recycled|no budget"])
        #expect(
            try page(try await ask(crm, "GET", link(crm)))["text"] == "You gave it back. Thank you for saying why.")
        let again = try await ask(crm, "POST", link(crm))
        #expect(again.status == 409)
        #expect(try page(again)["text"] == "Handoff 1 is recycled; this needs one that is offered.")
    }

    @Test func `the link of a rep who has lost the lead opens nothing`() async throws {
        let crm = try await offered()
        let old = try link(crm)
        try crm.run("handoff reassign", "1", "ben")
        let shown = try page(try await ask(crm, "GET", old))
        #expect(shown["text"] == "It has gone on to somebody else meanwhile.")
        #expect(shown["lead_facts"] == nil)
        #expect(try await ask(crm, "POST", old).status == 409)
        #expect(try crm.handoffs == ["1|1|ben|offered|"])
        // Back with the first rep the old link is still that of an older offer.
        try crm.run("handoff reassign", "1", "ann")
        #expect(try await ask(crm, "POST", old).status == 409)
        try await crm.work()
        #expect(try link(crm) != old)
        _ = try await ask(crm, "POST", link(crm))
        #expect(try crm.handoffs == ["1|1|ann|accepted|"])
    }

    @Test func `a program is answered in JSON`() async throws {
        let crm = try await offered()
        let reply = try await ask(crm, "POST", link(crm), json: true)
        guard case .bytes(let bytes) = reply.body else {
            Issue.record("no body")
            return
        }
        #expect(String(decoding: bytes, as: UTF8.self) == "{\"handoff\":1,\"state\":\"accepted\"}\n")
        let problem = await #expect(throws: WebProblem.self) { try await ask(crm, "POST", link(crm), json: true) }
        #expect(problem?.status == 409)
    }

    @Test(arguments: ["confirm", "download", "unsubscribe"])
    func `a link of another purpose, or one that was changed, is none`(_ purpose: String) async throws {
        let crm = try await offered()
        let other = try crm.kernel.config.signer.token(purpose: purpose, subject: "[1,1]")
        for token in [other, "x", String(try link(crm).split(separator: "/")[1].dropLast())] {
            for method in ["GET", "POST"] {
                let problem = await #expect(throws: WebProblem.self) {
                    try await ask(crm, method, "/handoff/\(token)/accept")
                }
                #expect(problem?.status == 404)
            }
        }
        #expect(try crm.handoffs == ["1|1|ann|offered|"])
    }

    @Test func `without reasons of the config any short text is one`() async throws {
        let crm = try await offered("")
        #expect(try page(try await ask(crm, "GET", link(crm)))["has_reasons"] == false)
        let problem = await #expect(throws: WebProblem.self) {
            try await ask(crm, "POST", link(crm, "reject"), ["reason": String(repeating: "x", count: 201)])
        }
        #expect(problem?.description == "The reason must have 1 to 200 characters.")
        _ = try await ask(crm, "POST", link(crm, "reject"), ["reason": "moved away"])
        #expect(try crm.handoffs == ["1|1|ann|recycled|moved away"])
    }
}
