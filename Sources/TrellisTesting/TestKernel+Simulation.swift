import Foundation
import TrellisKernel

extension TestKernel {
    /// What a simulation of this file came to: its tables, and the copy to be asked.
    public struct Simulated {
        public let outcome: SimulationOutcome
        private let copy: SQLConnection

        init(_ outcome: SimulationOutcome, _ copy: SQLConnection) {
            self.outcome = outcome
            self.copy = copy
        }

        /// Rows of a query over the copy as texts, columns joined by `|`; NULL is empty.
        public func rows(_ sql: String) throws -> [String] {
            try copy.table(sql).rows.map { row in row.map { $0.text ?? "" }.joined(separator: "|") }
        }

        /// The rows of a table of the outcome, in the same way.
        public func section(_ title: String) -> [String] {
            outcome.sections.first { $0.title == title }?.table.rows.map { row in
                row.map { $0.text ?? "" }.joined(separator: "|")
            } ?? []
        }
    }

    /// Lives through some days on a copy, in which people do what is given and nothing else.
    ///
    /// - Parameter rates: the share of an act and how long it takes: `["mail.clicked": (0.5, "6h")]`.
    public func simulate(days: Int, _ rates: KeyValuePairs<String, (share: Double, after: String)> = [:]) async throws
        -> Simulated
    {
        var plan = Simulation.Plan(seconds: Double(days) * 86_400)
        plan.settings.leadsPerDay = 0
        let acts = ["mail.opened", "mail.clicked", "mail.replied", "lead.unsubscribed", "mail.bounced"]
        plan.settings.rates = rates.map { TestKernel.rate($0.key, $0.value.share, $0.value.after) }
        plan.settings.rates += acts.filter { act in !rates.contains { $0.key == act } }.map {
            TestKernel.rate($0, 0, "1h")
        }
        let file = folder + "/simulated-" + UUID().uuidString + ".sqlite"
        let simulation = Simulation(
            of: kernel.config.databasePath, plugins: kernel.pluginTypes, now: clock.now, plan: plan,
            logger: kernel.logger)
        guard let outcome = try await simulation.run(kernel.config, keepingAs: file) else {
            throw KernelError.data("The simulation stopped.")
        }
        return Simulated(outcome, try SQLConnection(path: file, access: .read))
    }

    private static func rate(_ name: String, _ share: Double, _ after: String) -> Named<SimulationSettings.Rate> {
        var rate = SimulationSettings.Rate()
        rate.share = share
        rate.after = Span(after)
        return Named(name, rate)
    }
}
