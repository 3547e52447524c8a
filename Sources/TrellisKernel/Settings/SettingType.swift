import Foundation
import Yams

/// How a kind of value is read from a YAML node, and what the JSON Schema says of it.
public struct SettingType<Value: Sendable>: Sendable {
    /// What a message says was expected: "a whole number from 0 to 100".
    public let expected: String
    let schema: @Sendable (inout SchemaBuilder) -> JSONValue
    let read: @Sendable (Node, SettingsReader) -> Value?

    init(
        _ expected: String, schema: @escaping @Sendable (inout SchemaBuilder) -> JSONValue,
        read: @escaping @Sendable (Node, SettingsReader) -> Value?
    ) {
        self.expected = expected
        self.schema = schema
        self.read = read
    }

    /// A type whose values are read from the text of a scalar; nil refuses it.
    init(scalar expected: String, schema: JSONValue, _ parse: @escaping @Sendable (String) -> Value?) {
        self.init(expected, schema: { _ in schema }) { node, reader in
            guard let text = reader.scalar(node, expecting: expected) else { return nil }
            guard let value = parse(text) else {
                reader.expected(expected, at: node)
                return nil
            }
            return value
        }
    }

    /// The same value with its place.
    public var located: SettingType<Located<Value>> {
        SettingType<Located<Value>>(expected, schema: schema) { node, reader in
            read(node, reader).map { Located($0, at: reader.placeOfText(node)) }
        }
    }

    /// The same value as an optional, for settings whose absence means something.
    var optional: SettingType<Value?> {
        SettingType<Value?>(expected, schema: schema) { node, reader in read(node, reader).map(Optional.some) }
    }

    /// The same value made into another type.
    public func map<Other: Sendable>(_ transform: @escaping @Sendable (Value) -> Other) -> SettingType<Other> {
        SettingType<Other>(expected, schema: schema) { node, reader in read(node, reader).map(transform) }
    }
}

private func type(_ name: String) -> JSONValue { .object([("type", .string(name))]) }

extension SettingType where Value == String {
    /// Any text on one or more lines.
    public static var text: SettingType {
        SettingType(scalar: "a text", schema: type("string")) { $0.isEmpty ? nil : $0 }
    }

    /// One of a few words.
    public static func word(_ words: [String]) -> SettingType {
        SettingType(
            scalar: "one of " + words.joined(separator: ", "),
            schema: .object([("enum", .array(words.map(JSONValue.string)))])
        ) { words.contains($0) ? $0 : nil }
    }

    /// A secret: warned about when it is written in clear text rather than as `${NAME}`.
    public static var secret: SettingType {
        SettingType("a secret as ${NAME}", schema: { _ in type("string") }) { node, reader in
            if case .scalar(let scalar) = node, !scalar.string.hasPrefix("${") {
                reader.warn("a secret in clear text. Put it in .env and write ${NAME} here.", at: node)
            }
            return reader.scalar(node, expecting: "a secret as ${NAME}")
        }
    }

    /// A lower-case name that becomes part of SQL: letters, digits and `_`.
    public static var identifier: SettingType {
        SettingType(scalar: "a name of lower-case letters, digits and _", schema: type("string")) {
            isName($0) ? $0 : nil
        }
    }

    /// An IANA time zone such as Europe/Berlin.
    public static var timeZone: SettingType {
        SettingType(scalar: "an IANA time zone such as Europe/Berlin", schema: type("string")) {
            $0 == "UTC" || ($0.contains("/") && TimeZone(identifier: $0) != nil) ? $0 : nil
        }
    }

    /// An address of the web: http or https and a host.
    public static var webAddress: SettingType {
        SettingType(scalar: "an address that starts with https:// or http://", schema: type("string")) { text in
            guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host() != nil else {
                return nil
            }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }
}

extension SettingType where Value == LocatedText {
    /// A text that remembers its place.
    public static var locatedText: SettingType { SettingType<String>.text.located }
    /// The same where `true` is one of the texts, which an editor takes for a flag.
    public static var locatedTextOrFlag: SettingType {
        let words = JSONValue.array([.string("string"), .string("boolean")])
        return SettingType("a text", schema: { _ in .object([("type", words)]) }, read: locatedText.read)
    }
    /// The same for a value of a column, which may look like a number, a flag or null, and is a text all the same.
    public static var locatedValue: SettingType {
        let words = ["string", "number", "boolean", "null"].map(JSONValue.string)
        return SettingType("a text", schema: { _ in .object([("type", .array(words))]) }, read: locatedText.read)
    }
    /// SQL, checked against the real schema before it is used.
    public static var sql: SettingType { SettingType<String>.text.located }
}

extension SettingType where Value == Int {
    public static func integer(_ range: ClosedRange<Int>) -> SettingType {
        SettingType(
            scalar: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            schema: .object([
                ("type", .string("integer")), ("minimum", .integer(Int64(range.lowerBound))),
                ("maximum", .integer(Int64(range.upperBound))),
            ])
        ) { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
    }
}

extension SettingType where Value == Double {
    public static func number(_ range: ClosedRange<Double>) -> SettingType {
        SettingType(
            scalar: "a number from \(range.lowerBound) to \(range.upperBound)",
            schema: .object([
                ("type", .string("number")), ("minimum", .number(range.lowerBound)),
                ("maximum", .number(range.upperBound)),
            ])
        ) { text in Double(text).flatMap { range.contains($0) ? $0 : nil } }
    }
}

extension SettingType where Value == Bool {
    public static var flag: SettingType {
        SettingType(scalar: "true or false", schema: type("boolean")) {
            ["true": true, "yes": true, "on": true, "false": false, "no": false, "off": false][$0.lowercased()]
        }
    }
}

extension SettingType where Value == Span {
    public static var span: SettingType {
        SettingType(scalar: "a duration such as 90m, 4 hours or 3 days", schema: type("string")) { Span($0) }
    }
}

/// What the JSON Schema says of a list: also one value alone, where that is no mapping.
private func listSchema(of element: JSONValue) -> JSONValue {
    let list = JSONValue.object([("type", .string("array")), ("items", element)])
    if element["$ref"] != nil { return list }
    let single =
        element["anyOf"] == nil
        ? element : JSONValue.object([("allOf", .array([element, .object([("not", type("object"))])]))])
    return .object([("anyOf", .array([single, list]))])
}

extension SettingType {
    /// A list; a single value is read as a list of one.
    public static func list<Element>(of element: SettingType<Element>) -> SettingType where Value == [Element] {
        SettingType("a list", schema: { listSchema(of: element.schema(&$0)) }) { node, reader in
            guard case .sequence(let sequence) = node else {
                if case .mapping = node {
                    reader.expected("a list", at: node)
                    return nil
                }
                return element.read(node, reader).map { [$0] }
            }
            return sequence.enumerated().compactMap { index, item in
                reader.descend("\(index + 1)", item) { element.read(item, reader) }
            }
        }
    }

    /// A mapping whose keys are names the configurer chooses; the order of the file is kept.
    public static func named<Element>(
        _ what: String = "a mapping of names", isIdentifier: Bool = false, of element: SettingType<Element>
    ) -> SettingType where Value == [Named<Element>] {
        SettingType(
            what,
            schema: { .object([("type", .string("object")), ("additionalProperties", element.schema(&$0))]) }
        ) { node, reader in
            reader.entries(node, expecting: what)?.compactMap { key, keyNode, value in
                reader.descend(key, value) {
                    if isIdentifier, !isName(key) {
                        reader.problem("'\(key)' must be lower-case letters, digits and _.", at: keyNode)
                        return nil
                    }
                    return element.read(value, reader).map { Named(key, $0, at: reader.place(keyNode)) }
                }
            }
        }
    }

    /// A mapping with declared keys.
    public static func record(_ record: Value.Type = Value.self) -> SettingType where Value: SettingsRecord {
        SettingType("a mapping", schema: { $0.reference(to: Value.self) }) { node, reader in
            Value.read(node, reader)
        }
    }

    /// A mapping with declared keys, or a list of such mappings.
    public static func oneOrMore<Element: SettingsRecord>(_ record: Element.Type = Element.self) -> SettingType
    where Value == [Element] {
        SettingType(
            "a mapping, or a list of mappings",
            schema: { builder in
                let one = builder.reference(to: Element.self)
                return .object([
                    ("anyOf", .array([one, .object([("type", .string("array")), ("items", one)])]))
                ])
            }
        ) { node, reader in
            guard case .sequence(let sequence) = node else { return Element.read(node, reader).map { [$0] } }
            return sequence.enumerated().compactMap { index, item in
                reader.descend("\(index + 1)", item) { Element.read(item, reader) }
            }
        }
    }

    /// Either a short form (a scalar) or the full mapping.
    public static func record(orShort short: SettingType<Value>) -> SettingType where Value: SettingsRecord {
        SettingType(
            "\(short.expected), or a mapping",
            schema: { .object([("anyOf", .array([short.schema(&$0), $0.reference(to: Value.self)]))]) }
        ) { node, reader in
            guard case .scalar = node else { return Value.read(node, reader) }
            let before = reader.problems.count
            let value = short.read(node, reader)
            if value == nil, reader.problems.count > before {
                reader.replaceProblems(after: before, by: "\(short.expected), or a mapping", at: node)
            }
            return value
        }
    }
}

/// Whether a name may stand in SQL as it is.
func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, (97...122).contains(first), name.utf8.count <= 60 else { return false }
    return name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
}

extension SettingType {
    /// A type of your own, read from the text of a scalar; nil refuses it with "expected …, got …".
    public static func parsed(_ expected: String, _ parse: @escaping @Sendable (String) -> Value?) -> SettingType {
        SettingType(scalar: expected, schema: .object([("type", .string("string"))]), parse)
    }
}

extension SettingType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    public static func choice() -> SettingType {
        let words = Value.allCases.map(\.rawValue)
        return SettingType(
            scalar: "one of " + words.joined(separator: ", "),
            schema: .object([("enum", .array(words.map(JSONValue.string)))])
        ) { Value(rawValue: $0) }
    }
}

extension SettingType where Value == Date {
    /// A moment, UTC.
    public static var instant: SettingType {
        SettingType(scalar: "a time such as 2026-01-31 14:00", schema: type("string")) { Timestamp.date($0) }
    }
}
