import Foundation

/// Integrals by Gauss and Legendre's rule of 20 points, exact for polynomials up to degree 39.
enum Quadrature {
    static let points: [(at: Double, weight: Double)] = rule(order: 20)

    static func integral(from low: Double, to high: Double, _ function: (Double) -> Double) -> Double {
        let (middle, half) = ((low + high) / 2, (high - low) / 2)
        return half * points.reduce(0) { $0 + $1.weight * function(middle + half * $1.at) }
    }

    /// The roots of the Legendre polynomial by Newton's method from Chebyshev's guess, and their weights
    /// (Davis and Rabinowitz, "Methods of Numerical Integration", 1984, section 2.7).
    private static func rule(order: Int) -> [(at: Double, weight: Double)] {
        (1...order).map { index in
            var root = cos(Double.pi * (Double(index) - 0.25) / (Double(order) + 0.5))
            for _ in 0..<20 { root -= legendre(order, root).value / legendre(order, root).slope }
            let slope = legendre(order, root).slope
            return (root, 2 / ((1 - root * root) * slope * slope))
        }
    }

    private static func legendre(_ order: Int, _ at: Double) -> (value: Double, slope: Double) {
        var (before, value) = (1.0, at)
        for degree in 2...order {
            let next = (Double(2 * degree - 1) * at * value - Double(degree - 1) * before) / Double(degree)
            (before, value) = (value, next)
        }
        return (value, Double(order) * (at * value - before) / (at * at - 1))
    }
}
