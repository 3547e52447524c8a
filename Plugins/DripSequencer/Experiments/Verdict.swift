import Foundation

/// A test in a sentence, for people who send mails.
struct Verdict: Sendable {
    let decision: Decision
    let standings: Standings

    /// - Parameter decision: the stored one of a finished test; without it, what the standings say now.
    init(_ standings: Standings, decision: Decision? = nil) {
        self.decision = decision ?? Decision(standings)
        self.standings = standings
    }

    /// `case-study beats webinar-invite, 96 % sure (12.0 % against 8.1 % of 412 and 409)`.
    var sentence: String {
        switch decision {
        case .winner(let winner) where standings.arms.indices.contains(winner):
            return comparison(winner, "beats", "sure")
        case .noDifference(let alike):
            return "no difference worth waiting for: \(closeness(of: alike.filter(standings.arms.indices.contains)))"
        default: return "too early to say: \(progress)"
        }
    }

    /// `against nobody mailed (holdout): +3.2 points (+0.4 to +5.9), 98 % sure`; nil where the test has no holdout.
    var lift: String? {
        let (mailed, holdout) = (standings.mailed, standings.holdout)
        guard holdout.sent > 0 else { return nil }
        let begin = "against nobody mailed (holdout): "
        for (name, tally) in [("the holdout", holdout), ("the test", mailed)] where tally.counted < Decision.countedMin
        {
            return begin + "too early to say, \(Verdict.need(name, tally))"
        }
        let difference = Difference(first: BetaPosterior(mailed), second: BetaPosterior(holdout))
        let interval = difference.interval()
        let chance = difference.chanceAboveZero
        let decimals = max(abs(interval.lowerBound), abs(interval.upperBound)) < 0.01 ? 2 : 1
        func points(_ rate: Double) -> String {
            (rate < 0 ? "−" : "+") + String(format: "%.\(decimals)f", abs(rate) * 100)
        }
        let sure = "\(Verdict.percent(sure: max(chance, 1 - chance))) sure"
        let bounds = "\(points(interval.lowerBound)) to \(points(interval.upperBound))"
        return begin + "\(points(mailed.rate - holdout.rate)) points (\(bounds)), "
            + (chance < 0.5 ? sure + " that the mails do harm" : sure)
    }

    // MARK: - Parts of sentences

    private var progress: String {
        guard standings.arms.count > 1 else { return "one mail alone is no test" }
        let behind = standings.arms.indices.filter { standings.totals[$0].counted < Decision.countedMin }
        guard behind.isEmpty else {
            return behind.map { Verdict.need(standings.arms[$0], standings.totals[$0]) }.joined(separator: ", ")
        }
        let chances = BetaPosterior.chancesOfBeingBest(standings.posteriors)
        let leader = chances.indices.max { chances[$0] < chances[$1] } ?? 0
        // Who looks often sees such figures by chance: likely is not sure.
        return comparison(leader, "leads", "likely")
    }

    private func comparison(_ first: Int, _ verb: String, _ certainty: String) -> String {
        let chance = BetaPosterior.chancesOfBeingBest(standings.posteriors)[first]
        let others = standings.arms.indices.filter { $0 != first }
        let rates = Verdict.list(others.map(rate))
        let counts = Verdict.list(([first] + others).map { "\(standings.totals[$0].counted)" })
        return """
            \(standings.arms[first]) \(verb) \(Verdict.list(others.map { standings.arms[$0] })), \
            \(Verdict.percent(sure: chance)) \(certainty) (\(rate(first)) against \(rates) of \(counts))
            """
    }

    private func closeness(of alike: [Int]) -> String {
        let names = Verdict.list(alike.map { standings.arms[$0] })
        let counts = Verdict.list(alike.map { "\(standings.totals[$0].counted)" })
        let margin = Verdict.number(Decision.margin(standings) * 100)
        return "\(names) are within \(margin) points of each other (\(Verdict.list(alike.map(rate))) of \(counts))"
    }

    private func rate(_ arm: Int) -> String { Verdict.number(standings.totals[arm].rate * 100) + " %" }

    private static func need(_ name: String, _ tally: ArmTally) -> String {
        let open = tally.open > 0 ? " (\(tally.open) still open)" : ""
        return "\(name) has \(tally.counted) of the \(Decision.countedMin) outcomes it needs\(open)"
    }

    /// `a`, `a and b`, `a, b and c`.
    private static func list(_ items: [String]) -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }

    /// Rounded down, so that nobody reads 100 %.
    private static func percent(sure chance: Double) -> String {
        if chance > 0.999 { return "over 99.9 %" }
        if chance >= 0.99 { return String(format: "%.1f %%", (chance * 1000).rounded(.down) / 10) }
        return "\(Int((chance * 100).rounded(.down))) %"
    }

    /// One decimal, and two below 1, where one would say too little.
    private static func number(_ value: Double) -> String {
        String(format: abs(value) < 1 && value != 0 ? "%.2f" : "%.1f", value)
    }
}
