import Foundation
import TrellisKernel

/// The API for programs of the house: leads, what happened to them, and facts from elsewhere. Described by
/// `openapi.json`, which `GET /api/openapi.json` gives.
enum LeadAPI {
    static var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/api/openapi.json") { _ in .text(description, type: "application/json") },
            Endpoint(.get, "/api/leads", list),
            Endpoint(.get, "/api/leads/:lead") { request in
                let id = try leadID(request)
                let lead = try request.kernel.read { db in
                    try Row.fetchOne(db, sql: "SELECT * FROM lead_cards WHERE id = ?", arguments: [id]).map(json)
                }
                guard let lead else { throw noLead }
                return .json(lead)
            },
            Endpoint(.get, "/api/leads/:lead/timeline", timeline),
            Endpoint(.post, "/api/leads/:lead/activities", record),
        ]
    }

    static let description = EmbeddedPages.files["openapi.json"] ?? "{}"
    static let limitMax = 1000
    private static let filters = ["email", "stage", "owner", "country", "source", "campaign", "external_id"]
    private static let noLead = WebProblem(404, "There is no such lead.")

    /// The leads in the order of their ids, a page at a time: `after` is the id the last page ended with.
    private static func list(_ request: WebRequest) async throws -> WebReply {
        let (limit, after) = try page(request)
        var conditions = ["id > :after"]
        var arguments: StatementArguments = ["after": after, "limit": limit]
        for pair in request.query.pairs where !["limit", "after"].contains(pair.name) {
            let column = pair.name
            guard filters.contains(column) else {
                throw WebProblem(
                    400, "There is no filter of this name.\(NearMiss.hint(column, among: filters + ["limit", "after"]))"
                )
            }
            guard !conditions.contains("\(column) = :\(column)") else {
                throw WebProblem(400, "\(column): given more than once")
            }
            conditions.append("\(column) = :\(column)")
            arguments = arguments &+ [column: LeadAPI.value(pair.value, of: column)]
        }
        let leads = try request.kernel.read { [arguments, conditions] db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM lead_cards WHERE \(conditions.joined(separator: " AND ")) ORDER BY id LIMIT :limit",
                arguments: arguments)
        }
        return .json(answer("leads", leads, limit: limit, key: "id", json))
    }

    /// A value as the table holds it.
    private static func value(_ text: String, of column: String) -> String {
        switch column {
        case "email": (try? EmailAddress(text).address) ?? text
        case "country": CountryCode(text)?.alpha2 ?? text
        default: text
        }
    }

    /// What happened to a lead, oldest first.
    private static func timeline(_ request: WebRequest) async throws -> WebReply {
        let id = try leadID(request)
        let (limit, after) = try page(request)
        let events = try request.kernel.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT event_id, at, kind, json(body) AS body, origin, cause_id, depth FROM lead_timeline
                    WHERE lead_id = ? AND event_id > ? ORDER BY event_id LIMIT ?
                    """, arguments: [id, after, limit])
        }
        return .json(answer("events", events, limit: limit, key: "event_id", event))
    }

    /// Records a fact: `{"kind": "demo.booked", "starts_at": "…"}`. With the header `Idempotency-Key` a repetition is
    /// answered as the first time and changes nothing.
    private static func record(_ request: WebRequest) async throws -> WebReply {
        let id = try leadID(request)
        guard let kind = request.fields["kind"] else { throw WebProblem(400, "The field 'kind' is missing.") }
        for name in ["kind", "at"] where request.fields.all(name).count > 1 {
            throw WebProblem(422, "\(name): given more than once")
        }
        let fields = request.fields.pairs.filter { !["kind", "at"].contains($0.name) }
            .map { (name: $0.name, text: $0.value) }
        let (call, at) = (try APICall(request), request.fields["at"])
        do {
            return try await request.kernel.writeTogether(origin: "api") { tx in
                if let before = try call?.answered(tx) { return reply(before, status: 200) }
                let eventID = try tx.record(kind, lead: id, fields: fields, at: at)
                try call?.note(eventID, tx)
                return reply(eventID, status: eventID == nil ? 202 : 201)
            }
        } catch let problem as FieldProblem {
            throw WebProblem(422, "\(problem)")
        } catch KernelError.data(let sentence) {
            throw WebProblem(422, sentence)
        }
    }

    private static func reply(_ eventID: Int64?, status: Int) -> WebReply {
        .json(.object([("event_id", eventID.map(JSONValue.integer) ?? .null)]), status: status)
    }

    // MARK: - Parts

    private static func leadID(_ request: WebRequest) throws -> Int64 {
        do {
            return try request.kernel.read { try LeadReference(request["lead"]).find($0) }
        } catch KernelError.noLead {
            throw noLead
        }
    }

    private static func page(_ request: WebRequest) throws -> (limit: Int, after: Int64) {
        let limit = request.query["limit"].map(Int.init) ?? 100
        guard let limit, (1...limitMax).contains(limit) else {
            throw WebProblem(400, "limit takes a whole number from 1 to \(limitMax).")
        }
        guard let after = request.query["after"].map(Int64.init) ?? 0 else {
            throw WebProblem(400, "after takes the whole number that 'next' said.")
        }
        return (limit, after)
    }

    private static func answer(
        _ name: String, _ rows: [Row], limit: Int, key: String, _ json: (Row) -> JSONValue
    ) -> JSONValue {
        let next: JSONValue = rows.count == limit ? rows.last.map { .integer($0[key]) } ?? .null : .null
        return .object([(name, .array(rows.map(json))), ("next", next)])
    }

    private static func json(_ row: Row) -> JSONValue {
        .object(row.map { column, value in (column, JSONValue(value)) })
    }

    /// An event with its body as JSON rather than as text.
    private static func event(_ row: Row) -> JSONValue {
        .object(
            row.map { column, value in
                guard column == "body" else { return (column, JSONValue(value)) }
                return (column, String.fromDatabaseValue(value).flatMap(JSONValue.init(parsing:)) ?? .null)
            })
    }
}

/// A call under a key of the caller's.
private struct APICall: Sendable {
    let key: String
    let digest: String

    /// Nil where the caller gave no key.
    init?(_ request: WebRequest) throws {
        guard let key = request.header("idempotency-key") else { return nil }
        guard (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw WebProblem(400, "The header Idempotency-Key takes 1 to 200 characters from ! to ~.")
        }
        self.key = key
        digest = Digest.hex(Array(request.path.utf8) + [0] + request.body)
    }

    /// What the first call of this key became; nil where this is the first.
    func answered(_ tx: Transaction) throws -> Int64?? {
        guard
            let row = try Row.fetchOne(
                tx.db.cachedStatement(sql: "SELECT request, event_id FROM api_calls WHERE key = ?"), arguments: [key])
        else { return nil }
        guard row["request"] == digest else {
            throw WebProblem(409, "This Idempotency-Key was used for another request. Choose a new one.")
        }
        return .some(row["event_id"])
    }

    func note(_ eventID: Int64?, _ tx: Transaction) throws {
        try tx.db.cachedStatement(sql: "INSERT INTO api_calls (key, request, event_id, at) VALUES (?, ?, ?, ?)")
            .execute(arguments: [key, digest, eventID, tx.stamp])
    }
}
