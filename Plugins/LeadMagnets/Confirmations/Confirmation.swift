import Foundation
import TrellisKernel

/// Double opt-in: the page behind the link in the confirmation mail. Looking at it changes nothing, because mail
/// scanners look at every link; the button on it does.
struct Confirmation: Sendable {
    let offers: Offers

    static let purpose = "confirm"
    private static let donePurpose = "confirmed"

    /// `[17, "sales-plan"]`: the subject of the links of confirmations.
    static func subject(lead: Int64, magnet: String) -> String {
        JSONValue.array([.integer(lead), .string(magnet)]).text()
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/confirm/:token", ask),
            Endpoint(.post, "/confirm/:token", confirm),
            Endpoint(.post, "/confirm/:token/reject", reject),
            Endpoint(.get, "/confirmed/:token") { request in try .page("thanks", donePage(request)) },
        ]
    }

    /// Whom a link is about, and the offer that it came with.
    private struct Asked {
        let leadID: Int64
        let offer: Offer
        let email: String?
    }

    private func asked(_ request: WebRequest, purpose: String) throws -> Asked {
        let parts = try offers.parts(ofLink: request, purpose: purpose, magnetAt: 1)
        guard parts.count == 2, let id = parts[0].scalarText.flatMap(Int64.init), let name = parts[1].scalarText else {
            throw WebProblem.notFound
        }
        let (leadID, email) = try request.kernel.lead(ofLink: id)
        return Asked(leadID: leadID, offer: try offers.offer(name, request), email: email)
    }

    /// The page with the button; once it was pressed, the page after it.
    private func ask(_ request: WebRequest) async throws -> WebReply {
        let asked = try asked(request, purpose: Confirmation.purpose)
        guard asked.email != nil else { throw WebProblem.expired.speaking(asked.offer.language) }
        try refuseWhoWasNotIt(asked, request.kernel)
        let isOpen = try request.kernel.read { try Confirmation.isOpen(lead: asked.leadID, $0) }
        return try isOpen ? .page("confirm", page(request, asked)) : done(request, asked)
    }

    private func page(_ request: WebRequest, _ asked: Asked) throws -> PageValues {
        let texts = try request.kernel.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT coalesce((SELECT text FROM consents AS t WHERE t.lead_id = c.lead_id AND t.purpose = c.purpose ORDER BY id DESC LIMIT 1), purpose)
                    FROM consents_now AS c WHERE lead_id = ? AND state = 'requested' ORDER BY purpose
                    """, arguments: [asked.leadID])
        }
        var values: PageValues = [
            "title": .text(asked.offer.words("confirm_title")), "language": .text(asked.offer.language),
            "is_private": true, "action": .text(request.path),
            "reject_action": .text(request.path + "/reject"), "title_of_offer": .text(asked.offer.title),
            "purposes": .list(texts.map { ["text": .text($0)] }),
            "button": .text(asked.offer.words("confirm_button")),
        ]
        values["address"] = .optional(asked.email.map(MaskedAddress.of))
        return values
    }

    /// The consents asked for are granted, with what proves it, and what was asked for is handed over. Once more, it
    /// does nothing.
    private func confirm(_ request: WebRequest) async throws -> WebReply {
        let asked = try asked(request, purpose: Confirmation.purpose)
        guard asked.email != nil else { throw WebProblem.expired.speaking(asked.offer.language) }
        try refuseWhoWasNotIt(asked, request.kernel)
        let (leadID, name, proof) = (asked.leadID, asked.offer.name, request.proof())
        try await request.kernel.writeTogether(origin: "form:\(name)") { tx in
            try Confirmation.grant(lead: leadID, proof: proof, tx)
            if try Confirmation.isOpen(lead: leadID, tx.db) { try tx.emit(FormConfirmed(form: name), lead: leadID) }
        }
        return try done(request, asked)
    }

    private func done(_ request: WebRequest, _ asked: Asked) throws -> WebReply {
        let token = try request.kernel.signer.token(
            purpose: Confirmation.donePurpose,
            subject: Confirmation.subject(lead: asked.leadID, magnet: asked.offer.name),
            expires: request.kernel.clock.now() + Double(offers.settings.linkDays) * 86_400)
        return .see("/confirmed/\(token)")
    }

    private static func grant(lead: Int64, proof: ConsentProof, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO consents (lead_id, purpose, state, text, source, page, network, agent, at)
                SELECT lead_id, purpose, 'granted', text, :origin, :page, :network, :agent, :now FROM consents AS c
                WHERE lead_id = :lead AND state = 'requested'
                  AND id = (SELECT max(id) FROM consents WHERE lead_id = c.lead_id AND purpose = c.purpose)
                """
        ).execute(arguments: [
            "origin": tx.origin, "page": proof.page, "network": proof.network, "agent": proof.agent, "now": tx.stamp,
            "lead": lead,
        ])
    }

    /// Whether a form of the lead is younger than their last confirmation.
    private static func isOpen(lead: Int64, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT coalesce(max(CASE kind WHEN 'form.submitted' THEN id END), 0) > coalesce(max(CASE kind WHEN 'form.confirmed' THEN id END), 0)
                    FROM events
                    WHERE lead_id IN (SELECT ?1 UNION SELECT gone_id FROM lead_merges WHERE kept_id = ?1) AND kind IN ('form.submitted', 'form.confirmed')
                    """), arguments: [lead]) ?? false
    }

    /// Whoever said that it was somebody else confirms nothing of it afterwards.
    private func refuseWhoWasNotIt(_ asked: Asked, _ kernel: Kernel) throws {
        let isRejected = try kernel.read { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM suppressions WHERE email = ? AND reason = 'complained' AND origin LIKE 'form:%')
                        """), arguments: [asked.email])
        }
        guard isRejected == true else { return }
        let words = asked.offer.words
        throw WebProblem(410, words("rejected_before_text"), heading: words("rejected_before_heading"))
            .speaking(asked.offer.language)
    }

    /// "I did not ask for this": the address gets no mail of any kind any more, and nothing is agreed to any
    /// more, also what somebody confirmed before.
    private func reject(_ request: WebRequest) async throws -> WebReply {
        let asked = try asked(request, purpose: Confirmation.purpose)
        let (leadID, name) = (asked.leadID, asked.offer.name)
        try await request.kernel.writeTogether(origin: "form:\(name)") { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO suppressions (email, reason, origin, at)
                    SELECT email, 'complained', :origin, :now FROM leads WHERE id = :lead AND email IS NOT NULL
                    ON CONFLICT DO NOTHING
                    """, arguments: ["origin": tx.origin, "now": tx.stamp, "lead": leadID])
            try tx.db.execute(
                sql: """
                    INSERT INTO consents (lead_id, purpose, state, text, source, at)
                    SELECT lead_id, purpose, 'withdrawn', text, :origin, :now FROM consents AS c
                    WHERE lead_id = :lead AND state <> 'withdrawn'
                      AND id = (SELECT max(id) FROM consents WHERE lead_id = c.lead_id AND purpose = c.purpose)
                    """, arguments: ["origin": tx.origin, "now": tx.stamp, "lead": leadID])
            try tx.db.execute(
                sql: "UPDATE magnets_submissions SET state = 'rejected' WHERE lead_id = ? AND state = 'waiting'",
                arguments: [leadID])
        }
        return .page(
            "rejected",
            [
                "title": .text(asked.offer.words("rejected_heading")), "language": .text(asked.offer.language),
                "is_private": true,
            ])
    }

    private func donePage(_ request: WebRequest) throws -> PageValues {
        let asked = try asked(request, purpose: Confirmation.donePurpose)
        let (offer, words) = (asked.offer, asked.offer.words)
        guard asked.email != nil else { throw WebProblem.expired.speaking(offer.language) }
        let text = words(
            offer.magnet.value.deliver == .page ? "confirmed_text_page" : "confirmed_text_mail", ["title": offer.title])
        var values: PageValues = [
            "title": .text(offer.title), "language": .text(offer.language), "is_private": true,
            "heading": .text(words("confirmed_heading")), "text": .text(text),
        ]
        let handover = Handover(offer: asked.offer, leadID: asked.leadID, days: offers.settings.linkDays)
        values.merge(try handover.page(request.kernel)) { own, _ in own }
        if asked.offer.magnet.value.isReferred {
            values["referral_url"] = .optional(
                try request.kernel.read { try Referrals.link(of: asked.leadID, asked.offer, $0) })
        }
        return values
    }
}

/// The lead pressed the button in the mail: the address is theirs.
struct FormConfirmed: Event {
    static let kind = "form.confirmed"
    /// The form whose mail it was.
    let form: String
}
