import Foundation

/// `mail.dates`: how mails write days and times that they take from columns and events.
public enum MailDates: String, Sendable, CaseIterable {
    /// 2026-03-16 (ISO 8601)
    case iso
    /// 16.03.2026
    case dmy
    /// 03/16/2026
    case mdy
    /// 16 March 2026
    case long

    /// A day; or a time by the clock of a place, to the minute, with the name of its zone, since a reader may be
    /// elsewhere: `2026-03-16 01:30 (Europe/Berlin)`. Nil for what is neither.
    public func text(of value: String, in place: LocalTime) -> String? {
        guard let instant = Timestamp.date(value) else { return nil }
        guard value.utf8.count > 10 else { return LocalDay(value).map { text(of: $0) } }
        let minute = place.minute(of: instant)
        let clock = [minute / 60, minute % 60].map(MailDates.twoDigits).joined(separator: ":")
        return text(of: place.day(of: instant)) + (self == .iso ? " " : ", ") + clock + " (\(place.name))"
    }

    /// The same for a program: `2026-03-16`, or `2026-03-16T00:30:00Z`, which is UTC (RFC 3339). Nil for what is
    /// neither day nor time.
    public static func plain(_ value: String) -> String? {
        guard let instant = Timestamp.date(value) else { return nil }
        guard value.utf8.count > 10 else { return LocalDay(value)?.description }
        return Timestamp.text(instant).prefix(19).replacing(" ", with: "T") + "Z"
    }

    private func text(of day: LocalDay) -> String {
        let parts = day.description.split(separator: "-").map(String.init)
        guard parts.count == 3, let month = Int(parts[1]), (1...12).contains(month), let date = Int(parts[2]) else {
            return day.description
        }
        return switch self {
        case .iso: day.description
        case .dmy: "\(parts[2]).\(parts[1]).\(parts[0])"
        case .mdy: "\(parts[1])/\(parts[2])/\(parts[0])"
        case .long: "\(date) \(MailDates.months[month - 1]) \(parts[0])"
        }
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
}
