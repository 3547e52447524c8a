import TrellisKernel

/// Who takes leads now, and how many more: asked once per rule of the route.
struct Roster {
    let settings: HandoffSettings
    let calendars: Calendars
    let tx: Transaction

    /// Whether a rep is routed any lead at this moment.
    func isThere(_ rep: String) -> Bool {
        guard !calendars.isAbsent(rep) else { return false }
        return settings.offHours != .queue || calendars.of(rep).isWorking(at: tx.now)
    }

    /// How many leads each rep has in hand, those just chosen among them.
    func inHand() throws -> [String: Int] {
        let rows = try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT rep, sum(leads) FROM (
                        SELECT rep, in_hand AS leads FROM handoff_loads
                        UNION ALL SELECT rep, 1 FROM temp.handoff_candidates WHERE rep IS NOT NULL) GROUP BY rep
                    """))
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] as String, $0[1] as Int) })
    }

    /// How many more leads each rep takes that is there.
    func places() throws -> [String: Int] {
        let inHand = try inHand()
        var places: [String: Int] = [:]
        for rep in settings.reps where isThere(rep.name) {
            places[rep.name] = max(0, rep.value.capacity - (inHand[rep.name] ?? 0))
        }
        return places
    }

    /// All reps as the hands of a deal; who is not there has no place.
    func hands(of pool: String) throws -> [Deal.Hand] {
        let (inHand, places) = (try inHand(), try places())
        let turns = try Row.fetchAll(
            tx.db.cachedStatement(sql: "SELECT rep, dealt, entitled FROM handoff_turns WHERE pool = ?"),
            arguments: [pool])
        let known = Dictionary(uniqueKeysWithValues: turns.map { ($0[0] as String, $0) })
        return settings.reps.map { rep in
            Deal.Hand(
                rep: rep.name, weight: rep.value.weight, inHand: inHand[rep.name] ?? 0, free: places[rep.name] ?? 0,
                dealt: known[rep.name].map { $0[1] as Int } ?? 0,
                entitled: known[rep.name].map { $0[2] as Int } ?? 0)
        }
    }

    /// Whose turn it was is kept, so that a restart is no new beginning.
    func keep(_ hands: [Deal.Hand], of pool: String, before: [Deal.Hand]) throws {
        for (hand, was) in zip(hands, before) where hand != was {
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO handoff_turns (pool, rep, dealt, entitled) VALUES (:pool, :rep, :dealt, :entitled)
                    ON CONFLICT (pool, rep) DO UPDATE SET dealt = excluded.dealt, entitled = excluded.entitled
                    """
            ).execute(arguments: ["pool": pool, "rep": hand.rep, "dealt": hand.dealt, "entitled": hand.entitled])
        }
    }

    /// Writes down the reps of the config for whoever asks in SQL; nothing where they stand there already. Who was
    /// missed as an owner of accounts and is there now is missed no more.
    static func note(_ settings: HandoffSettings, _ tx: Transaction) throws {
        let reps = JSONValue.array(
            settings.reps.enumerated().map { position, rep in
                .array([
                    .string(rep.name), .integer(Int64(position)), .integer(Int64(rep.value.weight)),
                    .integer(Int64(rep.value.capacity)), rep.value.zone.map(JSONValue.string) ?? .null,
                ])
            }
        ).text()
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO handoff_reps (rep, position, weight, capacity, zone)
                SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true
                ON CONFLICT (rep) DO UPDATE SET position = excluded.position, weight = excluded.weight, capacity = excluded.capacity, zone = excluded.zone
                WHERE (position, weight, capacity, zone) IS NOT (excluded.position, excluded.weight, excluded.capacity, excluded.zone)
                """
        ).execute(arguments: [reps])
        try tx.db.cachedStatement(
            sql: "DELETE FROM handoff_reps WHERE rep NOT IN (SELECT value ->> 0 FROM json_each(?))"
        ).execute(arguments: [reps])
        let isAsked = settings.route.contains { $0.to.value == HandoffSettings.Target.accountOwner }
        try tx.db.cachedStatement(
            sql: "DELETE FROM handoff_unknown_owners WHERE NOT ? OR owner IN (SELECT rep FROM handoff_reps)"
        ).execute(arguments: [isAsked])
    }
}
