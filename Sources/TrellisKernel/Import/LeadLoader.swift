/// Rows of a file as leads: each a draft, past the filters, then taken in together.
struct LeadLoader: RowLoader {
    private let layout: LeadLayout
    private let plan: ColumnPlan
    private let goals: [Goal]
    private let constants: [(index: Int, text: String)]
    /// That of rows that name none.
    private let channel: String?
    private let roads: Roads
    private let erased: ErasedAddresses

    /// What the text of a cell becomes.
    private enum Goal {
        case column(Int)
        case consent(String)
        /// Of the touch: a lead itself has none, unless the site gives it a column of this name.
        case channel
    }

    var ignoredColumns: [String] { plan.ignored }

    init(_ mapping: ImportMapping, header: [String], kernel: Kernel) throws {
        let layout = kernel.leadLayout
        self.layout = layout
        let hasChannel = layout.index(of: "channel") == nil
        let names = layout.names + (hasChannel ? ["channel"] : [])
        let mapping = LeadLoader.knowingCampaigns(mapping, header, layout)
        plan = try ColumnPlan(mapping, header: header, fields: names, takesConsents: true) { name in
            guard let index = layout.index(of: name) else { return hasChannel && name == "channel" ? .text : nil }
            if case .field(let kind) = layout.columns[index].kind { return kind }
            return .text
        }
        goals = plan.sources.map { source in
            if let index = layout.index(of: source.field) { return .column(index) }
            return source.field == "channel" ? .channel : .consent(String(source.field.dropFirst("consent_".count)))
        }
        roads = Roads(kernel.config.site.leads.channels)
        channel = try hasChannel ? LeadLoader.channel(of: mapping, roads.rules) : nil
        constants = try mapping.constants.filter { !hasChannel || $0.name != "channel" }.map { constant in
            guard let index = layout.index(of: constant.name) else {
                throw KernelError.data(
                    "constants: there is no field '\(constant.name)'.\(NearMiss.hint(constant.name, among: names))"
                )
            }
            return (index, constant.value)
        }
        erased = ErasedAddresses(config: kernel.config)
        let known = plan.sources.map { layout.index(of: $0.field) }
        guard known.contains(where: { [layout.email, layout.phone, layout.externalID].contains($0) }) else {
            throw KernelError.data(
                "No column gives an email, a phone or an external_id, and a lead is known by one of them. Map one: --map \(LeadLoader.proposal(header))."
            )
        }
    }

    /// Columns called as in a link, `utm_source`, are the source, the medium and the campaign of a lead where nothing
    /// else of the file is.
    private static func knowingCampaigns(
        _ mapping: ImportMapping, _ header: [String], _ layout: LeadLayout
    ) -> ImportMapping {
        var mapping = mapping
        let given = Set(header.map(ColumnPlan.field) + mapping.columns.map(\.value))
        for field in ["source", "medium", "campaign"] where !given.contains(field) {
            let column = header.first { ColumnPlan.field(of: $0) == "utm_\(field)" }
            guard let column, layout.index(of: column) == nil, !mapping.ignore.contains(column),
                !mapping.columns.contains(where: { $0.name == column })
            else { continue }
            mapping.columns.append(Named(column, field))
        }
        return mapping
    }

    private static func channel(of mapping: ImportMapping, _ rules: [Named<ChannelRule>]) throws -> String? {
        guard let text = mapping.constants.last(where: { $0.name == "channel" })?.value else { return nil }
        do {
            return try Channel.named(text, rules: rules)
        } catch let problem as FieldProblem {
            throw KernelError.data("constants: \(problem)")
        }
    }

    /// What a person would most likely map.
    private static func proposal(_ header: [String]) -> String {
        let mail = header.first { $0.lowercased().contains("mail") }
        return mail.map { "\"\($0)=email\"" } ?? "\"\(header.first ?? "Column")=external_id\""
    }

    func prepare(_ row: CSVRow) -> PreparedRow {
        PreparedRow(row: row, draft: Result { try draft(of: row) })
    }

    func load(_ rows: ArraySlice<PreparedRow>, _ tx: Transaction) throws -> LoadOutcome {
        var outcome = LoadOutcome()
        var drafts: [LeadDraft] = []
        drafts.reserveCapacity(rows.count)
        let hasFilters = tx.hasFilters(LeadDraft.self)
        let hasErased = try erased.hasAny(tx.db)
        for row in rows {
            do {
                guard var draft = try row.draft?.get() else { continue }
                if hasFilters { try tx.filter(&draft) }
                if hasErased { try erased.refuse(draft.email, tx.db) }
                drafts.append(draft)
            } catch let problem as FieldProblem {
                outcome.rejected.append((row.row, problem.description))
            } catch let veto as Veto {
                outcome.rejected.append((row.row, veto.reason))
            } catch let failure as HookFailure where tx.db.isInsideTransaction {
                // A filter that fails on this row may pass the next one. What ended the transaction ends the import.
                outcome.rejected.append((row.row, failure.description))
            }
        }
        guard !drafts.isEmpty else { return outcome }
        for result in try Capture(layout).take(drafts, tx) { outcome.count(result.outcome) }
        return outcome
    }

    private func draft(of row: CSVRow) throws -> LeadDraft {
        guard row.isValidText else {
            throw FieldProblem(field: "row", message: "contains bytes that are not valid text")
        }
        guard row.excess == 0 else {
            throw FieldProblem(field: "row", message: "has \(row.excess) more cells than the header")
        }
        var draft = LeadDraft(layout)
        var channel: String?
        for (source, goal) in zip(plan.sources, goals) {
            guard let text = plan.text(source, row) else { continue }
            do {
                switch goal {
                case .column(let index): try draft.set(index, text: text)
                case .consent(let purpose): try draft.consent(to: purpose, text, field: source.header)
                case .channel: channel = try Channel.named(text, rules: roads.rules)
                }
            } catch let problem as FieldProblem {
                throw source.header == problem.field
                    ? problem : FieldProblem(field: "\(source.header) (\(problem.field))", message: problem.message)
            }
        }
        for constant in constants where draft.values[constant.index].isNull {
            try draft.set(constant.index, text: constant.text)
        }
        try draft.normalise()
        let (source, medium) = (String.fromDatabaseValue(draft["source"]), String.fromDatabaseValue(draft["medium"]))
        draft.touch = LeadDraft.Touch(
            kind: "import", channel: channel ?? self.channel ?? roads.channel(source: source, medium: medium),
            source: source, medium: medium, campaign: String.fromDatabaseValue(draft["campaign"]))
        return draft
    }
}

/// The channels of the sources and mediums of a file, each told once: it has few of them, and many rows. Rows are
/// prepared one after the other.
private final class Roads {
    private struct Road: Hashable {
        let source: String?
        let medium: String?
    }

    let rules: [Named<ChannelRule>]
    private var channels: [Road: String?] = [:]

    /// A file in which each row has a source of its own is told anew each time.
    private static let roadsMax = 10_000

    init(_ rules: [Named<ChannelRule>]) {
        self.rules = rules
    }

    func channel(source: String?, medium: String?) -> String? {
        guard source != nil || medium != nil else { return nil }
        let road = Road(source: source, medium: medium)
        if let known = channels[road] { return known }
        let channel = Channel.ofListed(source: source, medium: medium, rules: rules)
        if channels.count < Roads.roadsMax { channels.updateValue(channel, forKey: road) }
        return channel
    }
}
