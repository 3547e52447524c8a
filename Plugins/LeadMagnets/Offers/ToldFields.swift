import TrellisKernel

/// Which questions a visitor with a cookie has answered before, so that they are asked others in their place.
///
/// The page follows from nothing but what this browser sent: what a lead is known by from elsewhere changes nothing on
/// it. So nobody learns from a form whether an address is known here, not even who sends one with the address of
/// somebody else; and it is kept which columns were told, never what was said.
enum ToldFields {
    /// Nothing where the forms of this browser were of several leads: then nobody knows who sits there. Leads that were
    /// merged are one, also where both told the same and the row of the one that is gone stays.
    static func read(visitor: String, _ db: Database) throws -> Set<String> {
        let fields = try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT field FROM magnets_told WHERE visitor = :visitor AND 1 = (
                        SELECT count(DISTINCT coalesce((SELECT kept_id FROM lead_merges WHERE gone_id = t.lead_id), t.lead_id))
                        FROM magnets_told AS t WHERE t.visitor = :visitor)
                    """), arguments: ["visitor": visitor])
        return Set(fields)
    }

    static func note(_ fields: [String], visitor: String, lead: Int64, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_told (visitor, lead_id, field, at)
                SELECT :visitor, :lead, value, :now FROM json_each(:fields)
                WHERE true ON CONFLICT (visitor, lead_id, field) DO UPDATE SET at = excluded.at
                """
        ).execute(arguments: [
            "visitor": visitor, "lead": lead, "now": tx.stamp,
            "fields": JSONValue.array(fields.map(JSONValue.string)).text(),
        ])
    }

    static func forget(visitor: String, _ tx: Transaction) throws {
        try tx.db.cachedStatement(sql: "DELETE FROM magnets_told WHERE visitor = ?").execute(arguments: [visitor])
    }

    /// What was told to a cookie that is no more.
    static func empty(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: "DELETE FROM magnets_told WHERE at < datetime(?, '-\(Visits.cookieDays) days')"
        ).execute(arguments: [tx.stamp])
    }
}
