import TrellisKernel

/// Who it is that a plan counts, beside how many they are.
struct PlannedNames {
    let changes: [PlannedChange]

    /// How many are named of each change where nobody says, and at most.
    static let usual = 10
    static let most = 1_000

    /// A line for each change of leads: `drip welcome, enter: 17 a•••@acme.example, 23 and 4 more`.
    var lines: [String] {
        changes.filter { !$0.who.isEmpty }.map { change in
            let names = change.who.map { lead in
                [String(lead.id), lead.address].compactMap { $0 }.joined(separator: " ")
            }
            let more = (change.count ?? 0) - (change.insteadOf ?? 0) - Int64(names.count)
            return "\(change.area) \(change.item), \(change.change): \(names.joined(separator: ", "))"
                + (more > 0 ? " and \(more) more" : "")
        }
    }

    /// Prints the changes as JSON, with their leads where somebody asked for them.
    func show(naming leadsMax: Int) {
        guard leadsMax > 0 else { return PlannedChange.table(changes).show(.json) }
        print(json.text(isIndented: true))
    }

    /// The rows of the table, each with the ids of its leads under `leads`.
    private var json: JSONValue {
        .array(
            changes.map { change in
                .object([
                    ("area", .string(change.area)), ("item", .string(change.item)), ("change", .string(change.change)),
                    ("count", change.count.map(JSONValue.integer) ?? .null),
                    ("instead_of", change.insteadOf.map(JSONValue.integer) ?? .null),
                    ("leads", .array(change.who.map { .integer($0.id) })),
                ])
            })
    }
}
