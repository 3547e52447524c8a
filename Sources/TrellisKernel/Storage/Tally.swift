import CTrellisSQLite

extension Transaction {
    /// Counts rows while a statement passes over them: in it `tally(n)` is `n`, and counts one for that number. So one
    /// pass both chooses rows and says how many were left out for which reason, however many there are.
    ///
    /// - Parameters:
    ///   - numbers: how many there are, from 0. Any other value is not counted.
    ///   - work: runs the statements. Before and after it there is no such function.
    /// - Returns: the counts, by number.
    public func tally(_ numbers: Int, _ work: () throws -> Void) throws -> [Int] {
        guard let handle = db.sqliteConnection else { return [] }
        let counts = TallyCounts(numbers)
        try TallyCounts.define(counts, on: handle)
        defer { try? TallyCounts.define(nil, on: handle) }
        try work()
        return counts.counts
    }
}

/// What `tally(n)` counts into.
private final class TallyCounts {
    var counts: [Int]

    init(_ numbers: Int) {
        counts = [Int](repeating: 0, count: numbers)
    }

    /// Defines the function on a connection, or takes it away (https://www.sqlite.org/c3ref/create_function.html).
    static func define(_ counts: TallyCounts?, on handle: OpaquePointer) throws {
        let code: Int32
        if let counts {
            code = sqlite3_create_function_v2(
                handle, "tally", 1, SQLITE_UTF8, Unmanaged.passRetained(counts).toOpaque(),
                { context, _, values in
                    guard let context, let value = values?[0], let counts = sqlite3_user_data(context) else { return }
                    guard sqlite3_value_type(value) == SQLITE_INTEGER else {
                        return sqlite3_result_value(context, value)
                    }
                    let number = sqlite3_value_int64(value)
                    Unmanaged<TallyCounts>.fromOpaque(counts).takeUnretainedValue().count(number)
                    sqlite3_result_int64(context, number)
                }, nil, nil, { $0.map { Unmanaged<TallyCounts>.fromOpaque($0).release() } })
        } else {
            code = sqlite3_create_function_v2(handle, "tally", 1, SQLITE_UTF8, nil, nil, nil, nil, nil)
        }
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }

    private func count(_ number: Int64) {
        guard number >= 0, number < Int64(counts.count) else { return }
        counts[Int(number)] += 1
    }
}
