/// Leads by their score, those with the same score together: what every figure about a model is made of.
struct RankedScores: Sendable {
    struct Step: Sendable, Equatable {
        let score: Double
        var leads: Int
        var converted: Int
    }

    /// One step per score, the highest first.
    let steps: [Step]
    let leads: Int
    let converted: Int

    init(_ scores: [Double], _ converted: [Bool]) {
        var steps: [Step] = []
        for index in scores.indices.sorted(by: { scores[$0] > scores[$1] }) {
            if steps.last?.score != scores[index] {
                steps.append(Step(score: scores[index], leads: 0, converted: 0))
            }
            steps[steps.count - 1].leads += 1
            if converted[index] { steps[steps.count - 1].converted += 1 }
        }
        self.steps = steps
        leads = scores.count
        self.converted = converted.count { $0 }
    }

    var conversion: Double { leads > 0 ? Double(converted) / Double(leads) : 0 }

    /// How often a lead that converted has a higher score than one that did not, a tie counting half: the area under
    /// the ROC curve, by the ranks of Mann and Whitney (Hanley and McNeil, Radiology 143, 1982). 0.5 is chance; nil
    /// where one of the classes has no lead.
    var areaUnderCurve: Double? {
        let others = leads - converted
        guard converted > 0, others > 0 else { return nil }
        var othersBelow = Double(others)
        var pairs = 0.0
        for step in steps {
            let missed = Double(step.leads - step.converted)
            othersBelow -= missed
            pairs += Double(step.converted) * (othersBelow + missed / 2)
        }
        return pairs / (Double(converted) * Double(others))
    }
}
