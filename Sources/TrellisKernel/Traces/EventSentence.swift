/// An event in words: the sentence of its declaration with the fields of its body.
///
/// In a sentence `{rep}` is the field of that name. What stands in brackets is left out where one of its fields is
/// missing: `offered to {rep}[, offer {offer}]`.
public struct EventSentence: Sendable {
    private let template: String?
    private let kind: String

    init(_ kind: String, _ declaration: EventDeclaration?) {
        self.kind = kind
        template = declaration?.says
    }

    /// - Parameter body: the JSON of an event.
    public func text(body: String) -> String {
        let fields = EventSentence.fields(body)
        guard let template else { return plain(fields) }
        var text = ""
        for part in EventSentence.parts(of: template) {
            let filled = EventSentence.fill(part.text, fields)
            if part.isRequired || filled.isComplete { text += filled.text }
        }
        return text
    }

    /// Of a kind without a sentence, such as an activity of the config: its words, and what it says.
    private func plain(_ fields: [(key: String, value: String)]) -> String {
        let words = kind.replacing(".", with: " ").replacing("_", with: " ")
        let list = fields.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return list.isEmpty ? words : "\(words) (\(list))"
    }

    private static func fields(_ body: String) -> [(key: String, value: String)] {
        guard case .object(let entries)? = JSONValue(parsing: body) else { return [] }
        return entries.compactMap { entry in
            switch entry.value {
            case .array(let elements): (entry.key, elements.compactMap(\.scalarText).joined(separator: ", "))
            default: entry.value.scalarText.map { (entry.key, $0) }
            }
        }
    }

    private static func parts(of template: String) -> [(text: Substring, isRequired: Bool)] {
        var (parts, rest) = ([(text: Substring, isRequired: Bool)](), template[...])
        while let open = rest.firstIndex(of: "["), let close = rest[open...].firstIndex(of: "]") {
            parts.append((rest[..<open], true))
            parts.append((rest[rest.index(after: open)..<close], false))
            rest = rest[rest.index(after: close)...]
        }
        return parts + [(rest, true)]
    }

    private static func fill(
        _ text: Substring, _ fields: [(key: String, value: String)]
    ) -> (text: String, isComplete: Bool) {
        var (filled, rest, isComplete) = ("", text, true)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = rest[rest.index(after: open)..<close]
            let value = fields.first { $0.key == name }?.value
            isComplete = isComplete && value != nil
            filled += rest[..<open] + (value ?? "?")
            rest = rest[rest.index(after: close)...]
        }
        return (filled + rest, isComplete)
    }
}

extension Kernel {
    /// What an event says, in words.
    public func sentence(of kind: String, body: String) -> String {
        EventSentence(kind, kinds[kind]).text(body: body)
    }
}
