import Foundation

/// How the columns of a CSV file become fields: the file given with `--mapping`, or `--map` on the command line.
public struct ImportMapping: SettingsRecord {
    public enum Target: String, Sendable, CaseIterable {
        case leads, contacts, accounts, opportunities, activities, spend
    }

    public var target = Target.leads
    /// CSV column to field. Columns named like a field need no entry.
    public var columns: [Named<String>] = []
    /// Texts that mean "nothing", such as `Select`.
    public var empty: [String] = []
    /// CSV columns that are left out on purpose.
    public var ignore: [String] = []
    /// Fields with the same value in every row.
    public var constants: [Named<String>] = []
    /// Per field: the text in the file, and what it becomes. Other texts stay as they are.
    public var values: [Named<[Named<String>]>] = []
    /// How days are written in the file.
    public var dates = "YYYY-MM-DD"
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("into", \.target, .importTarget, "The table the rows go into.")
        SettingsField(
            "columns", \.columns, .named("a mapping of CSV columns to fields", of: .text), "CSV column to field.")
        SettingsField("empty", \.empty, .list(of: .text), "Texts that mean nothing was given.")
        SettingsField("ignore", \.ignore, .list(of: .text), "CSV columns left out on purpose.")
        SettingsField(
            "constants", \.constants, .named("a mapping of fields to values", of: .text),
            "Fields with the same value in every row.")
        SettingsField(
            "values", \.values, .named("a mapping of fields", of: .named("a mapping of texts", of: .text)),
            "Per field: the text in the file, and what it becomes.")
        SettingsField(
            "dates", \.dates, .word(["YYYY-MM-DD", "MM/DD/YYYY", "DD/MM/YYYY", "DD.MM.YYYY"]),
            "How days are written in the file.")
    }

    /// Reads a mapping file. All problems at once, each with its place.
    public static func load(_ path: String) throws -> ImportMapping { try load(file: path) }

    /// What decides whether two imports of one file are the same import.
    var fingerprint: String {
        "\(target.rawValue)|\(columns.map { "\($0.name)=\($0.value)" })|\(empty)|\(constants.map { "\($0.name)=\($0.value)" })|\(dates)"
            + "|\(values.map { "\($0.name)\($0.value.map { "\($0.name)=\($0.value)" })" })"
    }
}

extension SettingType where Value == ImportMapping.Target {
    static var importTarget: SettingType {
        let words = ImportMapping.Target.allCases.map(\.rawValue)
        return SettingType(
            scalar: "one of " + words.joined(separator: ", "),
            schema: .object([("enum", .array(words.map(JSONValue.string)))])
        ) { ImportMapping.Target(rawValue: $0) }
    }
}

/// The mapping applied to the header of one file: which CSV column goes where.
struct ColumnPlan {
    struct Source {
        let column: Int
        let header: String
        let field: String
        let values: [String: String]
        let isDate: Bool
    }

    var sources: [Source] = []
    /// CSV columns nobody asked for.
    var ignored: [String] = []
    private let empty: Set<String>
    private let dates: String

    /// - Parameters:
    ///   - takesConsents: whether a column `consent_PURPOSE` is a field.
    ///   - kind: the kind of a field, or nil where there is no such field.
    init(
        _ mapping: ImportMapping, header: [String], fields: [String], takesConsents: Bool = false,
        kind: (String) -> CustomField.Kind?
    ) throws {
        empty = Set(mapping.empty)
        dates = mapping.dates
        let mapped = Dictionary(mapping.columns.map { ($0.name, $0.value) }) { _, last in last }
        for name in mapped.keys where !header.contains(name) {
            throw KernelError.data(
                "The file has no column '\(name)'.\(NearMiss.hint(name, among: header)) It has: \(header.joined(separator: ", "))."
            )
        }
        let values = Dictionary(
            mapping.values.map { ($0.name, Dictionary($0.value.map { ($0.name, $0.value) }) { $1 }) }
        ) { $1 }
        for (column, name) in header.enumerated() {
            let field = mapped[name] ?? ColumnPlan.field(of: name)
            let isConsent = takesConsents && (field.hasPrefix("consent_") || field.hasPrefix("consent:"))
            guard isConsent || kind(field) != nil else {
                if mapped[name] != nil {
                    throw KernelError.data(
                        "'\(name)=\(field)': there is no field '\(field)'.\(NearMiss.hint(field, among: fields)) Declare it under fields: in the config."
                    )
                }
                if !mapping.ignore.contains(name) { ignored.append(name) }
                continue
            }
            if mapping.ignore.contains(name) { continue }
            let isDate = [.date, .time].contains(kind(field))
            sources.append(
                Source(column: column, header: name, field: field, values: values[field] ?? [:], isDate: isDate))
        }
    }

    /// The field that a CSV column is called like: `First Name` is `first_name`.
    static func field(of column: String) -> String { column.lowercased().replacing(" ", with: "_") }

    /// The text of a cell after the mapping; nil where it means nothing.
    func text(_ source: Source, _ row: CSVRow) -> String? {
        if row.isEmpty(source.column) { return nil }
        let text = FormulaGuard.removed(from: row.text(source.column)).trimmed
        if text.isEmpty || (!empty.isEmpty && empty.contains(text)) { return nil }
        if !source.values.isEmpty, let value = source.values[text] { return value }
        return source.isDate && dates != "YYYY-MM-DD" ? ColumnPlan.isoDay(text, dates) : text
    }

    /// `3/1/2017` written MM/DD/YYYY is `2017-03-01`; what does not fit stays as it is and is refused by its field.
    static func isoDay(_ text: String, _ format: String) -> String {
        let parts = text.split(whereSeparator: { "/.".contains($0) }).compactMap { Int($0) }
        guard parts.count == 3, parts[2] >= 1000 else { return text }
        let (day, month) = format.hasPrefix("MM") ? (parts[1], parts[0]) : (parts[0], parts[1])
        return String(format: "%04d-%02d-%02d", parts[2], month, day)
    }
}
