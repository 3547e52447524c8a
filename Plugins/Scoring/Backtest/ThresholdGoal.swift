import TrellisKernel

/// What a threshold is wanted for.
enum ThresholdGoal: Equatable {
    /// The best balance of precision and recall.
    case balance
    /// So large a share of those above it converts.
    case precision(Double)
    /// So many leads a week are at or above it.
    case perWeek(Double)

    /// The threshold, a whole number as the config takes it, and why it is that one; or why there is none.
    ///
    /// - Parameter leadsPerWeek: how many leads come a week; nil where nobody knows.
    func suggestion(_ curve: ThresholdCurve, leadsPerWeek: Double?) -> (point: ThresholdCurve.Point?, sentence: String)
    {
        let curve = curve.whole
        switch self {
        case .balance:
            guard let point = curve.balanced else { return (nil, "No threshold: there are no leads.") }
            return (point, suggested(point, "the best balance of precision and recall (F1)"))
        case .precision(let wanted):
            let share = BarChart.percent(wanted)
            guard let point = curve.threshold(precision: wanted) else {
                let least = ThresholdCurve.leadsMin
                let sentence = "No threshold keeps a precision of \(share) with at least \(least) leads above it."
                return (nil, sentence + " Ask for less, or sharpen the rules.")
            }
            return (point, suggested(point, "the lowest that keeps a precision of \(share)"))
        case .perWeek(let wanted):
            guard let leadsPerWeek, leadsPerWeek > 0 else {
                let sentence = "No threshold for a number a week: the leads came within a few days, as by an import."
                return (nil, sentence + " Say how many come with --leads-per-week.")
            }
            guard let point = curve.threshold(share: wanted / leadsPerWeek) else {
                let sentence = "No threshold passes on as few as \(ReadableCuts.text(wanted)) a week"
                return (nil, sentence + ": more have the highest score. Add rules that tell them apart.")
            }
            let all = Double(max(1, curve.points.last?.leads ?? 1))
            let passed = (Double(point.leads) / all * leadsPerWeek * 10).rounded() / 10
            let coming = ReadableCuts.text(leadsPerWeek.rounded())
            return (point, suggested(point, "about \(ReadableCuts.text(passed)) of \(coming) leads a week"))
        }
    }

    private func suggested(_ point: ThresholdCurve.Point, _ why: String) -> String {
        let (precision, recall) = (BarChart.percent(point.precision), BarChart.percent(point.recall))
        return
            "Suggested threshold: \(ReadableCuts.text(point.score)) (precision \(precision), recall \(recall)), \(why)."
    }
}
