/// Collects the definitions of a JSON Schema (draft 2020-12), each record once, so that records may contain themselves.
public struct SchemaBuilder: Sendable {
    private var definitions: [(key: String, value: JSONValue)] = []

    mutating func reference<Record: SettingsRecord>(to record: Record.Type) -> JSONValue {
        let name = String(reflecting: record).replacing("TrellisKernel.", with: "")
        if !definitions.contains(where: { $0.key == name }) {
            let position = definitions.count
            definitions.append((name, .null))
            definitions[position].value = object(Record.fields)
        }
        return .object([("$ref", .string("#/$defs/\(name)"))])
    }

    mutating func object<Record>(_ fields: [SettingsField<Record>]) -> JSONValue {
        var properties: [(key: String, value: JSONValue)] = []
        for field in fields {
            let described = JSONValue.string(field.summary)
            guard case .object(let entries) = field.schema(&self) else { continue }
            properties.append((field.key, .object([("description", described)] + entries)))
        }
        let required = fields.filter(\.isRequired).map { JSONValue.string($0.key) }
        return .object(
            [("type", .string("object")), ("properties", .object(properties)), ("additionalProperties", .bool(false))]
                + (required.isEmpty ? [] : [("required", .array(required))]))
    }

    /// The whole schema, with `root` at its top.
    func document(title: String, root: JSONValue) -> JSONValue {
        guard case .object(let entries) = root else { return root }
        return .object(
            [("$schema", .string("https://json-schema.org/draft/2020-12/schema")), ("title", .string(title))]
                + entries + [("$defs", .object(definitions))])
    }
}
