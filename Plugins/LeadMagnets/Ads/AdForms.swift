import Foundation
import TrellisKernel

/// Takes leads from the forms of ad platforms: `POST /webhooks/NAME`, signed by the platform. What cannot be taken in
/// is kept in quarantine, because the platform does not ask twice.
struct AdForms: Sendable {
    let offers: Offers

    /// How old a signature may be, and how far ahead of our clock: a platform that could not reach us tries again for a
    /// day and a half (https://developers.facebook.com/docs/graph-api/webhooks/getting-started), and so each time signs
    /// what it said at first.
    static let secondsOld = 2.0 * 86_400
    static let secondsAhead = 300.0

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/webhooks/:name", prove),
            Endpoint(.post, "/webhooks/:name", body: .raw, take),
        ]
    }

    private func form(_ request: WebRequest) throws -> Named<AdForm> {
        guard let form = offers.settings.leadForms.first(where: { $0.name == request["name"] }) else {
            throw WebProblem.notFound
        }
        return form
    }

    /// Shows a platform that the address is ours, as Meta and LinkedIn ask when the hook is made.
    private func prove(_ request: WebRequest) async throws -> WebReply {
        let form = try form(request).value
        switch form.platform {
        case .google: throw WebProblem.notFound
        case .meta:
            guard let token = form.verifyToken, let said = request.query["hub.verify_token"],
                Signature.isSame(said, token), let challenge = request.query["hub.challenge"]
            else { throw WebProblem(403, "This is not the verify token.") }
            return .text(challenge)
        case .linkedin:
            guard let code = request.query["challengeCode"] else { throw WebProblem.notFound }
            return .json(
                .object([
                    ("challengeCode", .string(code)),
                    ("challengeResponse", .string(Signature.hex(Array(code.utf8), key: form.key))),
                ]))
        }
    }

    private func take(_ request: WebRequest) async throws -> WebReply {
        let form = try form(request)
        guard let body = JSONValue(parsing: String(decoding: request.body, as: UTF8.self)) else {
            throw WebProblem(400, "The body is no JSON.")
        }
        guard isSigned(request, body, form.value) else { throw WebProblem(401, "The signature is wrong.") }
        if let signedAt = AdLead.signedAt(body, by: form.value.platform) {
            let age = request.kernel.clock.now().timeIntervalSince(signedAt)
            guard age <= AdForms.secondsOld, age >= -AdForms.secondsAhead else {
                throw WebProblem(401, "The signature is not of these days.")
            }
        }
        let leads = AdLead.all(body, from: form.value.platform).filter { !$0.isTest }
        for lead in leads {
            try await request.kernel.writeTogether(origin: origin(of: form.name)) { tx in
                try receive(lead, form, request.kernel, tx)
            }
        }
        return .json(.object([("taken", .integer(Int64(leads.count)))]))
    }

    // MARK: - Taking in

    /// What the log says of who filled in a lead form: never what it says of the page of a magnet, which may be called
    /// the same.
    func origin(of name: String) -> String {
        offers.settings.magnets.contains { $0.name == name } ? "form:lead_forms.\(name)" : "form:\(name)"
    }

    /// A platform may tell of a lead first, and bring what was typed afterwards.
    private func receive(_ lead: AdLead, _ form: Named<AdForm>, _ kernel: Kernel, _ tx: Transaction) throws {
        let isNew = try AdForms.isNew(lead, form.value.platform, tx)
        guard try isNew || !lead.answers.isEmpty && AdForms.wasAwaited(lead, form.value.platform, tx) else { return }
        if lead.answers.isEmpty, AdLeadFetch.canAsk(lead, form.value) {
            return try AdLeadFetch.note(lead, form, tx)
        }
        try keep(lead, form, kernel, tx)
    }

    /// Makes a lead of it, or holds it in quarantine with the reason.
    func keep(_ lead: AdLead, _ form: Named<AdForm>, _ kernel: Kernel, _ tx: Transaction) throws {
        let (draft, reason) = draft(of: lead, form.value, kernel)
        guard reason == nil else { return try held(lead, form.value, kernel, because: reason ?? "").insert(tx) }
        // It was paid for, and nobody is there to be asked for another address: somebody of the house decides.
        let magnet = offers.settings.magnets.first { $0.name == form.value.magnet.value }?.value
        if let email = draft.email,
            let refusal = try magnet?.refusal(of: email, isOnPage: false, flags: { try AddressFlags.of(email, tx.db) })
        {
            return try held(lead, form.value, kernel, because: refusal.reason).insert(tx)
        }
        do {
            let taken = try tx.capture(draft).leadID
            try AdForms.note(lead, form.value.platform, lead: taken, tx)
        } catch let problem
            where problem is Veto || problem is FieldProblem || problem is HookFailure && tx.db.isInsideTransaction
        {
            try held(lead, form.value, kernel, because: "\(problem)").insert(tx)
        }
    }

    /// Holds a lead of which nothing is known but its id.
    func hold(_ notice: AdLeadFetch.Notice, because reason: String, _ kernel: Kernel, _ tx: Transaction) throws {
        let lead = AdLead(id: notice.id, campaign: nil, clickID: nil, isTest: false, answers: [])
        guard let form = offers.settings.leadForms.first(where: { $0.name == notice.form })?.value else { return }
        try held(lead, form, kernel, because: reason).insert(tx)
    }

    /// What is kept tells on which road it came, so that it is not lost where somebody of the house takes it in.
    private func held(_ lead: AdLead, _ form: AdForm, _ kernel: Kernel, because reason: String) -> Quarantine.Held {
        // What no column is known for is kept to be read, under a name that is no column either.
        var fields = answers(of: lead, form).map { answer in
            WebFields.Pair(name: answer.column ?? "\(form.platform.rawValue):\(answer.name)", value: answer.text)
        }
        for consent in form.consent {
            let text = lead.answers.first { $0.name == consent.value }?.text
            guard let text else { continue }
            fields.append(.init(name: OfferForm.prefix + consent.name, value: text))
            fields.append(.init(name: AdForms.questionMark + consent.name, value: question(of: consent, lead)))
        }
        return Quarantine.Held(
            magnet: form.magnet.value, reasons: [reason], fields: WebFields(fields),
            page: page(of: lead, form, kernel), referrer: nil,
            proof: ConsentProof(agent: AdForms.agent(of: lead.id, form.platform)))
    }

    /// The page of the magnet, with what says where the lead came from.
    private func page(of lead: AdLead, _ form: AdForm, _ kernel: Kernel) -> String {
        var query = "utm_source=\(form.platform.rawValue)&utm_medium=cpc"
        for (name, value) in [("utm_campaign", lead.campaign), ("gclid", lead.clickID)] {
            let kept = value?.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
            if let kept { query += "&\(name)=\(kept)" }
        }
        return "\(kernel.config.site.site.baseURL)/offers/\(form.magnet.value)?\(query)"
    }

    private func isSigned(_ request: WebRequest, _ body: JSONValue, _ form: AdForm) -> Bool {
        switch form.platform {
        case .google: Signature.isSame(body["google_key"]?.scalarText ?? "", form.key)
        case .meta:
            Signature.isSame(
                request.header("x-hub-signature-256") ?? "", "sha256=" + Signature.hex(request.body, key: form.key))
        case .linkedin:
            // The prefix is part of what is signed.
            Signature.isSame(
                (request.header("x-li-signature") ?? "").replacing("hmacsha256=", with: ""),
                Signature.hex(Array("hmacsha256=".utf8) + request.body, key: form.key))
        }
    }

    // MARK: - Reading

    private func column(_ name: String, _ form: AdForm) -> String? {
        form.fields.first { $0.name == name }?.value ?? AdLead.columns[name.lowercased()]
    }

    /// What was typed, each with its column where one is known. A full name becomes a first and a last one.
    private func answers(of lead: AdLead, _ form: AdForm) -> [(column: String?, name: String, text: String)] {
        lead.answers.flatMap { name, text -> [(column: String?, name: String, text: String)] in
            let text = TextCleaning.line(text)
            guard name.lowercased() == "full_name" else { return [(column(name, form), name, text)] }
            let parts = text.split(separator: " ", maxSplits: 1)
            return [
                ("first_name", name, String(parts.first ?? "")),
                ("last_name", name, String(parts.count > 1 ? parts[1] : "")),
            ]
        }
    }

    /// What they said yes to: the question of the platform's form, which is all they saw, and its name there where the
    /// platform does not say how it reads.
    private func question(of consent: Named<String>, _ lead: AdLead) -> String {
        lead.questions[consent.value] ?? consent.value
    }

    /// Before the purpose, in what is kept of a lead that is held: no column is called so.
    static let questionMark = "question:"

    /// The draft, and why it cannot be taken in.
    private func draft(of lead: AdLead, _ form: AdForm, _ kernel: Kernel) -> (LeadDraft, reason: String?) {
        var draft = kernel.draft()
        guard !lead.answers.isEmpty else {
            return (
                draft,
                "the notification brings no answers: fetch lead \(lead.id) from \(form.platform.rawValue) and import it"
                    + (form.platform == .google || form.accessToken != nil ? "" : ", or give the form its access_token")
            )
        }
        do {
            for answer in answers(of: lead, form) {
                if let column = answer.column { try draft.set(column, text: answer.text) }
            }
            try draft.normalise()
        } catch {
            return (draft, "\(error)")
        }
        for consent in form.consent {
            let text = lead.answers.first { $0.name == consent.value }?.text
            if text.map(OfferForm.isYes) == true {
                draft.consents[consent.name] = true
                draft.consentTexts[consent.name] = question(of: consent, lead)
            }
        }
        draft.form = form.magnet.value
        draft.proof = ConsentProof(agent: "\(form.platform.rawValue) lead form")
        draft.asked = Set(draft.givenColumns)
        draft.arrive(
            Arrival(landingPage: page(of: lead, form, kernel), referrer: nil),
            kind: "form", channel: form.platform == .google ? "paid_search" : "paid_social")
        return (draft, nil)
    }

    // MARK: - Once

    private static func isNew(_ lead: AdLead, _ platform: AdForm.Platform, _ tx: Transaction) throws -> Bool {
        try tx.db.cachedStatement(
            sql:
                "INSERT INTO magnets_platform_leads (platform, platform_id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        ).execute(arguments: [platform.rawValue, lead.id, tx.stamp])
        return tx.db.changesCount == 1
    }

    /// Whether there was a notice of it alone, which then is settled.
    private static func wasAwaited(_ lead: AdLead, _ platform: AdForm.Platform, _ tx: Transaction) throws -> Bool {
        try tx.db.cachedStatement(sql: "DELETE FROM magnets_fetches WHERE platform = ? AND platform_id = ?")
            .execute(arguments: [platform.rawValue, lead.id])
        if tx.db.changesCount == 1 { return true }
        try tx.db.cachedStatement(
            sql: "DELETE FROM magnets_quarantine WHERE agent = ? AND fields = '{}' AND released_at IS NULL"
        ).execute(arguments: [AdForms.agent(of: lead.id, platform)])
        return tx.db.changesCount == 1
    }

    private static func agent(of lead: String, _ platform: AdForm.Platform) -> String {
        "\(platform.rawValue)\(agentMark)\(lead)"
    }

    /// Between the platform and its id of the lead, in what stands where a form has its browser.
    static let agentMark = " lead form, lead "

    private static func note(_ lead: AdLead, _ platform: AdForm.Platform, lead id: Int64, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: "UPDATE magnets_platform_leads SET lead_id = ? WHERE platform = ? AND platform_id = ?"
        ).execute(arguments: [id, platform.rawValue, lead.id])
    }
}
