import Foundation

/// What came of a simulation, in tables.
public struct SimulationOutcome: Sendable {
    /// The name of the config's file.
    public let config: String
    public let from: Date
    public let until: Date
    public let seed: UInt64
    public let sections: [SimulationSection]
    /// How often people do what they do, and how that is known; nil where nobody did anything.
    public let rates: Table?
    /// New leads a day, and how that is known: `20 a day (given)`.
    public let arrivals: String?
    /// New leads that came.
    public let newLeads: Int
    /// Why the config turned leads away, and how many.
    public let refusals: [String: Int]

    init(
        config: String, from: Date, until: Date, plan: Simulation.Plan, sections: [SimulationSection], rates: Table?,
        leads: SimulatedLeads?
    ) {
        self.config = config
        self.from = from
        self.until = until
        seed = plan.seed
        self.sections = sections
        self.rates = rates
        arrivals = leads.map { "\(String(format: "%.3g", $0.perDay)) a day (\($0.basis))" }
        newLeads = leads?.count ?? 0
        refusals = leads?.refusals ?? [:]
    }
}

/// One titled table of an outcome. Its first columns say what a row is about, so that the rows of two outcomes can be
/// put side by side; the others are numbers.
public struct SimulationSection: Sendable, Hashable {
    /// How the table is drawn.
    public enum Drawing: Sendable, Hashable {
        case none
        /// A bar for each row, in their order: days.
        case course
        /// A bar for each row, of its last column.
        case bars
    }

    public let title: String
    /// How many columns say what a row is about.
    public let keys: Int
    public let table: Table
    public let drawing: Drawing

    public init(_ title: String, keys: Int = 1, drawing: Drawing = .none, _ table: Table) {
        self.title = title
        self.keys = keys
        self.drawing = drawing
        self.table = table
    }
}

extension SimulationSection {
    /// The rows of two outcomes in one table: a number that is the same stands once, one that differs as `120 → 95`.
    public func beside(_ other: SimulationSection?) -> SimulationSection {
        let pairs = paired(with: other)
        let rows = pairs.map { key, left, right in
            key + zip(left, right).map { $0 == $1 ? $0 : .text("\($0.text ?? "–") → \($1.text ?? "–")") }
        }
        return SimulationSection(title, keys: keys, drawing: drawing, Table(columns: table.columns, rows: rows))
    }

    /// The rows of two outcomes in one table of numbers: each column of the other config is called `…_other`.
    public func joined(with other: SimulationSection?) -> SimulationSection {
        let values = table.columns.dropFirst(keys)
        let columns = table.columns.prefix(keys) + values.flatMap { [$0, $0 + "_other"] }
        let rows = paired(with: other).map { key, left, right in key + zip(left, right).flatMap { [$0, $1] } }
        return SimulationSection(title, keys: keys, drawing: drawing, Table(columns: Array(columns), rows: rows))
    }

    /// Rows with the same key, in the order of this one; a row that only one has counts nothing at the other.
    public func paired(with other: SimulationSection?) -> [(key: [Cell], left: [Cell], right: [Cell])] {
        let theirs = other?.table.rows ?? []
        let nothing = [Cell](repeating: .integer(0), count: max(table.columns.count - keys, 0))
        let right = Dictionary(theirs.map { (Array($0.prefix(keys)), Array($0.dropFirst(keys))) }) { first, _ in first }
        let left = Set(table.rows.map { Array($0.prefix(keys)) })
        let mine = table.rows.map { row in
            let key = Array(row.prefix(keys))
            return (key: key, left: Array(row.dropFirst(keys)), right: right[key] ?? nothing)
        }
        return mine
            + theirs.map { Array($0.prefix(keys)) }.filter { !left.contains($0) }.map { key in
                (key: key, left: nothing, right: right[key] ?? nothing)
            }
    }

    /// Whether any number differs.
    public func differs(from other: SimulationSection?) -> Bool {
        paired(with: other).contains { $0.left != $0.right }
    }
}
