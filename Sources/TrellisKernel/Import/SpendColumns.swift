/// Which columns of a file of spend say what, by their headers: those of Trellis, and those that Google Ads, Meta,
/// LinkedIn, Microsoft Advertising, TikTok and X give their downloads, in English and German.
struct SpendColumns {
    /// Columns nobody asked for.
    let ignored: [String]
    private var columns: [Field: Int] = [:]
    /// The end of the period of a row, where the report has one.
    private let periodEnd: Int?
    private let currencyOfHeader: String?
    private let currencyOfSite: String
    private let platform: Platform?
    private let constants: [String: String]
    private let dates: String

    enum Field: String, CaseIterable {
        case day, channel, campaign, half, amount, currency
    }

    /// A platform whose reports are told by their headers, and what kind of channel it is.
    private enum Platform {
        case google, meta, linkedIn, microsoft, tikTok, x

        var channel: String {
            switch self {
            case .google, .microsoft: "paid_search"
            case .meta, .linkedIn, .tikTok, .x: "paid_social"
            }
        }
    }

    /// Lower case, without the currency in parentheses. The earlier name counts where a report has several.
    private static let names: [Field: [String]] = [
        .day: [
            "day", "date", "gregorian date", "reporting starts", "start date (in utc)", "start date", "time period",
            "time", "by day", "stat_time_day", "tag", "datum", "berichtsbeginn", "beginn der berichterstattung",
        ],
        .channel: ["channel", "kanal"],
        .campaign: ["campaign", "campaign name", "kampagne", "kampagnenname", "name der kampagne"],
        .half: ["half"],
        .amount: [
            "amount", "cost", "spend", "amount spent", "total spent", "kosten", "ausgegebener betrag", "ausgaben",
        ],
        .currency: ["currency", "currency code", "account currency", "währung", "währungscode"],
    ]
    private static let ends = ["reporting ends", "end date (in utc)", "end date", "berichtsende"]
    private static let totals = ["total", "gesamt", "summe", "grand total", "©", "overall"]

    /// Whether the cells of a record are the header of a report: it has a day and an amount.
    static func isHeader(_ cells: [String]) -> Bool {
        let names = cells.map { parted($0).name }
        return [Field.day, .amount].allSatisfy { field in
            (SpendColumns.names[field] ?? []).contains(where: names.contains)
        }
    }

    init(_ mapping: ImportMapping, header: [String], currency: String) throws {
        currencyOfSite = currency
        let mapped = Dictionary(mapping.columns.map { ($0.name, $0.value) }) { $1 }
        for (name, field) in mapped {
            guard header.contains(name) else {
                throw KernelError.data(
                    "The file has no column '\(name)'.\(NearMiss.hint(name, among: header)) It has: \(header.joined(separator: ", "))."
                )
            }
            guard Field(rawValue: field) != nil else {
                throw KernelError.data(
                    "'\(name)=\(field)': spend has no field '\(field)'. It has: \(SpendColumns.fields).")
            }
        }
        let parts = header.map(SpendColumns.parted)
        var used: Set<Int> = []
        for field in Field.allCases {
            let chosen =
                header.firstIndex { mapped[$0] == field.rawValue }
                ?? (SpendColumns.names[field] ?? []).lazy.compactMap { name in
                    parts.indices.first {
                        parts[$0].name == name && mapped[header[$0]] == nil && !mapping.ignore.contains(header[$0])
                    }
                }.first
            if let chosen { (columns[field], used) = (chosen, used.union([chosen])) }
        }
        let end = parts.firstIndex { SpendColumns.ends.contains($0.name) }
        periodEnd = end
        constants = Dictionary(mapping.constants.map { ($0.name, $0.value) }) { $1 }
        dates = mapping.dates
        currencyOfHeader = columns[.amount].flatMap { parts[$0].currency }
        platform = SpendColumns.platform(parts.map(\.name), amount: columns[.amount].map { parts[$0].name })
        ignored = header.indices.filter { !used.contains($0) && $0 != end }.map { header[$0] }
            .filter { !mapping.ignore.contains($0) }
        for field in [Field.day, .amount] where columns[field] == nil {
            throw KernelError.data(
                "No column gives the \(field.rawValue). Name one so, or say which it is with --map \"CSV column=\(field.rawValue)\". "
                    + "There are: \(header.joined(separator: ", "))."
            )
        }
        guard columns[.channel] != nil || constants["channel"] != nil || platform != nil else {
            throw KernelError.data(
                "Nothing tells the channel. Add a column channel, or say it of the whole file with --set channel=paid_search."
            )
        }
    }

    /// Nil for a row of totals, and for what stands below it.
    func line(of row: CSVRow) throws -> SpendLine? {
        guard row.isValidText else { throw FieldProblem(field: "row", message: "not valid text") }
        let first = (0..<min(2, row.count)).map { row.text($0).trimmed.lowercased() }
        if first.contains(where: { cell in SpendColumns.totals.contains(where: cell.hasPrefix) }) { return nil }
        let campaign = text(.campaign, row)
        // The summary of Meta names the period and no campaign.
        if platform == .meta, columns[.campaign] != nil, campaign == nil { return nil }
        guard let day = text(.day, row), let amount = text(.amount, row) else {
            if text(.amount, row) == nil || text(.day, row) == nil && campaign == nil { return nil }
            throw FieldProblem(field: "day", message: "is empty")
        }
        let read = try SpendLine.day(day, dates)
        if let periodEnd, !row.isEmpty(periodEnd), try SpendLine.day(row.text(periodEnd).trimmed, dates) != read {
            throw FieldProblem(
                field: "day", message: "the row is about more than one day. Download the report by day.")
        }
        let money = try SpendLine.amount(amount)
        let half = text(.half, row) ?? constants["half"] ?? "generation"
        guard SpendLine.halves.contains(half) else {
            throw FieldProblem(field: "half", message: "expected \(SpendLine.halves.joined(separator: ", "))")
        }
        guard let channel = text(.channel, row) ?? constants["channel"] ?? platform?.channel else {
            throw FieldProblem(field: "channel", message: "is empty")
        }
        let currency =
            text(.currency, row) ?? currencyOfHeader ?? money.currency ?? constants["currency"] ?? currencyOfSite
        return SpendLine(
            key: SpendLine.Key(
                day: read, channel: channel, campaign: campaign ?? constants["campaign"], half: half,
                currency: try SpendLine.currency(currency)), amount: money.amount)
    }

    /// The text of a field; nil where it is empty, or what reports write for nothing.
    private func text(_ field: Field, _ row: CSVRow) -> String? {
        guard let column = columns[field], !row.isEmpty(column) else { return nil }
        let text = FormulaGuard.removed(from: row.text(column)).trimmed
        return text.isEmpty || ["--", "-", "n/a"].contains(text.lowercased()) ? nil : text
    }

    private static func platform(_ names: [String], amount: String?) -> Platform? {
        switch amount {
        case "amount spent", "ausgegebener betrag": .meta
        case "total spent": .linkedIn
        case "spend" where names.contains("gregorian date") || names.contains("time period"): .microsoft
        case "spend" where names.contains("campaign url"): .x
        case "cost" where names.contains { ["by day", "stat_time_day"].contains($0) }: .tikTok
        case "cost", "kosten":
            names.contains { ["currency code", "währungscode", "campaign", "kampagne"].contains($0) } ? .google : nil
        default: nil
        }
    }

    private static let fields = Field.allCases.map(\.rawValue).joined(separator: ", ")

    /// `Amount spent (EUR)` is the name amount spent and the currency EUR.
    private static func parted(_ header: String) -> (name: String, currency: String?) {
        let name = header.trimmed
        guard let match = name.wholeMatch(of: /(.+?)\s*\(([A-Z]{3})\)/) else { return (name.lowercased(), nil) }
        return (String(match.1).lowercased(), String(match.2))
    }
}
