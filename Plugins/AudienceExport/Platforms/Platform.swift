/// What an ad platform wants in its file, as data: the profiles stand in `Platform+Profiles.swift`.
struct Platform: Sendable {
    let name: String
    /// Pages on which the platform publishes what stands here.
    let sources: [String]
    /// Lines before the rows; nil for files without any. `{list}`, `{name}` and `{action}` are filled in.
    var preamble: [String] = []
    /// What each row begins with, before its first column.
    var rowPrefix = ""
    let columns: [Column]
    /// Whether every column stands in the file, empty or not, because the header may not be changed.
    var keepsAllColumns = false
    let email: EmailRule
    var phone = PhoneRule.plus
    /// How many columns of telephone numbers a file may have.
    var phonesMax = 0
    /// Fewer than so many reach nobody.
    var membersMin: Int?
    var membersMax: Int?
    var bytesMax: Int?
    /// Rows in one request of the platform's interface for programs, for files that are fed to it.
    let batchRows: Int
    /// How long a member stays when nobody uploads it again; nil where membership does not run out.
    var lifetimeDays: Int?
    /// The words under which the platform asks whether the person agreed.
    var consentSignals: [String] = []
    /// Companies instead of people: no person stands in the file, and no file of removals is taken.
    var isOfCompanies = false
    /// What a value for a lookalike seed is called in the header; nil where none is taken.
    var valueHeader: String?

    /// One column: its header, what of the lead stands in it, and whether it is hashed.
    struct Column: Sendable {
        let header: String
        let content: Content
        var isHashed = true
        /// Under which word of `match:` it is filled.
        let match: Match
    }

    /// What identifies people in a file: the words of `match:`.
    enum Match: String, Sendable, CaseIterable {
        case email, phone, name, company
    }

    enum Content: Sendable, Hashable {
        case email, phone
        case text(Source, TextRule)
        /// The platform has the column, and Trellis nothing to put there.
        case nothing
    }

    /// Where a text comes from: a column of the lead, or of its account.
    enum Source: String, Sendable, CaseIterable {
        case firstName = "first_name"
        case lastName = "last_name"
        case title, company, country, region, city
        case postalCode = "postal_code"
        case website, domain, industry
    }

    static func named(_ name: String) -> Platform? { all.first { $0.name == name } }

    static var names: [String] { all.map(\.name) }

    /// The columns of a file that identifies people by these words, telephone columns repeated for each number.
    func columns(matching matches: Set<Match>, phones: Int) -> [Column] {
        columns.flatMap { column -> [Column] in
            let isFilled = matches.contains(column.match)
            guard isFilled || keepsAllColumns else { return [] }
            let shown = isFilled ? column : Column(header: column.header, content: .nothing, match: column.match)
            return Array(repeating: shown, count: column.content == .phone && isFilled ? phones : 1)
        }
    }

    /// The lines before the first row.
    ///
    /// - Parameters:
    ///   - name: what the list is called there.
    ///   - list: the id it has there, where the config says one.
    func opening(columns: [Column], name: String, list: String?, action: String) -> String {
        guard preamble.isEmpty else {
            return preamble.map { line in
                line.replacing("{list}", with: list ?? "-1").replacing("{name}", with: name)
                    .replacing("{action}", with: action) + "\n"
            }.joined()
        }
        return columns.allSatisfy { $0.header.isEmpty } ? "" : columns.map(\.header).joined(separator: ",") + "\n"
    }
}
