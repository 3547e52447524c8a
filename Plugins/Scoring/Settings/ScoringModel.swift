import TrellisKernel

/// One way of scoring: rules that give points, and what reaching a number of them does.
public struct ScoringModel: SettingsRecord {
    public var fit: [Named<FitRule>] = []
    public var engagement: [Named<EngagementRule>] = []
    public var groups: [Named<Cap>] = []
    public var grades: [Named<Int>] = []
    public var idleAfter: Span?
    public var thresholds: [Named<Threshold>] = []
    /// What stands in the column `model` of its rows; no key of its own.
    public internal(set) var name = main
    public init() {}

    /// The model whose rules stand in the section itself.
    public static let main = "main"

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "fit", \.fit, .named("a mapping of rules", of: .record()),
            "What the lead is: weighed again when the lead or its account changes.")
        SettingsField(
            "engagement", \.engagement, .named("a mapping of rules", of: .record()),
            "What the lead does: a row of the ledger per event.")
        SettingsField(
            "groups", \.groups, .named("a mapping of groups", of: .cap),
            "The most points that the rules of a group give together: web: 20 per day, or 100 for ever.")
        SettingsField(
            "grades", \.grades, .named("a mapping of grades", of: .integer(-10_000...10_000)),
            "Grades by the least fit: {A: 40, B: 20, C: 10, D: -1000}.")
        SettingsField(
            "idle_after", \.idleAfter, optional: .span,
            "After so long without a new point of engagement, what there is of it is taken back.")
        SettingsField(
            "thresholds", \.thresholds,
            .named(
                "a mapping of stages",
                of: .record(
                    orShort: .parsed(
                        "a whole number from \(Threshold.least.lowerBound) to \(Threshold.least.upperBound), on_create",
                        Threshold.init))),
            "Reaching one moves the lead to that stage; falling below never moves it back. A number alone is the least score. "
                + "In a model of `models` any name, for the event score.reached."
        )
    }

    var isMain: Bool { name == ScoringModel.main }
    /// Its name in a statement.
    var literal: String { name.sqlLiteral }
    /// Where its rules stand in the config.
    var section: String { isMain ? "plugins.scoring" : "plugins.scoring.models.\(name)" }
    /// The hook that keeps its ledger.
    var subscriberName: String { isMain ? "score" : "score-\(name)" }

    /// The stage that reaching a threshold moves a lead to; nil where it moves none.
    func stage(of threshold: Named<Threshold>) -> String? { isMain ? threshold.name : threshold.value.stage?.value }

    /// Whether points lose their worth by time alone.
    var hasDecay: Bool { engagement.contains { ($0.value.halfLife ?? $0.value.fades ?? $0.value.lasts) != nil } }
    /// Whether all it makes of a lead follows from the lead's own events, and not from time or from other rows as well.
    var followsFromEvents: Bool {
        !hasDecay && idleAfter == nil && thresholds.allSatisfy { $0.value.when == nil }
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        let known = groups.map(\.name)
        let unknownGroups = engagement.compactMap { rule in
            rule.value.group.flatMap { group in
                known.contains(group.value)
                    ? nil
                    : ConfigProblem(
                        "there is no group '\(group.value)' under groups:.\(NearMiss.hint(group.value, among: known))",
                        at: group.place)
            }
        }
        let unknownGrades = thresholds.compactMap { threshold in
            threshold.value.grade.flatMap { grade in
                grades.contains { $0.name == grade.value }
                    ? nil
                    : ConfigProblem(
                        "there is no grade '\(grade.value)' under grades:.\(NearMiss.hint(grade.value, among: grades.map(\.name)))",
                        at: grade.place)
            }
        }
        return unknownGroups + unknownGrades
    }
}
