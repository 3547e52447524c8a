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

    /// Where a subscriber is that reads the log lead by lead.
    struct Histories {
        /// The last lead it had.
        let lead: Int64
        /// The last event it is to see.
        let through: Int64
    }

    /// Nil for one that reads the log in its order.
    static func histories(_ id: HookID, _ db: Database) throws -> Histories? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT anew_lead, anew_through FROM subscribers WHERE id = ? AND anew_lead IS NOT NULL"),
            arguments: [id.description]
        ).map { Histories(lead: $0[0], through: $0[1]) }
    }

    /// Moves on to a lead; with nil there are no more, and the log goes on in its order behind what was read.
    static func pass(_ id: HookID, throughLead lead: Int64?, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                UPDATE subscribers SET anew_lead = :lead, last_event_id = iif(:lead IS NULL, anew_through, last_event_id)
                WHERE id = :id
                """
        ).execute(arguments: ["lead": lead, "id": id.description])
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
