/// The shares of the arms while a test runs: each as likely as it is to be the best (Thompson, "On the Likelihood that
/// One Unknown Probability Exceeds Another", 1933), with a floor.
enum Allocation {
    /// Of an even share. What is hardly sent is hardly learnt about: half of an even share costs a test of two arms a
    /// third more leads than an even split, and a tenth five times as many.
    static let floor = 0.5
    /// A new round begins when so many times the leads are counted: few rounds, so that each can be compared in itself.
    static let growth = 1.5

    /// - Returns: shares that sum to 1, in the order of the arms.
    static func shares(_ standings: Standings, floor: Double = floor) -> [Double] {
        let chances = BetaPosterior.chancesOfBeingBest(standings.posteriors)
        guard !chances.isEmpty else { return [] }
        let least = min(max(floor, 0), 1)
        return chances.map { least / Double(chances.count) + (1 - least) * $0 }
    }

    /// Whether it is time for a new round.
    ///
    /// - Parameter countedBefore: `standings.counted` when the present round began; 0 for the first.
    static func isDue(_ standings: Standings, countedBefore: Int) -> Bool {
        let first = Decision.countedMin * standings.arms.count
        return Double(standings.counted) >= max(Double(first), growth * Double(countedBefore))
    }
}
