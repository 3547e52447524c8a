import TrellisKernel

/// A rule that a lead fits or does not: a rule of the config, or one made from a column.
struct Condition: Equatable {
    let name: String
    /// A SQL expression over the columns of leads.
    let when: String
    /// Its points in the config; nil for a rule made from a column.
    var points: Int?
    /// Whether entries of the ledger may have its name.
    var isConfigured: Bool { points != nil }
}

extension ScoringModel {
    /// The rules about what a lead is, as conditions.
    var conditions: [Condition] {
        fit.map { Condition(name: $0.name, when: $0.value.when.value, points: $0.value.points) }
    }
}
