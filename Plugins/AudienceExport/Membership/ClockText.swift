/// The moment in the SQL of an audience. SQLite's own 'now' is the machine's; an audience is looked at at the kernel's,
/// which stands still in a test and runs ahead in a simulation. So 'now', where it is the argument of a function of
/// time, becomes the parameter `:now`.
struct ClockText: Sendable {
    /// The SQL with `:now` for 'now'.
    private(set) var sql = ""
    /// Parameters other than `:now`, which nobody would fill.
    private(set) var strangers: [String] = []
    private(set) var usesNow = false

    /// Functions that read 'now' (https://www.sqlite.org/lang_datefunc.html).
    private static let functions: Set<String> = [
        "date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff",
    ]

    init(_ written: String) {
        let text = Array(written.unicodeScalars)
        var index = 0
        var word = ""
        var calls: [String] = []
        while index < text.count {
            let scalar = text[index]
            let end = ClockText.end(of: scalar, in: text, at: index)
            let token = String(String.UnicodeScalarView(text[index..<end]))
            switch scalar {
            case "(": calls.append(word.lowercased())
            case ")": _ = calls.popLast()
            case ":", "@", "$", "?": note(token)
            default: break
            }
            if token.lowercased() == "'now'", let call = calls.last, ClockText.functions.contains(call) {
                sql += ":now"
                usesNow = true
            } else {
                sql += token
            }
            if !scalar.properties.isWhitespace { word = token }
            index = end
        }
    }

    private mutating func note(_ token: String) {
        if token == ":now" {
            usesNow = true
        } else if token.count > 1 || token == "?" {
            strangers.append(token)
        }
    }

    /// Where the token that begins here ends: a literal, a quoted name, a comment, a word, or one character.
    private static func end(of scalar: Unicode.Scalar, in text: [Unicode.Scalar], at start: Int) -> Int {
        let next = start + 1 < text.count ? text[start + 1] : " "
        switch scalar {
        case "'", "\"", "`": return quoted(by: scalar, in: text, from: start + 1)
        case "[": return (text[start...].firstIndex(of: "]") ?? text.count - 1) + 1
        case "-" where next == "-": return text[start...].firstIndex(of: "\n") ?? text.count
        case "/" where next == "*":
            var index = start + 2
            while index + 1 < text.count, text[index] != "*" || text[index + 1] != "/" { index += 1 }
            return min(index + 2, text.count)
        default:
            let isMark = ":@$?".unicodeScalars.contains(scalar)
            guard isMark || isWord(scalar) else { return start + 1 }
            return text[(start + 1)...].firstIndex { !isWord($0) } ?? text.count
        }
    }

    private static func quoted(by mark: Unicode.Scalar, in text: [Unicode.Scalar], from start: Int) -> Int {
        var index = start
        while index < text.count {
            if text[index] == mark {
                guard index + 1 < text.count, text[index + 1] == mark else { return index + 1 }
                index += 1
            }
            index += 1
        }
        return text.count
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.value >= 0x80 || scalar.properties.isAlphabetic
            || ("0"..."9").contains(scalar)
    }
}
