import Foundation
import TrellisKernel

/// When somebody works: hours by the clock of their place, less holidays and absences. Working time is real time: where
/// the clock is put forward during a shift, that shift is an hour shorter.
struct WorkCalendar: Sendable {
    let place: LocalTime
    /// Nil is round the clock.
    let hours: WorkingHours?
    let holidays: Set<LocalDay>
    /// Sorted by their start.
    let absences: [Range<Date>]

    /// Who works on no day for so long is not waited for any longer.
    static let daysMax = 800

    init(place: LocalTime, hours: WorkingHours?, holidays: Set<LocalDay> = [], absences: [Range<Date>] = []) {
        self.place = place
        self.hours = hours
        self.holidays = holidays
        self.absences = absences.sorted { $0.lowerBound < $1.lowerBound }
    }

    /// The instant at which so much working time has passed since another. With none, the first instant from then on at
    /// which they work.
    ///
    /// - Parameter seconds: not negative.
    func instant(after start: Date, working seconds: Int) -> Date {
        var rest = TimeInterval(max(0, seconds))
        // The shift that began yesterday may still last.
        let first = place.day(of: start).adding(days: -1)
        for number in 0...WorkCalendar.daysMax {
            guard let shift = shift(on: first.adding(days: number)) else { continue }
            for piece in pieces(of: shift) where piece.upperBound > start {
                let begin = max(piece.lowerBound, start)
                let length = piece.upperBound.timeIntervalSince(begin)
                // What is due at the very end of a shift is due then, and not the next morning.
                if rest <= length { return begin + rest }
                rest -= length
            }
        }
        return place.instant(on: first.adding(days: WorkCalendar.daysMax + 1), minute: 0)
    }

    /// Whether they work at an instant.
    func isWorking(at instant: Date) -> Bool {
        let today = place.day(of: instant)
        return [today.adding(days: -1), today].contains { day in
            shift(on: day).map { pieces(of: $0).contains { $0.contains(instant) } } ?? false
        }
    }

    /// The hours that begin on a day.
    private func shift(on day: LocalDay) -> Range<Date>? {
        guard !holidays.contains(day) else { return nil }
        guard let hours else {
            return range(place.instant(on: day, minute: 0), place.instant(on: day.adding(days: 1), minute: 0))
        }
        guard hours.days.contains(Workday.allCases[day.weekday]) else { return nil }
        let end = hours.to > hours.from ? day : day.adding(days: 1)
        return range(place.instant(on: day, minute: hours.from), place.instant(on: end, minute: hours.to))
    }

    /// What of a shift lies outside the absences.
    private func pieces(of shift: Range<Date>) -> [Range<Date>] {
        var pieces: [Range<Date>] = []
        var begin = shift.lowerBound
        for absence in absences where absence.upperBound > begin && absence.lowerBound < shift.upperBound {
            if absence.lowerBound > begin { pieces.append(begin..<absence.lowerBound) }
            begin = absence.upperBound
        }
        if begin < shift.upperBound { pieces.append(begin..<shift.upperBound) }
        return pieces
    }

    /// Nil where the clock was put forward over the whole of it.
    private func range(_ begin: Date, _ end: Date) -> Range<Date>? { begin < end ? begin..<end : nil }
}
