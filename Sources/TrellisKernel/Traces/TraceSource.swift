/// Rows that an event caused and that are no events themselves, such as an entry of a ledger: `trellis trace NOUN:ID`
/// finds one, and each stands in the tree below what caused it.
///
/// ```swift
/// TraceSource("score", of: "scoring_entries", cause: "t.event_id", says: "'scored ' || t.points || ' for ' || t.rule")
/// ```
public struct TraceSource: Sendable {
    /// What the row is called before its id: `score:88`.
    public let noun: String
    let table: String
    let cause: String
    let at: String
    let sentence: String
    let events: String?

    /// - Parameters:
    ///   - table: has the columns `id` and `lead_id`, and an index on the latter.
    ///   - cause: SQL over the row `t`: the event that caused it, or NULL.
    ///   - at: SQL over `t`: when that was.
    ///   - says: SQL over `t`: what the row is, in words without names or addresses.
    ///   - events: a SELECT over `t` of the ids of events that the row led to; they stand below it.
    public init(
        _ noun: String, of table: String, cause: String, at: String = "t.at", says sentence: String,
        events: String? = nil
    ) {
        self.noun = noun
        self.table = table
        self.cause = cause
        self.at = at
        self.sentence = sentence
        self.events = events
    }

    /// The rows as `noun, id, lead_id, cause_id, at, says, events`.
    func select(where condition: String) -> String {
        // What another program wrote may leave a part of it NULL.
        let ids = events.map { "(SELECT json_group_array(e.id) FROM events AS e WHERE e.id IN (\($0)))" } ?? "NULL"
        return """
            SELECT \(noun.sqlLiteral) AS noun, t.id, t.lead_id, \(cause) AS cause_id, coalesce(\(at), '') AS at,
                   coalesce(\(sentence), \(noun.sqlLiteral)) AS says, \(ids) AS events
            FROM \(table) AS t WHERE \(condition)
            """
    }

    /// The nouns that may stand before an id, with these plugins.
    public static func nouns(of plugins: [any Plugin.Type]) -> [String] {
        ["event"] + (ofKernel + plugins.flatMap { $0.traces }).map(\.noun)
    }

    /// Those of the kernel itself.
    static let ofKernel = [
        TraceSource(
            "mail", of: "outbox_messages", cause: "t.cause_id", at: "t.created_at",
            says: """
                CASE t.transport WHEN 'mail' THEN 'mail ' ELSE t.transport || ' ' END || t.template || CASE t.state
                    WHEN 'sent' THEN ' sent' WHEN 'waiting' THEN ' waits in the outbox' WHEN 'sending' THEN ' is being sent'
                    WHEN 'inflight' THEN ' is being sent' WHEN 'unknown' THEN ' sent or not, nobody knows'
                    ELSE ' ' || t.state END
                """,
            events: """
                SELECT m.id FROM events AS m WHERE m.lead_id = t.lead_id AND m.kind GLOB 'mail.*' AND json_extract(m.body, '$.message_id') = t.id
                """)
    ]
}
