/// A length of time as people write it in the config: `90m`, `3 days`, `1 week 2 days`. Whole seconds, never negative.
public struct Span: Sendable, Hashable, CustomStringConvertible {
    /// Its length in seconds.
    public let seconds: Int

    /// At most 100 years, so that no sum of a time and a span leaves the calendar.
    public static let secondsMax = 100 * 366 * 86_400

    public init(seconds: Int) {
        self.seconds = min(max(seconds, 0), Span.secondsMax)
    }

    public static func days(_ days: Int) -> Span { Span(seconds: days * 86_400) }

    /// Reads one or more numbers with units: s, m (or min), h, d, w and their English words. `0` alone needs no unit.
    /// Nil for anything else, and for more than 100 years.
    public init?(_ text: String) {
        let words = text.lowercased()
        if words == "0" {
            self.init(seconds: 0)
            return
        }
        var rest = Substring(words)
        var total = 0
        var parts = 0
        while true {
            rest = rest.drop { $0 == " " }
            if rest.isEmpty { break }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count).drop { $0 == " " }
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard digits.count <= 10, let number = Int(digits), let length = Span.units[String(unit)] else {
                return nil
            }
            total += number * length
            parts += 1
            guard total <= Span.secondsMax else { return nil }
        }
        guard parts > 0 else { return nil }
        self.init(seconds: total)
    }

    /// In the largest unit that fits evenly: `3 days`, `90 minutes`.
    public var description: String {
        for (name, length) in [("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60)]
        where seconds > 0 && seconds % length == 0 {
            let count = seconds / length
            return "\(count) \(name)\(count == 1 ? "" : "s")"
        }
        return "\(seconds) second\(seconds == 1 ? "" : "s")"
    }

    private static let units: [String: Int] = {
        var units: [String: Int] = [:]
        let names: [([String], Int)] = [
            (["s", "sec", "secs", "second", "seconds"], 1),
            (["m", "min", "mins", "minute", "minutes"], 60),
            (["h", "hour", "hours"], 3600),
            (["d", "day", "days"], 86_400),
            (["w", "week", "weeks"], 604_800),
        ]
        for (spellings, length) in names {
            for spelling in spellings { units[spelling] = length }
        }
        return units
    }()
}
