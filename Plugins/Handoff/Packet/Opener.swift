import Foundation
import TrellisKernel

/// How a rep might begin: what the config says for the interest of the lead, or else for what it took last, or else a
/// sentence about that.
struct Opener {
    let settings: HandoffSettings
    let lead: Row
    /// The names of what the lead took, the newest first.
    let taken: [String]

    func text(_ leadID: Int64, _ db: Database) throws -> String? {
        for name in said + taken {
            guard let opener = settings.openers.first(where: { $0.name.lowercased() == name.lowercased() }) else {
                continue
            }
            return try LineTemplate(opener.value.value).filled(for: leadID, db)
        }
        return taken.first.map { "Ask what came of \($0)." }
    }

    /// The interests the lead named: one, or several with commas between them.
    private var said: [String] {
        guard let column = settings.interest?.value, lead.hasColumn(column),
            let text = Cell(lead[column] as DatabaseValue).text
        else { return [] }
        return text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
