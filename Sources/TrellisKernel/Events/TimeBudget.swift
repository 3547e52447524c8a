import CTrellisSQLite

/// Interrupts SQL that runs longer than it may: SQLite asks every 10,000 steps of its virtual machine whether to go on
/// (https://www.sqlite.org/c3ref/progress_handler.html). An interrupted write rolls its whole transaction back.
struct TimeBudget {
    private let duration: Duration

    /// Whether one is running on this connection: SQLite asks one at a time.
    @TaskLocal private static var isRunning = false

    init(_ duration: Duration) {
        self.duration = duration
    }

    /// The same, for what is often part of something that has a budget already: the outer one holds for both.
    static func within<T>(_ duration: Duration, on db: Database, _ body: () throws -> T) throws -> T {
        isRunning ? try body() : try TimeBudget(duration).run(on: db, body)
    }

    func run<T>(on db: Database, _ body: () throws -> T) throws -> T {
        guard let connection = db.sqliteConnection else { return try body() }
        let deadline = Deadline(ContinuousClock.now + duration)
        sqlite3_progress_handler(
            connection, 10_000,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Deadline>.fromOpaque(context).takeUnretainedValue().hasPassed ? 1 : 0
            }, Unmanaged.passUnretained(deadline).toOpaque())
        defer {
            sqlite3_progress_handler(connection, 0, nil, nil)
            withExtendedLifetime(deadline) {}
        }
        return try TimeBudget.$isRunning.withValue(true, operation: body)
    }

    private final class Deadline: Sendable {
        private let instant: ContinuousClock.Instant

        init(_ instant: ContinuousClock.Instant) {
            self.instant = instant
        }

        var hasPassed: Bool { ContinuousClock.now > instant }
    }
}
