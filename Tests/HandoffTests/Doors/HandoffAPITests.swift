import Testing
import TrellisKernel
import TrellisTesting

@testable import Handoff

/// The answers of reps, from the programs they work in.
@Suite struct HandoffAPITests {
    @Test func `open handoffs are found by an index of their own`() throws {
        let plan = try HandoffSite.crm().rows(
            "EXPLAIN QUERY PLAN \(HandoffAPI.open)".replacing(":rep", with: "'ann'").replacing(":state", with: "NULL"))
        #expect(plan.joined().contains("handoff_handoffs_open"), "\(plan)")
    }

    private func offered() throws -> TestKernel {
        let crm = try HandoffSite.crm(
            HandoffSite.threeReps + ", reject_reasons: [no budget], lost_reasons: [price], recycle: {after: 3 days}")
        try crm.qualified(2)
        return crm
    }

    /// The status and the JSON of an answer; of a problem its sentence.
    private func ask(
        _ crm: TestKernel, _ method: String, _ path: String, _ fields: KeyValuePairs<String, String> = [:],
        query: KeyValuePairs<String, String> = [:]
    ) async throws -> String {
        let parts = path.split(separator: "/").map(String.init)
        let isOne = parts.count > 2
        let pattern = isOne ? (["/api/handoffs/:handoff"] + parts[3...]).joined(separator: "/") : path
        let endpoints = crm.kernel.plugins.flatMap { $0.apiEndpoints }
        let endpoint = try #require(endpoints.first { $0.method.rawValue == method && $0.path == pattern })
        func pairs(_ fields: KeyValuePairs<String, String>) -> WebFields {
            WebFields(fields.map { WebFields.Pair(name: $0.key, value: $0.value) })
        }
        do {
            let reply = try await endpoint(
                WebRequest(
                    kernel: crm.kernel, method: method, path: path,
                    parameters: isOne ? ["handoff": parts[2]] : [:], query: pairs(query),
                    fields: pairs(fields),
                    client: .none))
            guard case .bytes(let bytes) = reply.body else { return "\(reply.status)" }
            return "\(reply.status) \(String(decoding: bytes.dropLast(), as: UTF8.self))"
        } catch let problem as WebProblem {
            return "\(problem.status) \(problem.description)"
        }
    }

    @Test func `open handoffs are listed, of a rep and in a state`() async throws {
        let crm = try offered()
        let one =
            #"{"handoff":1,"lead":1,"cycle":1,"offer":1,"state":"offered","rep":"ann","route":"route 1: round_robin","#
        let clocks = #""offered_at":"2026-03-02 09:00:00.000","accept_by":null,"contact_by":null,"contacted_at":null}"#
        #expect(
            try await ask(crm, "GET", "/api/handoffs", query: ["rep": "ann"]) == "200 {\"handoffs\":[\(one)\(clocks)]}")
        #expect(try await ask(crm, "GET", "/api/handoffs", query: ["state": "queued"]) == #"200 {"handoffs":[]}"#)
        #expect(
            try await ask(crm, "GET", "/api/handoffs", query: ["state": "gone"])
                == "400 state: expected one of queued, offered, escalated, accepted, expired, rejected, recycled, converted, withdrawn"
        )
    }

    @Test func `what became of a handoff is told`() async throws {
        let crm = try offered()
        let clocks = #""accept_by":null,"contact_by":null,"contacted_at":null"#
        let at = #""2026-03-02 09:00:00.000""#
        #expect(
            try await ask(crm, "GET", "/api/handoffs/2")
                == #"200 {"handoff":2,"lead":2,"cycle":1,"offer":1,"state":"offered","rep":"ben","route":"route 1: round_robin","#
                + #""offered_at":\#(at),\#(clocks),"answered_at":null,"accepted_at":null,"escalated_at":null,"reason":null,"#
                + #""rests_until":null,"opportunity":null,"outcome":null,"outcome_reason":null,"closed_at":null}"#)
        try crm.run("handoff reject", "2", "no budget")
        #expect(
            try await ask(crm, "GET", "/api/handoffs/2")
                == #"200 {"handoff":2,"lead":2,"cycle":1,"offer":1,"state":"recycled","rep":"ben","route":"route 1: round_robin","#
                + #""offered_at":\#(at),\#(clocks),"answered_at":\#(at),"accepted_at":null,"escalated_at":null,"reason":"no budget","#
                + #""rests_until":"2026-03-05 09:00:00.000","opportunity":null,"outcome":null,"outcome_reason":null,"closed_at":null}"#
        )
        try crm.run("handoff accept", "1")
        try crm.run("handoff convert", "1")
        try crm.run("handoff lost", "1", "price")
        let lost = try await ask(crm, "GET", "/api/handoffs/1")
        #expect(
            lost.contains(#""opportunity":1,"outcome":"lost","outcome_reason":"price","closed_at":\#(at)}"#), "\(lost)")
        for handoff in ["3", "x"] {
            #expect(try await ask(crm, "GET", "/api/handoffs/\(handoff)") == "404 There is no such handoff.")
        }
        // Both rest, and the newest comes first.
        let resting = try await ask(crm, "GET", "/api/handoffs", query: ["state": "recycled"])
        #expect(resting.hasPrefix(#"200 {"handoffs":[{"handoff":2,"lead":2,"#), "\(resting)")
        #expect(resting.contains(#"{"handoff":1,"lead":1,"#))
        let ben = try await ask(crm, "GET", "/api/handoffs", query: ["state": "recycled", "rep": "ben"])
        #expect(ben.contains(#""handoff":2,"#) && !ben.contains(#""handoff":1,"#), "\(ben)")
        #expect(try await ask(crm, "GET", "/api/handoffs") == #"200 {"handoffs":[]}"#)
    }

    @Test func `the whole way of a lead goes over the API`() async throws {
        let crm = try offered()
        for (step, fields, answer): (String, KeyValuePairs<String, String>, String) in [
            ("reassign", ["rep": "cy"], #"{"handoff":1,"lead":1,"state":"offered"}"#),
            ("accept", [:], #"{"handoff":1,"lead":1,"state":"accepted"}"#),
            ("contact", ["channel": "call"], #"{"handoff":1,"lead":1,"state":"accepted"}"#),
            (
                "convert", ["amount": "1200.5", "currency": "chf", "name": "Seats"],
                #"{"handoff":1,"lead":1,"state":"converted"}"#
            ),
            ("lost", ["reason": "price"], #"{"handoff":1,"lead":1,"state":"lost"}"#),
        ] {
            #expect(try await ask(crm, "POST", "/api/handoffs/1/\(step)", fields) == "200 \(answer)")
        }
        #expect(
            try await ask(crm, "POST", "/api/handoffs/2/reject", ["reason": "no budget"])
                == #"200 {"handoff":2,"lead":2,"state":"recycled"}"#)
        #expect(
            try crm.rows("SELECT state, rep, origin FROM handoff_transitions WHERE handoff_id = 1 ORDER BY id") == [
                "offered|ann|plugin:handoff", "offered|cy|api", "accepted|cy|api", "converted|cy|api", "lost|cy|api",
                "recycled|cy|api",
            ])
        #expect(try crm.rows("SELECT amount, currency, name, stage FROM opportunities") == ["1200.5|CHF|Seats|lost"])
        try crm.pump()
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: [
        ("9/accept", "404 There is no such handoff."), ("x/accept", "404 There is no such handoff."),
        ("1/convert", "409 Handoff 1 is offered; this needs one that is accepted."),
        ("1/reject", "422 reason: missing."), ("1/reassign", "422 rep: missing."),
    ])
    func `what cannot be is refused`(_ path: String, _ answer: String) async throws {
        let crm = try offered()
        let before = try crm.lastEvent
        #expect(try await ask(crm, "POST", "/api/handoffs/\(path)") == answer)
        #expect(try crm.lastEvent == before)
    }

    @Test func `a value that does not fit is refused by its name`() async throws {
        let crm = try offered()
        let long = String(repeating: "x", count: 201)
        for (path, fields, answer): (String, KeyValuePairs<String, String>, String) in [
            ("1/accept", ["reason": "why not"], "422 reason: there is no such field. Nothing is said here."),
            ("1/reject", ["reasons": "x"], "422 reasons: there is no such field. There are: reason."),
            ("1/reject", ["reason": "x", "reason": "y"], "422 reason: said more than once."),
            ("1/reject", ["reason": "x\ny"], "422 reason: a text of one line, without control characters"),
            ("1/reject", ["reason": long], "422 reason: more than 200 characters"),
            ("1/reject", ["reason": "x"], "422 'x' is no reason of this config. There are: no budget."),
            ("1/reassign", ["rep": "anna"], "422 There is no rep 'anna'. Did you mean 'ann'? There are: ann, ben, cy."),
            (
                "1/contact", ["channel": "rang Lee"],
                "422 channel: expected a word of at most 40 letters, such as call or linkedin."
            ),
            ("1/convert", ["amount": "-1"], "422 amount: expected a number from 0 to 1000000000000."),
            ("1/convert", ["currency": "euro"], "422 currency: expected a code such as EUR."),
            ("1/won", ["currency": "E1R"], "422 currency: expected a code such as EUR."),
            ("1/convert", ["amount": "nan"], "422 amount: expected a number from 0 to 1000000000000."),
        ] {
            #expect(try await ask(crm, "POST", "/api/handoffs/\(path)", fields) == answer)
        }
        #expect(try crm.handoffs == ["1|1|ann|offered|", "2|1|ben|offered|"])
    }

    @Test func `a program that gives a lead to somebody who is away is told`() async throws {
        let crm = try offered()
        try crm.run("handoff absent", "ben")
        #expect(
            try await ask(crm, "POST", "/api/handoffs/1/reassign", ["rep": "ben"])
                == #"200 {"handoff":1,"lead":1,"state":"offered","note":"ben is away until further notice."}"#)
    }

    @Test func `absences are noted and listed`() async throws {
        let crm = try offered()
        #expect(
            try await ask(crm, "POST", "/api/absences", ["rep": "ann", "until": "2026-03-04", "hand_over": "true"])
                == #"200 {"absence":1,"handed_over":1,"queued":0}"#)
        #expect(
            try await ask(crm, "GET", "/api/absences", query: ["rep": "ann"])
                == #"200 {"absences":[{"id":1,"rep":"ann","starts_at":"2026-03-02 09:00:00.000","ends_at":"2026-03-05 00:00:00.000"}]}"#
        )
        #expect(try await ask(crm, "POST", "/api/absences", [:]) == "422 rep: missing.")
        #expect(
            try await ask(crm, "POST", "/api/absences", ["rep": "ann", "hand_over": "maybe"])
                == "422 hand_over: expected true or false.")
        #expect(try crm.troubles() == [])
    }
}
