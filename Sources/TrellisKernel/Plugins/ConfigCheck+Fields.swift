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

    /// A column of `leads` that a form asks strangers for: one that a draft takes, and by which nobody makes themselves
    /// what the house decides.
    public func formColumn(_ name: LocatedText) {
        let reason: String? =
            switch name.value {
            case "stage":
                "a stranger would choose their own stage. Take it out, and write stage: under the magnet."
            case "owner":
                "a stranger would choose who looks after them. Take it out; hooks, imports and commands set it."
            case "created_at":
                "a stranger would choose when they came. Take it out; imports and commands set it."
            default:
                LeadLayout.keptBack.contains(name.value)
                    ? "Trellis alone sets it, and a form that asks for it takes nobody in. Take it out." : nil
            }
        guard let reason else { return leadColumn(name) }
        problem("no form asks for '\(name.value)': \(reason)", at: name.place)
    }

    /// A name that becomes part of addresses: letters, digits, `-`, `_` and dots within, 100 at most.
    ///
    /// - Parameter place: that of the key.
    public func addressName(_ name: String, at place: Place) {
        let isSound =
            name.utf8.count <= 100
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
                MailTemplates.isName(String($0))
            }
        guard !isSound else { return }
        problem(
            "'\(name)' must be letters, digits, -, _ and dots within, 100 at most: it becomes part of addresses.",
            at: place)
    }
}
