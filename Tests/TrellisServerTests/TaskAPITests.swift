import DripSequencer
import Foundation
import Hummingbird
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

@Suite struct TaskAPITests {
    private static let token: HTTPFields = [.authorization: "Bearer a token for tests only, and long enough"]

    private func site() throws -> (crm: TestKernel, admin: Listener) {
        let crm = try TestKernel(
            """
            server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}"}}
            plugins:
              drip:
                sequences:
                  outreach: {enter: {on: lead.created}, steps: [{task: {to: rita, kind: call, text: "Ring {{first_name|them}}"}}, {wait: 9 days}]}
            """, plugins: [DripSequencer.self])
        for name in ["Ann", "Bob"] { try crm.capture(["email": "\(name)@a.example", "first_name": name]) }
        try crm.pump()
        return (crm, try Listener.admin(crm))
    }

    private func json(_ answer: Answer) -> String {
        "\(answer.status) \(answer.body.trimmingCharacters(in: .whitespacesAndNewlines))"
    }

    @Test func `the tasks are listed with their texts, for a person and about a lead`() async throws {
        let (_, admin) = try site()
        let all = try await admin.get("/api/tasks", Self.token)
        #expect(all.json?["tasks"]?.elements.count == 2)
        #expect(
            json(try await admin.get("/api/tasks?to=rita&lead=bob@a.example", Self.token))
                == #"200 {"tasks":[{"task":2,"kind":"call","who":"rita","lead":2,"due":"2026-03-03 09:00","text":"Ring Bob"}]}"#
        )
        #expect(try await admin.get("/api/tasks?to=nobody", Self.token).json?["tasks"]?.elements.count == 0)
        #expect(try await admin.get("/api/tasks?lead=99", Self.token).status == 404)
    }

    @Test func `a task is closed once, and to say it twice changes nothing`() async throws {
        let (crm, admin) = try site()
        for _ in 1...2 {
            #expect(
                json(try await admin.post("/api/tasks/1/done", "outcome=connected", Self.token))
                    == #"200 {"task":1,"state":"done"}"#)
        }
        #expect(
            json(try await admin.post("/api/tasks/1/skip", "", Self.token))
                == #"409 {"error":"The task is done already."}"#)
        #expect(json(try await admin.post("/api/tasks/2/skip", "", Self.token)) == #"200 {"task":2,"state":"skipped"}"#)
        #expect(
            try crm.rows("SELECT kind, origin FROM events WHERE kind LIKE 'task.%' AND kind <> 'task.created'") == [
                "task.done|api", "task.skipped|api",
            ])
        #expect(try crm.rows("SELECT outcome FROM drip_tasks ORDER BY id") == ["connected", ""])
    }

    @Test func `what is no task is none, and a stranger is told nothing`() async throws {
        let (crm, admin) = try site()
        for path in ["99/done", "x/done", "9223372036854775808/skip", "-1/done"] {
            #expect(try await admin.post("/api/tasks/\(path)", "", Self.token).status == 404)
        }
        let long = String(repeating: "x", count: 101)
        #expect(try await admin.post("/api/tasks/1/done", "outcome=\(long)", Self.token).status == 422)
        let other = try await admin.post("/api/tasks/1/done", "outcome=met&state=open", Self.token)
        #expect(json(other) == #"422 {"error":"A task is closed with an outcome, and nothing else."}"#)
        #expect(try await admin.get("/api/tasks").status == 401)
        #expect(try await Listener.open(crm).get("/api/tasks", Self.token).status == 404)
        #expect(try crm.value("SELECT count(*) FROM drip_tasks WHERE state = 'open'") == "2")
    }
}
