import Foundation

/// A colour as the web writes it, `#0b5cad`, and how well it is read on another (WCAG 2.2, 1.4.3).
public struct WebColor: Sendable, Hashable, CustomStringConvertible {
    /// Red, green and blue, 0 to 255.
    private let parts: [Double]

    /// Reads six digits after a `#`; nil for anything else.
    public init?(_ text: String) {
        let digits = text.utf8.dropFirst()
        guard text.utf8.first == UInt8(ascii: "#"), digits.count == 6, let number = UInt32(text.dropFirst(), radix: 16),
            digits.first != UInt8(ascii: "+")
        else { return nil }
        parts = [16, 8, 0].map { Double((number >> $0) & 0xFF) }
    }

    private init(parts: [Double]) {
        self.parts = parts
    }

    static let white = WebColor(parts: [255, 255, 255])
    static let black = WebColor(parts: [0, 0, 0])
    /// The blue of whoever chose none.
    public static let standard = WebColor(parts: [11, 92, 173])

    public var description: String {
        "#"
            + parts.map { part in
                let digits = String(Int(part.rounded()), radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
    }

    /// From 1, the same, to 21, black on white.
    func contrast(with other: WebColor) -> Double {
        let (one, two) = (luminance, other.luminance)
        return (max(one, two) + 0.05) / (min(one, two) + 0.05)
    }

    /// The smallest contrast at which small text is read well.
    static let readable = 4.5

    /// This colour, or one as near to it as can be read on a background.
    func readable(on background: WebColor) -> WebColor {
        let end = background.luminance > 0.18 ? WebColor.black : WebColor.white
        let steps = stride(from: 0.0, through: 1, by: 0.05).lazy.map { mixed(with: end, share: $0) }
        return steps.first { $0.contrast(with: background) >= WebColor.readable } ?? end
    }

    private func mixed(with other: WebColor, share: Double) -> WebColor {
        WebColor(parts: zip(parts, other.parts).map { ($0 + ($1 - $0) * share).rounded() })
    }

    /// https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    private var luminance: Double {
        let linear = parts.map { part in
            let share = part / 255
            return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
        return zip(linear, [0.2126, 0.7152, 0.0722]).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
