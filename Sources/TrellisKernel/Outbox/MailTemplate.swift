import Foundation

/// A mail as its author writes it: front matter between `---` lines, then simple Markdown with variables.
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
    public let from: MailAddress?
    public let purpose: Purpose
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

    /// Reads a template.
    ///
    /// - Parameters:
    ///   - name: what problems call it: the file's path as the configurer knows it.
    ///   - source: the file's text.
    ///   - footer: Markdown that stands under the mail in small print, such as the postal address and
    ///     `[Unsubscribe]({{unsubscribe_url}})`. Its problems are those of `NAME (footer)`.
    /// - Throws: ``MailTemplateProblem`` with the line to correct.
    public init(name: String, source: String, footer: String = "") throws(MailTemplateProblem) {
        let lines = try Self.lines(of: source, template: name)
        let matter = try FrontMatter(lines, template: name)
        let footerLines = try Self.lines(of: footer, template: name + " (footer)")
        let parts = try Parts(
            matter: matter, lines: lines[matter.bodyStart...], footer: footerLines[...], template: name)
        self.name = name
        self.subject = matter.subject
        self.preheader = matter.preheader
        self.from = matter.from
        self.purpose = matter.purpose
        self.body = lines[matter.bodyStart...].joined(separator: "\n")
        self.variables = Set(parts.placeholders.map(\.name))
        self.parts = parts
    }

    /// The mail for one person.
    ///
    /// Values are plain text: control characters are dropped, a line break or tab becomes a space, and
    /// nothing in a value is read as Markdown or HTML. Within a link's target a value is percent-encoded,
    /// except where the target begins with it; a target that is then not http, https or mailto stands as
    /// text.
    ///
    /// - Throws: ``MailTemplateProblem`` of the kind `missingValue` when a variable without fallback has no
    ///   value, so that the mail is held and nobody reads "Hi ,"; `outputTooLarge` when the values make it
    ///   too large.
    ///
    /// - Parameter links: what stands in place of an address that is the same for everybody: see ``targets(_:)``.
    public func rendered(
        _ values: [String: String], links: [String: String] = [:]
    ) throws(MailTemplateProblem) -> (subject: String, preheader: String?, text: String, html: String) {
        let rendering = Rendering(values: try checkedValues(values), links: links)
        let subject = rendering.plain(parts.subject)
        let preheader = parts.preheader.map(rendering.plain)
        let footer = rendering.text(parts.footer)
        let text = rendering.text(parts.body) + (footer.isEmpty ? "" : "\n--------\n" + footer)
        let html = MailPage.html(
            title: subject, preheader: preheader, body: rendering.html(parts.body),
            footer: rendering.html(parts.footer))
        let bytes = text.utf8.count + html.utf8.count
        guard bytes <= Self.outputBytesMax else { throw problem(.outputTooLarge(bytes: bytes), line: 1) }
        return (subject, preheader, text, html)
    }

    /// The addresses of pages that the mail links to and that are the same for every lead, each once: none holds a
    /// variable besides `base_url`.
    func targets(_ values: [String: String]) -> [String] {
        let rendering = Rendering(values: values.filter { $0.key == Self.siteVariable }, links: [:])
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

    private func problem(_ kind: MailTemplateProblem.Kind, line: Int) -> MailTemplateProblem {
        MailTemplateProblem(template: name, line: line, kind: kind)
    }
}

// MARK: - Front matter

extension MailTemplate {
    /// The file's lines without their ends and without a byte order mark.
    static func lines(of source: String, template: String) throws(MailTemplateProblem) -> [String] {
        guard source.utf8.count <= sourceBytesMax else {
            let kind = MailTemplateProblem.Kind.sourceTooLarge(bytes: source.utf8.count)
            throw MailTemplateProblem(template: template, line: 1, kind: kind)
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let bytes = Array(source.utf8)
        var lines: [String] = []
        for slice in MailEncoding.lines(of: bytes.starts(with: byteOrderMark) ? Array(bytes[3...]) : bytes) {
            let line = String(decoding: slice, as: UTF8.self)
            lines.append(line)
            if line.unicodeScalars.contains(where: { $0 != "\t" && MailEncoding.isControl($0) }) {
                throw MailTemplateProblem(template: template, line: lines.count, kind: .controlCharacter)
            }
        }
        return lines
    }

    struct FrontMatter {
        static let keys = ["subject", "preheader", "from", "purpose"]

        var subject = ""
        var preheader: String?
        var from: MailAddress?
        var purpose = Purpose.marketing
        /// The line of each key that was given, from 1.
        var keyLines: [String: Int] = [:]
        /// The index of the first line of the body.
        var bodyStart = 0

        init(_ lines: [String], template: String) throws(MailTemplateProblem) {
            func problem(_ kind: MailTemplateProblem.Kind, _ line: Int) -> MailTemplateProblem {
                MailTemplateProblem(template: template, line: line, kind: kind)
            }
            guard MailEncoding.trimmed(lines.first ?? "") == "---" else {
                throw problem(.frontMatterMissing, 1)
            }
            guard let end = lines.dropFirst().firstIndex(where: { MailEncoding.trimmed($0) == "---" }) else {
                throw problem(.frontMatterOpen, 1)
            }
            bodyStart = end + 1
            for index in 1..<end {
                let line = MailEncoding.trimmed(lines[index])
                if line.isEmpty || line.hasPrefix("#") { continue }
                guard let colon = line.firstIndex(of: ":") else { throw problem(.notKeyAndValue, index + 1) }
                let key = MailEncoding.trimmed(line[..<colon])
                guard Self.keys.contains(key) else { throw problem(.unknownKey(key), index + 1) }
                guard keyLines.updateValue(index + 1, forKey: key) == nil else {
                    throw problem(.repeatedKey(key), index + 1)
                }
                let value = Self.unquoted(MailEncoding.trimmed(line[line.index(after: colon)...]))
                guard !value.utf8.contains(0x09) else { throw problem(.controlCharacter, index + 1) }
                if let kind = take(value, for: key) { throw problem(kind, index + 1) }
            }
            guard !subject.isEmpty else { throw problem(.missingSubject, keyLines["subject"] ?? 1) }
        }

        private mutating func take(_ value: String, for key: String) -> MailTemplateProblem.Kind? {
            switch key {
            case "subject": subject = value
            case "preheader": preheader = value.isEmpty ? nil : value
            case "from":
                guard let sender = MailAddress(parsing: value) else { return .badSender(value) }
                from = sender
            default:
                guard let known = Purpose(rawValue: value) else { return .badPurpose(value) }
                purpose = known
            }
            return nil
        }

        /// A value may stand in quotes, as in YAML, to keep outer spaces.
        private static func unquoted(_ value: String) -> String {
            let isQuoted = ["\"", "'"].contains { value.hasPrefix($0) && value.hasSuffix($0) }
            return isQuoted && value.count >= 2 ? String(value.dropFirst().dropLast()) : value
        }
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

    static func isLinkable(_ url: String) -> Bool {
        let start = url.prefix(8).lowercased()
        return ["https://", "http://", "mailto:"].contains { scheme in
            start.hasPrefix(scheme) && url.utf8.count > scheme.utf8.count
        }
    }
}
