import Foundation
import TrellisKernel

/// The work calendars of all reps as they are in this transaction: hours and zones of the config, holidays of both,
/// absences of the table.
struct Calendars {
    private let settings: HandoffSettings
    private let tx: Transaction
    private let absences: [String: [Range<Date>]]
    /// By rep; everybody's under the empty name.
    private let holidays: [String: Set<LocalDay>]

    init(_ settings: HandoffSettings, _ tx: Transaction) throws {
        self.settings = settings
        self.tx = tx
        var absences: [String: [Range<Date>]] = [:]
        for row in try Row.fetchAll(
            tx.db.cachedStatement(sql: "SELECT rep, starts_at, ends_at FROM handoff_absences"))
        {
            guard let start = Timestamp.date(row[1] as String) else { continue }
            let end = (row[2] as String?).flatMap { Timestamp.date($0) } ?? .distantFuture
            if start < end { absences[row[0], default: []].append(start..<end) }
        }
        self.absences = absences
        var holidays = ["": Set(settings.clocks.holidays)]
        for row in try Row.fetchAll(
            tx.db.cachedStatement(sql: "SELECT coalesce(rep, ''), day FROM handoff_holidays"))
        {
            if let day = LocalDay(row[1] as String) { holidays[row[0], default: []].insert(day) }
        }
        self.holidays = holidays
    }

    /// The calendar of a rep; for a name the config does not know that of the site. An absence with no end known is
    /// none there: nobody knows when its clocks would go on, and a lead would wait for ever.
    func of(_ rep: String) -> WorkCalendar {
        let known = settings.rep(rep)
        return WorkCalendar(
            place: tx.place(ofZone: known?.zone ?? ""), hours: known?.hours ?? settings.clocks.workingHours,
            holidays: (holidays[""] ?? []).union(holidays[rep] ?? []),
            absences: (absences[rep] ?? []).filter { $0.upperBound < .distantFuture })
    }

    /// Whether a rep is away now.
    func isAbsent(_ rep: String) -> Bool {
        absences[rep]?.contains { $0.contains(tx.now) } ?? false
    }

    /// Whether a rep is away now until further notice.
    func isGone(_ rep: String) -> Bool {
        absences[rep]?.contains { $0.contains(tx.now) && $0.upperBound == .distantFuture } ?? false
    }

    /// The names of all who are away now.
    var absent: [String] { absences.keys.filter(isAbsent).sorted() }
}
