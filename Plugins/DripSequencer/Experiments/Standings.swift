/// The tallies of a test: of every arm in every round, and of the holdout.
///
/// A round is the time during which the shares of the arms were the same. Arms are compared within a round only: a
/// month in which everybody buys more must not speak for the arm that was sent most in that month (Simpson's paradox).
struct Standings: Sendable {
    /// The names of the arms, in the order of the config.
    let arms: [String]
    private(set) var rounds: [Int: [ArmTally]] = [:]
    private(set) var totals: [ArmTally]
    private(set) var holdout = ArmTally()

    init(arms: [String]) {
        self.arms = arms
        totals = arms.map { _ in ArmTally() }
    }

    /// Adds a row of the test. An arm that is not in the config any more is passed over.
    ///
    /// - Parameter arm: nil for the holdout.
    mutating func add(_ tally: ArmTally, arm: String?, round: Int) {
        guard let arm else {
            holdout = holdout + tally
            return
        }
        guard let index = arms.firstIndex(of: arm) else { return }
        var row = rounds[round] ?? arms.map { _ in ArmTally() }
        row[index] = row[index] + tally
        rounds[round] = row
        totals[index] = totals[index] + tally
    }

    /// Leads of all arms whose outcome is known.
    var counted: Int { totals.map(\.counted).reduce(0, +) }
    /// All arms together: whoever was mailed.
    var mailed: ArmTally { totals.reduce(ArmTally(), +) }
    /// What is known of the rate of each arm.
    var posteriors: [BetaPosterior] { totals.map { BetaPosterior($0) } }
}
