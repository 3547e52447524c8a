/// Reads the HTML of a mail byte by byte and in one pass: all its marks are ASCII.
struct MarkupScanner {
    private let template: String
    private let bytes: [UInt8]
    /// The index at which each line begins, with its number in the file.
    private let lineStarts: [(index: Int, number: Int)]
    private var index = 0
    private var literal: [UInt8] = []
    /// The elements that are open, with whether each is a link.
    private var open: [(name: String, isLink: Bool, index: Int)] = []
    private(set) var pieces: [MailMarkup.Piece] = []
    private(set) var text = MarkupText()
    private(set) var placeholders: [MailTemplate.Placeholder] = []

    init(lines: [(text: String, number: Int)], template: String) {
        self.template = template
        var (bytes, starts): ([UInt8], [(index: Int, number: Int)]) = ([], [])
        for line in lines {
            starts.append((bytes.count, line.number))
            bytes += line.text.utf8
            bytes.append(0x0A)
        }
        (self.bytes, lineStarts) = (bytes, starts)
    }

    private func problem(_ kind: MailTemplateProblem.Kind, at index: Int? = nil) -> MailTemplateProblem {
        let place = index ?? self.index
        // The lines are few, and only one problem is ever told.
        let line = lineStarts.last { $0.index <= place }?.number ?? 1
        return MailTemplateProblem(template: template, line: line, kind: kind)
    }

    private func starts(_ mark: String, at place: Int? = nil) -> Bool {
        bytes[(place ?? index)...].starts(with: mark.utf8)
    }

    mutating func scan() throws(MailTemplateProblem) {
        while index < bytes.count {
            if starts("{{") {
                let placeholder = try placeholder()
                add(.value(placeholder))
                if !isHidden { text.add(placeholder) }
            } else if starts("<!--") {
                try copy(through: "-->")
            } else if starts("<!") || starts("<?") {
                throw problem(.wholePage)
            } else if bytes[index] == UInt8(ascii: "<"), let next = byte(1),
                isNameStart(next) || next == UInt8(ascii: "/")
            {
                try tag()
            } else {
                let end = bytes[(index + 1)...].firstIndex { [UInt8(ascii: "<"), UInt8(ascii: "{")].contains($0) }
                let run = bytes[index..<(end ?? bytes.count)]
                literal += run
                if !isHidden { text.add(run) }
                index = run.endIndex
            }
        }
        flush()
        if let last = open.last { throw problem(.openElement(last.name), at: last.index) }
    }

    /// Within a style sheet, which nobody reads.
    private var isHidden: Bool { open.last?.name == "style" }

    private func byte(_ offset: Int) -> UInt8? {
        bytes.indices.contains(index + offset) ? bytes[index + offset] : nil
    }

    private func isNameStart(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private mutating func flush() {
        if !literal.isEmpty { pieces.append(.literal(String(decoding: literal, as: UTF8.self))) }
        literal = []
    }

    private mutating func add(_ piece: MailMarkup.Piece) {
        flush()
        pieces.append(piece)
    }

    private mutating func placeholder() throws(MailTemplateProblem) -> MailTemplate.Placeholder {
        if isHidden { throw problem(.misplacedValue("a style sheet")) }
        let line = lineStarts.last { $0.index <= index }?.number ?? 1
        let (placeholder, end) = try MailTemplate.Placeholder.read(bytes, from: index, line: line, template: template)
        index = end
        placeholders.append(placeholder)
        return placeholder
    }

    /// A comment, which may be one that Outlook reads.
    private mutating func copy(through mark: String) throws(MailTemplateProblem) {
        let start = index
        while index < bytes.count, !starts(mark) {
            if starts("{{") { throw problem(.misplacedValue("a comment")) }
            index += 1
        }
        guard index < bytes.count else { throw problem(.openElement("!--"), at: start) }
        index += mark.utf8.count
        literal += bytes[start..<index]
    }
}

// MARK: - Tags

extension MarkupScanner {
    private mutating func tag() throws(MailTemplateProblem) {
        let start = index
        let isEnd = byte(1) == UInt8(ascii: "/")
        literal += isEnd ? Array("</".utf8) : Array("<".utf8)
        index += isEnd ? 2 : 1
        let name = word { MailEncoding.isAlphanumeric($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "-") }
        guard !MailMarkup.pageElements.contains(name) else { throw problem(.wholePage, at: start) }
        guard !MailMarkup.activeElements.contains(name) else { throw problem(.activeContent(name), at: start) }
        var link: [MailTemplate.Piece]?
        while index < bytes.count, bytes[index] != UInt8(ascii: ">") {
            if starts("{{") { throw problem(.misplacedValue("a tag")) }
            if bytes[index] == UInt8(ascii: "<") { throw problem(.openElement(name), at: start) }
            if isNameStart(bytes[index]), let target = try attribute(of: name) { link = target }
            if index < bytes.count, !isNameStart(bytes[index]), bytes[index] != UInt8(ascii: ">"), !starts("{{"),
                bytes[index] != UInt8(ascii: "<")
            {
                literal.append(bytes[index])
                index += 1
            }
        }
        guard index < bytes.count else { throw problem(.openElement(name), at: start) }
        let isClosed = bytes[index - 1] == UInt8(ascii: "/")
        literal.append(bytes[index])
        index += 1
        if isEnd { try close(name, at: start) } else { try opened(name, link: link, isClosed: isClosed, at: start) }
    }

    private mutating func opened(
        _ name: String, link: [MailTemplate.Piece]?, isClosed: Bool, at start: Int
    ) throws(MailTemplateProblem) {
        if !isHidden { text.open(name) }
        if isClosed || MailMarkup.voidElements.contains(name) { return }
        guard open.count < MailMarkup.depthMax else { throw problem(.tooDeep, at: start) }
        let isLink = name == "a" && link != nil && !open.contains { $0.isLink }
        if isLink, let link { text.openLink(link) }
        open.append((name, isLink, start))
    }

    private mutating func close(_ name: String, at start: Int) throws(MailTemplateProblem) {
        guard !MailMarkup.voidElements.contains(name) else { return }
        guard let last = open.popLast() else { throw problem(.strayEnd(name), at: start) }
        guard last.name == name else { throw problem(.openElement(last.name), at: last.index) }
        if last.isLink { text.closeLink() }
        if name != "style" { text.close(name) }
    }

    /// The bytes of a name in lower case, copied as they stand.
    private mutating func word(_ isPart: (UInt8) -> Bool) -> String {
        let start = index
        while index < bytes.count, isPart(bytes[index]) { index += 1 }
        literal += bytes[start..<index]
        return String(decoding: bytes[start..<index], as: UTF8.self).lowercased()
    }

    /// Reads an attribute; the target where it says where a link leads.
    private mutating func attribute(of element: String) throws(MailTemplateProblem) -> [MailTemplate.Piece]? {
        let start = index
        let name = word { $0 > 0x20 && !"=>/\"'<{".utf8.contains($0) }
        if name.hasPrefix("on") { throw problem(.activeContent(name), at: start) }
        guard byte(0) == UInt8(ascii: "=") else { return nil }
        literal.append(bytes[index])
        index += 1
        guard let quote = byte(0), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            while index < bytes.count, bytes[index] > 0x20, bytes[index] != UInt8(ascii: ">") {
                if starts("{{") || ["href", "src"].contains(name) { throw problem(.unquotedValue(name)) }
                literal.append(bytes[index])
                index += 1
            }
            return nil
        }
        literal.append(quote)
        index += 1
        let value = try value(until: quote, of: name, from: start)
        literal.append(quote)
        index += 1
        return ["a", "area"].contains(element) && name == "href" ? value : nil
    }

    /// The value of an attribute, up to its quote.
    private mutating func value(
        until quote: UInt8, of name: String, from start: Int
    ) throws(MailTemplateProblem) -> [MailTemplate.Piece] {
        var value: [MailTemplate.Piece] = []
        var run: [UInt8] = []
        let isAddress = ["href", "src", "background"].contains(name)
        while index < bytes.count, bytes[index] != quote {
            guard starts("{{") else {
                run.append(bytes[index])
                index += 1
                continue
            }
            if ["style", "srcset", "class", "id"].contains(name) { throw problem(.misplacedValue("a \(name)")) }
            if !run.isEmpty { value.append(.literal(MarkupEntity.decoded(run))) }
            if !isAddress { literal += run }
            run = []
            let placeholder = try placeholder()
            value.append(.variable(placeholder))
            if !isAddress { add(.value(placeholder)) }
        }
        guard index < bytes.count else { throw problem(.openElement(name), at: start) }
        if !run.isEmpty { value.append(.literal(MarkupEntity.decoded(run))) }
        guard isAddress else {
            literal += run
            if name == "alt", !isHidden { for piece in value { addText(piece) } }
            return value
        }
        if case .literal(let text) = value.first {
            guard MailTemplate.isLinkable(value.count > 1 ? text + "x" : text),
                !text.utf8.contains(where: { $0 <= 0x20 })
            else { throw problem(.badTarget(text), at: start) }
        } else if value.isEmpty {
            throw problem(.badTarget(""), at: start)
        }
        guard index - start <= MailTemplate.targetBytesMax else { throw problem(.targetTooLong, at: start) }
        add(.address(value, isLink: name == "href"))
        return value
    }

    private mutating func addText(_ piece: MailTemplate.Piece) {
        switch piece {
        case .literal(let literal): text.add(literal.utf8)
        case .variable(let placeholder): text.add(placeholder)
        }
    }
}
