import Foundation
import TrellisKernel

/// A form that was sent: read, screened, checked field by field, and taken in. Whatever is wrong with it, the person
/// finds what they typed again.
struct Submission: Sendable {
    let offers: Offers
    let offer: Offer
    let request: WebRequest
    let signer: LinkSigner
    let now: Date

    init(_ request: WebRequest, _ offers: Offers) throws {
        self.offers = offers
        self.request = request
        offer = try offers.openOffer(request["magnet"], request)
        signer = try request.kernel.signer
        now = request.kernel.clock.now()
    }

    func answer() async throws -> WebReply {
        let reading = FormToken.read(request.fields[FormToken.field], magnet: offer.name, signer, now: now)
        let reasons = Screening.reasons(request.fields, token: reading, now: now)
        guard reasons.isEmpty, case .token(let token) = reading else {
            return try await quarantine(reasons, reading)
        }
        if let madeAt = token.madeAt, now.timeIntervalSince(madeAt) > FormToken.secondsMax {
            return try again(token, problem: offer.words("form_old"))
        }
        let known = try token.leadID.map { try offers.known($0, request.kernel) } ?? [:]
        let (draft, errors) = try draft(token, known: known)
        guard errors.isEmpty else { return try again(token, known: known, errors: errors, status: 422) }
        return try await take(draft, token, known: known)
    }

    // MARK: - Reading

    /// The declared fields as a draft, and what is wrong with each. Anything else that came is not looked at.
    private func draft(_ token: FormToken, known: [String: String]) throws -> (
        LeadDraft, [(field: String, message: String)]
    ) {
        var draft = request.kernel.draft()
        var errors: [(field: String, message: String)] = []
        let words = offer.words
        if token.leadID != nil { draft.email = known["email"] }
        for field in OfferForm(offer: offer, token: token, known: known).fields {
            let name = field.name.value
            let text = TextCleaning.line(request.fields[name] ?? "")
            do {
                if request.fields.isNumber(name) {
                    try draft.set(name, text: text)
                } else {
                    try draft.set(name, text: text, written: words)
                }
                if field.isRequired, draft[name].isNull { errors.append((name, words("field_required"))) }
            } catch let problem as FieldProblem {
                errors.append((name, sentence(problem)))
            }
        }
        if errors.isEmpty {
            do {
                try draft.normalise()
                if token.leadID == nil, let refusal = try refusal(of: draft.email) { errors.append(("email", refusal)) }
            } catch let problem as FieldProblem {
                errors.append((problem.field, sentence(problem)))
            }
        }
        for consent in offer.magnet.value.form.consent {
            if request.fields[OfferForm.prefix + consent.name].map(OfferForm.isYes) == true {
                draft.consents[consent.name] = true
            }
        }
        draft.form = offer.name
        draft.variant = token.variant
        draft.awaitsConfirmation = offer.magnet.value.optIn == .double
        let (page, referrer) = arrival
        let road = Arrival(landingPage: page, referrer: referrer)
        draft.proof = request.proof(page: road.landingPage)
        draft.arrive(road, kind: "form", rules: request.kernel.config.site.leads.channels)
        return (draft, errors)
    }

    /// The page the form was on and the one before: carried by the form itself, or, for a form on a page of another
    /// site, what the browser says.
    private var arrival: (page: String?, referrer: String?) {
        if let page = request.fields["_page"], !page.isEmpty { return (page, request.fields["_referrer"]) }
        return (request.header("referer") ?? offer.url, nil)
    }

    private func refusal(of email: String?) throws -> String? {
        guard let email else { return nil }
        let refusal = try offer.magnet.value.refusal(of: email) {
            try request.kernel.read { try AddressFlags.of(email, $0) }
        }
        return refusal.map { offer.words("refused_\($0.name)") }
    }

    /// What is wrong with a field as a person is told it. What no words are for, as where a hook refuses a value, is
    /// made into a sentence: "expected a whole number".
    private func sentence(_ problem: FieldProblem) -> String {
        if let phrase = problem.phrase { return offer.words(phrase) }
        return Submission.sentence(problem.message)
    }

    static func sentence(_ message: String) -> String {
        let first = message.prefix(1).uppercased() + message.dropFirst()
        let text = first.hasPrefix("Expected ") ? "Please give " + first.dropFirst(9) : first
        return text.hasSuffix(".") || text.hasSuffix("?") ? text : text + "."
    }

    // MARK: - Answers

    private func take(_ draft: LeadDraft, _ token: FormToken, known: [String: String]) async throws -> WebReply {
        let intake = Intake(
            magnet: offer.name, token: token, draft: draft, visitor: Visits(offers: offers).visitor(request),
            told: OfferForm(offer: offer, token: token, known: known).fields.map(\.name.value),
            referral: request.fields["_ref"])
        do {
            let leadID = try await offers.intakes(intake, origin: "form:\(offer.name)", in: request.kernel)
            return try thanks(leadID: leadID, email: address(of: token, known: known))
        } catch is Intake.Replayed {
            return try await quarantine(["one form sent for many addresses"], .token(token))
        } catch let veto as Veto {
            return try again(token, known: known, problem: veto.reason, status: 422)
        } catch let problem as FieldProblem {
            return try again(token, known: known, errors: [(problem.field, sentence(problem))], status: 422)
        } catch let failure as HookFailure {
            // It is the house's mistake and not the person's: the form waits until somebody has mended it.
            return try await quarantine([failure.description], .token(token))
        } catch KernelError.busy, KernelError.diskFull {
            return try later(token, known: known)
        }
    }

    /// The form again, because nothing can be saved now.
    private func later(_ token: FormToken, known: [String: String]) throws -> WebReply {
        try again(token, known: known, problem: offer.words("form_busy"), status: 503).with("retry-after", "30")
    }

    /// The form again, with what was typed.
    private func again(
        _ token: FormToken, known: [String: String] = [:], errors: [(field: String, message: String)] = [],
        problem: String? = nil, status: Int = 200
    ) throws -> WebReply {
        // Of a form on somebody else's page the answer is a form of ours, which knows when it was made.
        var token = token
        if let madeAt = token.madeAt, now.timeIntervalSince(madeAt) > FormToken.secondsMax { token.madeAt = now - 60 }
        if request.wantsJSON {
            let fields = errors.map { ($0.field, JSONValue.string($0.message)) }
            return .json(
                .object([
                    ("error", .string(problem ?? offer.words("form_check"))), ("fields", .object(fields)),
                    (FormToken.field, .string(token.sealed(signer))),
                ]),
                status: status == 200 ? 422 : status)
        }
        var offer = offer
        offer.variant = offer.magnet.value.variants.first { $0.name == token.variant }
        var form = OfferForm(offer: offer, token: token, typed: request.fields, known: known)
        form.arrival = arrival
        form.referral = request.fields["_ref"]
        form.errors = errors
        form.problem = problem
        return .page("offer", offer.page(form: form.values(signer), at: now), status: status)
    }

    private func thanks(leadID: Int64?, email: String?) throws -> WebReply {
        let page = ThanksPage(offer: offer, leadID: leadID, email: email)
        return request.wantsJSON ? try page.json(signer, now: now) : .see(page.path(signer, now: now))
    }

    /// What the form asks for; programs send anything.
    private var declaredFields: WebFields {
        let form = offer.magnet.value.form
        let names = Set(form.fields.map(\.name.value) + form.more.map(\.value) + [Screening.trap])
            .union(form.consent.map { OfferForm.prefix + $0.name })
        return WebFields(request.fields.pairs.filter { names.contains($0.name) })
    }

    /// A program learns nothing: its answer is a person's, also where nothing can be saved. What came without a token
    /// of ours comes back with one that is for no magnet, and is held once it is sent again.
    private func quarantine(_ reasons: [String], _ reading: FormToken.Reading) async throws -> WebReply {
        let held = Quarantine.Held(
            magnet: offer.name, reasons: reasons, fields: declaredFields, page: arrival.page,
            referrer: arrival.referrer, proof: request.proof())
        do {
            try await request.kernel.writeTogether(origin: "form:\(offer.name)") { try held.insert($0) }
        } catch KernelError.busy, KernelError.diskFull {
            guard case .token(let token) = reading else { return try later(FormToken(magnet: ""), known: [:]) }
            return try later(token, known: try token.leadID.map { try offers.known($0, request.kernel) } ?? [:])
        }
        guard case .token(let token) = reading else { return try thanks(leadID: nil, email: typedAddress) }
        let known = try token.leadID.map { try offers.known($0, request.kernel) } ?? [:]
        return try thanks(leadID: nil, email: address(of: token, known: known))
    }

    /// The address that the page after the form says: as it was typed; in part where the form was a link's, which
    /// whoever was sent the mail on has too.
    private func address(of token: FormToken, known: [String: String]) -> String? {
        guard token.leadID != nil, let email = known["email"] else { return typedAddress }
        return shown(email).map(MaskedAddress.of)
    }

    /// The address as it was typed. Nothing but an address: the page is on our site, and says it.
    private var typedAddress: String? {
        let text = TextCleaning.line(request.fields["email"] ?? "")
        return (try? EmailAddress(text)) == nil ? nil : text
    }

    /// The address of a lead that is known, its domain in the letters of its own script.
    private func shown(_ address: String?) -> String? {
        guard let address, let domain = try? EmailAddress(address).unicodeDomain else { return nil }
        return "\(address.prefix { $0 != "@" })@\(domain)"
    }
}
