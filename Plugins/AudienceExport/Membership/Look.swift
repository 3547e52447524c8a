import Foundation
import TrellisKernel

/// Looks who is in an audience now, at all leads or at those that changed, and notes who came and who left.
struct Look {
    let audience: Audiences.Audience
    let audiences: Audiences
    let upkeep: Upkeep
    let tx: Transaction

    /// At everybody: set-based statements, however many leads there are. Only the moments of those who turn before the
    /// next such look are found one by one, up to ``Turns/leadsMax`` of them.
    ///
    /// - Parameter isFirst: whether the audience has only just begun. Nobody enters it then, they are in it; except the
    ///   leads that are in the list of changed ones, for those come after it.
    func atAll(isFirst: Bool = false) throws {
        try tx.scratchTable("audiences_found", columns: "lead_id INTEGER PRIMARY KEY")
        let members = audiences.members(audience)
        try tx.db.execute(
            sql: "INSERT INTO temp.audiences_found (lead_id) \(members)",
            arguments: audiences.arguments(members, at: tx.stamp))
        if isFirst { try begin() }
        // Whoever is in it already, and whoever is found.
        try note(
            of: """
                SELECT a.lead_id, c.cause_id FROM (
                    SELECT lead_id FROM audiences_members WHERE audience = :audience AND until IS NULL
                    UNION SELECT lead_id FROM temp.audiences_found) AS a
                LEFT JOIN temp.audiences_changed AS c ON c.lead_id = a.lead_id
                """)
        try tx.db.cachedStatement(sql: "UPDATE audiences_audiences SET looked_at = ? WHERE name = ?")
            .execute(arguments: [tx.stamp, audience.name])
        try Turns(look: self).noteAll(found: audience.value.partNames.isEmpty ? "audiences_found" : nil)
        try planNext()
    }

    /// At the leads of `temp.audiences_changed` alone.
    func atChanged() throws {
        guard upkeep.obstacle == nil else { return }
        try tx.scratchTable("audiences_found", columns: "lead_id INTEGER PRIMARY KEY")
        try find()
        try Turns(look: self).noteChanged()
        try keepParts()
        try note(of: "SELECT lead_id, cause_id FROM temp.audiences_changed")
    }

    // MARK: - Who is found

    private func find() throws {
        guard let sql = audiences.ownSQL(audience) else {
            let parts = audience.value.parts.map { $0.value.sqlLiteral }.joined(separator: ", ")
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO temp.audiences_found (lead_id)
                    SELECT c.lead_id FROM temp.audiences_changed AS c WHERE EXISTS (
                        SELECT 1 FROM audiences_members AS m WHERE m.audience IN (\(parts)) AND m.lead_id = c.lead_id AND m.until IS NULL)
                    """
            ).execute()
            return
        }
        try findOwn(sql, into: "audiences_found", at: tx.stamp)
    }

    /// Puts those of the list whom its own SELECT finds at a moment into a temp table.
    func findOwn(_ sql: String, into table: String, at stamp: String) throws {
        guard upkeep.isByLead else {
            let listed = Upkeep.listed(sql)
            try tx.db.cachedStatement(sql: "INSERT OR IGNORE INTO temp.\(table) (lead_id) \(listed)")
                .execute(arguments: audiences.arguments(listed, at: stamp))
            return
        }
        let single = try tx.db.cachedStatement(sql: Upkeep.single(sql))
        let insert = try tx.db.cachedStatement(sql: "INSERT INTO temp.\(table) (lead_id) VALUES (?)")
        for lead in try Int64.fetchAll(tx.db.cachedStatement(sql: "SELECT lead_id FROM temp.audiences_changed")) {
            let arguments = audiences.arguments(sql, at: stamp, ["lead": lead])
            if try Bool.fetchOne(single, arguments: arguments) == true { try insert.execute(arguments: [lead]) }
        }
    }

    /// Takes out whoever is in no part of it, or in one nobody may be in.
    private func keepParts() throws {
        func isMember(_ names: [LocatedText]) -> String {
            """
            EXISTS (SELECT 1 FROM audiences_members AS m WHERE m.audience IN (\(names.map { $0.value.sqlLiteral }.joined(separator: ", ")))
                    AND m.lead_id = temp.audiences_found.lead_id AND m.until IS NULL)
            """
        }
        if audience.value.sql != nil, !audience.value.parts.isEmpty {
            try tx.db.cachedStatement(
                sql: "DELETE FROM temp.audiences_found WHERE NOT \(isMember(audience.value.parts))"
            ).execute()
        }
        if !audience.value.without.isEmpty {
            try tx.db.cachedStatement(
                sql: "DELETE FROM temp.audiences_found WHERE \(isMember(audience.value.without))"
            ).execute()
        }
    }

    // MARK: - What is noted

    /// Who is in an audience as it begins is a member without having entered.
    private func begin() throws {
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_members (audience, lead_id, since)
                SELECT :audience, lead_id, :now FROM temp.audiences_found
                WHERE lead_id NOT IN (SELECT lead_id FROM temp.audiences_changed)
                """, arguments: ["audience": audience.name, "now": tx.stamp])
    }

    /// - Parameter leads: the leads that are looked at, with the cause of each.
    private func note(of leads: String) throws {
        try tx.scratchTable(
            "audiences_moves", columns: "lead_id INTEGER PRIMARY KEY, enters INTEGER NOT NULL, cause_id INTEGER")
        // Of a lead that is no more there may be rows that it is found by. IN looks a rowid up in its table, which
        // costs less than a subquery.
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.audiences_moves (lead_id, enters, cause_id)
                SELECT lead_id, NOT is_member, cause_id FROM (
                    SELECT l.lead_id, l.cause_id,
                           l.lead_id IN (SELECT lead_id FROM temp.audiences_found) AND l.lead_id IN (SELECT id FROM leads) AS is_found,
                           EXISTS (SELECT 1 FROM audiences_members
                                   WHERE audience = :audience AND lead_id = l.lead_id AND until IS NULL) AS is_member
                    FROM (\(leads)) AS l)
                WHERE is_found <> is_member
                """
        ).execute(arguments: ["audience": audience.name])
        if tx.db.changesCount > 0 { try move() }
    }

    private func move() throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE audiences_members SET until = :now
                WHERE audience = :audience AND lead_id IN (SELECT lead_id FROM temp.audiences_moves WHERE NOT enters) AND until IS NULL
                """
        ).execute(arguments: ["now": tx.stamp, "audience": audience.name])
        // Who left and came back within one moment never left.
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO audiences_members (audience, lead_id, since)
                SELECT :audience, lead_id, :now FROM temp.audiences_moves WHERE enters
                ON CONFLICT (audience, lead_id, since) DO UPDATE SET until = NULL
                """
        ).execute(arguments: ["now": tx.stamp, "audience": audience.name])
        if audience.value.events {
            for (kind, enters) in [("audience.left", 0), ("audience.entered", 1)] {
                try tx.emit(
                    kind,
                    forEach: """
                        SELECT lead_id, cause_id, json_object('audience', :audience) AS body FROM temp.audiences_moves
                        WHERE enters = \(enters) ORDER BY lead_id
                        """, arguments: ["audience": audience.name])
            }
        }
        // What is made of this one looks at them too.
        try tx.db.cachedStatement(
            sql:
                "INSERT OR IGNORE INTO temp.audiences_changed (lead_id, cause_id) SELECT lead_id, cause_id FROM temp.audiences_moves"
        ).execute()
    }

    /// Seconds until all leads are looked at again, where the clock is asked.
    var spacing: Double { Double(max(audience.value.every.seconds, 60)) }

    /// An audience that asks the clock is looked at again by and by, whatever happens.
    private func planNext() throws {
        guard upkeep.asksClock else { return }
        let due = Timestamp.text(tx.now + spacing)
        // An appointment that was made by a longer interval would come after moments that nobody looked for.
        try tx.db.cachedStatement(sql: "DELETE FROM scheduled_events WHERE key = ? AND due_at > ?")
            .execute(arguments: ["audiences clock \(audience.name)", due])
        try tx.schedule(
            "audiences.refresh_due",
            forEach: """
                SELECT 'audiences clock ' || :audience AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id,
                       json_object('audience', :audience) AS body
                """,
            arguments: ["audience": audience.name, "due": due])
    }
}
