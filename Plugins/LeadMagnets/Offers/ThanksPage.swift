import Foundation
import TrellisKernel

/// The page after the form. What it says is sealed into its address, so that it may be loaded again, and so that the
/// address of the person stands in no log.
struct ThanksPage: Sendable {
    let offer: Offer
    /// Nil where no lead was made: a program's form, whose sender must not learn it.
    let leadID: Int64?
    let email: String?

    private static let purpose = "thanks"
    private static let hours = 24.0

    func path(_ signer: LinkSigner, now: Date) -> String {
        let parts: [JSONValue] = [
            .string(offer.name), .integer(leadID ?? 0), email.map(JSONValue.string) ?? .null,
        ]
        let token = signer.token(
            purpose: ThanksPage.purpose, subject: JSONValue.array(parts).text(),
            expires: now + ThanksPage.hours * 3600)
        return "/thanks/\(token)"
    }

    /// - Throws: ``WebProblem`` where the address is not one of ours.
    init(_ request: WebRequest, _ offers: Offers) throws {
        let parts = try offers.parts(ofLink: request, purpose: ThanksPage.purpose, magnetAt: 0)
        guard parts.count == 3, let name = parts[0].scalarText else { throw WebProblem.notFound }
        offer = try offers.offer(name, request)
        leadID = parts[1].scalarText.flatMap(Int64.init).flatMap { $0 == 0 ? nil : $0 }
        email = parts[2].scalarText
    }

    init(offer: Offer, leadID: Int64?, email: String?) {
        self.offer = offer
        self.leadID = leadID
        self.email = email
    }

    func page(_ kernel: Kernel, daysOfLinks: Int) throws -> PageValues {
        let needsConfirmation = offer.magnet.value.optIn == .double
        var values: PageValues = [
            "title": .text(offer.title), "language": .text(offer.language), "is_private": true,
            "heading": .text(heading), "text": .text(text(isOnPage: isOnPage)),
            "needs_confirmation": .flag(needsConfirmation), "again_url": .text(offer.path),
        ]
        values["address"] = .optional(email)
        guard let leadID, !needsConfirmation else { return values }
        if offer.magnet.value.deliver == .page {
            values.removeValue(forKey: "address")
            values.removeValue(forKey: "again_url")
            values.merge(try Handover(offer: offer, leadID: leadID, days: daysOfLinks).page(kernel)) { own, _ in own }
        }
        if offer.magnet.value.isReferred {
            values["referral_url"] = .optional(try kernel.read { try Referrals.link(of: leadID, offer, $0) })
        }
        return values
    }

    func json(_ signer: LinkSigner, now: Date) throws -> WebReply {
        .json(
            .object([
                ("status", .string("taken")),
                // The same for a form that is held, whose sender must not learn it.
                ("message", .string(text(isOnPage: offer.magnet.value.deliver == .page))),
                ("needs_confirmation", .bool(offer.magnet.value.optIn == .double)),
                ("page", .string(offer.config.site.site.baseURL + path(signer, now: now))),
            ]))
    }

    /// Whether the page hands over. For a form that is held there is nothing to hand over yet: what it brings comes by
    /// mail once somebody takes it in.
    private var isOnPage: Bool { offer.magnet.value.deliver == .page && leadID != nil }

    private var heading: String {
        if offer.magnet.value.optIn == .double { return offer.words("thanks_heading_confirm") }
        return offer.words(isOnPage ? "thanks_heading_page" : "thanks_heading_mail")
    }

    private func text(isOnPage: Bool) -> String {
        if offer.magnet.value.optIn == .double { return offer.words("thanks_text_confirm") }
        return offer.words(isOnPage ? "thanks_text_page" : "thanks_text_mail", ["title": offer.title])
    }
}

/// What a lead gets, on a page: the download, the link, the seat.
struct Handover: Sendable {
    let offer: Offer
    let leadID: Int64
    /// How many days its links work.
    let days: Int

    /// `["sales-plan", 17]`: the subject of the links of downloads.
    var subject: String { JSONValue.array([.string(offer.name), .integer(leadID)]).text() }

    func link(now: Date) throws -> String {
        try offer.config.link("download", subject, expires: now + Double(days) * 86_400)
    }

    func page(_ kernel: Kernel) throws -> PageValues {
        var values: PageValues = [:]
        switch offer.magnet.value.kind {
        case .asset:
            values["download_url"] = .text(try link(now: kernel.clock.now()))
            values["download_name"] = .text(offer.fileName)
        case .link, .trial:
            values["link_url"] = .optional(offer.magnet.value.url)
            values["link_text"] = .text(offer.button)
        case .webinar:
            let place = offer.place(at: kernel.clock.now())
            values["link_url"] = .optional(place.url)
            values["link_text"] = .text(offer.words(place.isRecording ? "thanks_recording" : "thanks_join"))
        }
        return values
    }
}
