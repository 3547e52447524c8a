import TrellisKernel

/// What people do with the tasks of sequences in a simulation, and what became of the sequences.
enum SimulatedSequences {
    static let act = SimulatedAct(
        "task.done", ofEach: "tasks", after: .init("task.created", subject: "chance.body ->> 'task_kind'"),
        knownBy: .init(["task.done"], where: "trace.body ->> 'task' = chance.body ->> 'task'"),
        usual: .init(0.7, after: 2 * 86_400)
    ) { tx in
        try tx.scratchTable("drip_simulated", columns: "id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO temp.drip_simulated
                SELECT t.id FROM temp.simulated AS s JOIN events AS chance ON chance.id = s.chance_id
                JOIN drip_tasks AS t ON t.id = chance.body ->> 'task' WHERE t.state = 'open'
                """
        ).execute()
        guard tx.db.changesCount > 0 else { return }
        let isOfThem = "id IN (SELECT id FROM temp.drip_simulated)"
        try tx.db.cachedStatement(sql: "UPDATE drip_tasks SET state = 'done', closed_at = ? WHERE \(isOfThem)")
            .execute(arguments: [tx.stamp])
        try tx.tellClosedTasks(as: "done", where: "t.\(isOfThem)")
    }

    static func sections(_ question: SimulationReport, _ db: Database) throws -> [SimulationSection] {
        let span: StatementArguments = ["from": question.from, "until": question.until]
        let counts = try Row.fetchAll(
            db,
            sql: """
                SELECT sequence, count(*) FILTER (WHERE entered_at <= :from AND (ended_at IS NULL OR ended_at > :from)),
                       count(*) FILTER (WHERE entered_at > :from), count(*) FILTER (WHERE state = 'completed' AND ended_at > :from),
                       count(*) FILTER (WHERE state = 'goal' AND ended_at > :from), count(*) FILTER (WHERE state = 'exited' AND ended_at > :from),
                       count(*) FILTER (WHERE state = 'active')
                FROM drip_enrolments WHERE entered_at <= :until AND (ended_at IS NULL OR ended_at > :from) GROUP BY sequence ORDER BY sequence
                """, arguments: span)
        let ends = try Row.fetchAll(
            db,
            sql: """
                SELECT sequence, CASE state WHEN 'goal' THEN 'goal' ELSE 'left' END, coalesce(reason, '–'), count(*) FROM drip_enrolments
                WHERE state IN ('goal', 'exited') AND ended_at > :from AND :until >= ended_at GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 3
                """, arguments: span)
        let failures = try Row.fetchAll(
            db,
            sql: """
                SELECT sequence, failed_step, min(failure), count(*) FROM drip_enrolments WHERE failures > 0 AND entered_at <= :until
                GROUP BY 1, 2
                UNION ALL
                SELECT sequence, condition, min(error), count(*) FROM drip_missed WHERE missed_at <= :until GROUP BY 1, 2 ORDER BY 1, 2
                """, arguments: ["until": question.until])
        return [
            SimulationSection(
                "Sequences", drawing: .bars,
                Table(columns: ["sequence", "at_start", "entered", "finished", "goal", "left", "still_in"], counts)),
            SimulationSection(
                "Why sequences ended early", keys: 3, Table(columns: ["sequence", "how", "why", "leads"], ends)),
            SimulationSection(
                "Steps and conditions that fail", keys: 3,
                Table(columns: ["sequence", "what", "why", "leads"], failures)),
        ]
    }
}
