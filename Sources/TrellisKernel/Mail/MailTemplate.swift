import Foundation

/// A mail as its author writes it: front matter between `---` lines, then simple Markdown with variables, or HTML
/// (see ``MailMarkup``).
///
///     ---
///     subject: Your demand calendar, {{first_name|ready to print}}
///     purpose: transactional
///     ---
///     Hello {{first_name|there}},
///
///     [Download the calendar]({{download_url}})
///
/// The Markdown is read once, before any value is known, so a value can never become a heading, a link or
/// HTML. It knows paragraphs, `#` to `###`, lists with `-` and `1.` (not nested), `**bold**`, `*italic*`,
/// `[text](url)`, bare URLs, `---`, line breaks by two spaces or a backslash at the line's end, and `\`
/// before a character that shall stand for itself. A paragraph that is one link alone becomes a button.
public struct MailTemplate: Sendable {
    /// What the mail is for, which decides whether consent for marketing is asked before it is sent.
    public enum Purpose: String, Sendable, CaseIterable {
        case marketing, transactional
    }

    /// The template's name as its problems show it, such as `mails/welcome.md`.
    public let name: String
    /// The subject as written, with its variables.
    public let subject: String
    /// The line that inboxes show after the subject, as written; nil leaves it to the mail program.
    public let preheader: String?
    /// Nil means the site's own sender.
    public let from: Sender?
    /// Where answers go; nil means to the sender.
    public let replyTo: Sender?
    public let purpose: Purpose
    /// The list a marketing mail is of: the purpose of consent it needs. Nil means that of its sequence or the site.
    public let list: String?
    /// How long after it was ordered it is worth sending; nil means always.
    public let within: Span?
    /// The Markdown after the front matter, as written.
    public let body: String
    /// Every name the template asks for, with a fallback or without.
    public let variables: Set<String>

    let parts: Parts

    /// The largest file, in bytes: a mail of that size would be a book, so it is most likely the wrong file.
    public static let sourceBytesMax = 262_144
    /// The largest text and HTML together, in bytes. Gmail hides everything after 102 KB; ten times that is
    /// no longer a mail, and values that long are a mistake or an attack.
    public static let outputBytesMax = 1_048_576

    /// How the body is written.
    public enum Format: String, Sendable {
        case markdown, html
        /// Markdown of a page, which may hold pictures too.
        case page
    }

    /// Reads a template.
    ///
    /// - Parameters:
    ///   - name: what problems call it: the file's path as the configurer knows it.
    ///   - source: the file's text.
    ///   - format: how the body is written.
    ///   - text: the plain text of the mail as its author wrote it, with variables; nil makes it from the body. Its
    ///     problems are those of `NAME (text)`.
    /// - Throws: ``MailTemplateProblem`` with the line to correct.
    public init(
        name: String, source: String, format: Format = .markdown, text: String? = nil
    ) throws(MailTemplateProblem) {
        let lines = try Self.lines(of: source, template: name)
        let matter = try FrontMatter(lines, template: name)
        var textLines: [String]?
        if let text { textLines = try Self.lines(of: text, template: name + " (text)") }
        let parts = try Parts(
            matter: matter, lines: lines[matter.bodyStart...], format: format, text: textLines, template: name)
        self.name = name
        self.subject = matter.subject
        self.preheader = matter.preheader
        self.from = matter.from
        self.replyTo = matter.replyTo
        self.purpose = matter.purpose
        self.list = matter.list
        self.within = matter.within
        self.body = lines[matter.bodyStart...].joined(separator: "\n")
        self.variables = Set(parts.placeholders.map(\.name))
        self.parts = parts
    }

    /// A mail for one person, before it stands in its layout.
    public struct Rendered: Sendable {
        public let subject: String
        public let preheader: String?
        /// Plain text, and what stands in the layout's body.
        public let text: String
        public let html: String
    }

    /// The mail for one person.
    ///
    /// Values are plain text: control characters are dropped, a line break or tab becomes a space, and
    /// nothing in a value is read as Markdown or HTML. Within a link's target a value is percent-encoded,
    /// except where the target begins with it; a target that is then not http, https or mailto stands as
    /// text, and holds a mail written in HTML.
    ///
    /// - Throws: ``MailTemplateProblem`` of the kind `missingValue` when a variable without fallback has no
    ///   value, so that the mail is held and nobody reads "Hi ,"; `outputTooLarge` when the values make it
    ///   too large.
    public func rendered(_ values: [String: String]) throws(MailTemplateProblem) -> Rendered {
        try rendered(values, links: [:], style: .standard)
    }

    /// - Parameter links: what stands in place of an address that is the same for everybody: see ``targets(_:)``.
    func rendered(
        _ values: [String: String], links: [String: String], style: MailStyle
    ) throws(MailTemplateProblem) -> Rendered {
        let rendering = Rendering(
            values: try checkedValues(values), inLinks: inLinks(values), links: links, style: style)
        for target in parts.markup?.addresses ?? [] where rendering.url(target) == nil {
            // What it is meant to be stands in a value, which no problem shows.
            for case .variable(let placeholder) in target {
                throw problem(.missingValue(placeholder.name), line: placeholder.line)
            }
        }
        let html = parts.markup.map(rendering.html) ?? rendering.html(parts.body)
        let text = (parts.plain ?? parts.markup?.text).map(rendering.plainText) ?? rendering.text(parts.body)
        let bytes = text.utf8.count + html.utf8.count
        guard bytes <= Self.outputBytesMax else { throw problem(.outputTooLarge(bytes: bytes), line: 1) }
        return Rendered(
            subject: rendering.plain(parts.subject), preheader: parts.preheader.map(rendering.plain), text: text,
            html: html)
    }

    /// The variables that would hold the mail: those without fallback and without a value.
    func missing(_ values: [String: String]) -> [Placeholder] {
        var seen: Set<String> = []
        return parts.placeholders.filter { placeholder in
            let value = values[placeholder.name].map(MailEncoding.cleaned) ?? ""
            return placeholder.fallback == nil && value.allSatisfy(\.isWhitespace)
                && seen.insert(placeholder.name).inserted
        }
    }

    /// The addresses of pages that the mail links to and that are the same for every lead, each once: none holds a
    /// variable besides `base_url`.
    func targets(_ values: [String: String]) -> [String] {
        let rendering = Rendering(values: values.filter { $0.key == Self.siteVariable })
        var seen: Set<String> = []
        return parts.targets.filter(Self.isSame).compactMap(rendering.url).filter { url in
            !url.lowercased().hasPrefix("mailto:") && seen.insert(url).inserted
        }
    }

    static let siteVariable = "base_url"

    /// Whether a target is the same for every lead.
    static func isSame(_ target: [Piece]) -> Bool {
        target.allSatisfy { piece in
            if case .variable(let placeholder) = piece { placeholder.name == siteVariable } else { true }
        }
    }

    /// The cleaned values of the template's variables, once each of its places has a value or a fallback.
    ///
    /// The sum over all places is bounded before anything is built: many places times one long value would
    /// otherwise fill the memory first and be refused after.
    private func checkedValues(_ values: [String: String]) throws(MailTemplateProblem) -> [String: String] {
        var cleaned: [String: String] = [:]
        for (name, value) in values where variables.contains(name) {
            guard value.utf8.count <= Self.outputBytesMax else {
                throw problem(.outputTooLarge(bytes: value.utf8.count), line: 1)
            }
            let value = MailEncoding.cleaned(value)
            if !value.allSatisfy(\.isWhitespace) { cleaned[name] = value }
        }
        var bytes = 0
        for placeholder in parts.placeholders {
            guard let value = cleaned[placeholder.name] ?? placeholder.fallback else {
                throw problem(.missingValue(placeholder.name), line: placeholder.line)
            }
            bytes += value.utf8.count
        }
        guard bytes <= Self.outputBytesMax else { throw problem(.outputTooLarge(bytes: bytes), line: 1) }
        return cleaned
    }

    /// Of days and times: see ``MailValues/inLink(_:)``.
    private func inLinks(_ values: [String: String]) -> [String: String] {
        variables.reduce(into: [:]) { $0[$1] = values[MailValues.inLink($1)].map(MailEncoding.cleaned) }
    }

    private func problem(_ kind: MailTemplateProblem.Kind, line: Int) -> MailTemplateProblem {
        MailTemplateProblem(template: name, line: line, kind: kind)
    }
}

// MARK: - Parts

/// What a template is made of once it is read.
extension MailTemplate {
    /// A variable where it stands.
    struct Placeholder: Sendable, Equatable {
        var name: String
        var fallback: String?
        var line: Int
    }

    /// Plain text with variables: a subject, or a link's target.
    enum Piece: Sendable, Equatable {
        case literal(String)
        case variable(Placeholder)
    }

    indirect enum Inline: Sendable, Equatable {
        case text(String)
        case variable(Placeholder)
        case strong([Inline])
        case emphasis([Inline])
        /// A bare URL is a link without a label.
        case link([Inline], target: [Piece])
        /// A picture of a page, and what stands for it where it cannot be seen.
        case picture(source: String, alternative: String)
        case lineBreak
    }

    enum Block: Sendable, Equatable {
        case paragraph([Inline])
        case heading(Int, [Inline])
        /// Without a start the list is one of bullets.
        case list(start: Int?, items: [[Inline]])
        case rule
    }

    /// The longest target of a link, in bytes: some mail programs and gateways cut longer ones.
    static let targetBytesMax = 2_048
    /// How deep emphasis and links nest, so that no text makes the rendering run out of stack.
    static let depthMax = 10

    /// Whether a page may show a picture from there: from elsewhere over TLS, or from the site's own address.
    static func isPictureSource(_ url: String) -> Bool {
        let isElsewhere = url.prefix(8).lowercased() == "https://" && url.utf8.count > 8
        return isElsewhere || (url.utf8.first == UInt8(ascii: "/") && url.utf8.dropFirst().first != UInt8(ascii: "/"))
    }

    static func isLinkable(_ url: String) -> Bool {
        let start = url.prefix(8).lowercased()
        return ["https://", "http://", "mailto:"].contains { scheme in
            start.hasPrefix(scheme) && url.utf8.count > scheme.utf8.count
        }
    }
}
