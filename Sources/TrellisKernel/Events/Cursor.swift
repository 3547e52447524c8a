/// How far each subscriber has read the log.
enum Cursor {
    static func all(_ db: Database) throws -> [String: Int64] {
        try Row.fetchAll(db.cachedStatement(sql: "SELECT id, last_event_id FROM subscribers")).reduce(into: [:]) {
            $0[$1[0]] = $1[1]
        }
    }

    /// The subscribers that are made anew from the log and are not through yet.
    static func madeAnew(_ db: Database) throws -> Set<String> {
        try Set(
            String.fetchAll(db.cachedStatement(sql: "SELECT id FROM subscribers WHERE last_event_id < anew_through")))
    }

    static func load(_ id: HookID, _ db: Database) throws -> Int64 {
        guard
            let cursor = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT last_event_id FROM subscribers WHERE id = ?"),
                arguments: [id.description])
        else {
            throw KernelError.data(
                "The subscriber \(id) lost its row in 'subscribers'. Start trellis again to make it anew.")
        }
        return cursor
    }

    /// Moves the cursor, in the transaction that holds the effects.
    static func pass(_ id: HookID, through: Int64, _ db: Database) throws {
        try db.cachedStatement(sql: "UPDATE subscribers SET last_event_id = max(last_event_id, ?) WHERE id = ?")
            .execute(arguments: [through, id.description])
    }
}
