import TrellisKernel

/// Deals the leads that a rule of the route fits over the reps that may take them. The leads are read in their order
/// and written once per rep; who gets which is reckoned in between, because each deal depends on the one before.
struct Dealing {
    enum Pool: String {
        case turns = "round_robin"
        case load = "least_loaded"
        case territory
    }

    let pool: Pool
    let roster: Roster
    let label: String

    private var settings: HandoffSettings { roster.settings }
    private var tx: Transaction { roster.tx }
    private var hasTerritories: Bool { settings.reps.contains { !$0.value.territories.isEmpty } }

    /// - Parameter condition: SQL over `temp.handoff_candidates`.
    func run(where condition: String) throws {
        let before = try roster.hands(of: pool.rawValue)
        guard before.contains(where: { $0.free > 0 }) else { return }
        if hasTerritories { try look() }
        let fits =
            hasTerritories
            ? "(SELECT group_concat(rep || ':' || rank) FROM temp.handoff_fits AS f WHERE f.lead_id = handoff_candidates.lead_id)"
            : "NULL"
        let rows = try Row.fetchCursor(
            tx.db.cachedStatement(
                sql: """
                    SELECT lead_id, coalesce(\(fits), '') AS fits, coalesce(barred, '') AS barred FROM temp.handoff_candidates
                    WHERE route IS NULL AND \(condition) ORDER BY event_id, lead_id
                    """))
        var deal = Deal(order: pool == .load ? .load : .turns, hands: before)
        var groups: [String: [[Int]]] = [:]
        var chosen: [[Int64]] = Array(repeating: [], count: before.count)
        let atWork =
            settings.offHours == .atWork ? before.map { roster.calendars.of($0.rep).isWorking(at: tx.now) } : []
        while let row = try rows.next() {
            let (fits, barred): (String, String) = (row["fits"], row["barred"])
            let key = "\(fits)|\(barred)"
            let mine = groups[key] ?? groupsToAsk(fits: fits, barred: barred, atWork: atWork)
            groups[key] = mine
            for group in mine {
                guard let hand = deal.next(among: group) else { continue }
                chosen[hand].append(row["lead_id"])
                break
            }
        }
        for (hand, leads) in zip(before, chosen) where !leads.isEmpty {
            try tx.db.cachedStatement(
                sql: """
                    UPDATE temp.handoff_candidates SET rep = ?, route = ? WHERE lead_id IN (SELECT value FROM json_each(?))
                    """
            ).execute(arguments: [
                hand.rep, label, "[\(leads.map(String.init).joined(separator: ","))]",
            ])
        }
        try roster.keep(deal.hands, of: pool.rawValue, before: before)
    }

    /// Of which reps' territories each lead is, and how closely that one is drawn.
    private func look() throws {
        try tx.scratchTable(
            "handoff_fits", columns: "lead_id INTEGER, rep INTEGER, rank INTEGER, PRIMARY KEY (lead_id, rep)")
        for (index, rep) in settings.reps.enumerated() where !rep.value.territories.isEmpty {
            let closest = rep.value.territories.sorted { $0.rank > $1.rank }
            let ranks = closest.map { "WHEN \($0.predicate) THEN \($0.rank)" }.joined(separator: " ")
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO temp.handoff_fits (lead_id, rep, rank)
                    SELECT id, \(index), rank FROM (
                        SELECT id, CASE \(ranks) END AS rank FROM leads
                        WHERE id IN (SELECT lead_id FROM temp.handoff_candidates WHERE route IS NULL))
                    WHERE rank IS NOT NULL
                    """
            ).execute()
        }
    }

    /// Whom a lead may go to, in groups that are asked one after the other.
    private func groupsToAsk(fits: String, barred: String, atWork: [Bool]) -> [[Int]] {
        let out = Set(barred.split(separator: "\u{1F}").map(String.init))
        var ranks: [Int: Int] = [:]
        for fit in fits.split(separator: ",") {
            let parts = fit.split(separator: ":").compactMap { Int($0) }
            if parts.count == 2 { ranks[parts[0]] = parts[1] }
        }
        let mayTake = settings.reps.indices.filter { index in
            guard !out.contains(settings.reps[index].name) else { return false }
            return ranks[index] != nil || (pool != .territory && settings.reps[index].value.territories.isEmpty)
        }
        // The territory that is drawn most closely comes first.
        let byRank =
            pool == .territory
            ? Set(ranks.values).sorted(by: >).map { rank in mayTake.filter { ranks[$0] == rank } } : [mayTake]
        guard !atWork.isEmpty else { return byRank }
        return byRank.flatMap { group in [group.filter { atWork[$0] }, group] }
    }
}
