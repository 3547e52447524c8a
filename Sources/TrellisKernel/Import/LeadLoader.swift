/// Rows of a file as leads: each a draft, past the filters, then taken in together.
struct LeadLoader: RowLoader {
    private let layout: LeadLayout
    private let plan: ColumnPlan
    private let indexes: [Int?]
    private let constants: [(index: Int, text: String)]
    private let erased: ErasedAddresses

    var ignoredColumns: [String] { plan.ignored }

    init(_ mapping: ImportMapping, header: [String], kernel: Kernel) throws {
        let layout = kernel.leadLayout
        self.layout = layout
        plan = try ColumnPlan(mapping, header: header, fields: layout.names, takesConsents: true) { name in
            layout.index(of: name).map { if case .field(let kind) = layout.columns[$0].kind { kind } else { .text } }
        }
        indexes = plan.sources.map { layout.index(of: $0.field) }
        constants = try mapping.constants.map { constant in
            guard let index = layout.index(of: constant.name) else {
                throw KernelError.data(
                    "constants: there is no field '\(constant.name)'.\(NearMiss.hint(constant.name, among: layout.names))"
                )
            }
            return (index, constant.value)
        }
        erased = ErasedAddresses(config: kernel.config)
        guard indexes.contains(where: { [layout.email, layout.phone, layout.externalID].contains($0) }) else {
            throw KernelError.data(
                "No column gives an email, a phone or an external_id, and a lead is known by one of them. Map one: --map \(LeadLoader.proposal(header))."
            )
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
        for (source, index) in zip(plan.sources, indexes) {
            guard let text = plan.text(source, row) else { continue }
            if let index {
                do {
                    try draft.set(index, text: text)
                } catch let problem as FieldProblem {
                    throw source.header == problem.field
                        ? problem : FieldProblem(field: "\(source.header) (\(problem.field))", message: problem.message)
                }
            } else {
                try draft.consent(to: String(source.field.dropFirst("consent_".count)), text, field: source.header)
            }
        }
        for constant in constants where draft.values[constant.index].isNull {
            try draft.set(constant.index, text: constant.text)
        }
        try draft.normalise()
        draft.touch = LeadDraft.Touch(
            kind: "import", source: String.fromDatabaseValue(draft["source"]),
            medium: String.fromDatabaseValue(draft["medium"]),
            campaign: String.fromDatabaseValue(draft["campaign"]))
        return draft
    }
}
