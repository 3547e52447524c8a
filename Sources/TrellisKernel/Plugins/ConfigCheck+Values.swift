extension ConfigCheck {
    /// A fixed value that a section writes into a column of leads, the same for each of them. It goes into the table as
    /// it is written, so it must be what the column keeps: a day as `2026-01-31`, a country as `DE`.
    ///
    /// - Parameters:
    ///   - column: one that a lead may be given; not what Trellis keeps itself, nor what a lead is known by.
    ///   - value: nil for NULL, which a column that is never empty does not take.
    public func leadValue(_ value: LocatedText?, in column: LocatedText) {
        let name = column.value
        let columns = (try? LoggedTable.leads.columns(db)) ?? []
        guard let found = columns.first(where: { $0.name == name }) else { return leadColumn(column) }
        let layout = LeadLayout(columns, site: config.site)
        if name == "created_at" || layout.index(of: name) == nil {
            return problem("Trellis itself keeps \(name), and no step may set it. Leave it out.", at: column.place)
        }
        if ["email", "phone", "external_id"].contains(name) {
            return problem(
                "a lead is known by its \(name), and this would be the same for all of them. Leave it out.",
                at: column.place)
        }
        guard let value else {
            if found.isRequired { problem("a lead is never without \(name). Write a value.", at: column.place) }
            return
        }
        if value.value.contains("{{") {
            return problem(
                "set writes a fixed value, the same for every lead, and fills in no {{variable}}. Write the value itself.",
                at: value.place)
        }
        if name == "stage" { return stage(value) }
        if let fault = fault(of: value.value, in: name, layout) { problem(fault, at: value.place) }
    }

    /// What is wrong with a value; nil where the column takes it as it stands.
    private func fault(of text: String, in name: String, _ layout: LeadLayout) -> String? {
        let got = "got '\(text.prefix(60))'"
        if config.site.leads.fields.first(where: { $0.name == name })?.value.kind == .boolean {
            return ["0", "1"].contains(text) ? nil : "expected 1 for yes or 0 for no, \(got)."
        }
        var draft = LeadDraft(layout)
        do {
            try draft.set(name, text: text)
        } catch {
            return "\((error as? FieldProblem)?.message ?? "\(error)"), \(got)."
        }
        let kept: String? =
            switch draft[name].storage {
            case .string(let kept): kept
            case .int64(let number): String(number)
            case .double: text
            case .null, .blob: nil
            }
        guard let kept else { return "expected a value, or null for none, got blanks." }
        return kept == text ? nil : "\(name) is kept as '\(kept)'. Write that, \(got)."
    }
}
