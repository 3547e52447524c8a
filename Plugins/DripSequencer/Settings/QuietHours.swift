import Foundation
import TrellisKernel

/// `plugins.drip.quiet`: when no marketing mail goes out, by the clock of the lead.
public struct QuietHours: SettingsRecord {
    /// Minutes after midnight.
    public var from = 20 * 60
    public var to = 8 * 60
    /// The days on which mail goes out.
    public var days = Weekday.allCases
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("from", \.from, .clockTime, "When the quiet begins: 20:00.")
        SettingsField("to", \.to, .clockTime, "When it ends: 08:00.")
        SettingsField("days", \.days, .list(of: .choice()), "The days on which mail goes out: mon, tue, …")
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        days.isEmpty ? [ConfigProblem("name at least one day on which mail may go out.", at: place)] : []
    }

    /// The first instant from now on that is not quiet there.
    func opening(after instant: Date, in place: LocalTime) -> Date {
        let today = place.day(of: instant)
        let open = from == to ? [(0, 1440)] : from > to ? [(to, from)] : [(0, from), (to, 1440)]
        // A week and a day see every day that is allowed, however late it is today.
        for day in (0...7).map({ today.adding(days: $0) }) where days.contains(day.name) {
            for (first, last) in open {
                let end =
                    last == 1440
                    ? place.instant(on: day.adding(days: 1), minute: 0) : place.instant(on: day, minute: last)
                if instant < end { return max(instant, place.instant(on: day, minute: first)) }
            }
        }
        return instant
    }
}

/// A day of the week, as the config writes it.
public enum Weekday: String, Sendable, CaseIterable, Codable {
    case mon, tue, wed, thu, fri, sat, sun
}

extension LocalDay {
    var name: Weekday { Weekday.allCases[weekday] }
}

extension SettingType where Value == Int {
    /// `08:00` as minutes after midnight.
    static var clockTime: SettingType {
        .parsed("a time of day such as 08:00") { ClockTime.minutes($0) }
    }
}

enum ClockTime {
    /// Minutes after midnight of `8:00` or `08:00`; nil for anything else.
    static func minutes(_ text: some StringProtocol) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
            let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
        else { return nil }
        return hour * 60 + minute
    }

    /// `08:00`.
    static func text(_ minutes: Int) -> String {
        let parts = [minutes / 60, minutes % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return parts.joined(separator: ":")
    }
}
