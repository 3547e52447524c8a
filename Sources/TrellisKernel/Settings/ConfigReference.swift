/// The pages that say what `config.yaml` takes, made from its JSON Schema and so from the declarations of its settings.
public struct ConfigReference {
    private let definitions: [String: JSONValue]
    private let root: JSONValue

    public init(schema: JSONValue) {
        root = schema
        definitions = Dictionary(ConfigReference.entries(schema["$defs"]).map { ($0.key, $0.value) }) { first, _ in
            first
        }
    }

    /// One page of Markdown: a section for each mapping with declared keys, under the path that leads to it. A mapping
    /// that stands in several places is described at the first.
    public var markdown: String {
        var output = "# config.yaml\n"
        var described: [String: String] = [:]
        var waiting: [(path: String, schema: JSONValue)] = [("", root)]
        while !waiting.isEmpty {
            let (path, schema) = waiting.removeFirst()
            guard case .object = schema["properties"] else { continue }
            if !path.isEmpty { output += "\n## `\(path)`\n" }
            output += "\n| key | takes | what it is |\n|---|---|---|\n"
            let required = Set(schema["required"]?.elements.compactMap(\.scalarText) ?? [])
            var inner: [(path: String, schema: JSONValue)] = []
            for (key, value) in ConfigReference.entries(schema["properties"]) {
                let place = path.isEmpty ? key : "\(path).\(key)"
                let takes = words(value, at: place, &described, &inner)
                let summary = value["description"]?.scalarText ?? ""
                output +=
                    "| `\(key)`\(required.contains(key) ? " (required)" : "") | \(takes) | \(ConfigReference.cell(summary)) |\n"
            }
            if let open = schema["additionalProperties"], case .object = open {
                output += "| *a name* | \(words(open, at: path + ".NAME", &described, &inner)) | |\n"
            }
            waiting = inner + waiting
        }
        return output
    }

    /// What a value takes, in words; mappings with declared keys are put off to a section of their own.
    private func words(
        _ schema: JSONValue, at place: String, _ described: inout [String: String],
        _ inner: inout [(path: String, schema: JSONValue)]
    ) -> String {
        if let name = schema["$ref"]?.scalarText?.split(separator: "/").last.map(String.init) {
            if let before = described[name] {
                return "a mapping: see [`\(before)`](#\(ConfigReference.anchor(before)))"
            }
            described[name] = place
            inner.append((place, definitions[name] ?? .null))
            return "a mapping: see [below](#\(ConfigReference.anchor(place)))"
        }
        if let choices = schema["enum"]?.elements, !choices.isEmpty {
            return "one of " + choices.map { "`\($0.scalarText ?? "null")`" }.joined(separator: ", ")
        }
        if let forms = schema["anyOf"]?.elements, !forms.isEmpty {
            return forms.map { words($0, at: place, &described, &inner) }.joined(separator: ", or ")
        }
        if let item = schema["items"] { return "a list of: " + words(item, at: place, &described, &inner) }
        if let properties = schema["properties"], case .object = properties {
            inner.append((place, schema))
            return "a mapping: see [below](#\(ConfigReference.anchor(place)))"
        }
        if let named = schema["additionalProperties"], case .object = named {
            return "names, each with: " + words(named, at: place + ".NAME", &described, &inner)
        }
        return type(schema)
    }

    private func type(_ schema: JSONValue) -> String {
        let words = [
            "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
            "null": "null",
        ]
        let names = schema["type"].map { $0.elements.isEmpty ? [$0] : $0.elements } ?? []
        let types = names.compactMap(\.scalarText).map { words[$0] ?? "a \($0)" }.joined(separator: " or ")
        let range = [("minimum", "from"), ("maximum", "to")].compactMap { key, word in
            schema[key]?.scalarText.map { "\(word) \($0)" }
        }
        return ([types.isEmpty ? "anything" : types] + range).joined(separator: " ")
    }

    private static func entries(_ json: JSONValue?) -> [(key: String, value: JSONValue)] {
        guard case .object(let entries) = json else { return [] }
        return entries
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("\n", with: " ") }

    /// As GitHub makes it of a heading.
    private static func anchor(_ path: String) -> String {
        String(
            path.lowercased().unicodeScalars.filter {
                $0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == "-"
            })
    }
}
