import Foundation

/// A moment that has been, as people write it.
public struct PastMoment: Sendable, Hashable {
    public let date: Date

    /// As the database writes it.
    public var stamp: String { Timestamp.text(date) }

    public init(_ date: Date) {
        self.date = date
    }

    /// Reads a day (its first instant in the zone), a time of the zone or with an offset, `now`, `today`, `yesterday`
    /// (both may have a time: `yesterday 18:00`), and `7 days ago`.
    ///
    /// - Throws: ``KernelError/usage(_:)`` for anything else, and for what is still to come.
    public init(_ text: String, in place: LocalTime, now: Date) throws {
        guard let date = PastMoment.date(text, in: place, now: now) else {
            throw KernelError.usage(
                """
                '\(text.prefix(60))' is no moment. Give a day (2026-05-01), a time (2026-05-01 14:30, with Z or +02:00 \
                where it is not one of \(place.zone.identifier)), yesterday, or 7 days ago.
                """)
        }
        guard date <= now else {
            throw KernelError.usage(
                "\(text.prefix(60)) is still to come: it is \(place.text(now)) now. What will be, no log can tell.")
        }
        self.date = date
    }

    private static func date(_ text: String, in place: LocalTime, now: Date) -> Date? {
        let words = text.lowercased().split(separator: " ")
        let today = place.day(of: now)
        if words == ["now"] { return now }
        if words.count > 1, words.last == "ago" {
            return Span(words.dropLast().joined(separator: " ")).map { now.addingTimeInterval(-Double($0.seconds)) }
        }
        if let first = words.first, ["today", "yesterday"].contains(first), words.count <= 2 {
            let day = first == "today" ? today : today.adding(days: -1)
            return words.count == 1 ? place.instant(on: day, minute: 0) : date(on: day, words[1], in: place)
        }
        let parts = text.split(maxSplits: 1) { $0 == " " || $0 == "T" }
        guard let first = parts.first, first.utf8.count == 10, let day = LocalDay(first) else { return nil }
        if parts.count == 1 { return text.utf8.count == 10 ? place.instant(on: day, minute: 0) : nil }
        return date(on: day, parts[1], in: place) ?? Timestamp.date(text)
    }

    /// A time of day without a zone: `14:30`, `14:30:05`, `14:30:05.250`.
    private static func date(on day: LocalDay, _ time: Substring, in place: LocalTime) -> Date? {
        guard let match = time.wholeMatch(of: /([0-2]\d):([0-5]\d)(?::([0-5]\d(?:\.\d{1,3})?))?/),
            let hour = Int(match.1), let minute = Int(match.2), hour < 24
        else { return nil }
        let seconds = match.3.flatMap { Double($0) } ?? 0
        return place.instant(on: day, minute: hour * 60 + minute).addingTimeInterval(seconds)
    }

    // MARK: - In statements

    /// A statement in which `'now'` and `CURRENT_TIMESTAMP` mean this moment.
    public func spelled(_ sql: String) -> String {
        let tokens = SQLTokens(sql)
        var (bytes, last) = ([UInt8](), 0)
        let all = Array(sql.utf8)
        for token in tokens {
            guard let literal = literal(of: token, tokens.letters(token)) else { continue }
            bytes += all[last..<token.range.lowerBound] + Array(literal.utf8)
            last = token.range.upperBound
        }
        return String(decoding: bytes + all[last...], as: UTF8.self)
    }

    private func literal(of token: SQLTokens.Token, _ letters: String) -> String? {
        switch (token.kind, letters.lowercased()) {
        case (.text, "'now'"): stamp.sqlLiteral
        case (.word, "current_timestamp"): String(stamp.prefix(19)).sqlLiteral
        case (.word, "current_date"): String(stamp.prefix(10)).sqlLiteral
        case (.word, "current_time"): String(stamp.dropFirst(11).prefix(8)).sqlLiteral
        default: nil
        }
    }
}

extension LocalTime {
    /// An instant as the clock there shows it: `2026-05-01 14:30:00 Europe/Berlin`.
    public func text(_ instant: Date) -> String {
        let minute = minute(of: instant)
        let seconds = Int(instant.timeIntervalSince1970.rounded(.down)) % 60
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(day(of: instant)) \(two(minute / 60)):\(two(minute % 60)):\(two((seconds + 60) % 60)) \(name)"
    }
}
