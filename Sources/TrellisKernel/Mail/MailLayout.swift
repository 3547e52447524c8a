import Foundation

/// The page around the body of every mail: the site's `layout.html` beside its mails, or the built-in one.
///
/// A layout is HTML with slots. `{{{body}}}` and `{{{footer}}}` must stand in it, once each: the footer holds the
/// postal address and the way out. Further slots are `{{{logo}}}`, `{{{preheader}}}` (hidden, as the second line of
/// an inbox), `{{subject}}`, `{{site_name}}`, `{{base_url}}`, and the colours `{{color}}`, `{{button_text_color}}`,
/// `{{link_color}}`, `{{dark_link_color}}`.
public struct MailLayout: Sendable {
    /// Slots that are HTML already, and slots that are text.
    static let markupSlots = ["body", "footer", "logo", "preheader"]
    static let textSlots = [
        "subject", "site_name", "base_url", "color", "button_text_color", "link_color", "dark_link_color",
    ]
    static let requiredSlots = ["body", "footer"]

    private enum Part: Sendable {
        case literal(String)
        case slot(String, isMarkup: Bool)
    }

    private let parts: [Part]

    /// Reads a layout.
    ///
    /// - Throws: ``MailTemplateProblem`` with the line to correct.
    public init(name: String, source: String) throws(MailTemplateProblem) {
        let lines = try MailTemplate.lines(of: source, template: name)
        var parts: [Part] = []
        var seen: [String] = []
        for (index, line) in lines.enumerated() {
            var rest = line[...]
            while let open = rest.range(of: "{{") {
                parts.append(.literal(String(rest[..<open.lowerBound])))
                rest = rest[open.upperBound...]
                let isMarkup = rest.hasPrefix("{")
                let close = isMarkup ? "}}}" : "}}"
                guard let end = rest.range(of: close) else {
                    throw MailTemplateProblem(template: name, line: index + 1, kind: .openPlaceholder)
                }
                let slot = MailEncoding.trimmed(rest[..<end.lowerBound].drop { $0 == "{" })
                guard (isMarkup ? Self.markupSlots : Self.textSlots).contains(slot) else {
                    throw MailTemplateProblem(template: name, line: index + 1, kind: .badSlot(slot))
                }
                if Self.requiredSlots.contains(slot), seen.contains(slot) {
                    throw MailTemplateProblem(template: name, line: index + 1, kind: .repeatedSlot(slot))
                }
                seen.append(slot)
                parts.append(.slot(slot, isMarkup: isMarkup))
                rest = rest[end.upperBound...]
            }
            parts.append(.literal(rest + "\n"))
        }
        if let missing = Self.requiredSlots.first(where: { !seen.contains($0) }) {
            throw MailTemplateProblem(template: name, line: lines.count, kind: .slotMissing(missing))
        }
        self.parts = parts
    }

    /// What goes into the slots.
    struct Content {
        /// Plain text, as the preheader is.
        var subject: String
        var preheader: String?
        /// HTML, as the footer is.
        var body: String
        var footer: String
    }

    /// The whole page of one mail.
    func page(_ content: Content, config: Config, style: MailStyle) -> String {
        let site = config.site.site
        let values = [
            "body": content.body, "footer": content.footer, "logo": MailLayout.logo(config, style),
            "preheader": MailLayout.hidden(content.preheader), "subject": content.subject, "site_name": site.name,
            "base_url": site.baseURL, "color": "\(style.button)", "button_text_color": "\(style.buttonText)",
            "link_color": "\(style.link)", "dark_link_color": "\(style.darkLink)",
        ]
        return parts.map { part in
            switch part {
            case .literal(let text): text
            case .slot(let slot, let isMarkup):
                isMarkup ? values[slot] ?? "" : WebText.escaped(values[slot] ?? "")
            }
        }.joined()
    }

    /// The inbox's second line. The padding after it keeps mail programs from filling up with the body's start.
    private static func hidden(_ preheader: String?) -> String {
        guard let preheader else { return "" }
        let padding = String(repeating: "&zwnj;&nbsp;", count: 40)
        return "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">"
            + "\(WebText.escaped(preheader))\(padding)</div>\n"
    }

    /// The site's picture, or its name.
    private static func logo(_ config: Config, _ style: MailStyle) -> String {
        let brand = config.site.mail.brand
        let name = WebText.escaped(brand.logoAlt ?? config.site.site.name)
        guard let logo = brand.logo else {
            return "<span class=\"link\" style=\"font-size:17px;font-weight:700;color:\(style.link)\">\(name)</span>"
        }
        return "<img src=\"\(WebText.escaped(logo))\" alt=\"\(name)\" height=\"40\" "
            + "style=\"display:block;height:40px;width:auto;border:0\">"
    }
}
