import Foundation

// MARK: - Rendering

extension MailTemplate {
    /// Turns the parsed parts into text and HTML. Every value and every fallback is already checked.
    struct Rendering {
        let values: [String: String]
        /// What stands in the target of a link in place of a value.
        var inLinks: [String: String] = [:]
        /// What stands in place of an address that is the same for everybody.
        var links: [String: String] = [:]
        var style = MailStyle.standard

        func value(_ placeholder: Placeholder) -> String {
            values[placeholder.name] ?? placeholder.fallback ?? ""
        }

        func plain(_ pieces: [Piece]) -> String {
            pieces.map { piece in
                switch piece {
                case .literal(let text): text
                case .variable(let placeholder): value(placeholder)
                }
            }.joined()
        }

        /// The target with all that a URL cannot hold percent-encoded (RFC 3986 §2); nil when it is not a
        /// link that a mail may carry.
        func url(_ pieces: [Piece]) -> String? {
            var url = ""
            for (position, piece) in pieces.enumerated() {
                switch piece {
                case .literal(let text): url += MailEncoding.percentEncoded(text, keeping: Self.urlCharacters)
                case .variable(let placeholder):
                    // A value further on is data in somebody's URL: it must not reach the host or the query's
                    // structure. Only an address in a mailto keeps its @.
                    let isAddress = url.lowercased().hasPrefix("mailto:")
                    let kept = position == 0 ? Self.urlCharacters : isAddress ? "-._~@" : "-._~"
                    url += MailEncoding.percentEncoded(
                        inLinks[placeholder.name] ?? value(placeholder), keeping: kept)
                }
            }
            return MailTemplate.isLinkable(url) ? url : nil
        }

        /// The address as it stands in this mail.
        func href(_ pieces: [Piece]) -> String? {
            url(pieces).map { MailTemplate.isSame(pieces) ? links[$0] ?? $0 : $0 }
        }

        private static let urlCharacters = "-._~:/?#[]@!$&'()*+,;=%"
    }
}

extension MailTemplate.Rendering {
    func text(_ blocks: [MailTemplate.Block]) -> String {
        let paragraphs = blocks.map { block in
            switch block {
            case .paragraph(let inlines), .heading(_, let inlines): text(inlines)
            case .rule: "---"
            case .list(let start, let items):
                items.enumerated().map { position, item in
                    let mark = start.map { "\($0 + position). " } ?? "- "
                    let indent = "\n" + String(repeating: " ", count: mark.count)
                    return mark + text(item).replacing("\n", with: indent)
                }.joined(separator: "\n")
            }
        }
        return paragraphs.isEmpty ? "" : paragraphs.joined(separator: "\n\n") + "\n"
    }

    /// Text whose lines are its author's, or those of the HTML.
    func plainText(_ inlines: [MailTemplate.Inline]) -> String {
        let lines = text(inlines).split(separator: "\n", omittingEmptySubsequences: false)
        let trimmed = lines.map { String(decoding: MailEncoding.withoutTrailingBlanks(Array($0.utf8)), as: UTF8.self) }
        let last = trimmed.lastIndex { !$0.isEmpty } ?? 0
        return trimmed.prefix(last + 1).joined(separator: "\n") + "\n"
    }

    private func text(_ inlines: [MailTemplate.Inline]) -> String {
        inlines.map { inline in
            switch inline {
            case .text(let text): text
            case .variable(let placeholder): value(placeholder)
            case .strong(let inner), .emphasis(let inner): text(inner)
            case .lineBreak: "\n"
            case .picture(_, let alternative): alternative
            case .link(let label, let target):
                labelled(text(label), with: href(target) ?? plain(target))
            }
        }.joined()
    }

    private func labelled(_ label: String, with url: String) -> String {
        if label.isEmpty || label == url { return url }
        return "mailto:" + label == url ? label : "\(label): \(url)"
    }

    func html(_ blocks: [MailTemplate.Block]) -> String {
        blocks.map { block in
            switch block {
            case .paragraph(let inlines):
                if let button = button(inlines) { button } else { style.paragraph(html(inlines)) }
            case .heading(let level, let inlines): style.heading(level, html(inlines))
            case .rule: MailStyle.rule
            case .list(let start, let items): style.list(start: start, items: items.map(html))
            }
        }.joined(separator: "\n")
    }

    private func html(_ inlines: [MailTemplate.Inline]) -> String {
        inlines.map { inline in
            switch inline {
            case .text(let text): WebText.escaped(text)
            case .variable(let placeholder): WebText.escaped(value(placeholder))
            case .strong(let inner): "<strong>\(html(inner))</strong>"
            case .emphasis(let inner): "<em>\(html(inner))</em>"
            case .lineBreak: "<br>\n"
            case .picture(_, let alternative): WebText.escaped(alternative)
            case .link(let label, let target): link(label, target)
            }
        }.joined()
    }

    private func link(_ label: [MailTemplate.Inline], _ target: [MailTemplate.Piece]) -> String {
        guard let url = href(target) else {
            return WebText.escaped(labelled(text(label), with: plain(target)))
        }
        return style.link(label.isEmpty ? WebText.escaped(plain(target)) : html(label), url: url)
    }

    /// A paragraph that is one labelled link alone asks the reader to do something: it is shown as a button.
    private func button(_ inlines: [MailTemplate.Inline]) -> String? {
        guard inlines.count == 1, case .link(let label, let target) = inlines[0], !label.isEmpty,
            let url = href(target)
        else { return nil }
        return style.button(html(label), url: url)
    }
}

extension MailTemplate.Block {
    /// The targets of the links within.
    var targets: [[MailTemplate.Piece]] {
        switch self {
        case .paragraph(let inlines), .heading(_, let inlines): inlines.flatMap(\.targets)
        case .list(_, let items): items.flatMap { $0.flatMap(\.targets) }
        case .rule: []
        }
    }
}

extension MailTemplate.Inline {
    var targets: [[MailTemplate.Piece]] {
        switch self {
        case .text, .variable, .lineBreak, .picture: []
        case .strong(let inner), .emphasis(let inner): inner.flatMap(\.targets)
        case .link(_, let target): [target]
        }
    }
}
