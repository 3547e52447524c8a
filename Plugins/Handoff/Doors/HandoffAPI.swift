import Foundation
import TrellisKernel

/// `/api/handoffs`: who has which lead, and the answers of reps, for the programs they work in. Described by
/// `openapi.json`.
struct HandoffAPI: Sendable {
    let settings: HandoffSettings

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/api/handoffs") { request in try list(request) },
            Endpoint(.get, "/api/handoffs/:handoff") { request in try one(request) },
            Endpoint(.post, "/api/handoffs/:handoff/accept") { request in
                try await answer(request, []) { answers, handoff, _ in try answers.accept(handoff) }
            },
            Endpoint(.post, "/api/handoffs/:handoff/reject") { request in
                try await answer(request, ["reason"]) { answers, handoff, said in
                    try answers.reject(handoff, reason: try said.needed("reason"))
                }
            },
            Endpoint(.post, "/api/handoffs/:handoff/reassign") { request in
                try await answer(request, ["rep"]) { answers, handoff, said in
                    try answers.reassign(handoff, to: try said.needed("rep"))
                }
            },
            Endpoint(.post, "/api/handoffs/:handoff/contact") { request in
                try await answer(request, ["channel"]) { answers, handoff, said in
                    try answers.contact(handoff, channel: said["channel"])
                }
            },
            Endpoint(.post, "/api/handoffs/:handoff/convert") { request in
                try await answer(request, ["amount", "currency", "name"]) { answers, handoff, said in
                    try answers.convert(
                        handoff, amount: try said.amount(), currency: said["currency"], name: said["name"])
                }
            },
            Endpoint(.post, "/api/handoffs/:handoff/won") { request in
                try await answer(request, ["amount", "currency", "reason"]) { answers, handoff, said in
                    try answers.close(
                        handoff, as: "won", reason: said["reason"], amount: try said.amount(),
                        currency: said["currency"])
                }
            },
            Endpoint(.post, "/api/handoffs/:handoff/lost") { request in
                try await answer(request, ["reason"]) { answers, handoff, said in
                    try answers.close(handoff, as: "lost", reason: try said.needed("reason"))
                }
            },
            Endpoint(.get, "/api/absences") { request in try absences(request) },
            Endpoint(.post, "/api/absences") { request in try await absent(request) },
        ]
    }

    /// A word or a name.
    private static let textMax = 200
    private static let states = ["queued", "offered", "escalated", "accepted"]
    private static let settledStates = ["expired", "rejected", "recycled", "converted", "withdrawn"]

    /// What a request says, each field at most once.
    struct Said: Sendable {
        fileprivate let fields: [String: String]

        subscript(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }

        func needed(_ name: String) throws -> String {
            guard let text = self[name] else {
                throw Answers.Refusal(kind: .value, description: "\(name): missing.")
            }
            return text
        }

        func amount() throws -> Double? { try self["amount"].map(Answers.amount) }
    }

    /// Whether a text has line breaks or other control characters (C0, DEL and C1): a name has none.
    private static func isLaidOut(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }

    private static func said(_ fields: WebFields, _ names: [String]) throws -> Said {
        var said: [String: String] = [:]
        for pair in fields.pairs {
            guard names.contains(pair.name) else {
                let known = names.isEmpty ? "Nothing is said here." : "There are: \(names.joined(separator: ", "))."
                throw WebProblem(422, "\(pair.name.prefix(60)): there is no such field. \(known)")
            }
            guard said[pair.name] == nil else { throw WebProblem(422, "\(pair.name): said more than once.") }
            guard pair.value.unicodeScalars.count <= textMax else {
                throw WebProblem(422, "\(pair.name): more than \(textMax) characters")
            }
            guard !isLaidOut(pair.value) else {
                throw WebProblem(422, "\(pair.name): a text of one line, without control characters")
            }
            said[pair.name] = pair.value
        }
        return Said(fields: said)
    }

    private func answer(
        _ request: WebRequest, _ fields: [String],
        _ body: @escaping @Sendable (Answers, Answers.Reference, Said) throws -> Answers.Receipt
    ) async throws -> WebReply {
        let said = try HandoffAPI.said(request.fields, fields)
        let (reference, settings) = (Answers.Reference(request["handoff"]), settings)
        do {
            let receipt = try await request.kernel.writeTogether(origin: "api") { tx in
                try body(Answers(settings: settings, tx: tx), reference, said)
            }
            let note = receipt.note.map { [("note", JSONValue.string($0))] } ?? []
            return .json(
                .object(
                    [
                        ("handoff", .integer(receipt.handoff)), ("lead", .integer(receipt.lead)),
                        ("state", .string(receipt.state)),
                    ] + note))
        } catch let refusal as Answers.Refusal {
            throw HandoffAPI.problem(refusal)
        }
    }

    static func problem(_ refusal: Answers.Refusal) -> WebProblem {
        switch refusal.kind {
        case .missing: WebProblem(404, "There is no such handoff.")
        case .state: WebProblem(409, refusal.description)
        case .value: WebProblem(422, refusal.description)
        }
    }

    // MARK: - Lists

    /// A filter of a list; nil where there is none.
    private static func filter(_ name: String, _ request: WebRequest) throws -> String? {
        guard let value = request.query[name], !value.isEmpty else { return nil }
        guard value.unicodeScalars.count <= textMax else {
            throw WebProblem(400, "\(name): more than \(textMax) characters")
        }
        guard !isLaidOut(value) else {
            throw WebProblem(400, "\(name): a text of one line, without control characters")
        }
        return value
    }

    private func list(_ request: WebRequest) throws -> WebReply {
        let rep = try HandoffAPI.filter("rep", request)
        let state = try HandoffAPI.filter("state", request)
        let states = HandoffAPI.states + HandoffAPI.settledStates
        if let state, !states.contains(state) {
            throw WebProblem(400, "state: expected one of \(states.joined(separator: ", "))")
        }
        let isSettled = state.map(HandoffAPI.settledStates.contains) ?? false
        let rows = try request.kernel.read { db in
            try Row.fetchAll(
                db, sql: isSettled ? HandoffAPI.settled : HandoffAPI.open, arguments: ["rep": rep, "state": state])
        }
        return .json(.object([("handoffs", .array(rows.map(HandoffAPI.json)))]))
    }

    /// A handoff wherever it is, with what became of it.
    private func one(_ request: WebRequest) throws -> WebReply {
        let row = try request.kernel.read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT \(HandoffAPI.columns), answered_at, accepted_at, escalated_at, reason, rests_until,
                           opportunity_id AS opportunity, outcome, outcome_reason, closed_at
                    FROM handoff_handoffs WHERE id = ?
                    """, arguments: [Int64(request["handoff"])])
        }
        guard let row else { throw WebProblem(404, "There is no such handoff.") }
        return .json(HandoffAPI.json(row))
    }

    private static let columns = """
        id AS handoff, lead_id AS lead, cycle, offer, state, rep, route, offered_at, accept_by, contact_by, contacted_at
        """

    /// Those of one state in which nothing is to be done any more, the newest first.
    private static let settled = """
        SELECT \(columns) FROM handoff_handoffs
        WHERE state = :state AND (:rep IS NULL OR rep = :rep) ORDER BY id DESC LIMIT \(rowsMax)
        """

    /// The states stand as they do in the index of open handoffs.
    static let open = """
        SELECT \(columns)
        FROM handoff_handoffs
        WHERE state IN (\(states.map(\.sqlLiteral).joined(separator: ", ")))
          AND (:rep IS NULL OR rep = :rep) AND (:state IS NULL OR state = :state) ORDER BY id LIMIT \(rowsMax)
        """

    /// What more people than there are in a sales force could have in hand.
    private static let rowsMax = 1000

    private static func json(_ row: Row) -> JSONValue {
        .object(row.map { column, value in (column, JSONValue(value)) })
    }

    private func absences(_ request: WebRequest) throws -> WebReply {
        let rep = try HandoffAPI.filter("rep", request)
        let rows = try request.kernel.read { try Absences.list(rep, $0) }
        return .json(.object([("absences", .array(rows.map(HandoffAPI.json)))]))
    }

    private func absent(_ request: WebRequest) async throws -> WebReply {
        let said = try HandoffAPI.said(request.fields, ["rep", "from", "until", "hand_over"])
        let settings = settings
        do {
            let flags = ["true": true, "false": false]
            guard let handsOver = flags[said["hand_over"] ?? "false"] else {
                throw Answers.Refusal(kind: .value, description: "hand_over: expected true or false.")
            }
            let noted = try await request.kernel.writeTogether(origin: "api") { tx in
                try Absences(settings: settings, tx: tx).note(
                    try said.needed("rep"), from: said["from"], until: said["until"], handsOver: handsOver)
            }
            return .json(
                .object([
                    ("absence", .integer(noted.id)), ("handed_over", .integer(Int64(noted.handedOver))),
                    ("queued", .integer(Int64(noted.queued))),
                ]))
        } catch let refusal as Answers.Refusal {
            throw HandoffAPI.problem(refusal)
        }
    }
}
