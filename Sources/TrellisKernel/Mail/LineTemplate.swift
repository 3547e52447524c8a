import Foundation

/// One line of text with the variables of a mail, filled in for a lead when somebody looks at it: `Ring
/// {{first_name|them}}`.
public struct LineTemplate: Sendable {
    private let template: MailTemplate

    /// - Throws: ``MailTemplateProblem`` for what cannot be read.
    public init(_ text: String) throws {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        template = try MailTemplate(name: "text", source: "---\nsubject: \(line)\n---\n\u{2060}\n")
    }

    /// The names it asks for.
    public var variables: Set<String> { template.variables }

    /// The line for a lead; as it was written where the lead is gone or lacks a value without a fallback.
    public func filled(for lead: Int64, _ db: Database) throws -> String {
        guard let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM leads WHERE id = ?"), arguments: [lead])
        else { return template.subject }
        var values: [String: String] = [:]
        for (column, value) in row {
            values[column] = String.fromDatabaseValue(value) ?? (value.isNull ? nil : "\(value)")
        }
        return (try? template.rendered(values).subject) ?? template.subject
    }
}
