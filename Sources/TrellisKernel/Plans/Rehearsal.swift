import Foundation

/// Does a change on a copy of the file before it is done: another config, an import. A second copy goes on without the
/// change, and what differs between the two is what the change does.
///
/// Both take as much room as the file. Nothing is sent, and both are gone afterwards.
public struct Rehearsal {
    private let database: String
    private let plugins: [any Plugin.Type]
    private let start: Date

    /// How far ahead it looks for messages that go out.
    static let day: TimeInterval = 86_400

    /// - Parameters:
    ///   - database: the file; somebody may be using it.
    ///   - now: the moment of the change.
    public init(of database: String, plugins: [any Plugin.Type], now: Date) {
        self.database = database
        self.plugins = plugins
        start = now
    }

    /// - Parameters:
    ///   - before: the config in force.
    ///   - after: the config of the copy with the change.
    ///   - act: what else is done there, such as an import.
    ///   - leadsMax: how many leads of each change are named; 0 for none.
    ///   - progress: told what is being done.
    /// - Returns: what it does at once, then what goes out within a day of it, and what waits after that day.
    /// - Throws: ``ConfigProblems`` where the config does not fit the file, ``KernelError`` where there is no room.
    public func run(
        from before: Config, to after: Config, acting act: (Kernel) throws -> Void = { _ in }, naming leadsMax: Int = 0,
        progress: (String) -> Void = { _ in }
    ) async throws -> [PlannedChange] {
        progress("copying the file")
        let without = try copy(before)
        let with = try copy(after)
        progress("as it is")
        try await without.run.runUntilIdle()
        progress("with the change")
        try act(with.trial.kernel)
        try await with.run.runUntilIdle()
        let changes = try Rehearsal.differences(
            of: with.trial.kernel, from: without.trial.kernel.config.databasePath, naming: leadsMax)
        progress("the day after")
        let end = start + Rehearsal.day
        try await without.run.run(until: end, step: 60)
        try await with.run.run(until: end, step: 60)
        return try changes + sent(with, without, naming: leadsMax)
    }

    private struct Copy {
        let trial: TrialCopy
        let run: TrialRun
    }

    private func copy(_ config: Config) throws -> Copy {
        let clock = TrialClock(at: start)
        let trial = try TrialCopy(of: database, config: config, plugins: plugins, clock: clock.clock)
        return Copy(trial: trial, run: try TrialRun(trial.kernel, clock: clock))
    }

    /// What differs in the file of a kernel from another file: what the kernel and its plugins answer to ``Plan``.
    ///
    /// - Parameters:
    ///   - before: the path of a file that nobody writes meanwhile.
    ///   - leadsMax: how many leads of each change are named.
    static func differences(of kernel: Kernel, from before: String, naming leadsMax: Int = 0) throws -> [PlannedChange]
    {
        try comparing(kernel, with: before) { db in
            let tables = try String.fetchAll(db, sql: "SELECT name FROM before.sqlite_schema")
            let plan = Plan(tables: Set(tables), leadsMax: leadsMax)
            let activities = kernel.config.site.activities.map(\.name)
            let changes =
                try KernelPlan(plan: plan, db: db, activities: activities).changes()
                + kernel.hooks.ask(plan, db).flatMap { $0 }
            return leadsMax > 0 ? try addressed(changes, db) : changes
        }
    }

    /// Reads the file of a kernel with the other one beside it, as the schema `before`.
    private static func comparing<T>(
        _ kernel: Kernel, with before: String, _ body: (Database) throws -> T
    ) throws -> T {
        try KernelError.translating(before) {
            let queue = try ReadingQueue.open(kernel.store.path)
            defer { try? queue.close() }
            try queue.writeWithoutTransaction { try $0.execute(sql: "ATTACH ? AS before", arguments: [before]) }
            return try queue.read(body)
        }
    }

    /// Their leads with their addresses, as far as others may see them.
    private static func addressed(_ changes: [PlannedChange], _ db: Database) throws -> [PlannedChange] {
        let ids = Set(changes.flatMap { $0.who.map(\.id) }).map(JSONValue.integer)
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT id, email FROM main.leads WHERE email IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
            arguments: [JSONValue.array(ids).text()])
        let addresses = Dictionary(rows.map { ($0[0] as Int64, MaskedAddress.of($0[1])) }) { first, _ in first }
        return changes.map { $0.addressed(addresses) }
    }

    /// Messages by template, where there are not as many as without the change: those that went out since the start,
    /// and those that wait after the day, for quiet hours to end or a day on which mails are sent.
    private func sent(_ with: Copy, _ without: Copy, naming leadsMax: Int) throws -> [PlannedChange] {
        let (then, now) = (try messages(with.trial.kernel), try messages(without.trial.kernel))
        let changes = ["goes out", PlannedChange.waiting].flatMap { change in
            let templates = Set(then[change, default: [:]].keys).union(now[change, default: [:]].keys)
            return templates.sorted().compactMap { template -> PlannedChange? in
                let (count, before) = (then[change]?[template] ?? 0, now[change]?[template] ?? 0)
                guard count != before else { return nil }
                return PlannedChange(PlannedChange.dayArea, template, change, count: count, insteadOf: before)
            }
        }
        return leadsMax > 0 ? try named(changes, with, without, leadsMax) : changes
    }

    /// The columns and the condition of a message that went out since the start, or waits.
    private var kind: String { "iif(state = 'sent', 'goes out', \(PlannedChange.waiting.sqlLiteral)), template" }
    private var isOfTheDay: String {
        """
        (state = 'sent' AND settled_at >= \(Timestamp.text(start).sqlLiteral) OR state IN ('waiting', 'sending', 'inflight', 'held'))
        """
    }

    private func messages(_ kernel: Kernel) throws -> [String: [String: Int64]] {
        try kernel.read { db in
            try Row.fetchAll(
                db, sql: "SELECT \(kind), count(*) FROM outbox_messages WHERE \(isOfTheDay) GROUP BY 1, 2"
            ).reduce(into: [:]) { counts, row in counts[row[0] as String, default: [:]][row[1] as String] = row[2] }
        }
    }

    /// Each with the leads that have such a message with the change and none without it.
    private func named(
        _ changes: [PlannedChange], _ with: Copy, _ without: Copy, _ leadsMax: Int
    ) throws -> [PlannedChange] {
        try Rehearsal.comparing(with.trial.kernel, with: without.trial.kernel.config.databasePath) { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    WITH further (change, item, lead_id) AS (
                        SELECT \(kind), lead_id FROM main.outbox_messages WHERE \(isOfTheDay) AND lead_id IS NOT NULL
                        EXCEPT SELECT \(kind), lead_id FROM before.outbox_messages WHERE \(isOfTheDay)
                    )
                    SELECT change, item, json_group_array(lead_id) FROM (
                        SELECT *, row_number() OVER (PARTITION BY change, item ORDER BY lead_id) AS number FROM further
                    ) WHERE number <= \(leadsMax) GROUP BY change, item
                    """)
            let ids = Dictionary(rows.map { ([$0[0] as String, $0[1] as String], $0[2] as String) }) { first, _ in first
            }
            return try Rehearsal.addressed(
                changes.map { change in ids[[change.change, change.item]].map(change.naming) ?? change }, db)
        }
    }
}
