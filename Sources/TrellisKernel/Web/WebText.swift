import Foundation

/// Markdown of the site as HTML for its pages: the same Markdown as that of mails, without their inline styles, and
/// with pictures.
public enum WebText {
    /// - Parameter name: what problems call the text: the path of its file.
    /// - Throws: ``MailTemplateProblem`` with the line to correct.
    public static func html(_ markdown: String, name: String) throws -> String {
        try blocks(markdown, name: name).map(html).joined(separator: "\n")
    }

    private static func blocks(_ markdown: String, name: String) throws -> [MailTemplate.Block] {
        // A mail has its subject above its text, in lines that this text does not have.
        let subject = "---\nsubject: page\n---\n"
        do {
            return try MailTemplate(name: name, source: subject + markdown, format: .page).parts.body
        } catch {
            let kind = error.kind == .emptyBody ? .emptyPage : error.kind
            throw MailTemplateProblem(template: error.template, line: max(1, error.line - 3), kind: kind)
        }
    }

    /// The addresses of its pictures, in their order.
    ///
    /// - Throws: ``MailTemplateProblem`` as ``html(_:name:)``.
    public static func pictures(_ markdown: String, name: String) throws -> [String] {
        try blocks(markdown, name: name).flatMap { block -> [String] in
            switch block {
            case .paragraph(let inlines), .heading(_, let inlines): pictures(inlines)
            case .rule: []
            case .list(_, let items): items.flatMap(pictures)
            }
        }
    }

    private static func pictures(_ inlines: [MailTemplate.Inline]) -> [String] {
        inlines.flatMap { inline -> [String] in
            switch inline {
            case .picture(let source, _): [source]
            case .strong(let inner), .emphasis(let inner), .link(let inner, _): pictures(inner)
            case .text, .variable, .lineBreak: []
            }
        }
    }

    /// Whether a page may name this as a picture: `https://…`, or a path of the site.
    public static func isPicture(_ source: String) -> Bool { MailTemplate.isPictureSource(source) }

    /// A text as it may stand in HTML, between tags and in a quoted attribute. Byte by byte: a quotation mark with an
    /// accent over it is one character to a person, and still ends an attribute.
    public static func escaped(_ text: String) -> String {
        var escaped: [UInt8] = []
        escaped.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): escaped += "&amp;".utf8
            case UInt8(ascii: "<"): escaped += "&lt;".utf8
            case UInt8(ascii: ">"): escaped += "&gt;".utf8
            case UInt8(ascii: "\""): escaped += "&quot;".utf8
            case UInt8(ascii: "'"): escaped += "&#39;".utf8
            default: escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    private static func html(_ block: MailTemplate.Block) -> String {
        switch block {
        case .paragraph(let inlines): "<p>\(html(inlines))</p>"
        // The page itself has the heading of the first level.
        case .heading(let level, let inlines): "<h\(max(2, level))>\(html(inlines))</h\(max(2, level))>"
        case .rule: "<hr>"
        case .list(let start, let items):
            (start == nil ? "<ul>" : "<ol start=\"\(start ?? 1)\">")
                + items.map { "<li>\(html($0))</li>" }.joined() + (start == nil ? "</ul>" : "</ol>")
        }
    }

    private static func html(_ inlines: [MailTemplate.Inline]) -> String {
        inlines.map { inline in
            switch inline {
            case .text(let text): WebText.escaped(text)
            case .variable(let placeholder): WebText.escaped(placeholder.fallback ?? "")
            case .strong(let inner): "<strong>\(html(inner))</strong>"
            case .emphasis(let inner): "<em>\(html(inner))</em>"
            case .lineBreak: "<br>"
            case .picture(let source, let alternative):
                "<img src=\"\(escaped(source))\" alt=\"\(escaped(alternative))\" loading=\"lazy\">"
            case .link(let label, let target): link(label, target)
            }
        }.joined()
    }

    private static func link(_ label: [MailTemplate.Inline], _ target: [MailTemplate.Piece]) -> String {
        let rendering = MailTemplate.Rendering(values: [:])
        let plain = WebText.escaped(rendering.plain(target))
        let text = label.isEmpty ? plain : html(label)
        guard let url = rendering.url(target) else { return text }
        return "<a href=\"\(WebText.escaped(url))\">\(text)</a>"
    }
}
