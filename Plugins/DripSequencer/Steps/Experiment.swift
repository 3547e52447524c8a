import Foundation
import TrellisKernel

/// A test of a sequence on the rows: gives each lead its arm, notes the outcomes, and judges the arms by them.
struct Experiment {
    let test: Operation.SplitTest
    let sequence: RunningSequence
    let tx: Transaction

    /// How often the arms are judged while there are leads in the test.
    static let judgementSeconds = 3600.0

    private var isThis: String { "sequence = \(sequence.name.sqlLiteral) AND test = \(test.name.sqlLiteral)" }
    private var arms: [String] { test.mails.map(\.mail) }

    // MARK: - Arms

    /// Gives an arm to the leads of `temp.drip_due` that a condition finds. Who has one keeps it, as long as the test
    /// has that arm: who came by one that was taken out would get nothing.
    func assign(_ here: String) throws {
        let isAny = try Bool.fetchOne(
            tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM temp.drip_due WHERE \(here))"))
        guard isAny == true else { return }
        let (shares, round) = try shares()
        let split = Split(
            test: "\(sequence.name):\(test.name)", weights: zip(arms, shares).map { ($0, $1) }, holdout: test.holdout)
        try tx.db.execute(
            sql: """
                INSERT INTO drip_arms (sequence, test, lead_id, arm, event_id, at, round)
                SELECT :sequence, :test, lead_id, coalesce(\(split.armSQL(lead: "lead_id")), ''),
                       (SELECT coalesce(max(id), 0) FROM events), :now, :round
                FROM temp.drip_due WHERE \(here)
                ON CONFLICT (sequence, test, lead_id) DO UPDATE SET
                    arm = excluded.arm, event_id = excluded.event_id, at = excluded.at, round = excluded.round, converted_at = NULL
                WHERE arm NOT IN (\(armsAndHoldout.map(\.sqlLiteral).joined(separator: ", ")))
                """, arguments: ["sequence": sequence.name, "test": test.name, "now": tx.stamp, "round": round])
        try appoint()
    }

    /// The shares of now, in the order of the arms; at the beginning, and where the arms are others now, the weights.
    private func shares() throws -> (shares: [Double], round: Int) {
        let rows = try Row.fetchAll(
            tx.db.cachedStatement(sql: "SELECT arm, share, round FROM drip_arm_shares WHERE \(isThis)"))
        let known = rows.reduce(into: [String: Double]()) { $0[$1["arm"]] = $1["share"] }
        let round = rows.map { $0["round"] as Int }.max() ?? 0
        if Set(known.keys) == Set(armsAndHoldout) { return (arms.map { known[$0] ?? 0 }, round) }
        try tx.db.execute(sql: "DELETE FROM drip_arm_shares WHERE \(isThis)")
        let weights = Split.rounded(test.mails.map(\.weight), to: Bucket.count).map {
            Double($0) / Double(Bucket.count)
        }
        for arm in armsAndHoldout {
            try tx.db.execute(
                sql:
                    "INSERT INTO drip_arm_shares (sequence, test, arm, share, round, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    sequence.name, test.name, arm,
                    arms.firstIndex(of: arm).map { weights[$0] * (1 - test.holdout) } ?? test.holdout, round + 1,
                    tx.stamp,
                ])
        }
        return (weights, round + 1)
    }

    private var armsAndHoldout: [String] { arms + (test.holdout > 0 ? [""] : []) }

    // MARK: - Outcomes

    /// Notes who did in this batch what the test asks for, within its time. A click counts for the mail of the arm.
    func note(_ kinds: Set<String>) throws {
        guard let kind = sequence.outcomeKind(of: test), kinds.contains(kind) else { return }
        let isOfMail = test.optimise == .goal ? "" : "AND json_extract(b.body, '$.mail') = drip_arms.arm"
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_arms SET converted_at = (
                    SELECT b.at FROM batch AS b WHERE b.kind = :kind AND b.lead_id = drip_arms.lead_id
                      AND b.id > drip_arms.event_id \(isOfMail)
                      AND b.at <= strftime('%Y-%m-%d %H:%M:%f', drip_arms.at, '+\(test.withinSeconds) seconds')
                    ORDER BY b.id LIMIT 1)
                WHERE \(isThis) AND lead_id IN (SELECT lead_id FROM batch WHERE kind = :kind) AND converted_at IS NULL
                """
        ).execute(arguments: ["kind": kind])
    }

    private func appoint() throws {
        try tx.schedule(
            "drip.judgement_due",
            forEach: """
                SELECT 'drip.judge ' || :sequence || ' ' || :test AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id,
                       json_object('sequence', :sequence, 'test', :test) AS body
                """,
            arguments: [
                "sequence": sequence.name, "test": test.name,
                "due": Timestamp.text(tx.now + Experiment.judgementSeconds),
            ])
    }

    // MARK: - Judgement

    func isToBeJudged() throws -> Bool {
        try Bool.fetchOne(
            tx.db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM batch WHERE kind = 'drip.judgement_due'
                               AND json_extract(body, '$.sequence') = ? AND json_extract(body, '$.test') = ?)
                """, arguments: [sequence.name, test.name]) ?? false
    }

    /// Says what is known of each arm, and what share it gets from here on. A test that was decided stays decided.
    func judge() throws {
        let state = try Row.fetchOne(
            tx.db,
            sql:
                "SELECT max(round) AS round, max(counted) AS counted, max(decided_by) AS decided_by FROM drip_arm_shares WHERE \(isThis)"
        )
        guard let state, let round: Int = state["round"] else { return }
        let standings = try standings()
        let verdict = Verdict(standings)
        let isOpen = state["decided_by"] as String? == nil
        if isOpen {
            let weights = test.mails.map(\.weight)
            if verdict.decision != .tooEarly {
                try take(verdict.decision.shares(standings, weights: weights), round: round + 1, standings, by: "test")
                if case .winner(let arm) = verdict.decision { try crown(arms[arm]) }
            } else if Allocation.isDue(standings, countedBefore: state["counted"] ?? 0) {
                try take(Allocation.shares(standings), round: round + 1, standings, by: nil)
            }
        }
        try describe(
            standings, isOpen ? [verdict.sentence, verdict.lift].compactMap { $0 }.joined(separator: "; ") : nil)
        if isOpen, verdict.decision == .tooEarly { try appoint() }
    }

    private func standings() throws -> Standings {
        var standings = Standings(arms: arms)
        let isOpen = "at > '\(Timestamp.text(tx.now - Double(test.withinSeconds)))'"
        let rows = try Row.fetchAll(
            tx.db,
            sql: """
                SELECT arm, round, count(*) AS sent, count(converted_at) FILTER (WHERE NOT (\(isOpen))) AS converted,
                       count(*) FILTER (WHERE \(isOpen)) AS open
                FROM drip_arms WHERE \(isThis) GROUP BY arm, round
                """)
        for row in rows {
            let arm: String = row["arm"]
            standings.add(
                ArmTally(sent: row["sent"], converted: row["converted"], open: row["open"]),
                arm: arm.isEmpty ? nil : arm,
                round: row["round"])
        }
        return standings
    }

    private func take(_ shares: [Double], round: Int, _ standings: Standings, by decider: String?) throws {
        let total = shares.reduce(0, +)
        for (arm, share) in zip(arms, shares) {
            try tx.db.execute(
                sql: "UPDATE drip_arm_shares SET share = ? WHERE \(isThis) AND arm = ?",
                arguments: [total > 0 ? share / total * (1 - test.holdout) : 0, arm])
        }
        try tx.db.execute(
            sql: "UPDATE drip_arm_shares SET round = ?, counted = ?, decided_by = ?, updated_at = ? WHERE \(isThis)",
            arguments: [round, standings.counted, decider, tx.stamp])
    }

    private func crown(_ arm: String) throws {
        try tx.db.execute(sql: "UPDATE drip_arm_shares SET is_winner = (arm = ?) WHERE \(isThis)", arguments: [arm])
    }

    /// The numbers of each arm beside its share. The sentence of a decided test stays as it was.
    private func describe(_ standings: Standings, _ sentence: String?) throws {
        let posteriors = standings.posteriors
        let chances = BetaPosterior.chancesOfBeingBest(posteriors)
        for (index, arm) in arms.enumerated() where standings.totals[index].counted > 0 {
            let interval = posteriors[index].interval()
            try tx.db.execute(
                sql: """
                    UPDATE drip_arm_shares SET mean = ?, low = ?, high = ?, probability = ?, verdict = coalesce(?, verdict), updated_at = ?
                    WHERE \(isThis) AND arm = ?
                    """,
                arguments: [
                    posteriors[index].mean, interval.lowerBound, interval.upperBound, chances[index], sentence,
                    tx.stamp,
                    arm,
                ])
        }
        try tx.db.execute(
            sql: "UPDATE drip_arm_shares SET verdict = coalesce(?, verdict) WHERE \(isThis)", arguments: [sentence])
    }

    /// A person decides: all leads from here on get this mail.
    func decide(for arm: String, by who: String) throws {
        let (_, round) = try shares()
        let standings = try standings()
        try take(arms.map { $0 == arm ? 1 : 0 }, round: round + 1, standings, by: who)
        try crown(arm)
        try describe(standings, "\(arm) was chosen by hand")
    }
}
