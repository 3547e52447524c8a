import Foundation
import Synchronization

/// The wall clock of a place: days and hours as people there count them, each local day once also where the clock is
/// put forward or back.
///
/// An hour that does not exist on a day, because the clock was put forward over it, is the first instant after the gap;
/// one that comes twice is its first. Zones are those of the IANA database, as the system has them.
public struct LocalTime: Sendable {
    public let zone: TimeZone

    public init(_ zone: TimeZone) {
        self.zone = zone
    }

    /// The zone of that name; nil for a name the IANA database does not have.
    public init?(named name: String) {
        guard let zone = LocalTime.zones.zone(named: name) else { return nil }
        self.zone = zone
    }

    /// `Europe/Berlin`; `UTC` also where the system calls it GMT.
    public var name: String { zone.identifier == "GMT" ? "UTC" : zone.identifier }

    /// The day it is there at an instant.
    public func day(of instant: Date) -> LocalDay {
        LocalDay(number: localSeconds(of: instant).floorDivided(by: 86_400).quotient)
    }

    /// Minutes since the local midnight, as the clock on the wall shows them: 0 to 1439.
    public func minute(of instant: Date) -> Int {
        Int(localSeconds(of: instant).floorDivided(by: 86_400).remainder / 60)
    }

    /// The instant at which the clock there shows so many minutes after midnight on a day.
    public func instant(on day: LocalDay, minute: Int) -> Date {
        let local = TimeInterval(day.number * 86_400 + Int64(minute) * 60)
        let before = offset(at: Date(timeIntervalSince1970: local - 86_400))
        let after = offset(at: Date(timeIntervalSince1970: local + 86_400))
        for candidate in [before, after] {
            let instant = Date(timeIntervalSince1970: local - candidate)
            if offset(at: instant) == candidate { return instant }
        }
        return end(ofGapBetween: local - max(before, after), and: local - min(before, after))
    }

    /// Where the offset changes between two instants; found to the second.
    private func end(ofGapBetween low: TimeInterval, and high: TimeInterval) -> Date {
        let changed = offset(at: Date(timeIntervalSince1970: high))
        var (low, high) = (low, high)
        while high - low > 1 {
            let middle = ((low + high) / 2).rounded(.down)
            if offset(at: Date(timeIntervalSince1970: middle)) == changed { high = middle } else { low = middle }
        }
        return Date(timeIntervalSince1970: high)
    }

    private func localSeconds(of instant: Date) -> Int64 {
        Int64((instant.timeIntervalSince1970 + offset(at: instant)).rounded(.down))
    }

    private func offset(at instant: Date) -> TimeInterval { TimeInterval(zone.secondsFromGMT(for: instant)) }

    private static let zones = ZoneCache()
}

extension Transaction {
    /// The wall clock of a zone; where the name is no zone, as for a lead whose zone nobody knows, of another one, and
    /// of the site where that is none either.
    public func place(ofZone name: String, or other: String? = nil) -> LocalTime {
        LocalTime(named: name) ?? other.flatMap { LocalTime(named: $0) } ?? LocalTime(
            named: kernel.config.site.site.timezone) ?? LocalTime(.gmt)
    }

    /// The wall clock of a lead: by its own zone, by that of its country where it is the same time everywhere there, by
    /// another one, by that of the site.
    ///
    /// - Parameters:
    ///   - name: its `timezone`.
    ///   - country: its `country`.
    public func place(ofZone name: String?, country: String?, or other: String? = nil) throws -> LocalTime {
        if let name, let place = LocalTime(named: name) { return place }
        let zone = try String.fetchOne(
            db.cachedStatement(sql: "SELECT zone FROM country_zones WHERE country = ?"), arguments: [country])
        return place(ofZone: zone ?? "", or: other)
    }
}

/// A day of the calendar (proleptic Gregorian), without a place.
public struct LocalDay: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Days since 1970-01-01.
    let number: Int64

    init(number: Int64) {
        self.number = number
    }

    /// Reads `2026-03-29`; of a time, its day. Nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard let date = Timestamp.date(text.prefix(10)) else { return nil }
        number = Int64(date.timeIntervalSince1970).floorDivided(by: 86_400).quotient
    }

    /// 0 is Monday, 6 is Sunday.
    public var weekday: Int { Int((number + 3).floorDivided(by: 7).remainder) }

    public func adding(days: Int) -> LocalDay { LocalDay(number: number + Int64(days)) }

    /// `2026-03-29`.
    public var description: String {
        String(Timestamp.text(Date(timeIntervalSince1970: TimeInterval(number * 86_400))).prefix(10))
    }

    public static func < (left: LocalDay, right: LocalDay) -> Bool { left.number < right.number }
}

/// Zones by name: to look one up reads a file, and a batch of leads asks for the same few over and over.
private final class ZoneCache: Sendable {
    private let zones = Mutex<[String: TimeZone]>([:])

    /// More names than there are zones are made up, by whoever fills the column.
    private static let namesMax = 1000

    func zone(named name: String) -> TimeZone? {
        if let zone = zones.withLock({ $0[name] }) { return zone }
        guard name == "UTC" || name.contains("/"), name.utf8.count <= 100, let zone = TimeZone(identifier: name) else {
            return nil
        }
        zones.withLock { zones in
            if zones.count < ZoneCache.namesMax { zones[name] = zone }
        }
        return zone
    }
}
