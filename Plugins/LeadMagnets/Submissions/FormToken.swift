import Foundation
import TrellisKernel

/// What a form carries, sealed: which magnet it is for, when it was made, which words its page had, and whom it was
/// made for where that is known. It tells a person from a program that posts without having looked, and a form sent
/// twice from two forms.
struct FormToken: Sendable {
    var magnet: String
    /// Random: makes each form one of its own.
    var number =
        String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
    /// Nil in the form of a snippet, which stands on a page of somebody else for years.
    var madeAt: Date?
    var variant: String?
    /// The lead the form was made for, who is not asked for their address again.
    var leadID: Int64?
    /// The fields it asks, of those the magnet may ask; nil for those it asks of everybody.
    var asked: [String]?

    /// Nobody reads a page and fills in a form in less.
    static let secondsMin = 2.0
    /// A page that was open for longer is shown again, with what was typed.
    static let secondsMax = 24 * 3600.0
    /// The name of the field.
    static let field = "_form"

    /// What a token turned out to be.
    enum Reading: Sendable {
        case token(FormToken)
        /// None came with the form.
        case missing
        /// Made elsewhere, or for another magnet.
        case forged
    }

    static func read(_ text: String?, magnet: String, _ signer: LinkSigner, now: Date) -> Reading {
        guard let text, !text.isEmpty else { return .missing }
        guard case .subject(let subject) = signer.open(text, purpose: "form", now: now),
            let parts = JSONValue(parsing: subject)?.elements, [5, 6].contains(parts.count),
            parts[0].scalarText == magnet, let number = parts[1].scalarText
        else { return .forged }
        let madeAt = parts[2].scalarText.flatMap(Double.init).map(Date.init(timeIntervalSince1970:))
        return .token(
            FormToken(
                magnet: magnet, number: number, madeAt: madeAt, variant: parts[3].scalarText,
                leadID: parts[4].scalarText.flatMap(Int64.init),
                asked: parts.count == 6 ? parts[5].elements.compactMap(\.scalarText) : nil))
    }

    func sealed(_ signer: LinkSigner) -> String {
        var parts: [JSONValue] = [
            .string(magnet), .string(number), madeAt.map { .number($0.timeIntervalSince1970) } ?? .null,
            variant.map(JSONValue.string) ?? .null, leadID.map(JSONValue.integer) ?? .null,
        ]
        if let asked { parts.append(.array(asked.map(JSONValue.string))) }
        return signer.token(purpose: "form", subject: JSONValue.array(parts).text())
    }

    /// Digests for `magnets_receipts`: of the form, and of the form with who filled it in.
    func receipt(of person: String) -> (token: String, receipt: String) {
        (Digest.hex(number), Digest.hex("\(number) \(person)"))
    }
}
