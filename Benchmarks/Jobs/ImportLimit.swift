import CTrellisSQLite
import Foundation

/// The same rows by hand: a byte parser, prepared statements, and one statement for the whole table wherever there
/// can be one. No triggers, no hooks, no batches; one transaction.
enum ImportLimit {
    static let phase = Phase("import-limit") { workspace in
        let database = try RawDatabase(path: workspace.limitPath)
        var watch = Stopwatch()
        let now = "'\(Workspace.importedAt)'"
        try database.run("BEGIN IMMEDIATE")
        try database.run(
            "INSERT INTO imports (file, digest, target, started_at) VALUES ('leads.csv', '', 'leads', \(now))")
        try load(workspace.csv, database)
        watch.note("load")
        let base = Int(try database.rows("SELECT coalesce(max(id), 0) FROM events")[0]) ?? 0
        try database.run(
            """
            INSERT INTO events (kind, lead_id, origin, at, body) SELECT 'lead.created', id, 'import:1', \(now), '{"stage":"lead"}' FROM leads;
            INSERT INTO events (kind, lead_id, origin, at, body)
            SELECT 'consent.granted', lead_id, 'import:1', \(now), '{"purpose":"' || purpose || '"}' FROM consents
            """)
        watch.note("events")
        try score(.ten, database, event: "leads.id + \(base)")
        watch.note("score")
        try database.run(
            """
            INSERT INTO drip_enrolments (lead_id, sequence, cycle, step, due_at, event_id, entered_at, version, first_version, resting_at, arrived_at)
            SELECT id, 'welcome', 1, 1, '2026-03-03 09:00:00.000', id + \(base), \(now), 1, 1, 0, \(now) FROM leads
            """)
        watch.note("enrol")
        let reached = Reached(
            leads: "SELECT lead_id FROM scoring_scores WHERE score >= \(ScoreRules.ten.threshold)",
            cause: "lead_id + \(base)", depth: 1)
        try handOff(reached, database, reps: Site.reps(for: workspace.leads), now: now)
        try database.run(
            "INSERT INTO scoring_standings (lead_id, model, threshold, since) SELECT lead_id, 'main', 'mql', \(now) FROM temp.mql"
        )
        watch.note("hand off")
        try database.run(
            """
            INSERT INTO audiences_members (audience, lead_id, since) SELECT 'everyone', id, '\(Workspace.refreshedAt)' FROM leads;
            INSERT INTO audiences_members (audience, lead_id, since)
            SELECT 'warm', lead_id, '\(Workspace.refreshedAt)' FROM scoring_scores WHERE score >= 30 ORDER BY lead_id
            """)
        watch.note("audiences")
        try database.run("COMMIT")
        watch.note("commit")
        return watch.measurement
    }

    // MARK: - The file

    private static func load(_ path: String, _ database: RawDatabase) throws {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard descriptor >= 0, let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED
        else {
            throw BenchError("\(path) cannot be mapped.")
        }
        defer { munmap(memory, size) }
        let bytes = UnsafeBufferPointer(start: memory.assumingMemoryBound(to: CChar.self), count: size)
        let now = Workspace.importedAt
        let lead = try database.prepare(
            """
            INSERT INTO leads (id, email, first_name, last_name, company, title, industry, employees, country, city, source, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '\(now)', '\(now)')
            """)
        let touch = try database.prepare(
            "INSERT INTO touches (lead_id, at, kind, source) VALUES (?, '\(now)', 'import', ?)")
        let newsletter = try database.prepare(consent("newsletter", now))
        let ads = try database.prepare(consent("ads", now))
        defer { for statement in [lead, touch, newsletter, ads] { sqlite3_finalize(statement) } }
        var cells = [Range<Int>](repeating: 0..<0, count: LeadFile.columns.count)
        var position = (bytes.firstIndex(of: 10) ?? 0) + 1
        var id: Int64 = 0
        while position < size {
            position = split(bytes, from: position, into: &cells)
            id += 1
            sqlite3_bind_int64(lead, 1, id)
            for column in 0..<10 { bind(lead, Int32(column + 2), bytes, cells[column]) }
            try step(lead, database)
            sqlite3_bind_int64(touch, 1, id)
            bind(touch, 2, bytes, cells[9])
            try step(touch, database)
            for (statement, cell) in [(newsletter, cells[10]), (ads, cells[11])] where bytes[cell.lowerBound] == 121 {
                sqlite3_bind_int64(statement, 1, id)
                try step(statement, database)
            }
        }
    }

    private static func consent(_ purpose: String, _ now: String) -> String {
        "INSERT INTO consents (lead_id, purpose, state, source, at) VALUES (?, '\(purpose)', 'granted', 'import:1', '\(now)')"
    }

    /// Finds the cells of one line; returns where the next begins.
    private static func split(_ bytes: UnsafeBufferPointer<CChar>, from start: Int, into cells: inout [Range<Int>])
        -> Int
    {
        var (position, begin, column) = (start, start, 0)
        while true {
            let byte = bytes[position]
            if byte == 44 || byte == 10 {
                cells[column] = begin..<position
                begin = position + 1
                column += 1
                if byte == 10 { return begin }
            }
            position += 1
        }
    }

    /// Nil as the destructor is SQLITE_STATIC: the mapped file stays where it is.
    private static func bind(
        _ statement: OpaquePointer, _ index: Int32, _ bytes: UnsafeBufferPointer<CChar>, _ cell: Range<Int>
    ) {
        sqlite3_bind_text(statement, index, bytes.baseAddress.map { $0 + cell.lowerBound }, Int32(cell.count), nil)
    }

    private static func step(_ statement: OpaquePointer, _ database: RawDatabase) throws {
        guard sqlite3_step(statement) == SQLITE_DONE else { throw database.problem("the import") }
        sqlite3_reset(statement)
    }

    // MARK: - Statements

    /// Entries and totals of every lead. `event` is the event of its creation as an expression.
    private static func score(_ rules: ScoreRules, _ database: RawDatabase, event: String) throws {
        try enterFit(rules, database, event: event)
        let (sum, any) = fit(of: rules)
        try database.run(
            """
            INSERT INTO scoring_totals (lead_id, model, fit, engagement, score, decays, as_of)
            SELECT id, 'main', points, 0, points, 0, '\(Workspace.importedAt)' FROM (SELECT id, \(sum) AS points FROM leads WHERE \(any))
            """)
    }

    /// SQL over the columns of `leads`: the sum of its fit, and whether any rule holds.
    static func fit(of rules: ScoreRules) -> (sum: String, any: String) {
        (
            rules.rules.map { "CASE WHEN \($0.when) THEN \($0.points) ELSE 0 END" }.joined(separator: " + "),
            rules.rules.map { "(\($0.when))" }.joined(separator: " OR ")
        )
    }

    /// The entries of fit.
    static func enterFit(
        _ rules: ScoreRules, _ database: RawDatabase, event: String, from source: String = "leads"
    ) throws {
        let values = rules.rules.enumerated().map { "(\($0), '\($1.name)', \($1.points))" }.joined(separator: ", ")
        let holds = rules.rules.enumerated().map { "WHEN \($0) THEN \($1.when)" }.joined(separator: " ")
        let now = "'\(Workspace.importedAt)'"
        try database.run(
            """
            WITH rules (number, name, points) AS (VALUES \(values))
            INSERT INTO scoring_ledger (lead_id, rule, axis, points, event_id, at)
            SELECT leads.id, rules.name, 'fit', rules.points, \(event), \(now) FROM \(source) CROSS JOIN rules WHERE CASE rules.number \(holds) END
            """)
    }

    /// Who reached a threshold.
    struct Reached {
        /// A SELECT of `lead_id`.
        let leads: String
        /// SQL over `lead_id`: the event that it follows from.
        let cause: String
        /// How far that is from what somebody did.
        let depth: Int
    }

    /// What follows from reaching it: the stage, the handoff, the owner, the facts and the mail to the rep. Leaves the
    /// leads in `temp.mql`.
    static func handOff(_ reached: Reached, _ database: RawDatabase, reps: [String], now: String) throws {
        let chosen = reps.enumerated().map { "WHEN \($0) THEN '\($1)'" }.joined(separator: " ")
        let earlier = Int(try database.rows("SELECT coalesce(max(id), 0) FROM handoff_handoffs")[0]) ?? 0
        try database.run(
            """
            CREATE TEMP TABLE mql (nth INTEGER PRIMARY KEY, lead_id INTEGER, rep TEXT);
            INSERT INTO temp.mql SELECT n, lead_id, CASE (n - 1) % \(reps.count) \(chosen) END FROM (
                SELECT lead_id, \(earlier) + row_number() OVER (ORDER BY lead_id) AS n FROM (\(reached.leads)));
            """)
        // What is to be added to the number of a handoff for the event of its stage.
        let before = (Int(try database.rows("SELECT max(id) FROM events")[0]) ?? 0) - earlier
        // The stages come first, then the owners, then the offers.
        let offers = before + 2 * (Int(try database.rows("SELECT count(*) FROM temp.mql")[0]) ?? 0)
        try database.run(
            """
            INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
            SELECT 'lead.stage_changed', lead_id, \(reached.cause), \(reached.depth), 'plugin:scoring', \(now), '{"from":"lead","to":"mql"}' FROM temp.mql;
            INSERT INTO handoff_handoffs (id, lead_id, cycle, rep, route, state, event_id, offered_at)
            SELECT nth, lead_id, 1, rep, 'route 1: round_robin', 'offered', nth + \(before), \(now) FROM temp.mql;
            UPDATE leads SET stage = 'mql', owner = mql.rep FROM temp.mql WHERE leads.id = mql.lead_id;
            INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
            SELECT 'lead.updated', lead_id, nth + \(before), \(reached.depth + 1), 'plugin:handoff', \(now), '{"columns":["owner"]}' FROM temp.mql;
            INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
            SELECT 'handoff.offered', lead_id, nth + \(before), \(reached.depth + 1), 'plugin:handoff', \(now), '{"rep":"' || rep || '","cycle":1}' FROM temp.mql;
            INSERT INTO outbox_messages (key, purpose, origin, lead_id, recipient, template, body, cause_id, ready_at, created_at)
            SELECT 'handoff:' || nth || ':offer 1 to ' || rep, 'internal', 'plugin:handoff', lead_id, rep || '@bench.example', 'handoff-offer',
                   '{"handoff":' || nth || ',"offer":1}', nth + \(before), \(now), \(now) FROM temp.mql;
            INSERT INTO handoff_transitions (handoff_id, lead_id, cycle, offer, state, rep, route, origin, at, event_id)
            SELECT nth, lead_id, 1, 1, 'offered', rep, 'route 1: round_robin', 'plugin:handoff', \(now), nth + \(offers) FROM temp.mql;
            INSERT INTO handoff_turns (pool, rep, dealt, entitled)
            SELECT 'round_robin', rep, count(*), (SELECT count(*) FROM temp.mql) * (1000000 / \(reps.count)) FROM temp.mql GROUP BY rep
            ON CONFLICT (pool, rep) DO UPDATE SET dealt = dealt + excluded.dealt, entitled = entitled + excluded.entitled
            """)
    }
}
