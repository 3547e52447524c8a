import Foundation
import TrellisKernel

/// Something the lead took or asked for.
struct Taken {
    /// Of the magnet, the webinar, the form or the mail; or the kind of the activity.
    let name: String
    /// `downloaded sales-plan`
    let sentence: String
    let isActivity: Bool
}

/// How a rep might begin: what the config says for the interest of the lead, or else for what it took last, or else a
/// sentence about that.
struct Opener {
    let settings: HandoffSettings
    let lead: Row
    /// The newest first.
    let taken: [Taken]

    func text(_ leadID: Int64, _ db: Database) throws -> String {
        for name in said + taken.map(\.name) {
            guard let opener = settings.openers.first(where: { $0.name.lowercased() == name.lowercased() }) else {
                continue
            }
            return try LineTemplate(opener.value.value).filled(for: leadID, db)
        }
        guard let last = taken.first else { return "Ask what brought them here." }
        return last.isActivity ? "Ask about this: \(last.sentence)." : "Ask what came of \(last.name)."
    }

    /// The interests the lead named: one, or several with commas between them.
    private var said: [String] {
        guard let column = settings.interest?.value, lead.hasColumn(column),
            let text = Cell(lead[column] as DatabaseValue).text
        else { return [] }
        return text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
