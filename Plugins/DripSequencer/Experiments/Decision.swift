import Foundation

/// Whether a test is finished. It may be asked after every batch.
///
/// An arm wins when its ``Evidence`` over each other arm has come to 1/α = 20, which among equal arms happens in at
/// most 5 % of all tests, however long they run and however often they are looked at, and when it is also the best with
/// a probability of 95 % over all rounds. A test ends without a winner when the arms that nobody has beaten are too
/// much alike: when the interval of each difference lies within a practical margin. Once finished, it stays finished:
/// what called for the decision is stored, and not asked again.
enum Decision: Sendable, Equatable {
    case tooEarly
    /// The number of the arm.
    case winner(Int)
    /// The arms that nobody has beaten.
    case noDifference([Int])

    /// Leads of each arm with a known outcome before anything is said: below, the normal distribution fits too badly.
    static let countedMin = 100
    /// α: how many tests of equal arms may name a winner.
    static let falseWinners = 0.05
    static let sureness = 0.95
    /// Of the rate of all arms together: a fifth is the least difference that most teams would change a mail for.
    static let practicalMargin = 0.2

    init(_ standings: Standings) {
        let totals = standings.totals
        guard totals.count > 1, totals.allSatisfy({ $0.counted >= Decision.countedMin }) else {
            self = .tooEarly
            return
        }
        let unbeaten = totals.indices.filter { arm in
            !totals.indices.contains { $0 != arm && Decision.beats($0, arm, standings) }
        }
        if unbeaten.count == 1, Decision.isWinner(unbeaten[0], standings) {
            self = .winner(unbeaten[0])
        } else if unbeaten.count > 1, Decision.areAlike(unbeaten, standings) {
            self = .noDifference(unbeaten)
        } else {
            self = .tooEarly
        }
    }

    /// The difference of two rates that is not worth waiting for.
    static func margin(_ standings: Standings) -> Double {
        practicalMargin * standings.mailed.rate
    }

    /// The shares that follow: all for a winner, what the weights say for arms that are alike, ``Allocation`` until
    /// then.
    func shares(_ standings: Standings, weights: [Double]) -> [Double] {
        switch self {
        case .tooEarly: Allocation.shares(standings)
        case .winner(let winner): standings.arms.indices.map { $0 == winner ? 1 : 0 }
        case .noDifference(let alike):
            standings.arms.indices.map { alike.contains($0) && weights.indices.contains($0) ? weights[$0] : 0 }
        }
    }

    private static func beats(_ first: Int, _ second: Int, _ standings: Standings) -> Bool {
        let evidence = Evidence(for: first, over: second, in: standings)
        return evidence.surplus > 0 && evidence.logarithm >= -log(falseWinners)
    }

    private static func isWinner(_ arm: Int, _ standings: Standings) -> Bool {
        standings.arms.indices.allSatisfy { $0 == arm || beats(arm, $0, standings) }
            && BetaPosterior.chancesOfBeingBest(standings.posteriors)[arm] >= sureness
    }

    private static func areAlike(_ arms: [Int], _ standings: Standings) -> Bool {
        let margin = margin(standings)
        let posteriors = standings.posteriors
        return arms.allSatisfy { first in
            arms.allSatisfy { second in
                second <= first || Difference(first: posteriors[first], second: posteriors[second]).isWithin(margin)
            }
        }
    }
}
