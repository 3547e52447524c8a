import Foundation
import TrellisKernel

/// A moment a lead waits for, by the clock of the lead: a day kept in a column, some days before or after it, or the
/// next such hour of such a weekday.
public enum Moment: Sendable, Hashable, Codable {
    /// `trial_ends_on - 2 days at 09:00`. Without an hour a day begins at midnight, and a time counts as it is.
    case column(String, offsetSeconds: Int, minute: Int?)
    /// `monday 09:00`, `10:00`: the next one after now.
    case weekly(days: [Weekday], minute: Int)

    /// Nil where the text is none of these.
    init?(_ text: String) {
        let words = text.lowercased().split(separator: " ").map(String.init)
        if let minute = words.last.flatMap({ ClockTime.minutes($0) }), words.count <= 2 {
            let days = words.count == 1 ? Weekday.allCases : Moment.days(words[0])
            guard let days else { return nil }
            self = .weekly(days: days, minute: minute)
            return
        }
        guard let column = words.first, Moment.isColumn(column), Moment.days(column) == nil else { return nil }
        var rest = words.dropFirst()
        var minute: Int?
        if rest.count >= 2, rest[rest.endIndex - 2] == "at" {
            guard let clock = ClockTime.minutes(rest[rest.endIndex - 1]) else { return nil }
            minute = clock
            rest = rest.dropLast(2)
        }
        guard let sign = rest.popFirst() else {
            self = .column(column, offsetSeconds: 0, minute: minute)
            return
        }
        guard sign == "-" || sign == "+", let span = Span(rest.joined(separator: " ")) else { return nil }
        self = .column(column, offsetSeconds: sign == "-" ? -span.seconds : span.seconds, minute: minute)
    }

    private static func days(_ word: String) -> [Weekday]? {
        if word == "weekday" { return [.mon, .tue, .wed, .thu, .fri] }
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        return zip(names, Weekday.allCases).first { $0 == word || $1.rawValue == word }.map { [$1] }
    }

    private static func isColumn(_ word: String) -> Bool {
        word.utf8.first.map { (97...122).contains($0) } == true
            && word.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
    }

    /// The moment for a lead.
    ///
    /// - Parameter value: what the lead's column holds; nil for the other kind.
    /// - Returns: nil where the column holds no day and no time.
    func instant(value: String?, now: Date, in place: LocalTime) -> Date? {
        switch self {
        case .weekly(let days, let minute):
            let today = place.day(of: now)
            return (0...8).lazy.map { today.adding(days: $0) }.filter { days.contains($0.name) }
                .map { place.instant(on: $0, minute: minute) }.first { $0 > now }
        case .column(_, let offset, let minute):
            guard let value, let time = Timestamp.date(value) else { return nil }
            let isDay = value.utf8.count <= 10
            guard isDay || minute != nil else { return time + TimeInterval(offset) }
            // Whole days are days of the calendar there: nine o'clock stays nine o'clock when the clocks change.
            guard let day = isDay ? LocalDay(value) : place.day(of: time) else { return nil }
            let days = Int((Double(offset) / 86_400).rounded(.towardZero))
            return place.instant(on: day.adding(days: days), minute: minute ?? 0) + TimeInterval(offset - days * 86_400)
        }
    }
}

extension Moment: CustomStringConvertible {
    public var description: String {
        switch self {
        case .weekly(let days, let minute):
            let names = days.count == 7 ? "" : days.map(\.rawValue).joined(separator: ", ") + " "
            return names + ClockTime.text(minute)
        case .column(let column, let offset, let minute):
            let shift = offset == 0 ? "" : " \(offset < 0 ? "-" : "+") \(Span(seconds: abs(offset)))"
            return column + shift + (minute.map { " at " + ClockTime.text($0) } ?? "")
        }
    }
}

extension SettingType where Value == Moment {
    static var moment: SettingType {
        .parsed("a moment such as trial_ends_on - 2 days at 09:00, monday 09:00 or 10:00") { Moment($0) }
    }
}
