import Foundation

/// A query with a name, parameters and defaults.
public struct NamedQuery: SettingsRecord {
    public var description: String?
    public var parameters: [Named<QueryParameter>] = []
    /// How the answer is written where whoever asks names no form; nil leaves it to the place.
    public var format: AnswerFormat?
    /// Whether a shell draws the answer as bars, where whoever asks names no form.
    public var isChart = false
    public var sql = Located("")
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("description", \.description, optional: .text, "What it answers.")
        SettingsField(
            "parameters", \.parameters,
            .named(
                "a mapping of parameters and their defaults", isIdentifier: true,
                of: .record(orShort: SettingType<String?>.nullableText.map(QueryParameter.init(default:)))),
            "Parameters with their defaults, null meaning none, or with a type and more.")
        SettingsField(
            "format", \.format, optional: .choice(),
            "How the answer is written where nobody asks for another form; over HTTP csv, json and jsonl count.")
        SettingsField("chart", \.isChart, .flag, "Whether a shell draws a label and a number as bars.")
        SettingsField.required("sql", \.sql, .sql, "One SELECT; parameters stand as :name.")
    }

    /// The values to bind: those that are given, and the defaults of the others.
    ///
    /// - Parameters:
    ///   - given: texts by the name of their parameter; nil or an empty text means none.
    ///   - options: what may be given beside the parameters, and is taken out of `given` already: said where a name is
    ///     unknown.
    /// - Throws: ``KernelError/usage(_:)`` that names the parameter and says what it takes.
    public func values(_ given: [String: String?], beside options: [String] = []) throws -> [String: Cell] {
        for name in given.keys.sorted() where !parameters.contains(where: { $0.name == name }) {
            let names = parameters.map(\.name)
            let known = names + options.filter { !names.contains($0) }
            throw KernelError.usage(
                "'\(name.prefix(60))' is no parameter of this query.\(NearMiss.hint(name, among: known)) "
                    + (known.isEmpty ? "It takes none." : "It takes: \(known.joined(separator: ", "))."))
        }
        var values: [String: Cell] = [:]
        for parameter in parameters {
            values[parameter.name] = try parameter.value.value(
                of: given[parameter.name] ?? parameter.value.defaultText, named: parameter.name)
        }
        return values
    }
}

/// The forms of an answer that a config may name: those of `trellis sql --format`.
public enum AnswerFormat: String, Sendable, CaseIterable {
    case table, line, csv, json, jsonl, markdown
}

/// What a parameter of a ``NamedQuery`` takes.
public struct QueryParameter: SettingsRecord {
    /// Nil where a value is a number if it looks like one, and a text otherwise; only a number where the default is
    /// one.
    public var kind: CustomField.Kind?
    public var defaultText: String?
    public var isRequired = false
    public var oneOf: [String] = []
    public var label: String?
    public init() {}

    init(default text: String?) {
        defaultText = text
    }

    public static var fields: [SettingsField<Self>] {
        SettingsField("type", \.kind, optional: .choice(), "text, integer, real, date, time or boolean.")
        SettingsField("default", \.defaultText, .nullableText, "The value where none is given; null means none.")
        SettingsField("required", \.isRequired, .flag, "Whether a value must be given.")
        SettingsField("one_of", \.oneOf, .list(of: .text), "The only values it takes.")
        SettingsField("label", \.label, optional: .text, "How people call it.")
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        if isRequired, defaultText != nil {
            return [ConfigProblem("a required parameter has no default. Leave one of the two out.", at: place)]
        }
        var problems: [ConfigProblem] = []
        // What one_of lists is held against the type alone.
        var unlisted = self
        unlisted.oneOf = []
        for (key, text) in oneOf.map({ ("one_of", $0) })
            + [("default", defaultText)].compactMap({ key, text in
                text.map { (key, $0) }
            })
        {
            do {
                _ = try (key == "default" ? self : unlisted).value(of: text, named: key)
            } catch {
                problems.append(ConfigProblem("\(error)", at: place))
            }
        }
        return problems
    }

    /// The value that a text means.
    func value(of text: String?, named name: String) throws -> Cell {
        guard let text, !text.isEmpty else {
            guard !isRequired else { throw KernelError.usage("\(name): expected \(expectation), got nothing.") }
            return .null
        }
        guard oneOf.isEmpty || oneOf.contains(text) else {
            throw KernelError.usage("\(name): expected \(expectation), got '\(text.prefix(60))'.")
        }
        guard let kind else {
            let value = Cell(guessing: text)
            guard !takesNumbers || value.number != nil else {
                throw KernelError.usage("\(name): expected \(expectation), got '\(text.prefix(60))'.")
            }
            return value
        }
        do {
            return Cell(try FieldValue.read(text, as: kind, field: name))
        } catch {
            throw KernelError.usage("\(name): expected \(expectation), got '\(text.prefix(60))'.")
        }
    }

    /// Whether its default is a number and nothing says that texts are taken too: a query that compares with numbers
    /// would answer something else to a text, without a word.
    private var takesNumbers: Bool {
        kind == nil && oneOf.isEmpty && defaultText.map { Cell(guessing: $0).number != nil } ?? false
    }

    /// What it takes, in words.
    public var expectation: String {
        if !oneOf.isEmpty { return "one of \(oneOf.joined(separator: ", "))" }
        return switch kind {
        case .integer: "a whole number"
        case .real: "a number"
        case .date: "a day such as 2026-01-31"
        case .time: "a time such as 2026-01-31 14:00"
        case .boolean: "yes or no"
        case nil where takesNumbers: "a number"
        case .text, nil: "a text"
        }
    }
}

extension SettingType where Value == String? {
    static var nullableText: SettingType {
        SettingType(
            "a text, a number or null",
            schema: { _ in .object([("type", .array(["string", "number", "boolean", "null"].map(JSONValue.string)))]) }
        ) { node, reader in
            guard let text = reader.scalar(node, expecting: "a text, a number or null") else { return nil }
            return .some(["null", "~", ""].contains(text) ? nil : text)
        }
    }
}
