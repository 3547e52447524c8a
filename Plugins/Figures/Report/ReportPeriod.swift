import Foundation
import TrellisKernel

/// A whole week from Monday, or a whole month, with the one before it. Days are days in UTC, as everywhere in the
/// figures.
struct ReportPeriod {
    let kind: PeriodReport.Period
    /// The first day of the period, of the one before, and of the one after: `2026-03-01`.
    let begin: String
    let before: String
    let end: String
    /// Whether it is not over yet.
    let isRunning: Bool

    /// The last one that is over at a moment.
    init(_ kind: PeriodReport.Period, before now: Date) {
        let start = ReportPeriod.start(kind, now)
        self.init(kind, start: ReportPeriod.moved(start, by: -1, kind), now: now)
    }

    /// The one that a moment lies in.
    init(_ kind: PeriodReport.Period, of moment: Date, now: Date) {
        self.init(kind, start: ReportPeriod.start(kind, moment), now: now)
    }

    private init(_ kind: PeriodReport.Period, start: Date, now: Date) {
        self.kind = kind
        let next = ReportPeriod.moved(start, by: 1, kind)
        begin = ReportPeriod.day(start)
        end = ReportPeriod.day(next)
        before = ReportPeriod.day(ReportPeriod.moved(start, by: -1, kind))
        isRunning = next > now
    }

    private static func start(_ kind: PeriodReport.Period, _ moment: Date) -> Date {
        calendar.dateInterval(of: unit(kind), for: moment)?.start ?? moment
    }

    /// The first days of this period and of those before it, the oldest first.
    func begins(_ count: Int) -> [String] {
        guard let start = Timestamp.date(begin + " 00:00:00.000") else { return [] }
        return (0..<count).reversed().map { ReportPeriod.day(ReportPeriod.moved(start, by: -$0, kind)) }
    }

    /// `March 2026`, `the week of 2 March 2026`.
    var name: String { ReportPeriod.name(begin, kind) + (isRunning ? " so far" : "") }
    var nameBefore: String { ReportPeriod.name(before, kind) }
    /// `Mar`, `2 Mar`: for the foot of a chart.
    func label(_ day: String) -> String {
        let parts = ReportPeriod.parts(day)
        let month = String(ReportPeriod.months[parts.month - 1].prefix(3))
        return kind == .monthly ? month : "\(parts.day) \(month)"
    }

    /// `2026-03`: the month that the period ends in.
    var month: String {
        guard kind == .weekly, let end = Timestamp.date(end + " 00:00:00.000") else { return String(begin.prefix(7)) }
        return String(ReportPeriod.day(end.addingTimeInterval(-1)).prefix(7))
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    private static func name(_ day: String, _ kind: PeriodReport.Period) -> String {
        let parts = parts(day)
        let month = "\(months[parts.month - 1]) \(parts.year)"
        return kind == .monthly ? month : "the week of \(parts.day) \(month)"
    }

    private static func parts(_ day: String) -> (year: Int, month: Int, day: Int) {
        let numbers = day.split(separator: "-").compactMap { Int($0) }
        guard numbers.count == 3, (1...12).contains(numbers[1]) else { return (1970, 1, 1) }
        return (numbers[0], numbers[1], numbers[2])
    }

    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = .gmt
        return calendar
    }()

    private static func unit(_ kind: PeriodReport.Period) -> Calendar.Component {
        kind == .weekly ? .weekOfYear : .month
    }

    private static func moved(_ start: Date, by count: Int, _ kind: PeriodReport.Period) -> Date {
        calendar.date(byAdding: unit(kind), value: count, to: start) ?? start
    }

    private static func day(_ date: Date) -> String { String(Timestamp.text(date).prefix(10)) }
}
