import TrellisKernel

/// When people of the house work, by the clock of a place.
public struct WorkingHours: SettingsRecord {
    public var days: [Workday] = [.mon, .tue, .wed, .thu, .fri]
    /// Minutes after midnight.
    public var from = 9 * 60
    public var to = 17 * 60
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("days", \.days, .list(of: .choice()), "The days on which they work: mon, tue, …")
        SettingsField("from", \.from, .timeOfDay, "When their day begins: 09:00.")
        SettingsField(
            "to", \.to, .timeOfDay,
            "When it ends: 17:00. Earlier than from is on the next morning; the same is round the clock.")
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        days.isEmpty ? [ConfigProblem("name at least one day on which somebody works.", at: place)] : []
    }
}

/// A day of the week, as the config writes it; Monday is first.
public enum Workday: String, Sendable, CaseIterable {
    case mon, tue, wed, thu, fri, sat, sun
}

extension SettingType where Value == Int {
    /// `09:00` as minutes after midnight.
    static var timeOfDay: SettingType {
        .parsed("a time of day such as 09:00") { text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
                let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
            else { return nil }
            return hour * 60 + minute
        }
    }
}

extension SettingType where Value == LocalDay {
    /// `2026-12-25`.
    static var day: SettingType {
        .parsed("a day such as 2026-12-25") { text in
            guard let day = LocalDay(text), day.description == text else { return nil }
            return day
        }
    }
}
