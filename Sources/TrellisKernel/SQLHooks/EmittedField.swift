/// Holds what a hook emits against the declared fields of its activity. It is `trellis_emitted(value, kind, name)` in
/// SQL, so that a batch stays one statement, and it reads by the rules of `trellis record`, which are the same code.
enum EmittedField {
    /// Of a value that does not fit, its error shows no more characters.
    private static let toldMax = 40

    /// SQL's `trellis_cause(id of the event there is, event_id of the row)`.
    static var cause: DatabaseFunction {
        DatabaseFunction("trellis_cause", argumentCount: 2) { values in
            guard values[0].isNull, !values[1].isNull else { return values[0] }
            let text = String.fromDatabaseValue(values[1]) ?? "\(values[1])"
            throw FieldProblem(field: "event_id", message: "there is no event \(text.prefix(toldMax))")
        }
    }

    /// Not called pure: SQLite might work out a value that stands in the text before it knows that there is a row.
    static var function: DatabaseFunction {
        DatabaseFunction("trellis_emitted", argumentCount: 3) { values in
            let kind = String.fromDatabaseValue(values[1]).flatMap(CustomField.Kind.init) ?? .text
            return try read(values[0], as: kind, field: String.fromDatabaseValue(values[2]) ?? "")
        }
    }

    /// The call of it for an expression.
    static func sql(_ value: String, as kind: CustomField.Kind, field: String) -> String {
        "trellis_emitted(\(value), '\(kind.rawValue)', \(field.sqlLiteral))"
    }

    /// A moment, as the date functions of SQLite write it or as people do.
    static func moment(_ value: String, field: String) -> String {
        sql("coalesce(strftime('%Y-%m-%d %H:%M:%f', \(value)), CAST(\(value) AS TEXT))", as: .time, field: field)
    }

    /// NULL and an empty text are no value.
    ///
    /// - Throws: ``FieldProblem`` with what was expected, and what came.
    static func read(_ value: DatabaseValue, as kind: CustomField.Kind, field: String) throws -> DatabaseValue {
        let text =
            switch value.storage {
            case .null: ""
            case .int64(let number): String(number)
            case .double(let number): String(number)
            case .string(let text): text
            case .blob: throw FieldProblem(field: field, message: "expected a text or a number, got bytes")
            }
        guard !text.isEmpty else { return .null }
        do {
            return try FieldValue.read(text, as: kind, field: field)
        } catch let problem as FieldProblem {
            let told = text.count > toldMax ? "\(text.prefix(toldMax))…" : text
            throw FieldProblem(field: field, message: "\(problem.message), got '\(told)'")
        }
    }
}
