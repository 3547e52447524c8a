import TrellisKernel

/// What the rep is told: who the lead is, and what it did.
struct Briefing {
    let leadID: Int64

    func values(_ db: Database) throws -> [String: String] {
        guard let lead = try Row.fetchOne(db, sql: "SELECT * FROM leads WHERE id = ?", arguments: [leadID]) else {
            return [:]
        }
        let name = [lead["first_name"] as String?, lead["last_name"] as String?].compactMap { $0 }.joined(
            separator: " ")
        let facts = ["title", "company", "industry", "city", "country", "email", "phone", "source", "campaign"]
            .compactMap { column in
                (lead[column] as String?).map { "\(column): \($0)" }
            }
        let history = try String.fetchAll(
            db,
            sql: """
                SELECT date(at) || ' ' || kind || coalesce(' ' || coalesce(
                    json_extract(body, '$.magnet'), json_extract(body, '$.mail'), json_extract(body, '$.webinar')), '')
                FROM lead_timeline WHERE lead_id = ? AND kind NOT IN ('lead.updated') ORDER BY event_id DESC LIMIT 12
                """, arguments: [leadID])
        return [
            "lead_name": name.isEmpty ? "Lead \(leadID)" : name,
            "lead_facts": facts.joined(separator: " · "),
            "lead_history": history.joined(separator: " · "),
        ]
    }
}
