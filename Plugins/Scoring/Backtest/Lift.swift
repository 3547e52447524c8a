import Foundation

/// How leads for which a rule holds convert, beside those for which it does not.
struct Lift: Sendable, Equatable {
    let leads: Int
    let converted: Int
    let otherLeads: Int
    let otherConverted: Int

    var with: Double? { leads > 0 ? Double(converted) / Double(leads) : nil }
    var without: Double? { otherLeads > 0 ? Double(otherConverted) / Double(otherLeads) : nil }

    /// Conversion with the rule divided by conversion without it, and the range that holds the truth in 95 of 100
    /// cases: 2 is twice as often. By the logarithm of the ratio (Katz and others, Biometrics 34, 1978); half a lead
    /// more in each field keeps it finite where nobody or everybody converted. Nil where all leads are on one side.
    var ratio: (value: Double, low: Double, high: Double)? {
        guard leads > 0, otherLeads > 0 else { return nil }
        let isEdge = converted == 0 || otherConverted == 0 || converted == leads || otherConverted == otherLeads
        let more = isEdge ? 0.5 : 0
        let (a, n) = (Double(converted) + more, Double(leads) + 2 * more)
        let (b, m) = (Double(otherConverted) + more, Double(otherLeads) + 2 * more)
        let ratio = (a / n) / (b / m)
        let error = max(0, 1 / a - 1 / n + 1 / b - 1 / m).squareRoot()
        return (ratio, ratio * exp(-1.96 * error), ratio * exp(1.96 * error))
    }

    enum Verdict: String, Sendable {
        /// The points go the way the outcomes do.
        case right = "holds"
        /// The range of the lift includes 1: it may be chance.
        case open = "not proven"
        /// The points go the other way.
        case wrong = "contradicted"
        case noLeads = "no leads"
        case everybody = "all leads"
    }

    /// What the outcomes say about a rule with so many points.
    func verdict(points: Double) -> Verdict {
        guard let ratio else { return leads == 0 ? .noLeads : .everybody }
        if ratio.low <= 1, ratio.high >= 1 { return .open }
        return (ratio.value > 1) == (points > 0) ? .right : .wrong
    }
}
