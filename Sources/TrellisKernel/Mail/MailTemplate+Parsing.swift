extension MailTemplate {
    /// The whole template, parsed.
    struct Parts: Sendable {
        var subject: [Piece] = []
        var preheader: [Piece]?
        var body: [Block] = []
        /// Each place a variable stands at, in the order of the file.
        var placeholders: [Placeholder] = []
        /// The target of each link of the body.
        var targets: [[Piece]] = []

        /// The body of a mail written in HTML; then `body` is empty.
        var markup: MailMarkup?
        /// The plain text its author wrote; nil where it is made from the body.
        var plain: [Inline]?

        init(
            matter: FrontMatter, lines: ArraySlice<String>, format: Format, text: [String]?, template: String
        ) throws(MailTemplateProblem) {
            let subjectLine = matter.keyLines["subject"] ?? 1
            subject = try pieces(of: matter.subject, line: subjectLine, template: template)
            if let preheader = matter.preheader {
                let line = matter.keyLines["preheader"] ?? 1
                self.preheader = try pieces(of: preheader, line: line, template: template)
            }
            let isEmpty = lines.allSatisfy { MailEncoding.trimmed($0).isEmpty }
            guard !isEmpty else {
                throw MailTemplateProblem(template: template, line: lines.startIndex, kind: .emptyBody)
            }
            switch format {
            case .markdown, .page:
                body = try blocks(of: lines, isPage: format == .page, template: template)
                targets = body.flatMap(\.targets)
            case .html:
                let numbered = zip(lines, lines.indices).map { (text: $0, number: $1 + 1) }
                let markup = try MailMarkup(lines: numbered, template: template)
                placeholders += markup.placeholders
                targets = markup.targets
                self.markup = markup
            }
            guard let text else { return }
            let name = template + " (text)"
            let numbered = zip(text, text.indices).map { (text: $0, number: $1 + 1) }
            var scanner = InlineScanner(lines: numbered, template: name)
            let plain = try scanner.plainInlines()
            placeholders += scanner.placeholders
            targets += plain.flatMap(\.targets)
            self.plain = plain
        }

        private mutating func pieces(
            of text: String, line: Int, template: String
        ) throws(MailTemplateProblem) -> [Piece] {
            var scanner = InlineScanner(lines: [(text, line)], template: template)
            let pieces = try scanner.pieces { _ in false }
            placeholders += scanner.placeholders
            return pieces
        }

        /// `| --- | :-: |`: what stands below the head of a table and nowhere else.
        private static func isTableRule(_ line: String) -> Bool {
            line.utf8.contains(UInt8(ascii: "|")) && line.utf8.contains(UInt8(ascii: "-"))
                && line.utf8.allSatisfy { "|-: \t".utf8.contains($0) }
        }

        private mutating func blocks(
            of lines: ArraySlice<String>, isPage: Bool, template: String
        ) throws(MailTemplateProblem) -> [Block] {
            if isPage, let row = zip(lines.indices, lines).first(where: { Self.isTableRule($0.1) })?.0 {
                throw MailTemplateProblem(template: template, line: row + 1, kind: .table)
            }
            var blocks: [Block] = []
            for group in Grouping(lines).groups {
                var inlines: [[Inline]] = []
                for item in group.items {
                    var scanner = InlineScanner(lines: item, isPage: isPage, template: template)
                    inlines.append(try scanner.inlines())
                    placeholders += scanner.placeholders
                }
                switch group.kind {
                case .paragraph: blocks.append(.paragraph(inlines.flatMap { $0 }))
                case .heading(let level): blocks.append(.heading(level, inlines.flatMap { $0 }))
                case .list(let start): blocks.append(.list(start: start, items: inlines))
                case .rule: blocks.append(.rule)
                }
            }
            return blocks
        }
    }

    /// Gathers lines into blocks, before anything within a line is read.
    private struct Grouping {
        typealias Line = (text: String, number: Int)
        enum Kind {
            case paragraph
            case heading(Int)
            case list(start: Int?)
            case rule
        }
        struct Group {
            var kind: Kind
            var items: [[Line]]
        }

        var groups: [Group] = []
        /// True while the next plain line continues the last group.
        private var isOpen = false

        init(_ lines: ArraySlice<String>) {
            for (index, line) in zip(lines.indices, lines) { take(line, number: index + 1) }
        }

        private mutating func take(_ line: String, number: Int) {
            let text = MailEncoding.withoutLeadingBlanks(line)
            if text.isEmpty {
                isOpen = false
            } else if text.hasPrefix("---"), MailEncoding.trimmed(text).allSatisfy({ $0 == "-" }) {
                add(.rule, [])
            } else if let mark = ["# ", "## ", "### "].first(where: text.hasPrefix) {
                add(.heading(mark.count - 1), [[(MailEncoding.trimmed(text.dropFirst(mark.count)), number)]])
            } else if let (start, rest) = listItem(text) {
                addItem((rest, number), start: start)
            } else if isOpen, let last = groups.indices.last, let item = groups[last].items.indices.last {
                groups[last].items[item].append((text, number))
            } else {
                add(.paragraph, [[(text, number)]])
                isOpen = true
            }
        }

        private mutating func add(_ kind: Kind, _ items: [[Line]]) {
            groups.append(Group(kind: kind, items: items))
            isOpen = false
        }

        /// An item joins the list before it even over a blank line.
        private mutating func addItem(_ item: Line, start: Int?) {
            if let last = groups.indices.last, case .list(let before) = groups[last].kind,
                (before == nil) == (start == nil)
            {
                groups[last].items.append([item])
            } else {
                add(.list(start: start), [[item]])
            }
            isOpen = true
        }

        /// `- text` or `1. text`. Within a paragraph only a 1 starts a list: a year at a line's start does
        /// not.
        private func listItem(_ text: String) -> (start: Int?, rest: String)? {
            if text.hasPrefix("- ") { return (nil, MailEncoding.withoutLeadingBlanks(text.dropFirst(2))) }
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            guard digits.utf8.count <= 9, let start = Int(digits),
                text.dropFirst(digits.count).hasPrefix(". ")
            else { return nil }
            if isOpen, case .paragraph = groups.last?.kind, start != 1 { return nil }
            return (start, MailEncoding.withoutLeadingBlanks(text.dropFirst(digits.count + 2)))
        }
    }
}
