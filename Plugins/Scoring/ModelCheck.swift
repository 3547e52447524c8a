import TrellisKernel

/// What of a model works, and is hardly meant.
enum ModelCheck {
    static func check(_ model: ScoringModel, _ check: ConfigCheck) {
        for rule in model.engagement {
            if rule.value.once, let cap = rule.value.cap {
                check.note(
                    "once: true counts it once per lead and never again, so at_most: \(cap.text) does nothing. Leave one of them out",
                    at: rule.place)
            }
            if model.fit.contains(where: { $0.name == rule.name }) {
                check.note(
                    "a rule of fit is named '\(rule.name)' too, and the reasons of a score add up what both gave. Give one of them another name",
                    at: rule.place)
            }
        }
        for threshold in model.thresholds
        where threshold.value.hysteresis > 0 && threshold.value.score == nil && threshold.value.fit == nil
            && threshold.value.engagement == nil
        {
            check.note(
                "hysteresis is how far score, fit or engagement must fall, and none of them is given. Add one, or take hysteresis out",
                at: threshold.place)
        }
        let letters = model.grades.filter { $0.name.count == 1 && $0.name.allSatisfy(\.isLetter) }
            .sorted { $0.name.lowercased() < $1.name.lowercased() }
        for (grade, next) in zip(letters, letters.dropFirst()) where grade.value < next.value {
            check.note(
                "\(grade.name) takes a fit of \(grade.value), and \(next.name) one of \(next.value): a lead has the grade that takes most "
                    + "of those it reaches, so \(next.name) is the better one. Give \(grade.name) the higher number",
                at: grade.place)
        }
    }
}
