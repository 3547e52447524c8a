import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// A CRM with leads made by chance: those from a fair, and those with many visits, convert more often.
enum MadeCRM {
    static let fields = """
        leads: {fields: {converted: integer, visits: integer, wants_mail: boolean, budget: real}}
        activities: {demo.booked: {}, call.held: {}}
        """

    static func make(
        _ rules: String = rules, leads count: Int = 600, seed: UInt64 = 1, fields: String = fields
    ) throws -> TestKernel {
        let crm = try TestKernel("\(fields)\nplugins:\n  scoring:\n\(rules)", plugins: [Scoring.self])
        var generator = SeededGenerator(seed: seed)
        let leads = (0..<count).map { number in
            let source = ["web", "web", "fair", "O'Neill's list"][generator.next(below: 4)]
            let visits = generator.next(below: 10)
            let budget = generator.next(below: 5) == 0 ? nil : Double(generator.next(below: 1000)) / 10
            let odds = -1.5 + (source == "fair" ? 1.5 : 0) + (visits >= 5 ? 1.5 : 0)
            let converted = Double.random(in: 0..<1, using: &generator) < LogisticRegression.chance(logOdds: odds)
            return (number, source, visits, budget, generator.next(below: 2), converted)
        }
        try crm.kernel.write(origin: "cli") { tx in
            for (number, source, visits, budget, wants, converted) in leads {
                try tx.db.execute(
                    sql: """
                        INSERT INTO leads (email, source, visits, budget, wants_mail, converted, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        "lead\(number)@made.example", source, visits, budget, wants, converted,
                        "2026-0\(number % 2 + 1)-\(number % 18 + 10) 09:00:00.000",
                    ])
            }
        }
        return crm
    }

    /// One rule that holds, one that tells nothing, one that is wrong.
    static let rules = """
            fit:
              fair: {when: "source = 'fair'", points: 30}
              mail: {when: "wants_mail = 1", points: 5}
              busy: {when: "visits >= 5", points: -20}
            thresholds: {mql: {score: 25}}
        """

    /// A table of a command as rows of texts.
    static func lines(_ table: Table) -> [String] {
        table.rows.map { $0.map { $0.text ?? "" }.joined(separator: "|") }
    }

    /// The scope of an outcome.
    static func scope(_ outcome: String, asOf: String? = nil, cameBefore: String? = nil) throws -> OutcomeScope {
        OutcomeScope(outcome: try Outcome(outcome), asOf: asOf, cameBefore: cameBefore)
    }
}
