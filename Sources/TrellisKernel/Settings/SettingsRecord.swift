import Foundation
import Yams

/// A mapping of the config with declared keys. One declaration gives decoding, defaults, the JSON Schema and the
/// reference:
/// ```swift
/// public struct Settings: SettingsRecord {
///     var points = 10
///     public init() {}
///     public static var fields: [SettingsField<Self>] {
///         SettingsField("points", \.points, .integer(-1000...1000), "Points for each download.")
///     }
/// }
/// ```
public protocol SettingsRecord: Sendable {
    /// The defaults.
    init()
    @SettingsFieldBuilder<Self> static var fields: [SettingsField<Self>] { get }
    /// Takes a key that is not declared, for a section whose keys are names the configurer chooses. False refuses it.
    mutating func readOpenKey(_ key: String, _ keyNode: Node, _ value: Node, _ reader: SettingsReader) -> Bool
    /// What the JSON Schema says of such keys; nil where there are none.
    static func openSchema(_ builder: inout SchemaBuilder) -> JSONValue?
    /// What types cannot say. `place` is that of the whole mapping.
    func problems(at place: Place) -> [ConfigProblem]
}

extension SettingsRecord {
    public func problems(at _: Place) -> [ConfigProblem] { [] }
    public mutating func readOpenKey(_: String, _: Node, _: Node, _: SettingsReader) -> Bool { false }
    public static func openSchema(_: inout SchemaBuilder) -> JSONValue? { nil }

    /// - Parameter others: keys that stand beside those of the record and are read by somebody else: one of them may be
    ///   meant.
    static func read(_ node: Node, _ reader: SettingsReader, beside others: [String] = []) -> Self? {
        guard let entries = reader.entries(node, expecting: "a mapping") else { return nil }
        var record = Self()
        let fields = Self.fields
        let problemsBefore = reader.problems.count
        for (key, keyNode, value) in entries {
            guard let field = fields.first(where: { $0.key == key }) else {
                let isOther = value.scalar != nil && NearMiss.of(key, among: others) != nil
                if isOther || !record.readOpenKey(key, keyNode, value, reader) {
                    let hint = NearMiss.hint(key, among: fields.map(\.key) + others)
                    let all = fields.map(\.key).joined(separator: ", ")
                    reader.problem("unknown key '\(key)'.\(hint.isEmpty ? " There are: \(all)." : hint)", at: keyNode)
                }
                continue
            }
            _ = reader.descend(key, value) { field.read(&record, value, reader) }
        }
        let given = Set(entries.map(\.key))
        for field in fields where field.isRequired && !given.contains(field.key) {
            reader.problem("the key '\(field.key)' is missing: \(field.summary)", at: node)
        }
        if reader.problems.count == problemsBefore { reader.add(record.problems(at: reader.place(node))) }
        return record
    }
}

extension SettingsRecord {
    /// Reads a YAML file that holds one record, such as the mapping of an import. An empty one is all defaults.
    ///
    /// - Throws: ``KernelError/unreadable(_:)``, or ``ConfigProblems`` with all that is wrong and its places.
    static func load(file path: String) throws -> Self {
        guard let data = FileManager.default.contents(atPath: path) else { throw KernelError.unreadable(path) }
        let name = (path as NSString).lastPathComponent
        let reader = SettingsReader(file: name, environment: [:])
        let document = YAMLDocument(text: try YAMLDocument.text(of: data, name), file: name)
        reader.open(document)
        let record = document.content.flatMap { read($0, reader) }
        guard reader.problems.isEmpty else { throw ConfigProblems(reader.problems) }
        return record ?? Self()
    }
}

/// The settings of a plugin whose whole section is a mapping of names the configurer chooses.
public protocol OpenSettingsRecord: SettingsRecord {
    associatedtype Entry: SettingsRecord
    /// The entries in the order of the file.
    var entries: [Named<Entry>] { get set }
}

extension OpenSettingsRecord {
    public static var fields: [SettingsField<Self>] { [] }

    public mutating func readOpenKey(_ key: String, _ keyNode: Node, _ value: Node, _ reader: SettingsReader) -> Bool {
        let entry = reader.descend(key, value) { Entry.read(value, reader) }
        if let entry { entries.append(Named(key, entry, at: reader.place(keyNode))) }
        return true
    }

    public static func openSchema(_ builder: inout SchemaBuilder) -> JSONValue? {
        builder.reference(to: Entry.self)
    }
}

/// The settings of a plugin that has none.
public struct NoSettings: SettingsRecord {
    public init() {}
    public static var fields: [SettingsField<Self>] { [] }
}

/// One key of a ``SettingsRecord``.
public struct SettingsField<Record: Sendable>: Sendable {
    public let key: String
    /// One sentence for the reference and for the editor's tooltip.
    public let summary: String
    public let isRequired: Bool
    let schema: @Sendable (inout SchemaBuilder) -> JSONValue
    let read: @Sendable (inout Record, Node, SettingsReader) -> Void?

    /// A setting with a default, which is what the record's `init()` says.
    public init<Value>(
        _ key: String, _ path: any WritableKeyPath<Record, Value> & Sendable, _ type: SettingType<Value>,
        _ summary: String,
        isRequired: Bool = false
    ) {
        self.key = key
        self.summary = summary
        self.isRequired = isRequired
        schema = type.schema
        read = { record, node, reader in
            if let value = type.read(node, reader) { record[keyPath: path] = value }
        }
    }

    /// A setting whose absence means something.
    public init<Value>(
        _ key: String, _ path: any WritableKeyPath<Record, Value?> & Sendable, optional type: SettingType<Value>,
        _ summary: String
    ) {
        self.init(key, path, type.optional, summary)
    }

    /// The same key in a record that holds this one: its section has the keys of both.
    public func of<Whole>(_ path: any WritableKeyPath<Whole, Record> & Sendable) -> SettingsField<Whole> {
        SettingsField<Whole>(part: self, at: path)
    }

    private init<Part>(part: SettingsField<Part>, at path: any WritableKeyPath<Record, Part> & Sendable) {
        key = part.key
        summary = part.summary
        isRequired = part.isRequired
        schema = part.schema
        read = { record, node, reader in part.read(&record[keyPath: path], node, reader) }
    }

    /// A setting that must be given.
    public static func required<Value>(
        _ key: String, _ path: any WritableKeyPath<Record, Value> & Sendable, _ type: SettingType<Value>,
        _ summary: String
    ) -> SettingsField {
        SettingsField(key, path, type, summary, isRequired: true)
    }
}

@resultBuilder
public enum SettingsFieldBuilder<Record: Sendable> {
    public static func buildBlock(_ fields: [SettingsField<Record>]...) -> [SettingsField<Record>] {
        fields.flatMap { $0 }
    }
    public static func buildExpression(_ field: SettingsField<Record>) -> [SettingsField<Record>] { [field] }
    public static func buildExpression(_ fields: [SettingsField<Record>]) -> [SettingsField<Record>] { fields }
}
