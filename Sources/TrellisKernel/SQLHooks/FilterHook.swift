/// A hook of the config that filters drafts: a SELECT whose rows refuse a draft, and one whose row changes it. The
/// fields of the draft stand in both as parameters: `:email`.
struct FilterHook: Sendable {
    private let name: String
    private let settings: SQLHookSettings

    /// A filter that takes longer for one draft fails.
    static let budget = Duration.seconds(1)

    init(_ name: String, _ settings: SQLHookSettings) {
        self.name = name
        self.settings = settings
    }

    var filter: any Hook {
        let draft: any SQLDraft.Type = (settings.filter ?? .lead).draft
        return over(draft)
    }

    private func over<D: SQLDraft>(_ draft: D.Type) -> any Hook {
        Filter(name, draft) { draft, tx in
            try TimeBudget.within(FilterHook.budget, on: tx.db) { try edit(&draft, tx) }
        }
    }

    func edit<D: SQLDraft>(_ draft: inout D, _ tx: Transaction) throws {
        try ValueLimit.within(tx.db) { try ask(&draft, tx) }
    }

    private func ask<D: SQLDraft>(_ draft: inout D, _ tx: Transaction) throws {
        if let row = try firstRow(of: settings.set, draft, tx) {
            for (column, value) in row where !value.isNull { try draft.set(column, value) }
        }
        if let row = try firstRow(of: settings.sql, draft, tx) {
            throw Veto(row.first.flatMap { String.fromDatabaseValue($0.1) } ?? name)
        }
    }

    private func firstRow<D: SQLDraft>(of sql: LocatedText?, _ draft: D, _ tx: Transaction) throws -> Row? {
        guard let sql else { return nil }
        let statement = try tx.db.cachedStatement(sql: SQLText(sql.value).statements.first ?? sql.value)
        let values = SQLText.arguments(of: statement) { $0 == "now" ? tx.stamp.databaseValue : draft.value($0) }
        return try Row.fetchOne(statement, arguments: values)
    }
}

extension SQLHookSettings.FilteredDraft {
    var draft: any SQLDraft.Type {
        switch self {
        case .lead: LeadDraft.self
        case .mail: MessageDraft.self
        case .audience: AudienceMemberDraft.self
        case .handoff: HandoffDraft.self
        }
    }
}

/// A draft whose fields SQL may name.
protocol SQLDraft: Draft {
    /// The fields it has beside a column for each column of `leads`, where it has those.
    static var fields: [String] { get }
    static var hasLeadColumns: Bool { get }
    /// Those of its fields that may be changed, as every column of `leads` may; nil where any name is a value.
    static var changeable: [String]? { get }
    /// NULL for what there is not.
    func value(_ field: String) -> DatabaseValue
    /// - Throws: ``FieldProblem`` for a value that does not fit.
    mutating func set(_ field: String, _ value: DatabaseValue) throws
}

extension SQLDraft {
    static var hasLeadColumns: Bool { false }
}

extension LeadDraft: SQLDraft {
    static let hasLeadColumns = true
    static let fields = ["form", "variant", "channel"]
    static let changeable: [String]? = []

    func value(_ field: String) -> DatabaseValue {
        switch field {
        case "form": form.databaseValue
        case "variant": variant.databaseValue
        case "channel": (touch?.channel).databaseValue
        default: self[field]
        }
    }

    mutating func set(_ field: String, _ value: DatabaseValue) throws {
        try set(field, text: String.fromDatabaseValue(value) ?? "\(value)")
    }
}

extension MessageDraft: SQLDraft {
    static let fields = ["message_id", "lead_id", "origin", "purpose", "template"]
    static let changeable: [String]? = nil

    func value(_ field: String) -> DatabaseValue {
        switch field {
        case "message_id": messageID.databaseValue
        case "lead_id": leadID.databaseValue
        case "origin": origin.databaseValue
        case "purpose": purpose.rawValue.databaseValue
        case "template": template.databaseValue
        default: .null
        }
    }

    mutating func set(_ field: String, _ value: DatabaseValue) throws {
        let text = String.fromDatabaseValue(value) ?? "\(value)"
        if field == "template" { template = text } else { values[field] = text }
    }
}

extension AudienceMemberDraft: SQLDraft {
    static let fields = ["lead_id", "audience", "platform"]
    static let changeable: [String]? = []

    func value(_ field: String) -> DatabaseValue {
        switch field {
        case "lead_id": leadID.databaseValue
        case "audience": audience.databaseValue
        case "platform": platform.databaseValue
        default: .null
        }
    }

    mutating func set(_: String, _: DatabaseValue) throws {}
}

extension HandoffDraft: SQLDraft {
    static let fields = ["lead_id", "rep"]
    static let changeable: [String]? = ["rep"]

    func value(_ field: String) -> DatabaseValue {
        switch field {
        case "lead_id": leadID.databaseValue
        case "rep": rep.databaseValue
        default: .null
        }
    }

    mutating func set(_ field: String, _ value: DatabaseValue) throws {
        if field == "rep" { rep = String.fromDatabaseValue(value) }
    }
}
