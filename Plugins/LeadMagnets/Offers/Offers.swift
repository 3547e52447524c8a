import Foundation
import TrellisKernel

/// The offers of the site, as pages.
struct Offers: Sendable {
    let settings: MagnetSettings
    let views: ViewCounter
    /// Takes forms in.
    let intakes = SharedWrite(Intake.take)

    /// - Throws: ``WebProblem/notFound`` for a name nobody offers.
    func offer(_ name: String, _ request: WebRequest) throws -> Offer {
        guard let magnet = settings.magnets.first(where: { $0.name == name }) else { throw WebProblem.notFound }
        return Offer(magnet: magnet, config: request.kernel.config)
    }

    /// An offer that somebody may take up now.
    ///
    /// - Throws: ``WebProblem``, also for a webinar that is over.
    func openOffer(_ name: String, _ request: WebRequest) throws -> Offer {
        let offer = try offer(name, request)
        try offer.refuseLate(at: request.kernel.clock.now())
        return offer
    }

    /// What a sealed link is about, where one of its parts is the name of a magnet: `["sales-plan", 17]`.
    ///
    /// - Throws: ``WebProblem``; of a link that is too old in the language of the magnet.
    func parts(ofLink request: WebRequest, purpose: String, magnetAt index: Int) throws -> [JSONValue] {
        func parts(_ subject: String) -> [JSONValue] { JSONValue(parsing: subject)?.elements ?? [] }
        return parts(
            try request.kernel.open(request["token"], purpose: purpose) { subject in
                let name = parts(subject).dropFirst(index).first?.scalarText
                return settings.magnets.first { $0.name == name }?.value.language?.value
            })
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/", index),
            Endpoint(.get, "/offers/:magnet", landingPage),
            Endpoint(.get, "/forms/:magnet", isOpenToOrigins: true, form),
            Endpoint(.post, "/forms/:magnet", isOpenToOrigins: true) { request in
                try await Submission(request, self).answer()
            },
            Endpoint(.get, "/thanks/:token") { request in
                let page = try ThanksPage(request, self)
                return .page("thanks", try page.page(request.kernel, daysOfLinks: settings.linkDays))
            },
        ] + Confirmation(offers: self).endpoints + Downloads(offers: self).endpoints + Visits(offers: self).endpoints
            + AdForms(offers: self).endpoints + [Referrals.endpoint(self)]
    }

    private func index(_ request: WebRequest) async throws -> WebReply {
        let (now, config) = (request.kernel.clock.now(), request.kernel.config)
        let offers = settings.magnets.map { Offer(magnet: $0, config: config) }
            .filter { (try? $0.refuseLate(at: now)) != nil }
        return .page(
            "offers",
            [
                "title": .text(MagnetWords.of(config)("offers_title")),
                "offers": .list(
                    offers.map { offer in
                        var values: PageValues = [
                            "url": .text(offer.path), "title": .text(offer.title),
                            "kind_label": .text(offer.kindLabel(at: now)),
                        ]
                        if offer.language != config.site.site.language { values["lang"] = .text(offer.language) }
                        values["summary"] = .optional(offer.magnet.value.summary)
                        return values
                    }),
            ])
    }

    private func landingPage(_ request: WebRequest) async throws -> WebReply {
        var offer = try openOffer(request["magnet"], request)
        offer.variant = offer.variant(named: request.query["variant"])
        let (signer, arrival) = (try request.kernel.signer, request.arrival)
        let leadID = try knownLead(request)
        var token = token(for: offer, request, leadID: leadID)
        if leadID == nil, let visitor = Visits(offers: self).visitor(request) {
            let told = try request.kernel.read { try ToldFields.read(visitor: visitor, $0) }
            token.asked = OfferForm.asked(of: offer.magnet.value.form, told: told)
        }
        var form = OfferForm(
            offer: offer, token: token, typed: Offers.prefilled(request.query),
            known: try leadID.map { try known($0, request.kernel) } ?? [:])
        form.referral = request.query["ref"]
        form.arrival = (request.address(query: request.queryText), request.header("referer"))
        var values = offer.page(form: form.values(signer), at: request.kernel.clock.now())
        values["visitor"] = Visits(offers: self).asking(request, offer.words)
        let reply = WebReply.page("offer", values)
        guard request.method == "GET" else { return reply }
        return try await Visits(offers: self).count(
            request, arrival, page: offer.path, magnet: offer.name, variant: offer.variant?.name, reply)
    }

    /// The form for a program: its fields, and the token to send along.
    private func form(_ request: WebRequest) async throws -> WebReply {
        let offer = try openOffer(request["magnet"], request)
        guard request.wantsJSON else { return .see(offer.path) }
        let fields = OfferForm(offer: offer, token: token(for: offer, request, leadID: nil)).described
        let consents = offer.magnet.value.form.consent.map { consent in
            JSONValue.object([("name", .string(OfferForm.prefix + consent.name)), ("text", .string(consent.value))])
        }
        let token = token(for: offer, request, leadID: nil).sealed(try request.kernel.signer)
        return .json(
            .object([
                ("title", .string(offer.title)), ("language", .string(offer.language)),
                ("action", .string(request.kernel.config.site.site.baseURL + request.path)),
                ("fields", .array(fields)), ("consents", .array(consents)), (FormToken.field, .string(token)),
                ("leave_empty", .string(Screening.trap)), ("wait_seconds", .integer(Int64(FormToken.secondsMin))),
            ]))
    }

    private func token(for offer: Offer, _ request: WebRequest, leadID: Int64?) -> FormToken {
        FormToken(magnet: offer.name, madeAt: request.kernel.clock.now(), variant: offer.variant?.name, leadID: leadID)
    }

    // MARK: - Known leads

    /// The lead a link in one of our mails was written for: `?for={{lead_key}}`.
    private func knownLead(_ request: WebRequest) throws -> Int64? {
        guard let key = request.query["for"] else { return nil }
        guard
            case .subject(let id) = try request.kernel.signer.open(
                key, purpose: "lead", now: request.kernel.clock.now())
        else { return nil }
        return try request.kernel.read { db in
            try Int64.fetchOne(
                db,
                sql:
                    "SELECT id FROM leads WHERE id = coalesce((SELECT kept_id FROM lead_merges WHERE gone_id = ?1), ?1)",
                arguments: [Int64(id)])
        }
    }

    /// What the address of the page may fill in: no box, because a box ticked by a link is no consent.
    private static func prefilled(_ query: WebFields) -> WebFields {
        WebFields(query.pairs.filter { !$0.name.hasPrefix(OfferForm.prefix) })
    }

    /// What a lead has told already, by column; empty where there is no such lead any more.
    func known(_ leadID: Int64, _ kernel: Kernel) throws -> [String: String] {
        let row = try kernel.read { db in
            try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM leads WHERE id = ?"), arguments: [leadID])
        }
        guard let row else { return [:] }
        return row.reduce(into: [:]) { known, column in known[column.0] = JSONValue(column.1).scalarText }
    }
}
