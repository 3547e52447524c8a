import Foundation
import TrellisKernel

/// The outcome of one simulation, or of two side by side, as text, JSON and a page.
struct SimulationDocument {
    let first: SimulationOutcome
    let second: SimulationOutcome?
    /// How long, as it was asked for.
    let span: String

    /// The tables, those of two outcomes in one.
    var sections: [SimulationSection] {
        guard let second else { return first.sections }
        let own = first.sections.map { $0.beside(other($0)) }
        return own
            + second.sections.filter { other in !first.sections.contains { $0.title == other.title } }.map {
                SimulationSection($0.title, keys: $0.keys, drawing: $0.drawing, Table(columns: $0.table.columns))
                    .beside($0)
            }
    }

    private func other(_ section: SimulationSection) -> SimulationSection? {
        second?.sections.first { $0.title == section.title }
    }

    // MARK: - Sentences

    var title: String {
        let configs = second.map { "\(first.config) → \($0.config)" } ?? first.config
        return "\(span) from \(SimulationDocument.minute(first.from)) UTC under \(configs)"
    }

    private static func minute(_ date: Date) -> String { String(Timestamp.text(date).prefix(16)) }

    /// What the tables do not say.
    var sentences: [String] {
        var sentences: [String] = []
        if let arrivals = first.arrivals {
            let hint = first.newLeads == 0 ? " With --leads-per-day some come." : ""
            sentences.append("New leads: \(first.newLeads), \(arrivals).\(hint)")
        } else {
            sentences.append("Nobody did anything and no lead came: only what was under way went on.")
        }
        for outcome in [first, second].compactMap({ $0 }) {
            for (reason, count) in outcome.refusals.sorted(by: { $0.key < $1.key }) {
                sentences.append("\(outcome.config) turned \(count) new leads away: \(reason).")
            }
        }
        if let second {
            sentences.append(comparison(with: second))
        }
        return sentences
    }

    private func comparison(with second: SimulationOutcome) -> String {
        let same = sections.filter { !differs($0) }.map(\.title)
        guard same.count < sections.count else {
            return "Nothing differs between \(first.config) and \(second.config)."
        }
        return
            "A number that is the same under both stands once; one that differs as \(first.config) → \(second.config)."
            + (same.isEmpty ? "" : " The same under both: \(same.joined(separator: ", ")).")
    }

    /// Whether the outcomes differ in a table; one alone differs from nothing.
    private func differs(_ section: SimulationSection) -> Bool {
        section.table.rows.contains { $0.contains { $0.text?.contains(" → ") ?? false } }
    }

    // MARK: - Printed

    func show(isJSON: Bool) {
        guard !isJSON else { return print(json.text()) }
        let style = TextStyle(isColoured: Terminal.attached(to: STDOUT_FILENO).allowsColour)
        print(style.bold(title))
        for sentence in sentences { print(sentence) }
        for section in sections where second == nil || differs(section) {
            print("\n\(style.bold(section.title))")
            section.table.show(.table)
        }
        if let rates = first.rates {
            print("\n\(style.bold("What was assumed of people"))")
            rates.show(.table)
        }
    }

    private var json: JSONValue {
        let tables = first.sections.map { section in
            (
                section.title,
                (second == nil ? section.table : section.joined(with: other(section)).table).json
            )
        }
        let configs = [first, second].compactMap { $0 }.map { JSONValue.string($0.config) }
        return .object([
            ("configs", .array(configs)), ("from", .string(Timestamp.text(first.from))),
            ("until", .string(Timestamp.text(first.until))), ("seed", .integer(Int64(clamping: first.seed))),
            ("new_leads", .integer(Int64(first.newLeads))),
            ("rates", (first.rates ?? Table(columns: [])).json), ("tables", .object(tables)),
        ])
    }
}
