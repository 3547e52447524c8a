extension ConfigCheck {
    /// Notes fields of leads that are called as a column which a plugin adds to `lead_cards`: of two columns of one
    /// name a view gives the first.
    func cardColumns(of types: [any Plugin.Type]) {
        let added = Set(types.flatMap { $0.cardColumns.map(\.key) })
        for field in config.site.leads.fields where added.contains(field.name) {
            note(
                "lead_cards shows this field in place of the column '\(field.name)' of a plugin. Call it otherwise to see both.",
                at: field.place)
        }
    }
}
