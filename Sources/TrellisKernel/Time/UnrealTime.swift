import Foundation

/// What `'now'` is to SQL where the clock of a kernel says that it rules SQL too, as a stopped one does in a test. The
/// functions of time (https://www.sqlite.org/lang_datefunc.html) take its moment for `'now'`, also in
/// views and in the defaults of columns. Under any other clock they are SQLite's, untouched.
enum UnrealTime {
    private static let names = ["date", "time", "datetime", "julianday", "unixepoch", "strftime"]

    /// - Parameter arithmetic: a connection of its own, which does the reckoning.
    static func install(_ clock: KernelClock, reckoning arithmetic: DatabaseQueue, on db: Database) {
        for name in names {
            db.add(
                function: DatabaseFunction(name, pure: true) { values in
                    let moment = Timestamp.text(clock.now())
                    let hasFormat = name == "strftime"
                    var arguments = values
                    if arguments.count == (hasFormat ? 1 : 0) { arguments.append("now".databaseValue) }
                    arguments = arguments.map { isNow($0) ? moment.databaseValue : $0 }
                    let places = arguments.map { _ in "?" }.joined(separator: ", ")
                    return try arithmetic.read { db in
                        try DatabaseValue.fetchOne(
                            db.cachedStatement(sql: "SELECT \(name)(\(places))"),
                            arguments: StatementArguments(arguments))
                    }
                })
        }
    }

    private static func isNow(_ value: DatabaseValue) -> Bool {
        String.fromDatabaseValue(value)?.lowercased() == "now"
    }
}
