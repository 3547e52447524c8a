import Foundation

/// What is known of the rate of an arm after its outcomes: a Beta distribution.
///
/// The prior is Beta(1, 1): every rate is as likely as any other before the first mail. It is worth two leads, so it is
/// forgotten long before a test may be decided, it never says 0 % or 100 %, and with it every posterior falls off
/// towards both sides at least as fast as an exponential, which the integrals rely on.
struct BetaPosterior: Sendable, Equatable {
    let alpha: Double
    let beta: Double
    private let logPeak: Double

    init(_ tally: ArmTally = ArmTally()) {
        alpha = 1 + Double(tally.converted)
        beta = 1 + Double(tally.counted - tally.converted)
        let stirling = BetaPosterior.stirling
        logPeak =
            (log(alpha) + log(beta) - log(alpha + beta) - log(2 * Double.pi)) / 2
            - (stirling(alpha) + stirling(beta) - stirling(alpha + beta))
    }

    var mean: Double { alpha / (alpha + beta) }
    var deviation: Double {
        let sum = alpha + beta
        return (alpha / sum * (beta / sum) / (sum + 1)).squareRoot()
    }

    /// The rates that hold the true one with this probability, as much of the rest on either side.
    func interval(_ probability: Double = 0.95) -> ClosedRange<Double> {
        let rest = (1 - min(max(probability, 0), 1)) / 2
        let low = quantile(rest)
        return low...max(low, quantile(1 - rest))
    }

    func density(_ rate: Double) -> Double {
        guard rate > 0, rate < 1 else {
            return rate == 0 && alpha == 1 ? beta : rate == 1 && beta == 1 ? alpha : 0
        }
        return kernel(rate) / (rate * (1 - rate))
    }

    /// The probability that the rate is at most this one: the regularised incomplete beta function.
    func cumulative(_ rate: Double) -> Double {
        guard rate > 0 else { return 0 }
        guard rate < 1 else { return 1 }
        let distance = (rate - mean) / deviation
        if abs(distance) > BetaPosterior.reach { return distance < 0 ? 0 : 1 }
        if alpha + beta > BetaPosterior.largeSum { return cumulativeOfLargeSum(rate) }
        if rate < (alpha + 1) / (alpha + beta + 2) {
            return min(1, kernel(rate) * BetaPosterior.fraction(alpha, beta, rate) / alpha)
        }
        return max(0, 1 - kernel(rate) * BetaPosterior.fraction(beta, alpha, 1 - rate) / beta)
    }

    /// The rate below which the true one lies with this probability: Newton's method, kept between two bounds that
    /// are halved where it would leave them.
    func quantile(_ probability: Double) -> Double {
        guard probability > 0 else { return 0 }
        guard probability < 1 else { return 1 }
        var (low, high, guess) = (0.0, 1.0, mean)
        for _ in 0..<200 {
            let miss = cumulative(guess) - probability
            if miss > 0 { high = guess } else { low = guess }
            let step = miss / density(guess)
            if miss == 0 || abs(step) <= 1e-14 * guess || high - low <= 1e-15 * high { return guess }
            let next = guess - step
            guess = next > low && next < high ? next : (low + high) / 2
        }
        return guess
    }

    // MARK: - The function behind it

    /// Deviations beyond which nothing is left: a density that falls off as an exponential is below 1e-16 there.
    static let reach = 40.0
    /// Above it the continued fraction takes longer than an integral, as it needs about √(α + β) turns.
    private static let largeSum = 10_000.0

    /// x^α (1 − x)^β / B(α, β), taken relative to its peak so that nothing cancels at a billion leads. The method is
    /// Loader's ("Fast and Accurate Computation of Binomial Probabilities", 2000).
    private func kernel(_ rate: Double) -> Double {
        let sum = alpha + beta
        let (yes, no) = (alpha / sum, beta / sum)
        let exponent = alpha * logRatio(rate, yes, rate - yes) + beta * logRatio(1 - rate, no, yes - rate)
        return exp(logPeak + exponent)
    }

    private func logRatio(_ value: Double, _ centre: Double, _ difference: Double) -> Double {
        let relative = difference / centre
        return abs(relative) < 0.5 ? log1p(relative) : log(value / centre)
    }

    /// What Stirling's formula leaves out of ln Γ (NIST Digital Library of Mathematical Functions, 5.11.1); small
    /// arguments are brought up by Γ(z + 1) = z Γ(z).
    private static func stirling(_ argument: Double) -> Double {
        var (z, shifted) = (argument, 0.0)
        while z < 16 {
            shifted += (z + 0.5) * log1p(1 / z) - 1
            z += 1
        }
        let square = 1 / (z * z)
        return shifted + (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / z
    }

    /// The continued fraction of the incomplete beta function (NIST Digital Library of Mathematical Functions,
    /// 8.17.22), evaluated from the front as by Lentz ("Generating Bessel Functions in Mie Scattering Calculations
    /// Using Continued Fractions", 1976) with the guard of Thompson and Barnett (1986) against a zero.
    private static func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
        func kept(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
        var above = 1.0
        var below = 1 / kept(1 - (a + b) * x / (a + 1))
        var value = below
        for turn in 1...10_000 {
            let m = Double(turn)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            below = 1 / kept(1 + even * below)
            above = kept(1 + even / above)
            value *= below * above
            below = 1 / kept(1 + odd * below)
            above = kept(1 + odd / above)
            value *= below * above
            if abs(below * above - 1) < 1e-15 { break }
        }
        return value
    }

    /// The integral of the density from here outwards, in steps of two deviations until nothing is added.
    private func cumulativeOfLargeSum(_ rate: Double) -> Double {
        let isBelow = rate < mean
        let step = 2 * deviation
        var (sum, edge) = (0.0, rate)
        for _ in 0..<Int(BetaPosterior.reach) {
            let next = isBelow ? max(0, edge - step) : min(1, edge + step)
            let part = Quadrature.integral(from: min(edge, next), to: max(edge, next), density)
            sum += part
            edge = next
            if part <= 1e-17 * sum || edge == 0 || edge == 1 { break }
        }
        return isBelow ? min(1, sum) : max(0, 1 - sum)
    }
}
