/// A JSON document as a value; objects keep the order they were written in.
public indirect enum JSONValue: Sendable, Hashable {
    case null, bool(Bool), integer(Int64), number(Double), string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    public static func == (left: JSONValue, right: JSONValue) -> Bool { left.text() == right.text() }
    public func hash(into hasher: inout Hasher) { hasher.combine(text()) }

    /// The names of an object, in its order; none where it is no object.
    public var names: [String] { if case .object(let entries) = self { entries.map(\.key) } else { [] } }

    /// The document as RFC 8259 text, on one line or indented by two spaces a level.
    public func text(isIndented: Bool = false) -> String {
        var output = ""
        write(to: &output, indent: isIndented ? 0 : nil)
        return output
    }

    private func write(to output: inout String, indent: Int?) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .integer(let value): output += String(value)
        case .number(let value): output += value.isFinite ? String(value) : "null"
        case .string(let value): JSONValue.quote(value, to: &output)
        case .array(let values):
            JSONValue.writeList("[", values, "]", to: &output, indent: indent) { $0.write(to: &$1, indent: $2) }
        case .object(let entries):
            JSONValue.writeList("{", entries, "}", to: &output, indent: indent) { entry, output, indent in
                JSONValue.quote(entry.key, to: &output)
                output += indent == nil ? ":" : ": "
                entry.value.write(to: &output, indent: indent)
            }
        }
    }

    private static func writeList<Element>(
        _ open: String, _ elements: [Element], _ close: String, to output: inout String, indent: Int?,
        _ write: (Element, inout String, Int?) -> Void
    ) {
        output += open
        for (index, element) in elements.enumerated() {
            if index > 0 { output += "," }
            if let indent { output += "\n" + String(repeating: "  ", count: indent + 1) }
            write(element, &output, indent.map { $0 + 1 })
        }
        if let indent, !elements.isEmpty { output += "\n" + String(repeating: "  ", count: indent) }
        output += close
    }

    static func quote(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\u{0}"..<"\u{20}":
                let hex = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
