import Foundation

/// A Swift file cut into what is code and what is not: enough of the grammar to count lines and to look for words.
struct SwiftSource {
    let path: String
    /// The lines as they are written.
    let lines: [Substring]
    /// The same lines with comments and the contents of strings replaced by spaces.
    let code: [Substring]
    /// Lines that lie wholly inside a multi-line string: SQL and texts.
    let isText: [Bool]

    init(path: String, text: String) {
        self.path = path
        var cutter = Cutter(Array(text.utf8))
        cutter.cut()
        lines = SwiftSource.lines(text)
        code = SwiftSource.lines(String(decoding: cutter.output, as: UTF8.self))
        isText = cutter.isText
    }

    private static func lines(_ text: String) -> [Substring] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.last?.isEmpty == true ? lines.dropLast() : lines
    }

    /// Whether what makes a line long is a text: it lies in one, or ends in a string with nothing but brackets after
    /// it.
    func endsInText(_ index: Int) -> Bool {
        if isText[index] { return true }
        let isComment = lines[index].contains(/^\s*\/\/|\s\/\/\s/)
        return !isComment && !code[index].dropFirst(TidyTests.lineMax).contains { !" )]},:".contains($0) }
    }

    /// A function, an initialiser, a subscript or a computed property with its braces.
    struct Body {
        let name: String
        let line: Int
        let lineCount: Int
    }

    /// Every body of the file, from the line it is declared in to the line of its closing brace.
    var bodies: [Body] {
        var found: [Body] = []
        for (index, line) in code.enumerated() {
            // A regular expression on each line of the repository takes seconds.
            guard SwiftSource.words.contains(where: line.utf8.holds),
                let match = line.firstMatch(of: /\b(func|init|subscript|deinit|var)\b\s*(`[^`]*`|\w*)/)
            else { continue }
            let begin = (line: index, offset: line.distance(from: line.startIndex, to: match.range.upperBound))
            guard let last = closingLine(from: begin, isProperty: match.1 == "var") else { continue }
            let name = match.2.isEmpty ? String(match.1) : String(match.2)
            found.append(Body(name: name, line: index + 1, lineCount: last - index + 1))
        }
        return found
    }

    private static let words = ["func", "init", "subscript", "deinit", "var"].map { Array($0.utf8) }

    /// The line of the brace that closes what begins here; nil where no body follows, as for a requirement of a
    /// protocol or a stored property.
    private func closingLine(from begin: (line: Int, offset: Int), isProperty: Bool) -> Int? {
        var braces = 0
        var others = 0
        for index in begin.line..<code.count {
            let line = index == begin.line ? code[index].dropFirst(begin.offset) : code[index]
            for character in line.utf8 {
                switch character {
                case UInt8(ascii: "("), UInt8(ascii: "["): others += 1
                case UInt8(ascii: ")"), UInt8(ascii: "]"): others -= 1
                case UInt8(ascii: "=") where isProperty && braces == 0 && others == 0: return nil
                case UInt8(ascii: "{") where others <= 0: braces += 1
                case UInt8(ascii: "}") where others <= 0:
                    braces -= 1
                    if braces <= 0 { return braces < 0 ? nil : index }
                default: break
                }
            }
            // A property without a brace in its own line has no body; a signature goes on while a bracket is open.
            let isOver = braces == 0 && others <= 0
            if isOver, isProperty || !signatureGoesOn(after: index) { return nil }
        }
        return nil
    }

    private func signatureGoesOn(after index: Int) -> Bool {
        guard index + 1 < code.count else { return false }
        let next = code[index + 1].drop { $0 == " " }
        return ["{", "->", "throws", "async", "where", "rethrows"].contains { next.hasPrefix($0) }
    }
}

extension Substring.UTF8View {
    /// Whether some bytes stand here in one piece.
    fileprivate func holds(_ word: [UInt8]) -> Bool {
        var rest = self[...]
        while let begin = rest.firstIndex(of: word[0]) {
            if rest[begin...].starts(with: word) { return true }
            rest = rest[rest.index(after: begin)...]
        }
        return false
    }
}

/// Walks over the bytes once and blanks comments and strings.
private struct Cutter {
    let input: [UInt8]
    var output: [UInt8] = []
    var isText: [Bool] = [false]
    private var index = 0

    init(_ input: [UInt8]) {
        self.input = input
        output.reserveCapacity(input.count)
    }

    mutating func cut() {
        while index < input.count { step() }
    }

    private mutating func step() {
        if starts("//") {
            while index < input.count, input[index] != UInt8(ascii: "\n") { blank() }
        } else if starts("/*") {
            while index < input.count, !starts("*/") { blank() }
            for _ in 0..<2 where index < input.count { blank() }
        } else if let hashes = hashesBeforeQuote() {
            string(hashes: hashes)
        } else {
            keep()
        }
    }

    private func starts(_ text: StaticString, at offset: Int = 0) -> Bool {
        let begin = index + offset
        guard begin + text.utf8CodeUnitCount <= input.count else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy { input[begin + $0] == text.utf8Start[$0] }
    }

    /// The number of `#` in front of a quote that opens a string here; nil where none opens.
    private func hashesBeforeQuote() -> Int? {
        var hashes = 0
        while index + hashes < input.count, input[index + hashes] == UInt8(ascii: "#") { hashes += 1 }
        guard index + hashes < input.count, input[index + hashes] == UInt8(ascii: "\"") else { return nil }
        return hashes
    }

    private func hasHashes(_ count: Int, at begin: Int) -> Bool {
        begin + count <= input.count && (0..<count).allSatisfy { input[begin + $0] == UInt8(ascii: "#") }
    }

    private mutating func string(hashes: Int) {
        for _ in 0..<hashes { blank() }
        let isMultiline = starts("\"\"\"")
        let quotes = isMultiline ? 3 : 1
        for _ in 0..<quotes { blank() }
        while index < input.count {
            if starts("\\"), hasHashes(hashes, at: index + 1) {
                for _ in 0...hashes { blank() }
                if starts("(") { interpolation() } else if index < input.count { blank(isInText: isMultiline) }
            } else if isMultiline ? starts("\"\"\"") : starts("\""), hasHashes(hashes, at: index + quotes) {
                if isMultiline { isText[isText.count - 1] = false }
                for _ in 0..<(quotes + hashes) { blank() }
                return
            } else if !isMultiline, input[index] == UInt8(ascii: "\n") {
                return
            } else {
                blank(isInText: isMultiline)
            }
        }
    }

    /// `\(…)`: blanked too, with the strings in it.
    private mutating func interpolation() {
        var depth = 0
        repeat {
            if let hashes = hashesBeforeQuote() {
                string(hashes: hashes)
                continue
            }
            if starts("(") { depth += 1 }
            if starts(")") { depth -= 1 }
            blank()
        } while index < input.count && depth > 0
    }

    private mutating func keep() {
        if input[index] == UInt8(ascii: "\n") { isText.append(false) }
        output.append(input[index])
        index += 1
    }

    private mutating func blank(isInText: Bool = false) {
        if input[index] == UInt8(ascii: "\n") {
            isText.append(isInText)
            output.append(input[index])
        } else {
            output.append(UInt8(ascii: " "))
        }
        index += 1
    }
}
