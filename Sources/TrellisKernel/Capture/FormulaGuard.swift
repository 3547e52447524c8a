/// The `'` before a field of a CSV file that a spreadsheet would calculate, so that a stranger's form entry runs
/// nothing on the machine of the person who opens the file.
///
/// What begins with `'` and goes on as a formula gets another `'`, so that taking one away again gives each field back
/// as it was, and nothing else is changed.
public enum FormulaGuard {
    static let mark = UInt8(ascii: "'")

    /// Whether a field gets the mark in front. Source: OWASP, "CSV Injection". Plain numbers stay numbers.
    public static func guards(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { guards($0[...]) }
    }

    static func guards(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        switch bytes.first {
        case mark: guards(bytes.drop { $0 == mark })
        case UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
            true
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            !isPlainNumber(bytes)
        case 0xEF:
            // The full-width forms of + - = @, which some spreadsheets read as the narrow ones.
            ["＋", "－", "＝", "＠"].contains { bytes.starts(with: $0.utf8) }
        default:
            false
        }
    }

    /// A field without the mark that ``guards(_:)`` put in front; any other as it is.
    public static func removed(from text: String) -> String {
        guard text.utf8.first == mark, guards(text) else { return text }
        return String(decoding: text.utf8.dropFirst(), as: UTF8.self)
    }

    /// Whether the field is a sign, digits and at most one dot, such as `-12.5` or `+4917012345`.
    private static func isPlainNumber(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var digits = 0
        var dots = 0
        for byte in bytes.dropFirst() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "."): dots += 1
            default: return false
            }
        }
        return digits > 0 && dots <= 1
    }
}
