/// The body of a mail that its author writes in HTML, read once before any value is known.
///
/// `{{name|fallback}}` may stand in text, in the target of a link or a picture, and in another quoted attribute; it is
/// escaped or percent-encoded as its place wants. There are no sections and no unescaped values: what a section would
/// do, a fallback or a variant of the mail does, and both can be checked before anything is sent.
struct MailMarkup: Sendable {
    enum Piece: Sendable {
        /// HTML as written.
        case literal(String)
        /// Text, to be escaped.
        case value(MailTemplate.Placeholder)
        /// Where a link leads or a picture lies; `isLink` where a person presses it.
        case address([MailTemplate.Piece], isLink: Bool)
    }

    let pieces: [Piece]
    /// The same for people who read plain text.
    let text: [MailTemplate.Inline]
    let placeholders: [MailTemplate.Placeholder]

    /// The targets of its links.
    var targets: [[MailTemplate.Piece]] {
        pieces.compactMap { piece in
            if case .address(let target, isLink: true) = piece { target } else { nil }
        }
    }

    /// Addresses that have to be some for the mail to go: each with the variable that makes it.
    var addresses: [[MailTemplate.Piece]] {
        pieces.compactMap { piece in
            if case .address(let target, _) = piece { target } else { nil }
        }
    }

    /// Elements without content and end.
    static let voidElements: Set<String> = ["area", "br", "col", "hr", "img", "wbr"]
    /// What mail programs drop or warn of.
    static let activeElements: Set<String> = [
        "script", "iframe", "object", "embed", "form", "input", "button", "textarea", "select", "link", "meta", "base",
        "video", "audio", "svg", "math", "template", "frame", "frameset", "applet", "noscript",
    ]
    static let pageElements: Set<String> = ["html", "head", "body", "title"]
    /// How deep elements nest: some mail programs give up earlier.
    static let depthMax = 100

    /// - Parameter lines: the body's lines with their numbers in the file.
    init(lines: [(text: String, number: Int)], template: String) throws(MailTemplateProblem) {
        var scanner = MarkupScanner(lines: lines, template: template)
        try scanner.scan()
        pieces = scanner.pieces
        text = scanner.text.inlines
        placeholders = scanner.placeholders
    }
}

extension MailTemplate.Rendering {
    func html(_ markup: MailMarkup) -> String {
        markup.pieces.map { piece in
            switch piece {
            case .literal(let text): text
            case .value(let placeholder): WebText.escaped(value(placeholder))
            case .address(let target, let isLink): WebText.escaped((isLink ? href(target) : url(target)) ?? "")
            }
        }.joined()
    }
}

/// Gathers the plain text of HTML: blocks become lines, runs of blanks one space.
struct MarkupText {
    private var frames: [[MailTemplate.Inline]] = [[]]
    private var targets: [[MailTemplate.Piece]] = []
    private var breaks = 0
    private var wantsSpace = false
    private var isEmpty = true
    /// The lists around here: the number of the next item, or nil for bullets.
    private var lists: [Int?] = []

    var inlines: [MailTemplate.Inline] {
        var inlines = frames.reduce([], +)
        inlines.append(.lineBreak)
        return inlines
    }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        var word: [UInt8] = []
        for byte in bytes {
            if [0x20, 0x09, 0x0A].contains(byte) {
                if !word.isEmpty { put(.text(MarkupEntity.decoded(word))) }
                word = []
                wantsSpace = true
            } else {
                word.append(byte)
            }
        }
        if !word.isEmpty { put(.text(MarkupEntity.decoded(word))) }
    }

    mutating func add(_ placeholder: MailTemplate.Placeholder) { put(.variable(placeholder)) }

    private mutating func put(_ inline: MailTemplate.Inline) {
        if !isEmpty, breaks > 0 {
            for _ in 0..<breaks { frames[frames.count - 1].append(.lineBreak) }
        } else if !isEmpty, wantsSpace {
            frames[frames.count - 1].append(.text(" "))
        }
        (breaks, wantsSpace, isEmpty) = (0, false, false)
        frames[frames.count - 1].append(inline)
    }

    mutating func open(_ element: String) {
        switch element {
        case "br": breaks = min(breaks + 1, 2)
        case "hr":
            breaks = 2
            put(.text("---"))
            breaks = 2
        case "ul", "ol":
            breaks = max(breaks, lists.isEmpty ? 2 : 1)
            lists.append(element == "ol" ? 1 : nil)
        case "li":
            breaks = max(breaks, 1)
            guard let last = lists.indices.last else { return put(.text("- ")) }
            put(.text(lists[last].map { "\($0). " } ?? "- "))
            lists[last] = lists[last].map { $0 + 1 }
        default: around(element)
        }
    }

    mutating func close(_ element: String) {
        if ["ul", "ol"].contains(element), !lists.isEmpty {
            lists.removeLast()
            breaks = max(breaks, lists.isEmpty ? 2 : 1)
        } else {
            around(element)
        }
    }

    private mutating func around(_ element: String) {
        switch element {
        case "p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "pre": breaks = max(breaks, 2)
        case "div", "tr", "li", "center", "section", "article", "header", "footer": breaks = max(breaks, 1)
        case "td", "th": wantsSpace = true
        default: break
        }
    }

    /// What follows is the label of a link.
    mutating func openLink(_ target: [MailTemplate.Piece]) {
        // The blanks before the link stand outside it.
        put(.text(""))
        targets.append(target)
        frames.append([])
    }

    mutating func closeLink() {
        guard frames.count > 1, let target = targets.popLast() else { return }
        let label = frames.removeLast().filter { $0 != .lineBreak }
        frames[frames.count - 1].append(.link(label, target: target))
    }
}

/// The characters that HTML writes by name, as far as mails have them.
enum MarkupEntity {
    private static let names: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "zwnj": "", "shy": "", "copy": "©",
        "reg": "®", "trade": "™", "euro": "€", "pound": "£", "hellip": "…", "mdash": "—", "ndash": "–", "bull": "•",
        "middot": "·", "rarr": "→", "larr": "←", "laquo": "«", "raquo": "»", "lsquo": "‘", "rsquo": "’", "ldquo": "“",
        "rdquo": "”", "auml": "ä", "ouml": "ö", "uuml": "ü", "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü", "szlig": "ß",
        "eacute": "é", "egrave": "è", "agrave": "à", "ccedil": "ç", "ntilde": "ñ", "deg": "°", "times": "×",
    ]
    private static let lengthMax = 10

    /// Text with `&amp;`, `&#8230;` and `&#x2026;` as the characters they stand for; what is none stays.
    static func decoded(_ bytes: [UInt8]) -> String {
        var result = ""
        var rest = bytes[...]
        while let mark = rest.firstIndex(of: UInt8(ascii: "&")) {
            result += String(decoding: rest[..<mark], as: UTF8.self)
            rest = rest[(mark + 1)...]
            let end = rest.prefix(lengthMax).firstIndex(of: UInt8(ascii: ";"))
            if let end, let text = character(String(decoding: rest[..<end], as: UTF8.self)) {
                result += text
                rest = rest[(end + 1)...]
            } else {
                result += "&"
            }
        }
        return result + String(decoding: rest, as: UTF8.self)
    }

    private static func character(_ name: String) -> String? {
        guard name.hasPrefix("#") else { return names[name] }
        let digits = name.dropFirst()
        let number = digits.lowercased().hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        guard let scalar = number.flatMap(Unicode.Scalar.init), !MailEncoding.isControl(scalar) else { return nil }
        return String(Character(scalar))
    }
}
