import Foundation
import TrellisKernel

/// The versions of the sequences: takes a changed program up as a further one, and decides who goes on with it.
struct Editions {
    let sequences: [RunningSequence]
    let settings: DripSettings
    /// Every kind of event the plugin hears of.
    let kinds: Set<String>
    let db: Database

    /// A change of a sequence that the database does not know yet, and who would move where.
    struct Change {
        let sequence: RunningSequence
        let version: Int
        /// Whether the steps are other ones now; otherwise leads of older versions move to those it has.
        let isNew: Bool
        let moves: [Move]
    }

    /// Leads that go on with another program.
    struct Move {
        let version: Int
        let step: Int
        let restingAt: Int?
        let place: ProgramChange.Place
        let leads: Int
        /// What comes next for them, in words, before and after.
        let before: String
        let after: String
        /// Whether their step fails where they are.
        let isFailing: Bool
        /// Why they do not finish what they began, in words; nil where that is what the sequence asks for.
        let reason: String?
    }

    /// The newest version of each sequence in the database, and whether it is the one of the config.
    private func newest() throws -> [(sequence: RunningSequence, version: Int, isTakenUp: Bool)] {
        let known = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT sequence, max(version), digest FROM drip_versions GROUP BY sequence")
        ).reduce(into: [String: (version: Int, digest: String)]()) { $0[$1[0]] = ($1[1], $1[2]) }
        return sequences.map { ($0, known[$0.name]?.version ?? 0, known[$0.name]?.digest == $0.digest) }
    }

    /// Every version that leads are still in, the current ones among them.
    func inUse(_ current: [Edition]) throws -> [Edition] {
        let older = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT v.sequence, v.version, v.program FROM drip_versions AS v
                    WHERE EXISTS (SELECT 1 FROM drip_enrolments AS e WHERE e.sequence = v.sequence AND e.version = v.version AND e.state = 'active')
                      AND v.version < (SELECT max(version) FROM drip_versions WHERE sequence = v.sequence)
                    ORDER BY v.sequence, v.version
                    """))
        return current
            + (try older.compactMap { row in
                guard let sequence = sequences.first(where: { $0.name == row["sequence"] }) else { return nil }
                return Edition(sequence: sequence, version: row["version"], program: try Program(text: row["program"]))
            })
    }

    /// What taking up the config would change; nothing is written.
    func changes() throws -> [Change] {
        try newest().compactMap { sequence, newest, isTakenUp in
            let version = isTakenUp ? newest : newest + 1
            let before = try Row.fetchAll(
                db,
                sql: """
                    SELECT e.version, e.step, e.resting_at, e.failures > 0 AS is_failing, count(*) AS leads, v.program
                    FROM drip_enrolments AS e LEFT JOIN drip_versions AS v ON v.sequence = e.sequence AND v.version = e.version
                    WHERE e.sequence = ? AND e.state = 'active' AND e.version < ? GROUP BY e.version, e.step, e.resting_at, is_failing
                    """, arguments: [sequence.name, version])
            let moves = try before.compactMap { row -> Move? in
                // From before versions were kept: the program of then is not known, and taken for the one of now.
                guard let text: String = row["program"] else { return nil }
                let old = try Program(text: text)
                let isFailing: Bool = row["is_failing"]
                let isUnheard = !isTakenUp && !old.awaitedKinds.isSubset(of: kinds)
                let reason =
                    isUnheard
                    ? "they wait for what is no longer heard of" : isFailing ? "their step fails" : nil
                guard sequence.settings.onEdit == .migrate || reason != nil else { return nil }
                let place = ProgramChange(from: old, to: sequence.program)
                    .place(restingAt: row["resting_at"], step: row["step"])
                return Move(
                    version: row["version"], step: row["step"], restingAt: row["resting_at"], place: place,
                    leads: row["leads"], before: Editions.line(row["step"], of: old),
                    after: Editions.line(place.step, of: sequence.program), isFailing: isFailing,
                    reason: reason)
            }
            if isTakenUp, moves.isEmpty { return nil }
            return Change(sequence: sequence, version: version, isNew: !isTakenUp, moves: moves)
        }
    }

    /// Sequences that are not in the config any more, and how many leads are in each: they leave when it is taken up.
    func removed() throws -> [(name: String, leads: Int64)] {
        let known = sequences.map(\.name.sqlLiteral).joined(separator: ", ")
        return try Row.fetchAll(
            db,
            sql: """
                SELECT sequence, count(*) FROM drip_enrolments WHERE state = 'active' AND sequence NOT IN (\(known))
                GROUP BY sequence ORDER BY sequence
                """
        ).map { ($0[0], $0[1]) }
    }

    private static func line(_ step: Int, of program: Program) -> String {
        program.lines.indices.contains(step) ? program.lines[step] : "end"
    }

    /// Takes the config up: writes the versions that are new, and moves who is to move, also where `on_edit` alone says
    /// so since. Returns the newest of each sequence.
    func adopt(_ tx: Transaction) throws -> [Edition] {
        let newest = try newest()
        if try newest.contains(where: { !$0.isTakenUp }) || isAnyBehind() {
            for change in try changes() {
                let sequence = change.sequence
                if change.isNew {
                    try tx.db.execute(
                        sql: """
                            INSERT INTO drip_versions (sequence, version, digest, program, adopted_at) VALUES (?, ?, ?, ?, ?)
                            """, arguments: [sequence.name, change.version, sequence.digest, sequence.text, tx.stamp])
                    try carryTests(to: change, tx)
                }
                for move in change.moves { try apply(move, of: change, tx) }
            }
        }
        return newest.map {
            Edition(
                sequence: $0.sequence, version: $0.isTakenUp ? $0.version : $0.version + 1, program: $0.sequence.program
            )
        }
    }

    /// Whether leads are in an older version who do not finish it: `on_edit` says so since, or their step fails there.
    private func isAnyBehind() throws -> Bool {
        let moving = sequences.filter { $0.settings.onEdit == .migrate }.map(\.name.sqlLiteral)
        let isHere = "e.sequence = v.sequence AND e.version = v.version"
        return try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM drip_versions AS v WHERE v.version < (SELECT max(version) FROM drip_versions WHERE sequence = v.sequence)
                          AND (EXISTS (SELECT 1 FROM drip_enrolments AS e WHERE \(isHere) AND e.failures > 0)
                               OR v.sequence IN (\(moving.joined(separator: ", ")))
                                  AND EXISTS (SELECT 1 FROM drip_enrolments AS e WHERE \(isHere) AND e.state = 'active')))
                    """)) ?? false
    }

    /// A test without a name is called by its place. Where that is another one now, and the arms and what they are
    /// judged by are the same, it is the same test: it goes on with its leads, shares and winner. Leads who stay
    /// with an older version find them under the name of then.
    private func carryTests(to change: Change, _ tx: Transaction) throws {
        let name = change.sequence.name
        let text = try String.fetchOne(
            tx.db,
            sql: "SELECT program FROM drip_versions WHERE sequence = ? AND version < ? ORDER BY version DESC LIMIT 1",
            arguments: [name, change.version])
        guard let text else { return }
        let before = try Program(text: text).tests
        let moved = change.sequence.program.tests.compactMap { test in
            before.contains { $0.name == test.name && $0.isSame(as: test) }
                ? nil : before.first { $0.isSame(as: test) }.map { (from: $0.name, to: test.name) }
        }
        // Read before anything is written: two tests may have changed places.
        for (table, columns) in [
            ("drip_arms", "lead_id, arm, event_id, at, round, converted_at"),
            (
                "drip_arm_shares",
                "arm, share, round, counted, mean, low, high, probability, is_winner, decided_by, verdict, updated_at"
            ),
        ] {
            try tx.db.execute(sql: "DROP TABLE IF EXISTS temp.drip_carried")
            try tx.db.execute(
                sql: "CREATE TEMP TABLE drip_carried AS SELECT test, \(columns) FROM \(table) WHERE sequence = ?",
                arguments: [name])
            for test in moved {
                try tx.db.execute(
                    sql: "DELETE FROM \(table) WHERE sequence = ? AND test = ?", arguments: [name, test.to])
                try tx.db.execute(
                    sql: """
                        INSERT INTO \(table) (sequence, test, \(columns)) SELECT ?, ?, \(columns) FROM temp.drip_carried WHERE test = ?
                        """, arguments: [name, test.to, test.from])
            }
            try tx.db.execute(sql: "DROP TABLE temp.drip_carried")
        }
    }

    private func apply(_ move: Move, of change: Change, _ tx: Transaction) throws {
        let place = move.place
        var due = move.isFailing ? tx.stamp.sqlLiteral : "due_at"
        if place.isOtherWait, let wait = place.restingAt {
            switch change.sequence.program.operations[wait].act {
            case .wait(let seconds), .waitFor(_, _, _, let seconds?, _):
                due = "strftime('%Y-%m-%d %H:%M:%f', arrived_at, '+\(seconds) seconds')"
            case .waitFor: due = "'\(Rest.never)'"
            default: break
            }
        }
        try tx.db.execute(
            sql: """
                UPDATE drip_enrolments SET version = :version, step = :step, resting_at = :rest, due_at = \(due), is_shifted = 0,
                    \(FailingSteps.none)
                WHERE sequence = :sequence AND state = 'active' AND version = :old AND step = :old_step AND resting_at IS :old_rest
                  AND (failures > 0) = :is_failing
                """,
            arguments: [
                "version": change.version, "step": place.step, "rest": place.restingAt,
                "sequence": change.sequence.name,
                "old": move.version, "old_step": move.step, "old_rest": move.restingAt,
                "is_failing": move.isFailing,
            ])
        // A wait for a day of another column is reckoned as if the lead had just come to it.
        if place.isOtherWait, let wait = place.restingAt,
            case .waitUntil(let moment) = change.sequence.program.operations[wait].act
        {
            let edition = Edition(sequence: change.sequence, version: change.version, program: change.sequence.program)
            try Rest(edition: edition, settings: settings, tx: tx)
                .reckon(moment, at: wait, among: edition.condition + " AND resting_at = \(wait)")
        }
        try Tick.wake(where: "sequence = \(change.sequence.name.sqlLiteral) AND version = \(change.version)", tx)
    }
}
