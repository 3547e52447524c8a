import Foundation

/// Reads and writes the times of the database: UTC text `YYYY-MM-DD HH:MM:SS.SSS`, which sorts as time does and which
/// the date functions of every SQLite client understand.
public enum Timestamp {
    /// The text of an instant, rounded down to the millisecond. Years before 0 or after 9999 are clamped to that range.
    public static func text(_ date: Date) -> String {
        let clamped = min(max(date.timeIntervalSince1970, -62_167_219_200), 253_402_300_799.999)
        // The little that is added makes up for the steps of a Double, which are 0.03 ms in the year 9999.
        let milliseconds = Int64((clamped * 1000 + 0.05).rounded(.down))
        let (days, ofDay) = milliseconds.floorDivided(by: 86_400_000)
        let (year, month, day) = civil(fromDays: days)
        let seconds = ofDay / 1000
        var bytes = [UInt8]()
        bytes.reserveCapacity(23)
        append(year, width: 4, to: &bytes)
        append(month, width: 2, after: "-", to: &bytes)
        append(day, width: 2, after: "-", to: &bytes)
        append(seconds / 3600, width: 2, after: " ", to: &bytes)
        append(seconds / 60 % 60, width: 2, after: ":", to: &bytes)
        append(seconds % 60, width: 2, after: ":", to: &bytes)
        append(ofDay % 1000, width: 3, after: ".", to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The instant of a text as written above; a day alone, missing seconds, a `T` and a final `Z` or offset are read
    /// too. Nil for anything that is not a real day and time.
    public static func date(_ text: some StringProtocol) -> Date? {
        var reader = DigitReader(text)
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), (1...12).contains(month), day >= 1, day <= length(ofMonth: month, year: year)
        else { return nil }
        var seconds = 0.0
        if reader.skip(" ") || reader.skip("T") {
            guard let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2), hour < 24, minute < 60
            else { return nil }
            seconds = Double(hour * 3600 + minute * 60)
            if reader.skip(":") {
                guard let second = reader.number(2), second < 60 else { return nil }
                seconds += Double(second)
                if reader.skip(".") {
                    guard let fraction = reader.fraction() else { return nil }
                    seconds += fraction
                }
            }
            guard let offset = reader.zoneOffset() else { return nil }
            seconds -= Double(offset)
        }
        guard reader.isAtEnd else { return nil }
        return Date(timeIntervalSince1970: Double(days(year: year, month: month, day: day)) * 86_400 + seconds)
    }

    private static func append(
        _ number: Int64, width: Int, after separator: Unicode.Scalar? = nil, to bytes: inout [UInt8]
    ) {
        if let separator { bytes.append(UInt8(truncatingIfNeeded: separator.value)) }
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        for _ in 0..<width {
            bytes.append(UInt8(48 + number / divisor % 10))
            divisor /= 10
        }
    }

    /// Days since 1970-01-01 to a proleptic Gregorian day (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, ofEra) = (days + 719_468).floorDivided(by: 146_097)
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let dayOfYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    static func days(year: Int, month: Int, day: Int) -> Int64 {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let (era, yearOfEra) = shiftedYear.floorDivided(by: 400)
        let shiftedMonth = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads ASCII digits and separators from the left.
private struct DigitReader {
    private var bytes: ArraySlice<UInt8>

    init(_ text: some StringProtocol) {
        bytes = ArraySlice(text.utf8)
    }

    var isAtEnd: Bool { bytes.isEmpty }

    mutating func skip(_ separator: Unicode.Scalar) -> Bool {
        guard bytes.first == UInt8(truncatingIfNeeded: separator.value) else { return false }
        bytes.removeFirst()
        return true
    }

    mutating func number(_ width: Int) -> Int? {
        guard bytes.count >= width else { return nil }
        var number = 0
        for byte in bytes.prefix(width) {
            guard (48...57).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 48)
        }
        bytes.removeFirst(width)
        return number
    }

    mutating func fraction() -> Double? {
        var (fraction, scale, digits) = (0.0, 0.1, 0)
        while let byte = bytes.first, (48...57).contains(byte) {
            fraction += Double(byte - 48) * scale
            scale /= 10
            digits += 1
            bytes.removeFirst()
        }
        return digits > 0 ? fraction : nil
    }

    /// Seconds east of UTC; 0 where no zone is written.
    mutating func zoneOffset() -> Int? {
        if isAtEnd || skip("Z") { return 0 }
        let sign = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(2), hours < 24 else { return nil }
        _ = skip(":")
        guard isAtEnd || bytes.count == 2 else { return nil }
        let minutes = isAtEnd ? 0 : number(2)
        return minutes.flatMap { $0 < 60 ? sign * (hours * 3600 + $0 * 60) : nil }
    }
}

extension Int64 {
    /// Quotient rounded towards minus infinity, and the remainder that is never negative.
    func floorDivided(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let remainder = ((self % divisor) + divisor) % divisor
        return ((self - remainder) / divisor, remainder)
    }
}
