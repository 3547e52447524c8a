import Foundation

extension JSONValue {
    /// A value of the database; bytes are read as text.
    public init(_ value: DatabaseValue) {
        self =
            switch value.storage {
            case .null: .null
            case .int64(let number): .integer(number)
            case .double(let number): .number(number)
            case .string(let text): .string(text)
            case .blob(let data): .string(String(decoding: data, as: UTF8.self))
            }
    }

    /// Reads a document (RFC 8259); nil for what is none. Objects come in the order of their keys.
    public init?(parsing text: String) {
        guard let any = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) else {
            return nil
        }
        self.init(any)
    }

    private init(_ any: Any) {
        self =
            switch any {
            case let text as String: .string(text)
            case let list as [Any]: .array(list.map(JSONValue.init))
            case let object as [String: Any]:
                .object(object.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) })
            case let number as NSNumber: JSONValue(number)
            default: .null
            }
    }

    private init(_ number: NSNumber) {
        let isFlag = String(cString: number.objCType) == "c"
        self =
            isFlag
            ? .bool(number.boolValue) : Int64(exactly: number).map(JSONValue.integer) ?? .number(number.doubleValue)
    }

    /// The value of a key of an object; nil where there is none.
    public subscript(_ key: String) -> JSONValue? {
        guard case .object(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// The elements of an array; empty for anything else.
    public var elements: [JSONValue] {
        guard case .array(let values) = self else { return [] }
        return values
    }

    /// The text of a string, a number or a flag.
    public var scalarText: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
