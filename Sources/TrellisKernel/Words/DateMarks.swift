import Foundation

/// How a language writes a day in digits: 24.12.2026 or 12/24/2026 (the Unicode CLDR, as Foundation has it).
public struct DateMarks: Sendable, Hashable {
    private enum Order: Sendable, Hashable {
        case dayFirst, monthFirst
        /// The year comes first; or the language alone does not say, as English, whose day comes first in Dublin and
        /// second in Denver; or its years are counted otherwise.
        case open
    }

    private let order: Order
    private let mark: String

    public init(language: String) {
        let locale = Locale(identifier: language)
        let format = DateFormatter()
        format.locale = locale
        (format.dateStyle, format.timeStyle) = (.short, .none)
        let pattern = format.dateFormat ?? ""
        mark = [".", "/", "-"].first { pattern.contains($0) } ?? "-"
        guard locale.calendar.identifier == .gregorian, language != "en" else {
            order = .open
            return
        }
        order =
            switch pattern.first(where: { "dMy".contains($0) }) {
            case "d": .dayFirst
            case "M": .monthFirst
            default: .open
            }
    }

    /// The day, and the time where one follows it, as programs write them: `24.12.2026, 9:30` is `2026-12-24 09:30`.
    /// The year has four digits and stands first or last. What is no such day, or could be two, comes back as it is,
    /// for whoever reads it to refuse.
    public func plain(_ text: String) -> String {
        let shape = /([0-9]{1,4}) ?([.\/\-]) ?([0-9]{1,2}) ?([.\/\-]) ?([0-9]{1,4})\.?(?:,? +([0-9].*))?/
        guard let match = text.wholeMatch(of: shape), match.2 == match.4 else { return text }
        let (first, second, third) = (match.1, match.3, match.5)
        var days: Set<String> = []
        if first.count == 4, third.count <= 2 {
            days = [DateMarks.day(first, second, third)]
        } else if third.count == 4, first.count <= 2 {
            if order != .monthFirst { days.insert(DateMarks.day(third, second, first)) }
            if order != .dayFirst { days.insert(DateMarks.day(third, first, second)) }
        }
        days = days.filter { Timestamp.date($0) != nil }
        guard days.count == 1, let day = days.first else { return text }
        return match.6.map { time in "\(day) \(time.prefix { $0 != ":" }.count == 1 ? "0" : "")\(time)" } ?? day
    }

    private static func day(_ year: Substring, _ month: Substring, _ day: Substring) -> String {
        "\(year)-\(month.count < 2 ? "0" : "")\(month)-\(day.count < 2 ? "0" : "")\(day)"
    }

    /// A day or a time of programs as the language writes it: `2026-12-24 09:30` is `24.12.2026 09:30`. Where the
    /// language does not say how, it stays as it is.
    func text(_ value: String) -> String {
        let parts = value.prefix(10).split(separator: "-")
        guard parts.count == 3 else { return value }
        return switch order {
        case .dayFirst: [parts[2], parts[1], parts[0]].joined(separator: mark) + value.dropFirst(10)
        case .monthFirst: [parts[1], parts[2], parts[0]].joined(separator: mark) + value.dropFirst(10)
        case .open: value
        }
    }
}
