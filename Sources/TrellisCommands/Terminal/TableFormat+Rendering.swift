import Foundation
import TrellisKernel

/// Lines of comma-separated values: RFC 4180, but with LF, as every tool on this side of the web expects.
struct CommaSeparatedText {
    /// Whether a text that a spreadsheet would calculate is written as it is, and without the mark of `FormulaGuard`.
    let isRaw: Bool

    /// The line of column names; nothing for a statement that has no columns.
    func header(_ columns: [String]) -> String {
        columns.isEmpty ? "" : line(columns.map { .text($0) })
    }

    /// One row with its newline.
    func line(_ row: [Cell]) -> String {
        if row == [.null] { return "\"\"\n" }
        var line = ""
        for (index, cell) in row.enumerated() {
            if index > 0 { line += "," }
            line += field(cell)
        }
        return line + "\n"
    }

    private func field(_ cell: Cell) -> String {
        guard case .text(var text) = cell else { return cell.text ?? "" }
        if !isRaw, FormulaGuard.guards(text) { text = "'" + text }
        // Bytes, not characters: Swift holds CR LF for one character, which is neither CR nor LF.
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"): false
            default: true
            }
        }
        if isPlain && !text.isEmpty { return text }
        var quoted = String.UnicodeScalarView()
        quoted.append("\"")
        for scalar in text.unicodeScalars {
            if scalar == "\"" { quoted.append("\"") }
            quoted.append(scalar)
        }
        quoted.append("\"")
        return String(quoted)
    }
}

/// Rows as JSON objects, by RFC 8259.
enum JSONText {
    /// The keys of the objects, as JSON strings. The second column of a name gets ":2", the third ":3", and
    /// a number that is already the name of another column is passed over.
    static func keys(for columns: [String]) -> [String] {
        let givenNames = Set(columns)
        var usedNames: Set<String> = []
        return columns.map { column in
            var name = column
            var number = 1
            while usedNames.contains(name) || (number > 1 && givenNames.contains(name)) {
                number += 1
                name = "\(column):\(number)"
            }
            usedNames.insert(name)
            return string(name)
        }
    }

    /// One row as an object on one line; `keys` come from `keys(for:)`.
    static func object(_ row: [Cell], keys: [String]) -> String {
        var object = "{"
        for (index, (key, cell)) in zip(keys, row).enumerated() {
            if index > 0 { object += "," }
            object += key
            object += ":"
            object += value(cell)
        }
        return object + "}"
    }

    /// One row as an array on one line.
    static func array(_ row: [Cell]) -> String {
        var array = "["
        for (index, cell) in row.enumerated() {
            if index > 0 { array += "," }
            array += value(cell)
        }
        return array + "]"
    }

    /// JSON has no NaN and no infinity, hence null; bytes go as base64, by RFC 4648.
    private static func value(_ cell: Cell) -> String {
        switch cell {
        case .null: "null"
        case .integer(let integer): String(integer)
        case .real(let real): real.isFinite ? real.description : "null"
        case .text(let text): string(text)
        case .blob(let bytes): "\"" + Data(bytes).base64EncodedString() + "\""
        }
    }

    private static func string(_ text: String) -> String {
        if isPlain(text) { return "\"\(text)\"" }
        var escaped = String.UnicodeScalarView()
        escaped.append("\"")
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": escaped.append(contentsOf: "\\\"".unicodeScalars)
            case "\\": escaped.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": escaped.append(contentsOf: "\\n".unicodeScalars)
            case "\r": escaped.append(contentsOf: "\\r".unicodeScalars)
            case "\t": escaped.append(contentsOf: "\\t".unicodeScalars)
            // Of these only the first 32 must be escaped; the others would reach a terminal as commands.
            case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16)
                let padding = String(repeating: "0", count: 4 - digits.count)
                escaped.append(contentsOf: "\\u\(padding)\(digits)".unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        escaped.append("\"")
        return String(escaped)
    }

    /// The common case, settled by looking at bytes: nothing to escape. 0xC2 begins U+0080 to U+009F.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case 0x00...0x1F, 0x7F, 0xC2, UInt8(ascii: "\""), UInt8(ascii: "\\"): false
            default: true
            }
        }
    }
}

/// Cells of a table in GitHub Flavored Markdown.
enum MarkdownText {
    /// The text on one line, with a backslash before what Markdown would take for markup.
    ///
    /// Underscores stay as they are: GitHub leaves them alone inside words, where e-mail addresses and column
    /// names have them.
    static func escaped(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "|", "*", "`", "<", "[":
                escaped.append("\\")
                escaped.append(scalar)
            case "\r": escaped.append(contentsOf: "<br>".unicodeScalars)
            case "\n":
                if previous != "\r" { escaped.append(contentsOf: "<br>".unicodeScalars) }
            default: escaped.append(scalar)
            }
            previous = scalar
        }
        return String(escaped).withVisibleControls
    }
}
