import Foundation
import TrellisKernel

/// Tells a form that a person filled in from one that a program did. What looks like a program gets the answer a person
/// gets, and goes into quarantine: no lead, no mail, and nothing lost.
struct Screening: Sendable {
    /// A field that no person sees. Its name is none that browsers fill in by themselves.
    static let trap = "reply_by_pigeon"

    /// Why it looks like a program; nothing where it looks like a person.
    static func reasons(_ fields: WebFields, token: FormToken.Reading, now: Date) -> [String] {
        var reasons: [String] = []
        if fields[trap]?.isEmpty == false { reasons.append("hidden field filled in") }
        switch token {
        case .missing: reasons.append("no form token")
        case .forged: reasons.append("form token of another site")
        case .token(let token):
            if let madeAt = token.madeAt, now.timeIntervalSince(madeAt) < FormToken.secondsMin {
                reasons.append("filled in within \(Int(FormToken.secondsMin)) seconds")
            }
        }
        for name in ["first_name", "last_name", "company", "title", "city"] {
            guard let text = fields[name]?.lowercased() else { continue }
            // A company may be called by its address; nobody is called by a tag.
            let isLink = (name == "company" ? tags : addresses + tags).contains { text.contains($0) }
            if isLink { reasons.append("a link in \(name)") }
        }
        return reasons
    }

    private static let addresses = ["http://", "https://", "www."]
    private static let tags = ["<a ", "[url", "href="]
}
