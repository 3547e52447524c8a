import Foundation
import TrellisKernel

/// The pages behind the links in the mail of an offer. Looking at one changes nothing, because mail scanners look at
/// every link; the buttons on it do. A link is for one offer: whose lead has gone on to somebody else is told so, and
/// learns nothing more of it.
struct HandoffPage: Sendable {
    let settings: HandoffSettings

    static let purpose = "handoff"

    /// `[17, 2]`: the second offer of handoff 17.
    static func subject(handoff: Int64, offer: Int) -> String {
        JSONValue.array([.integer(handoff), .integer(Int64(offer))]).text()
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/handoff/:token/accept") { request in try show(request) },
            Endpoint(.get, "/handoff/:token/reject") { request in try show(request) },
            Endpoint(.get, "/handoff/:token/contact") { request in try show(request) },
            Endpoint(.post, "/handoff/:token/accept") { request in
                try await act(request) { answers, handoff in try answers.accept(handoff) }
            },
            Endpoint(.post, "/handoff/:token/reject") { request in
                guard let reason = request.fields["reason"] else {
                    throw WebProblem(422, "Say why: the reason is missing.")
                }
                return try await act(request) { answers, handoff in try answers.reject(handoff, reason: reason) }
            },
            Endpoint(.post, "/handoff/:token/contact") { request in
                try await act(request) { answers, handoff in try answers.contact(handoff) }
            },
        ]
    }

    private func reference(_ request: WebRequest) throws -> Answers.Reference {
        let token = try request.kernel.open(request["token"], purpose: HandoffPage.purpose)
        let parts = JSONValue(parsing: token)?.elements.compactMap(\.scalarText) ?? []
        guard parts.count == 2, let offer = Int(parts[1]) else { throw WebProblem.notFound }
        return Answers.Reference(parts[0], offer: offer)
    }

    /// Does it, and shows the page with what it is now. A program is told in JSON.
    private func act(
        _ request: WebRequest, _ answer: @escaping @Sendable (Answers, Answers.Reference) throws -> Answers.Receipt
    ) async throws -> WebReply {
        let (reference, settings) = (try reference(request), settings)
        do {
            let receipt = try await request.kernel.writeTogether(origin: "page:handoff") { tx in
                try answer(Answers(settings: settings, tx: tx), reference)
            }
            if request.wantsJSON {
                return .json(.object([("handoff", .integer(receipt.handoff)), ("state", .string(receipt.state))]))
            }
            return .see(request.path)
        } catch let refusal as Answers.Refusal {
            if request.wantsJSON || refusal.kind == .value { throw HandoffAPI.problem(refusal) }
            return .page("handoff", HandoffPage.closed(refusal.description), status: 409)
        }
    }

    private static func closed(_ sentence: String) -> PageValues {
        [
            "title": "This lead", "language": "en", "is_private": true, "heading": "This is settled",
            "text": .text(sentence),
        ]
    }

    private func show(_ request: WebRequest) throws -> WebReply {
        let reference = try reference(request)
        guard let id = Int64(reference.text) else { throw WebProblem.notFound }
        let row = try request.kernel.read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT lead_id, offer, contacted_at, rests_until,
                           CASE WHEN state <> 'escalated' THEN state WHEN accepted_at IS NULL THEN 'offered' ELSE 'accepted' END AS state
                    FROM handoff_handoffs WHERE id = ?
                    """, arguments: [id])
        }
        guard let row else { throw WebProblem.notFound }
        guard (row["offer"] as Int) == reference.offer else {
            return .page("handoff", HandoffPage.closed("It has gone on to somebody else meanwhile."))
        }
        let state: String = row["state"]
        guard state == "offered" || state == "accepted" else {
            return .page("handoff", HandoffPage.closed(HandoffPage.sentences[state] ?? "It is \(state)."))
        }
        let card = try request.kernel.ask(LeadCard(leadID: row["lead_id"])).flatMap { $0 }
        return .page(
            "handoff", try request.kernel.read { db in try page(request, id, row, card, db) })
    }

    private static let sentences = [
        "rejected": "You gave it back. Thank you for saying why.",
        "recycled": "You gave it back. Thank you for saying why.",
        "converted": "It has become a contact with an opportunity.",
        "withdrawn": "There is nothing to be done for this lead any more.",
        "queued": "It waits in the queue for somebody to take it.", "expired": "It was taken back.",
    ]

    private func page(
        _ request: WebRequest, _ id: Int64, _ row: Row, _ card: [CardLine], _ db: Database
    ) throws -> PageValues {
        let briefing = Briefing(
            settings: settings, leadID: row["lead_id"], handoff: id, offer: row["offer"], card: card,
            now: request.kernel.clock.now())
        let told = try briefing.values(db, config: request.kernel.config)
        let base = "/handoff/\(request["token"])"
        let isAccepted = (row["state"] as String) == "accepted"
        let name = told["lead_name"] ?? "A lead"
        let isLate = told["due_at"] != nil && told["by_when"] == nil
        let offered =
            isLate
            ? "This lead is offered to you. The time to answer is over; you may still take it."
            : "This lead is offered to you\(told["by_when"] ?? "")."
        var values: PageValues = [
            "title": .text(name), "language": "en", "is_private": true, "is_open": true, "heading": .text(name),
            "text": .text(isAccepted ? "You have accepted this lead." : offered),
            "reject_action": .text(base + "/reject"), "has_reasons": .flag(!settings.rejectReasons.isEmpty),
            "reasons": .list(settings.rejectReasons.map { ["text": .text($0)] }),
        ]
        for key in ["lead_facts", "why_now", "interests", "opener", "lead_history"] {
            if let text = told[key], !text.isEmpty { values[key] = .text(text) }
        }
        if !isAccepted { values["accept_action"] = .text(base + "/accept") }
        if isAccepted, (row["contacted_at"] as String?) == nil { values["contact_action"] = .text(base + "/contact") }
        return values
    }
}
