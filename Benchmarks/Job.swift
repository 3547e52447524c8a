/// One line of the table: the same work by Trellis and by hand.
struct Job: Sendable {
    let name: String
    let title: String
    /// How many times the limit it may take.
    let budget: Double
    /// The most memory, in megabytes; nil where none is promised.
    var memoryBudget: Int?
    /// The phases of Trellis and of the limit, by name.
    let ours: String
    let limit: String
    /// What must be the same in both files afterwards; empty where both run on one file.
    var tally: [Tally.Question] = []
    /// Jobs whose rows it starts from.
    var needs: [String] = []
    /// Whether its parts are printed in any case, because they are what it is run for.
    var showsParts = false

    static let all = [
        Job(
            name: "import", title: "import CSV, five plugins on, pumped until idle", budget: 1.5, memoryBudget: 400,
            ours: "import", limit: "import-limit", tally: Tally.everything),
        Job(
            name: "tick", title: "due tick of a 3-step sequence, to the outbox", budget: 1.5,
            ours: "tick", limit: "tick-limit", tally: Tally.everything, needs: ["import"]),
        Job(
            name: "rescore", title: "rescore everything by 20 rules, fit and engagement", budget: 1.3,
            ours: "rescore", limit: "rescore-limit", tally: Tally.everything, needs: ["import", "tick"]),
        Job(
            name: "export", title: "export a hashed audience file", budget: 1.3, memoryBudget: 100,
            ours: "export", limit: "export-limit", tally: Tally.everything, needs: ["import"]),
        Job(
            name: "follow", title: "1,000 leads change: scores, audiences and the rest follow", budget: 10,
            ours: "follow", limit: "follow-limit", needs: ["import"]),
        Job(
            name: "handler", title: "typed Swift handler, per event, beside a set-based one", budget: 4,
            ours: "handler-typed", limit: "handler-set", needs: ["import"]),
        Job(
            name: "hook", title: "a hook in SQL beside the bare statement", budget: 1.5,
            ours: "hook", limit: "hook-statement", needs: ["import"]),
        Job(
            name: "views", title: "every KPI and ladder beside one pass over the log", budget: 2,
            ours: "views", limit: "views-limit", needs: ["import"], showsParts: true),
        Job(
            name: "start", title: "trellis sql 'SELECT 1' beside sqlite3 (median of 50)", budget: 5,
            ours: "start", limit: "start-limit", needs: ["import"]),
    ]
}

/// One half of a job, run in a process of its own so that memory and caches are its own.
struct Phase: Sendable {
    let name: String
    private let body: @Sendable (Workspace) throws -> Measurement

    init(_ name: String, _ body: @escaping @Sendable (Workspace) throws -> Measurement) {
        self.name = name
        self.body = body
    }

    static func named(_ name: String) throws -> Phase {
        let all = [
            ImportJob.ours, ImportLimit.phase, TickJob.ours, TickJob.limit, RescoreJob.ours, RescoreJob.limit,
            ExportJob.ours, ExportJob.limit, FollowJob.ours, FollowJob.limit, ViewsJob.ours, ViewsJob.limit,
            HandlerJob.typed, HandlerJob.setBased, HookJob.hook, HookJob.statement, StartJob.ours, StartJob.limit,
        ]
        guard let phase = all.first(where: { $0.name == name }) else {
            throw BenchError("there is no phase '\(name)'.")
        }
        return phase
    }

    /// Runs here, and prints what was measured for the process that asked.
    func run(in workspace: Workspace) throws {
        var measurement = try body(workspace)
        measurement.peakKilobytes = Measurement.peakOfThisProcess()
        measurement.notes.append(Measurement.processorTime())
        print(try measurement.text())
    }
}
