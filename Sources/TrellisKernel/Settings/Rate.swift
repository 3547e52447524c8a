/// So many in so long, as people write it: `3 per week`, `10 per second`. Counted over any such stretch of time, not
/// from Monday to Sunday.
public struct Rate: Sendable, Hashable, CustomStringConvertible {
    public let count: Int
    public let span: Span

    /// - Parameter count: at least 1.
    public init(_ count: Int, per span: Span) {
        self.count = max(1, count)
        self.span = span
    }

    /// Reads `3 per week`; `1 per 2 hours` too. Nil for anything else, for 0, and for more than a million.
    public init?(_ text: String) {
        let parts = text.lowercased().split(separator: " per ", maxSplits: 1)
        guard parts.count == 2, let count = Int(parts[0].trimmingPrefix { $0 == " " }), (1...1_000_000).contains(count)
        else { return nil }
        let unit = String(parts[1])
        guard let span = Span(unit) ?? Span("1 " + unit), span.seconds > 0 else { return nil }
        self.init(count, per: span)
    }

    /// Seconds from one to the next, evenly spread.
    public var intervalSeconds: Double { Double(span.seconds) / Double(count) }

    public var description: String {
        let text = span.description
        return "\(count) per \(text.hasPrefix("1 ") ? String(text.dropFirst(2)) : text)"
    }
}

extension SettingType where Value == Rate {
    /// `3 per week`.
    public static var rate: SettingType { .parsed("a rate such as 3 per week or 10 per second") { Rate($0) } }
}
