import Foundation

/// Numbers a person would have chosen: 5 rather than 4.83, 600 rather than 613.
enum ReadableCuts {
    /// Few cuts near the quantiles of a column, ascending. Each is rounded to at most two digits and to whole numbers
    /// where the column has only those. The lowest value of the column is no cut: everything is at or above it.
    ///
    /// - Parameter quantiles: values of the column at equal shares, ascending, the lowest first.
    static func cuts(_ quantiles: [Double], isWhole: Bool) -> [Double] {
        guard let lowest = quantiles.first else { return [] }
        var cuts: [Double] = []
        for quantile in quantiles.dropFirst() {
            var cut = rounded(quantile)
            if isWhole { cut = cut.rounded(.up) }
            // Rounding must not carry a cut down to the lowest value, where it would divide nothing.
            if cut <= lowest { cut = quantile }
            if cut > lowest, cut.isFinite, cut > (cuts.last ?? -.infinity) { cuts.append(cut) }
        }
        return cuts
    }

    /// To two digits, the second 0 or 5 from 20 on: 613 becomes 600, 1285 becomes 1300, 0.047 becomes 0.045. Whole
    /// numbers below 20 stay.
    static func rounded(_ number: Double) -> Double {
        guard number != 0, number.isFinite else { return number }
        let size = abs(number)
        if size < 20, size == size.rounded() { return number }
        let unit = pow(10, (log10(size)).rounded(.down) - 1)
        let fine = size >= 20 * unit ? unit * 5 : unit
        let rounded = (size / fine).rounded() * fine
        // A power of ten below 1 has no exact double: the decimal nearest to it has.
        let exact = unit < 1 ? (rounded / unit).rounded() / (1 / unit).rounded() : rounded
        return number < 0 ? -exact : exact
    }

    /// 1, 2 or 5 times a power of ten, at least 1, that divides a range into about so many parts.
    static func step(over range: Double, parts: Int) -> Double {
        let ideal = range / Double(max(1, parts))
        guard ideal > 1, ideal.isFinite else { return 1 }
        let unit = pow(10, log10(ideal).rounded(.down))
        return [1, 2, 5, 10].map { $0 * unit }.first { $0 >= ideal } ?? unit * 10
    }

    /// `5`, `2.5`: without the zero after the point.
    static func text(_ number: Double) -> String {
        guard number == number.rounded(), abs(number) < 1e15 else { return "\(number)" }
        return String(Int64(number))
    }
}
