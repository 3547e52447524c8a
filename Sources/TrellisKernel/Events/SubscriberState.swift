/// How far a subscriber has read, and what it was doing when the process died.
struct SubscriberState: Sendable {
    var lastEventID: Int64
    /// The end of a batch that was marked before it ran; nil where none was.
    var runningThrough: Int64?
    /// The one event of it that was marked before it ran alone.
    var runningEvent: Int64?

    private init(_ row: Row) {
        lastEventID = row["last_event_id"]
        runningThrough = row["running_through"]
        runningEvent = row["running_event"]
    }

    static func all(_ db: Database) throws -> [String: SubscriberState] {
        try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM subscribers")).reduce(into: [:]) { $0[$1["id"]] = SubscriberState($1) }
    }

    static func load(_ id: HookID, _ db: Database) throws -> SubscriberState {
        guard let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM subscribers WHERE id = ?"), arguments: [id.description])
        else { throw KernelError.data("The subscriber \(id) lost its row in 'subscribers'. Start trellis again to make it anew.") }
        return SubscriberState(row)
    }

    /// Moves the cursor, in the transaction that holds the effects, and clears the marks it passes.
    static func pass(_ id: HookID, through: Int64, _ db: Database) throws {
        try db.cachedStatement(sql: """
            UPDATE subscribers SET last_event_id = max(last_event_id, :through), running_event = NULL,
                running_through = CASE WHEN running_through > :through THEN running_through END
            WHERE id = :id
            """).execute(arguments: ["through": through, "id": id.description])
    }

    static func mark(_ id: HookID, through: Int64, event: Int64?, _ db: Database) throws {
        try db.cachedStatement(sql: "UPDATE subscribers SET running_through = ?, running_event = ? WHERE id = ?")
            .execute(arguments: [through, event, id.description])
    }
}
