import Foundation

/// Rows of a file as activities: `lead, kind, at`, and the fields of the kind as columns or as JSON in `fields`.
struct ActivityLoader: RowLoader {
    private let plan: ColumnPlan
    private let kinds: [String: EventDeclaration]

    var ignoredColumns: [String] { plan.ignored }

    init(_ mapping: ImportMapping, header: [String], kernel: Kernel) throws {
        kinds = kernel.kinds.filter { $0.value.isActivity }
        let names = ["lead", "kind", "at", "fields"] + kinds.values.flatMap { $0.fields.map(\.name) }
        plan = try ColumnPlan(mapping, header: header, fields: names) { names.contains($0) ? .text : nil }
        for needed in ["lead", "kind"] where !plan.sources.contains(where: { $0.field == needed }) {
            throw KernelError.data(
                "The file has no column '\(needed)'. An import of activities needs lead, kind and at. Map one with --map."
            )
        }
    }

    func load(_ rows: ArraySlice<PreparedRow>, _ tx: Transaction) throws -> LoadOutcome {
        var outcome = LoadOutcome()
        for row in rows.map(\.row) {
            do {
                try record(row, tx)
                outcome.created += 1
            } catch let problem as FieldProblem {
                outcome.rejected.append((row, problem.description))
            } catch let error as KernelError {
                outcome.rejected.append((row, error.description))
            }
        }
        return outcome
    }

    private func record(_ row: CSVRow, _ tx: Transaction) throws {
        var cells: [String: String] = [:]
        for source in plan.sources { cells[source.field] = plan.text(source, row) }
        guard let reference = cells["lead"], let kind = cells["kind"] else {
            throw FieldProblem(field: "lead", message: "lead or kind is empty")
        }
        var fields: [(name: String, text: String)] = []
        if let json = cells["fields"] {
            guard let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else {
                throw FieldProblem(field: "fields", message: "not a JSON object")
            }
            fields += object.map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
        }
        for field in kinds[kind]?.fields ?? [] {
            if let text = cells[field.name] { fields.append((field.name, text)) }
        }
        try tx.record(kind, lead: try LeadReference(reference).find(tx.db), fields: fields, at: cells["at"])
    }
}
