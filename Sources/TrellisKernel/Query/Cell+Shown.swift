import Foundation

extension Cell {
    /// Its number; nil for text and nothing.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .real(let value): value
        case .null, .text, .blob: nil
        }
    }

    /// As a person reads it: `12,345.6`, and a dash for nothing.
    public var shown: String { number.map(\.grouped) ?? text ?? "–" }
}

extension Double {
    /// With commas between thousands, and decimals only where there are any: at most two.
    public var grouped: String {
        let rounded = (abs(self) * 100).rounded() / 100
        guard rounded < 1e15 else { return String(format: "%.3g", self) }
        let whole = String(Int64(rounded))
        let digits = whole.enumerated().reduce(into: "") { text, digit in
            if digit.offset > 0, (whole.count - digit.offset).isMultiple(of: 3) { text += "," }
            text.append(digit.element)
        }
        let cents = Int(((rounded - rounded.rounded(.down)) * 100).rounded())
        let decimals = cents == 0 ? "" : cents.isMultiple(of: 10) ? ".\(cents / 10)" : String(format: ".%02d", cents)
        return (self < 0 && rounded > 0 ? "−" : "") + digits + decimals
    }
}
