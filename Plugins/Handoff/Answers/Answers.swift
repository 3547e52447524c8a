import Foundation
import TrellisKernel

/// What a rep says to a handoff: each answer is one transaction, and refuses a handoff that is not where it was thought
/// to be. The events are logged by the handoff's own triggers.
struct Answers {
    let settings: HandoffSettings
    let tx: Transaction

    /// What was answered, for whoever asked.
    struct Receipt: Sendable {
        let handoff: Int64
        let lead: Int64
        let state: String
        let sentence: String
        /// What whoever asked may not know of the rep; nil where there is nothing to say.
        var note: String?
    }

    /// Why an answer is refused.
    struct Refusal: Error, CustomStringConvertible {
        enum Kind: Sendable {
            /// There is no such handoff.
            case missing
            /// It is not in a state that this fits.
            case state
            /// What was said with it does not fit.
            case value
        }

        let kind: Kind
        let description: String
    }

    /// A handoff by its number; with the offer where a link was made for that one.
    struct Reference: Sendable {
        let text: String
        var offer: Int?

        init(_ text: String, offer: Int? = nil) {
            self.text = text
            self.offer = offer
        }
    }

    // MARK: - Answers

    func accept(_ reference: Reference) throws -> Receipt {
        let handoff = try find(reference, in: ["offered"])
        try move(handoff, to: "accepted")
        try Announcement.moveOn("SELECT lead_id FROM handoff_handoffs WHERE id = :handoff", ["handoff": handoff.id], tx)
        return receipt(handoff, "accepted", "\(handoff.rep ?? "") has lead \(handoff.lead).")
    }

    /// Back to marketing, for a reason, and for a rest first.
    func reject(_ reference: Reference, reason: String) throws -> Receipt {
        try check(reason, among: settings.rejectReasons)
        let handoff = try find(reference, in: ["queued", "offered", "accepted"])
        try tx.db.execute(
            sql: "UPDATE handoff_handoffs SET state = 'rejected', reason = ?, reason_is_code = ? WHERE id = ?",
            arguments: [reason, !settings.rejectReasons.isEmpty, handoff.id])
        if let stage = try giveBack([handoff.id], resting: settings.afterRejection).first {
            return receipt(
                handoff, "rejected", "Lead \(handoff.lead) is nobody's and stays at \(stage): \(reason).")
        }
        return receipt(
            handoff, "recycled",
            "Lead \(handoff.lead) went back to marketing: \(reason). It rests for \(settings.afterRejection.after).")
    }

    /// To a rep, by hand: from the queue, or from somebody else. One who is away or has no place gets it all the same:
    /// the receipt says so.
    func reassign(_ reference: Reference, to rep: String) throws -> Receipt {
        try checkRep(rep)
        let handoff = try find(reference, in: ["queued", "offered", "accepted"])
        guard handoff.rep != rep else {
            throw Refusal(kind: .state, description: "Handoff \(handoff.id) is with \(rep) already.")
        }
        try tx.db.execute(
            sql: "UPDATE leads SET owner = ?, updated_at = ? WHERE id = ? AND owner IS NOT ?",
            arguments: [rep, tx.stamp, handoff.lead, rep])
        try tx.db.execute(
            sql: "UPDATE handoff_handoffs SET rep = ?, state = 'offered', route = ? WHERE id = ?",
            arguments: [rep, Answers.byHand, handoff.id])
        let notes = [try absence(of: rep), try load(of: rep)].compactMap { $0 }
        let note = notes.isEmpty ? nil : notes.joined(separator: " ")
        return Receipt(
            handoff: handoff.id, lead: handoff.lead, state: "offered",
            sentence: (["Lead \(handoff.lead) is offered to \(rep)."] + notes).joined(separator: " "), note: note)
    }

    /// Until when a rep is away, by the clock of the site; nil for one who is not.
    private func absence(of rep: String) throws -> String? {
        let row = try Row.fetchOne(
            tx.db,
            sql: """
                SELECT count(*), max(ends_at IS NULL), max(ends_at) FROM handoff_absences
                WHERE rep = :rep AND starts_at <= :now AND (ends_at IS NULL OR ends_at > :now)
                """, arguments: ["rep": rep, "now": tx.stamp])
        guard let row, (row[0] as Int) > 0 else { return nil }
        guard (row[1] as Int) == 0, let end = (row[2] as String?).flatMap({ Timestamp.date($0) }) else {
            return "\(rep) is away until further notice."
        }
        let site = tx.place(ofZone: "")
        return "\(rep) is away until \(site.text(end).prefix(16)) (\(site.name))."
    }

    /// How many leads a rep has who has more than the config allows; nil for one who has not.
    private func load(of rep: String) throws -> String? {
        let inHand = try Int.fetchOne(
            tx.db, sql: "SELECT in_hand FROM handoff_loads WHERE rep = ?", arguments: [rep])
        guard let inHand, let capacity = settings.rep(rep)?.capacity, inHand > capacity else { return nil }
        return "\(rep) has \(inHand) of \(capacity) leads in hand."
    }

    /// Contact, account and opportunity.
    func convert(_ reference: Reference, amount: Double?, currency: String? = nil, name: String? = nil) throws
        -> Receipt
    {
        let currency = try Answers.currency(currency)
        let handoff = try find(reference, in: ["accepted"])
        let open = try Int64.fetchOne(
            tx.db, sql: "SELECT max(id) FROM opportunities WHERE lead_id = ? AND stage NOT IN ('won', 'lost')",
            arguments: [handoff.lead])
        if let open {
            throw Refusal(
                kind: .state,
                description:
                    "Lead \(handoff.lead) has opportunity \(open), which is open. Close it before you make another."
            )
        }
        let conversion = try tx.convert(lead: handoff.lead, opportunity: name, amount: amount, currency: currency)
        try tx.db.execute(
            sql: "UPDATE handoff_handoffs SET state = 'converted', opportunity_id = ? WHERE id = ?",
            arguments: [conversion.opportunityID, handoff.id])
        return receipt(
            handoff, "converted",
            "Lead \(handoff.lead) is contact \(conversion.contactID) with opportunity \(conversion.opportunityID).")
    }

    /// Somebody talked to the lead, by phone or otherwise: a word, for it goes into the log.
    func contact(_ reference: Reference, channel: String? = nil) throws -> Receipt {
        if let channel, channel.utf8.count > Answers.channelMax || channel.contains(/[^A-Za-z0-9._+-]/) {
            throw Refusal(
                kind: .value,
                description:
                    "channel: expected a word of at most \(Answers.channelMax) letters, such as call or linkedin.")
        }
        let handoff = try find(reference, in: ["offered", "accepted"])
        try tx.record("lead.contacted", lead: handoff.lead, fields: channel.map { [("channel", $0)] } ?? [])
        try Contacts(tx: tx).note("id = \(handoff.id)", at: "'\(tx.stamp)'")
        return receipt(handoff, handoff.state, "Somebody talked to lead \(handoff.lead).")
    }

    /// The deal was won, or lost for a reason.
    func close(
        _ reference: Reference, as outcome: String, reason: String?, amount: Double? = nil, currency: String? = nil
    ) throws -> Receipt {
        let currency = try Answers.currency(currency)
        if outcome == "lost", let reason { try check(reason, among: settings.lostReasons) }
        let handoff = try find(reference, in: ["converted"])
        let opportunity = try Int64.fetchOne(
            tx.db, sql: "SELECT opportunity_id FROM handoff_handoffs WHERE id = ? AND outcome IS NULL",
            arguments: [handoff.id])
        guard let opportunity else {
            throw Refusal(kind: .state, description: "The opportunity of handoff \(handoff.id) is closed already.")
        }
        try tx.db.execute(
            sql: """
                UPDATE opportunities SET stage = :outcome, amount = coalesce(:amount, amount), currency = coalesce(:currency, currency),
                    closed_at = :now, updated_at = :now WHERE id = :id
                """,
            arguments: [
                "outcome": outcome, "amount": amount, "currency": currency, "now": tx.stamp, "id": opportunity,
            ])
        try tx.db.execute(
            sql: "UPDATE handoff_handoffs SET outcome = ?, outcome_reason = ?, outcome_is_code = ? WHERE id = ?",
            arguments: [outcome, reason, outcome == "lost" && !settings.lostReasons.isEmpty, handoff.id])
        try Outcomes(settings: settings, tx: tx).follow("id = \(handoff.id)")
        let why = reason.map { ": \($0)" } ?? ""
        return receipt(handoff, outcome, "The deal with lead \(handoff.lead) is \(outcome)\(why).")
    }

    // MARK: - Rows

    /// A handoff as it is now. One that was escalated is still what it was before: offered, or accepted.
    struct Found {
        let id: Int64
        let lead: Int64
        let rep: String?
        let state: String
        let offer: Int
    }

    func find(_ reference: Reference, in states: [String]) throws -> Found {
        let found = try find(reference)
        guard states.contains(found.state) else {
            throw Refusal(
                kind: .state,
                description:
                    "Handoff \(found.id) is \(found.state); this needs one that is \(states.joined(separator: " or "))."
            )
        }
        return found
    }

    func find(_ reference: Reference) throws -> Found {
        guard let id = Int64(reference.text),
            let row = try Row.fetchOne(
                tx.db,
                sql: """
                    SELECT lead_id, rep, offer, CASE WHEN state <> 'escalated' THEN state WHEN accepted_at IS NULL THEN 'offered' ELSE 'accepted' END AS state
                    FROM handoff_handoffs WHERE id = ?
                    """, arguments: [id])
        else {
            throw Refusal(
                kind: .missing, description: "There is no handoff '\(reference.text)'. See: trellis handoff list.")
        }
        let found = Found(id: id, lead: row["lead_id"], rep: row["rep"], state: row["state"], offer: row["offer"])
        if let offer = reference.offer, offer != found.offer {
            throw Refusal(kind: .state, description: "This lead has gone on to somebody else meanwhile.")
        }
        return found
    }

    private func move(_ handoff: Found, to state: String) throws {
        try tx.db.execute(
            sql: "UPDATE handoff_handoffs SET state = ? WHERE id = ?", arguments: [state, handoff.id])
    }

    /// The leads of handoffs go to marketing: nobody's, and at rest where they are to rest. One that is past sales, or
    /// a customer though this deal was lost, only loses its rep.
    ///
    /// - Returns: the stages of those who stay where they are.
    @discardableResult
    func giveBack(_ handoffs: [Int64], resting recycle: HandoffSettings.Recycle, isLoss: Bool = false) throws
        -> [String]
    {
        let ids = JSONValue.array(handoffs.map(JSONValue.integer)).text()
        let isMeant = "SELECT value FROM json_each(:ids)"
        // A lost deal is what a lead at the stage of opportunities is taken back for.
        let stays =
            isLoss
            ? PastSales.isCustomer("leads.stage") : PastSales.holds(for: "leads.stage", at: settings.at.value)
        let staying = try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT h.id, leads.stage FROM handoff_handoffs AS h CROSS JOIN leads ON leads.id = h.lead_id
                    WHERE h.id IN (\(isMeant)) AND \(stays) ORDER BY h.id
                    """), arguments: ["ids": ids])
        let moving = Set(handoffs).subtracting(staying.map { $0["id"] as Int64 }).sorted()
        try tx.db.cachedStatement(
            sql: "UPDATE handoff_handoffs SET state = 'recycled', rests_until = :until WHERE id IN (\(isMeant))"
        ).execute(arguments: [
            "ids": JSONValue.array(moving.map(JSONValue.integer)).text(),
            "until": Timestamp.text(tx.now + Double(recycle.after.seconds)),
        ])
        try tx.db.cachedStatement(
            sql: """
                UPDATE leads SET stage = iif(\(stays), stage, 'recycled'), owner = NULL, updated_at = :now
                WHERE id IN (SELECT lead_id FROM handoff_handoffs WHERE id IN (\(isMeant)))
                """
        ).execute(arguments: ["ids": ids, "now": tx.stamp])
        return staying.map { $0["stage"] }
    }

    private func receipt(_ handoff: Found, _ state: String, _ sentence: String) -> Receipt {
        Receipt(handoff: handoff.id, lead: handoff.lead, state: state, sentence: sentence)
    }

    // MARK: - Words

    /// Reasons that are counted are those of the config; a free one is short enough to be read.
    private func check(_ reason: String, among reasons: [String]) throws {
        guard !reasons.isEmpty else {
            guard !reason.isEmpty, reason.unicodeScalars.count <= Answers.reasonMax else {
                throw Refusal(kind: .value, description: "The reason must have 1 to \(Answers.reasonMax) characters.")
            }
            return
        }
        guard reasons.contains(reason) else {
            throw Refusal(
                kind: .value,
                description:
                    "'\(reason)' is no reason of this config.\(NearMiss.hint(reason, among: reasons)) There are: \(reasons.joined(separator: ", "))."
            )
        }
    }

    private static func currency(_ text: String?) throws -> String? {
        do {
            return try text.map(SpendLine.currency)
        } catch let problem as FieldProblem {
            throw Refusal(kind: .value, description: "\(problem).")
        }
    }

    /// The amount of a deal, as it was written.
    static func amount(_ text: String) throws -> Double {
        guard let number = Double(text), number.isFinite, number >= 0, number <= amountMax else {
            throw Refusal(kind: .value, description: "amount: expected a number from 0 to 1000000000000.")
        }
        return number
    }

    /// No deal is worth more, in any currency there is.
    private static let amountMax = 1e12

    /// The route of what a person gave to somebody.
    static let byHand = "by hand"
    static let reasonMax = 200
    static let channelMax = 40

    func checkRep(_ rep: String) throws {
        let names = settings.reps.map(\.name)
        guard names.contains(rep) else {
            throw Refusal(
                kind: .value,
                description:
                    "There is no rep '\(rep)'.\(NearMiss.hint(rep, among: names)) There are: \(names.joined(separator: ", "))."
            )
        }
    }
}
