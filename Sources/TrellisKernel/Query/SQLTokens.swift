/// The words and signs of SQL text as SQLite reads them (https://www.sqlite.org/lang_expr.html): enough to tell a
/// keyword from the same letters in a text or a comment. It never fails: what is not closed ends with the text.
public struct SQLTokens: Sequence, IteratorProtocol {
    public enum Kind: Sendable {
        /// A keyword, a name or a number.
        case word
        /// A text in single quotes.
        case text
        /// A name in double quotes, backticks or brackets.
        case quotedName
        case comment
        /// Any other byte but white space.
        case sign
    }

    public struct Token: Sendable {
        public let kind: Kind
        /// Where it stands, in bytes of UTF-8.
        public let range: Range<Int>
        /// Whether its end was found: false for a text or a comment that lasts to the end.
        public let isClosed: Bool
    }

    private let bytes: [UInt8]
    private var position = 0

    public init(_ sql: String) {
        bytes = Array(sql.utf8)
    }

    /// The letters of a token.
    public func letters(_ token: Token) -> String { String(decoding: bytes[token.range], as: UTF8.self) }

    /// Whether a text has `JOIN … USING` or `NATURAL JOIN`, which compare columns that no authorizer is asked about.
    public static func joinsByName(_ sql: String) -> Bool {
        let tokens = SQLTokens(sql)
        return tokens.contains {
            $0.kind == .word && ["using", "natural"].contains(tokens.letters($0).lowercased())
        }
    }

    public mutating func next() -> Token? {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0C, 0x0D].contains(bytes[position]) { position += 1 }
        guard position < bytes.count else { return nil }
        let start = position
        let (kind, isClosed): (Kind, Bool) =
            switch bytes[start] {
            case UInt8(ascii: "'"): (.text, skip(past: bytes[start]))
            case UInt8(ascii: "\""), UInt8(ascii: "`"): (.quotedName, skip(past: bytes[start]))
            case UInt8(ascii: "["): (.quotedName, skip(to: [UInt8(ascii: "]")]))
            case UInt8(ascii: "-") where byte(start + 1) == UInt8(ascii: "-"):
                (.comment, skip(to: [0x0A]) || true)
            case UInt8(ascii: "/") where byte(start + 1) == UInt8(ascii: "*"): (.comment, skipComment())
            case let first where SQLTokens.isPartOfWord(first): (.word, skipWord())
            default: (.sign, skipOne())
            }
        return Token(kind: kind, range: start..<position, isClosed: isClosed)
    }

    private func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    /// Letters, digits, `_`, `$` and every byte beyond ASCII.
    static func isPartOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x24, 0x80...0xFF: true
        default: false
        }
    }

    private mutating func skipOne() -> Bool {
        position += 1
        return true
    }

    private mutating func skipWord() -> Bool {
        while let next = byte(position), SQLTokens.isPartOfWord(next) { position += 1 }
        return true
    }

    /// Past the closing quote; two of them are one that belongs to the text.
    private mutating func skip(past quote: UInt8) -> Bool {
        position += 1
        while let next = byte(position) {
            position += 1
            guard next == quote else { continue }
            guard byte(position) == quote else { return true }
            position += 1
        }
        return false
    }

    private mutating func skip(to ends: [UInt8]) -> Bool {
        while let next = byte(position) {
            position += 1
            if ends.contains(next) { return true }
        }
        return false
    }

    private mutating func skipComment() -> Bool {
        position += 2
        while let next = byte(position) {
            position += 1
            if next == UInt8(ascii: "*"), byte(position) == UInt8(ascii: "/") {
                position += 1
                return true
            }
        }
        return false
    }
}
