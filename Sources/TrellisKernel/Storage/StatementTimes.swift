import Foundation
import Synchronization

/// Where the time of the writer goes: how often each statement ran and how long it took in all. Switched on by
/// `TRELLIS_TRACE=sql`, and printed to standard error when the file is closed.
///
/// SQLite measures in whole milliseconds (https://www.sqlite.org/c3ref/c_trace.html): a short statement is right on
/// average only.
final class StatementTimes: Sendable {
    private struct Spent {
        var runs = 0
        var seconds = 0.0
    }

    private let spent = Mutex<[String: Spent]>([:])

    static func fromEnvironment(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> StatementTimes? {
        let wanted = environment["TRELLIS_TRACE"]?.split(separator: ",").contains("sql") == true
        return wanted ? StatementTimes() : nil
    }

    /// Counts every statement of a connection from now on. What a trigger does counts for the statement that fired it.
    func watch(_ db: Database) {
        db.trace(options: .profile) { event in
            guard case .profile(let statement, let seconds) = event else { return }
            self.add(statement.sql, seconds)
        }
    }

    func add(_ sql: String, _ seconds: Double) {
        spent.withLock {
            $0[sql, default: Spent()].runs += 1
            $0[sql, default: Spent()].seconds += seconds
        }
    }

    /// A line per statement, the dearest first: seconds, runs, and the statement on one line.
    ///
    /// - Parameters:
    ///   - most: lines at most.
    ///   - width: characters of a statement at most.
    func lines(most: Int = 40, width: Int = 160) -> [String] {
        spent.withLock { $0 }.sorted { ($0.value.seconds, $1.key) > ($1.value.seconds, $0.key) }.prefix(most).map {
            sql, spent in
            let text = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(width)
            return String(format: "%8.3f s %8d × ", spent.seconds, spent.runs) + text
        }
    }

    func print() {
        FileHandle.standardError.write(Data((lines().joined(separator: "\n") + "\n").utf8))
    }
}
