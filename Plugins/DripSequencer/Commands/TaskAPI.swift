import Foundation
import TrellisKernel

/// `/api/tasks`: what people are to do, for the programs they do it in. Described by `openapi.json`.
enum TaskAPI {
    static var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/api/tasks") { request in
                let options = ["to": request.query["to"], "lead": request.query["lead"]].compactMapValues {
                    $0?.isEmpty == false ? $0 : nil
                }
                for (name, value) in options where value.unicodeScalars.count > textMax {
                    throw WebProblem(400, "\(name): more than \(textMax) characters")
                }
                let call = CommandCall(kernel: request.kernel, options: options)
                do {
                    let table = try request.kernel.read { db in
                        try TaskList(db: db, now: request.kernel.clock.now()).open(for: call)
                    }
                    return .json(.object([("tasks", .array(table.rows.map { json($0, table.columns) }))]))
                } catch KernelError.noLead {
                    throw WebProblem(404, "There is no such lead.")
                }
            },
            Endpoint(.post, "/api/tasks/:task/done") { request in
                try await close(request, as: "done", outcome: request.fields["outcome"])
            },
            Endpoint(.post, "/api/tasks/:task/skip") { request in
                try await close(request, as: "skipped", outcome: nil)
            },
        ]
    }

    /// A word or a name.
    private static let textMax = 100

    private static func json(_ row: [Cell], _ columns: [String]) -> JSONValue {
        .object(
            zip(columns, row).map { column, cell in
                if case .integer(let number) = cell { return (column, .integer(number)) }
                return (column, cell.text.map(JSONValue.string) ?? .null)
            })
    }

    private static func close(_ request: WebRequest, as state: String, outcome: String?) async throws -> WebReply {
        guard let id = Int64(request["task"]) else { throw WebProblem(404, "There is no such task.") }
        guard request.fields.pairs.allSatisfy({ $0.name == "outcome" }) else {
            throw WebProblem(422, "A task is closed with an outcome, and nothing else.")
        }
        if let outcome, outcome.unicodeScalars.count > textMax {
            throw WebProblem(422, "outcome: more than \(textMax) characters")
        }
        let was = try await request.kernel.writeTogether(origin: "api") { tx in
            let was = try String.fetchOne(tx.db, sql: "SELECT state FROM drip_tasks WHERE id = ?", arguments: [id])
            if was == "open" { try tx.closeTask(id, as: state, outcome: outcome) }
            return was
        }
        guard let was else { throw WebProblem(404, "There is no such task.") }
        guard was == "open" || was == state else { throw WebProblem(409, "The task is \(was) already.") }
        return .json(.object([("task", .integer(id)), ("state", .string(state))]))
    }
}
