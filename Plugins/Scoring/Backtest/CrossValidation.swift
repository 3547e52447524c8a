/// A model judged by leads it has not seen: each group of leads is scored by what was learnt from the others.
struct CrossValidation: Sendable {
    /// The area under the curve of each group; a group without both outcomes has none.
    let areas: [Double]
    /// The score of each lead, by the model that did not see it.
    let scores: [Double]
    /// The chance of each lead, by the curve that did not see it.
    let chances: [Double]

    /// - Parameter learn: from the leads given, the scores of all leads.
    init(_ converted: [Bool], folds: Folds, learn: (_ training: [Int]) throws -> [Double]) rethrows {
        var areas: [Double] = []
        var scores = [Double](repeating: 0, count: converted.count)
        var chances = scores
        for number in 0..<folds.count {
            let training = folds.training(number)
            let heldOut = folds.heldOut(number)
            let all = try learn(training)
            let curve = ScoreChance(RankedScores(training.map { all[$0] }, training.map { converted[$0] }))
            for lead in heldOut {
                scores[lead] = all[lead]
                chances[lead] = curve(all[lead])
            }
            let judged = RankedScores(heldOut.map { all[$0] }, heldOut.map { converted[$0] })
            if let area = judged.areaUnderCurve { areas.append(area) }
        }
        self.areas = areas
        self.scores = scores
        self.chances = chances
    }

    /// The mean over the groups; nil where none had both outcomes.
    var area: Double? { areas.isEmpty ? nil : areas.reduce(0, +) / Double(areas.count) }
}
