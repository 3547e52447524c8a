extension MailTemplate {
    /// Reads what stands within a block, byte by byte and in one pass: all its marks are ASCII.
    ///
    /// An opened mark is a frame on a stack; a mark that is never closed becomes the text it was.
    struct InlineScanner {
        private enum Mark: String {
            case root = ""
            case strong = "**"
            case emphasis = "*"
            case link = "["
        }
        private struct Frame {
            var mark: Mark
            var inlines: [Inline] = []
            /// False for a bracket around a link: links do not nest.
            var isLinkable = true
        }

        private let template: String
        private let bytes: [UInt8]
        private let lineNumbers: [Int]
        private let isPage: Bool
        private var index = 0
        private var row = 0
        private var literal: [UInt8] = []
        private var frames = [Frame(mark: .root)]
        private(set) var placeholders: [Placeholder] = []

        init(lines: [(text: String, number: Int)], isPage: Bool = false, template: String) {
            self.isPage = isPage
            self.template = template
            bytes = Array(lines.map(\.text).joined(separator: "\n").utf8)
            lineNumbers = lines.map(\.number)
        }

        private func byte(_ offset: Int = 0) -> UInt8? {
            bytes.indices.contains(index + offset) ? bytes[index + offset] : nil
        }

        private func problem(_ kind: MailTemplateProblem.Kind) -> MailTemplateProblem {
            MailTemplateProblem(template: template, line: lineNumbers[row], kind: kind)
        }

        mutating func inlines() throws(MailTemplateProblem) -> [Inline] {
            while let byte = byte() {
                switch byte {
                case UInt8(ascii: "\\"): escape()
                case UInt8(ascii: "\n"): lineEnd()
                case UInt8(ascii: "*"): star()
                case UInt8(ascii: "!") where isPage && self.byte(1) == UInt8(ascii: "["): try picture()
                case UInt8(ascii: "["): open(.link)
                case UInt8(ascii: "]"): try closeBracket()
                case UInt8(ascii: "{") where self.byte(1) == byte: add(.variable(try placeholder()))
                case UInt8(ascii: "h") where startsURL: try bareURL()
                default: keep(1)
                }
            }
            literal = MailEncoding.withoutTrailingBlanks(literal)
            while frames.count > 1 { dissolve() }
            flush()
            return frames[0].inlines
        }

        /// Plain text as it stands: variables and addresses alone are more than text.
        mutating func plainInlines() throws(MailTemplateProblem) -> [Inline] {
            while let byte = byte() {
                switch byte {
                case UInt8(ascii: "\n"):
                    add(.lineBreak)
                    index += 1
                    row += 1
                case UInt8(ascii: "{") where self.byte(1) == byte: add(.variable(try placeholder()))
                case UInt8(ascii: "h") where startsURL: try bareURL()
                default: keep(1)
                }
            }
            flush()
            return frames[0].inlines
        }

        /// Literal text and variables up to the end or to the first byte that ends them.
        mutating func pieces(until isEnd: (UInt8) -> Bool) throws(MailTemplateProblem) -> [Piece] {
            var pieces: [Piece] = []
            var text: [UInt8] = []
            while let byte = byte(), !isEnd(byte) {
                guard byte == UInt8(ascii: "{"), self.byte(1) == byte else {
                    text.append(byte)
                    index += 1
                    continue
                }
                if !text.isEmpty { pieces.append(.literal(String(decoding: text, as: UTF8.self))) }
                text = []
                pieces.append(.variable(try placeholder()))
            }
            return text.isEmpty ? pieces : pieces + [.literal(String(decoding: text, as: UTF8.self))]
        }
    }
}

extension MailTemplate.InlineScanner {
    private mutating func keep(_ count: Int) {
        literal += bytes[index..<index + count]
        index += count
    }

    private mutating func flush() {
        if literal.isEmpty { return }
        frames[frames.count - 1].inlines.append(.text(String(decoding: literal, as: UTF8.self)))
        literal = []
    }

    private mutating func add(_ inline: MailTemplate.Inline) {
        flush()
        frames[frames.count - 1].inlines.append(inline)
    }

    private mutating func open(_ mark: Mark) {
        guard frames.count < MailTemplate.depthMax else { return keep(mark.rawValue.utf8.count) }
        flush()
        frames.append(Frame(mark: mark))
        index += mark.rawValue.utf8.count
    }

    /// Gives the innermost open mark back to the text around it.
    private mutating func dissolve() {
        flush()
        let frame = frames.removeLast()
        literal = Array(frame.mark.rawValue.utf8)
        flush()
        frames[frames.count - 1].inlines += frame.inlines
    }

    private mutating func escape() {
        if byte(1) == UInt8(ascii: "\n") {
            add(.lineBreak)
            index += 2
            row += 1
        } else if let next = byte(1), next > 0x20, next < 0x7F, !MailEncoding.isAlphanumeric(next) {
            index += 1
            keep(1)
        } else {
            keep(1)
        }
    }

    private mutating func lineEnd() {
        let length = literal.count
        while literal.last == 0x20 || literal.last == 0x09 { literal.removeLast() }
        let isHard = length - literal.count >= 2
        if isHard { add(.lineBreak) } else { literal.append(0x20) }
        index += 1
        row += 1
    }

    /// `*` or `**`: it closes where it can, opens where it can, and else is text.
    private mutating func star() {
        let run = bytes[index...].prefix(3).prefix { $0 == UInt8(ascii: "*") }.count
        let mark: Mark = run == 1 || (run >= 3 && frames.last?.mark == .emphasis) ? .emphasis : .strong
        let width = mark.rawValue.utf8.count
        let isBlank = { (byte: UInt8?) in byte == nil || byte == 0x20 || byte == 0x09 || byte == 0x0A }
        if !isBlank(byte(-1)), let start = frames.lastIndex(where: { $0.mark == mark }) {
            while frames.count - 1 > start { dissolve() }
            flush()
            let inner = frames.removeLast().inlines
            add(mark == .strong ? .strong(inner) : .emphasis(inner))
            index += width
        } else if !isBlank(byte(width)) {
            open(mark)
        } else {
            keep(run)
        }
    }

    private mutating func closeBracket() throws(MailTemplateProblem) {
        guard let start = frames.lastIndex(where: { $0.mark == .link }) else { return keep(1) }
        while frames.count - 1 > start { dissolve() }
        flush()
        let before = (index: index, placeholders: placeholders.count)
        guard frames[start].isLinkable, !frames[start].inlines.isEmpty, byte(1) == UInt8(ascii: "(") else {
            dissolve()
            return keep(1)
        }
        index += 2
        let target = try target()
        guard byte() == UInt8(ascii: ")"), !target.isEmpty else {
            index = before.index
            placeholders.removeSubrange(before.placeholders...)
            dissolve()
            return keep(1)
        }
        if case .literal(let text) = target[0] {
            // A scheme alone needs something after it, which may be a variable.
            let start = target.count > 1 ? text + "x" : text
            guard MailTemplate.isLinkable(start) else { throw problem(.badTarget(text)) }
        }
        let label = frames.removeLast().inlines
        for outer in frames.indices { frames[outer].isLinkable = false }
        add(.link(label, target: target))
        index += 1
    }

    /// `![What is to be seen](https://acme.example/a.png)` on one line; anything else is text.
    private mutating func picture() throws(MailTemplateProblem) {
        let rest = bytes[(index + 2)...]
        guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "]") || $0 == 0x0A }),
            bytes[end...].starts(with: "](".utf8),
            let close = bytes[end...].firstIndex(where: { $0 <= 0x20 || $0 == UInt8(ascii: ")") }),
            bytes[close] == UInt8(ascii: ")")
        else { return keep(1) }
        let source = String(decoding: bytes[(end + 2)..<close], as: UTF8.self)
        guard source.utf8.count <= MailTemplate.targetBytesMax else { throw problem(.targetTooLong) }
        guard MailTemplate.isPictureSource(source) else { throw problem(.badPicture(source)) }
        let alternative = MailEncoding.trimmed(String(decoding: rest[..<end], as: UTF8.self))
        add(.picture(source: source, alternative: alternative))
        index = close + 1
    }

    private var startsURL: Bool {
        if let before = byte(-1), MailEncoding.isAlphanumeric(before) { return false }
        return !frames.contains { $0.mark == .link }
            && ["https://", "http://"].contains { bytes[index...].starts(with: $0.utf8) }
    }

    /// A URL in running text ends before the punctuation that belongs to the sentence.
    private mutating func bareURL() throws(MailTemplateProblem) {
        var target = try target()
        if case .literal(let text) = target.last {
            let kept = text.utf8.reversed().drop { ".,;:!?'*".utf8.contains($0) }.count
            index -= text.utf8.count - kept
            target[target.count - 1] = .literal(String(decoding: text.utf8.prefix(kept), as: UTF8.self))
        }
        if target.count == 1, case .literal(let text) = target[0], !MailTemplate.isLinkable(text) {
            literal += text.utf8
        } else {
            add(.link([], target: target))
        }
    }

    /// Up to a blank, a bracket or a quote, or to a `)` that was not opened within.
    private mutating func target() throws(MailTemplateProblem) -> [MailTemplate.Piece] {
        let start = index
        var depth = 0
        let target = try pieces { byte in
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth -= 1 }
            return depth < 0 || byte <= 0x20 || "<>\"[]".utf8.contains(byte)
        }
        guard index - start <= MailTemplate.targetBytesMax else { throw problem(.targetTooLong) }
        return target
    }

    private mutating func placeholder() throws(MailTemplateProblem) -> MailTemplate.Placeholder {
        let (placeholder, end) = try MailTemplate.Placeholder.read(
            bytes, from: index, line: lineNumbers[row], template: template)
        index = end
        placeholders.append(placeholder)
        return placeholder
    }
}

extension MailTemplate.Placeholder {
    /// `{{name}}` or `{{name|fallback}}`, on one line. Returns also the index after it.
    static func read(
        _ bytes: [UInt8], from start: Int, line: Int, template: String
    ) throws(MailTemplateProblem) -> (MailTemplate.Placeholder, end: Int) {
        var end = start + 2
        while end < bytes.count, bytes[end] != 0x0A, !bytes[end...].starts(with: "}}".utf8) { end += 1 }
        guard end < bytes.count, bytes[end] != 0x0A else {
            throw MailTemplateProblem(template: template, line: line, kind: .openPlaceholder)
        }
        let text = String(decoding: bytes[(start + 2)..<end], as: UTF8.self)
        let bar = text.utf8.firstIndex(of: UInt8(ascii: "|"))
        let name = MailEncoding.trimmed(text[..<(bar ?? text.endIndex)])
        let fallback = bar.map { MailEncoding.trimmed(text[text.utf8.index(after: $0)...]) }
        let isName = name.utf8.first.map { (0x61...0x7A).contains($0) } ?? false
        let isWhole = name.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789_.".utf8.contains($0) }
        guard isName, isWhole, !(fallback ?? "").utf8.contains(where: { "{}".utf8.contains($0) }) else {
            throw MailTemplateProblem(template: template, line: line, kind: .badPlaceholder(text))
        }
        return (MailTemplate.Placeholder(name: name, fallback: fallback, line: line), end + 2)
    }
}
