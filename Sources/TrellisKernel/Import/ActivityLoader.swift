import Foundation

/// Rows of a file as activities: `lead, kind, at`, and the fields of the kind as columns or as JSON in `fields`.
///
/// A row that says of a lead what the log says already (its kind, its time, its fields) is that same activity: a file
/// that grew, or that was corrected in part, may be imported again. Without a time a row happens now, and is a new one.
struct ActivityLoader: RowLoader {
    private let plan: ColumnPlan
    private let constants: [Named<String>]
    private let kinds: [String: EventDeclaration]
    private let memory = NameMemory()

    var ignoredColumns: [String] { plan.ignored }

    init(_ mapping: ImportMapping, header: [String], kernel: Kernel) throws {
        kinds = kernel.kinds.filter { $0.value.isActivity }
        let names = ["lead", "kind", "at", "fields"] + kinds.values.flatMap { $0.fields.map(\.name) }
        plan = try ColumnPlan(mapping, header: header, fields: names) { names.contains($0) ? .text : nil }
        constants = mapping.constants
        for constant in constants where !names.contains(constant.name) {
            throw KernelError.data(
                "constants: there is no field '\(constant.name)'.\(NearMiss.hint(constant.name, among: names))")
        }
        let given = Set(plan.sources.map(\.field) + constants.map(\.name))
        for needed in ["lead", "kind"] where !given.contains(needed) {
            throw KernelError.data(
                "The file has no column '\(needed)'. An import of activities needs lead, kind and at. "
                    + "Map one with --map, or give every row the same with --set \(needed)=…")
        }
    }

    func load(_ rows: ArraySlice<PreparedRow>, _ tx: Transaction) throws -> LoadOutcome {
        var outcome = LoadOutcome()
        for row in rows.map(\.row) {
            do {
                if try record(row, tx) { outcome.created += 1 } else { outcome.same += 1 }
            } catch let problem as FieldProblem {
                outcome.rejected.append((row, problem.description))
            } catch let error as KernelError {
                outcome.rejected.append((row, error.description))
            }
        }
        return outcome
    }

    /// False where the log has it.
    private func record(_ row: CSVRow, _ tx: Transaction) throws -> Bool {
        guard row.isValidText, row.excess == 0 else {
            throw FieldProblem(field: "row", message: "not valid text, or more cells than the header")
        }
        var cells = Dictionary(constants.map { ($0.name, $0.value) }) { $1 }
        for source in plan.sources {
            guard let text = plan.text(source, row) else { continue }
            guard text.unicodeScalars.count <= LeadDraft.textLengthMax || source.field == "fields" else {
                throw FieldProblem(field: source.header, message: "at most \(LeadDraft.textLengthMax) characters")
            }
            cells[source.field] = text
        }
        guard let reference = cells["lead"], let kind = cells["kind"] else {
            throw FieldProblem(field: "lead", message: "lead or kind is empty")
        }
        var fields = try cells["fields"].map(ActivityLoader.fields) ?? []
        for field in kinds[kind]?.fields ?? [] {
            if let text = cells[field.name] { fields.append((field.name, text)) }
        }
        let lead = try LeadReference(reference).find(tx.db)
        return try tx.recordOnce(kind, lead: lead, fields: fields, at: cells["at"], memory: memory)
    }

    /// The scalars of an object. What is null was not given.
    private static func fields(_ json: String) throws -> [(name: String, text: String)] {
        guard case .object(let members) = JSONValue(parsing: json) else {
            throw FieldProblem(field: "fields", message: "not a JSON object")
        }
        return try members.compactMap { name, value in
            switch value {
            case .null: nil
            case .string(let text): (name, text)
            case .bool, .integer, .number: (name, value.text())
            case .array, .object: throw FieldProblem(field: name, message: "expected a text, a number or yes or no")
            }
        }
    }
}
