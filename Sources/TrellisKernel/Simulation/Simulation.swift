import Foundation
import Logging

/// What a config would do with a file in the time to come: on a copy, with a clock that jumps from one due moment to
/// the next, mute transports, and people who do what people like them did.
/// ```swift
/// let simulation = Simulation(of: path, plugins: types, now: clock.now(), plan: .init(seconds: 30 * 86_400))
/// let outcome = try await simulation.run(config)
/// ```
/// The same file, config and seed give the same outcome. It is as if the worker were restarted with the config and
/// nothing else happened to the file: nobody imports, nobody edits.
public struct Simulation: Sendable {
    /// What is simulated.
    public struct Plan: Sendable {
        /// How long.
        public var seconds: TimeInterval
        /// Another seed, other luck.
        public var seed: UInt64 = 1
        /// Seconds: what is due within a step, counted from midnight UTC, is done together at its end. With 0 each has
        /// its own moment.
        public var step: TimeInterval = 900
        /// Whether anybody does anything, and new leads come. Without it only what is under way goes on.
        public var isAlive = true
        /// What is assumed in place of what would be measured.
        public var settings = SimulationSettings()

        public init(seconds: TimeInterval) {
            self.seconds = seconds
        }
    }

    private let database: String
    private let plugins: [any Plugin.Type]
    private let now: Date
    private let plan: Plan
    private let logger: Logger

    /// - Parameters:
    ///   - database: the file; it is only read.
    ///   - now: when the simulated time begins.
    public init(
        of database: String, plugins: [any Plugin.Type], now: Date, plan: Plan,
        logger: Logger = TrialCopy.logger
    ) {
        self.database = database
        self.plugins = plugins
        self.now = now
        self.plan = plan
        self.logger = logger
    }

    /// Runs it under one config.
    ///
    /// - Parameters:
    ///   - config: read and checked.
    ///   - name: what it is called in the outcome; without it, its file.
    ///   - file: where to keep the copy afterwards, for questions in SQL; without it the copy is gone.
    ///   - progress: told the fraction of the time that has passed; false stops.
    /// - Returns: nil where it was stopped.
    /// - Throws: ``KernelError`` where the copy cannot be made or kept, ``ConfigProblems`` for rates of acts nobody
    ///   does.
    public func run(
        _ config: Config, called name: String? = nil, keepingAs file: String? = nil,
        progress: (Double) -> Bool = { _ in true }
    ) async throws -> SimulationOutcome? {
        // What is due now is a part of it, and what happened up to now is not.
        let clock = TrialClock(at: now + 0.001)
        let trial = try TrialCopy(of: database, config: config, plugins: plugins, clock: clock.clock, logger: logger)
        let kernel = trial.kernel
        let before = try SimulationTables.stages(kernel)
        try kernel.write(origin: Behaviour.origin) { try $0.db.execute(sql: SimulationTables.schema) }
        let people = try plan.isAlive ? People(kernel, plan: plan, now: now) : nil
        let run = try TrialRun(kernel, clock: clock)
        guard try await live(run, clock, people, progress) else { return nil }
        try run.finish()
        let outcome = try SimulationOutcome(
            config: name ?? (config.file as NSString).lastPathComponent, from: now, until: clock.now, plan: plan,
            sections: SimulationTables(kernel, from: now, until: clock.now, stagesBefore: before).all(),
            rates: people.map { Rates.table($0.rates) }, leads: people?.leads)
        if let file { try trial.keep(as: file) }
        return outcome
    }

    /// Those who act in a trial.
    private struct People {
        let rates: [Rates.Known]
        let behaviour: Behaviour
        let leads: SimulatedLeads

        init(_ kernel: Kernel, plan: Plan, now: Date) throws {
            let acts = KernelActs(config: kernel.config).all + (try kernel.ask(SimulatedActs()).flatMap { $0 })
            rates = try kernel.read { try Rates(settings: plan.settings, now: now).known(of: acts, $0) }
            let luck = Luck(seed: plan.seed)
            leads = try SimulatedLeads(kernel, luck: luck, perDay: plan.settings.leadsPerDay, start: now)
            behaviour = try Behaviour(kernel, luck: luck, rates: rates, until: now + plan.seconds)
        }
    }

    /// Returns whether it came to the end.
    private func live(
        _ run: TrialRun, _ clock: TrialClock, _ people: People?, _ progress: (Double) -> Bool
    ) async throws -> Bool {
        let end = now + plan.seconds
        func passed() -> Bool { progress(clock.now.timeIntervalSince(now) / max(plan.seconds, 1)) }
        try await run.runUntilIdle(while: passed)
        try people?.behaviour.look()
        while passed(), clock.now < end {
            // What somebody is to do at once is done with the next step.
            let act = try people?.behaviour.nextDue().map { max($0, clock.now + 0.001) }
            let due = [try run.nextDue(), act, people?.leads.nextDue].compactMap { $0 }.min() ?? end
            clock.advance(to: min(TrialRun.stepped(due, plan.step), end))
            try people?.leads.arrive()
            try people?.behaviour.act()
            try await run.runUntilIdle(while: passed)
            try people?.behaviour.look()
        }
        return passed()
    }
}
