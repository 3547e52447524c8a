import CTrellisSQLite
import Foundation

/// What `'now'` is to SQL where the clock of a kernel says that it rules SQL too, as a stopped one does in a test. The
/// functions of time (https://www.sqlite.org/lang_datefunc.html) take its moment for `'now'`, also in
/// views and in the defaults of columns. Under any other clock they are SQLite's, untouched.
enum UnrealTime {
    private static let names = ["date", "time", "datetime", "julianday", "unixepoch", "strftime"]

    /// - Parameter handle: a connection, which keeps what is made for it until it is closed.
    static func install(_ clock: KernelClock, on handle: OpaquePointer) throws {
        for name in names {
            let function = try Function(name, clock)
            let code = sqlite3_create_function_v2(
                handle, name, -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, Unmanaged.passRetained(function).toOpaque(),
                { context, count, values in
                    guard let context, let function = sqlite3_user_data(context) else { return }
                    Unmanaged<Function>.fromOpaque(function).takeUnretainedValue().answer(context, Int(count), values)
                }, nil, nil, { $0.map { Unmanaged<Function>.fromOpaque($0).release() } })
            guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        }
    }

    /// One of the functions: SQLite itself reckons, on a connection aside where the function is still its own.
    private final class Function {
        private let name: String
        private let clock: KernelClock
        private let arithmetic: OpaquePointer
        /// By how many arguments they take.
        private var statements: [Int: OpaquePointer] = [:]

        init(_ name: String, _ clock: KernelClock) throws {
            (self.name, self.clock) = (name, clock)
            var handle: OpaquePointer?
            let code = sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil)
            guard code == SQLITE_OK, let handle else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
            arithmetic = handle
        }

        deinit {
            statements.values.forEach { sqlite3_finalize($0) }
            sqlite3_close_v2(arithmetic)
        }

        func answer(_ context: OpaquePointer, _ count: Int, _ values: UnsafeMutablePointer<OpaquePointer?>?) {
            // Without a moment they mean now.
            let isBare = count == (name == "strftime" ? 1 : 0)
            guard let statement = statement(taking: isBare ? count + 1 : count) else {
                return sqlite3_result_error(context, "wrong number of arguments to function \(name)()", -1)
            }
            for index in 0..<count {
                guard let value = values?[index] else { continue }
                if isNow(value) {
                    bindMoment(statement, index + 1)
                } else {
                    sqlite3_bind_value(statement, Int32(index + 1), value)
                }
            }
            if isBare { bindMoment(statement, count + 1) }
            if sqlite3_step(statement) == SQLITE_ROW {
                sqlite3_result_value(context, sqlite3_column_value(statement, 0))
            } else {
                sqlite3_result_error(context, sqlite3_errmsg(arithmetic), -1)
            }
            sqlite3_reset(statement)
        }

        private func statement(taking count: Int) -> OpaquePointer? {
            if let known = statements[count] { return known }
            var statement: OpaquePointer?
            let places = Array(repeating: "?", count: count).joined(separator: ", ")
            guard sqlite3_prepare_v2(arithmetic, "SELECT \(name)(\(places))", -1, &statement, nil) == SQLITE_OK else {
                return nil
            }
            statements[count] = statement
            return statement
        }

        private func bindMoment(_ statement: OpaquePointer, _ index: Int) {
            let moment = Timestamp.text(clock.now())
            _ = trellis_bind_text(statement, Int32(index), moment, Int32(moment.utf8.count))
        }

        private func isNow(_ value: OpaquePointer) -> Bool {
            guard sqlite3_value_type(value) == SQLITE_TEXT, sqlite3_value_bytes(value) == 3,
                let text = sqlite3_value_text(value)
            else { return false }
            return String(cString: text).lowercased() == "now"
        }
    }
}
