/// The elements of a mail's body in HTML. Styles are inline, since several mail programs drop a style sheet; the
/// classes are for those that keep it, and for readers who have it dark. Arguments are HTML unless named otherwise.
struct MailStyle: Sendable {
    let button: WebColor
    /// Reads well on ``button``.
    let buttonText: WebColor
    let link: WebColor
    /// Reads well on the mail as it is in the dark.
    let darkLink: WebColor

    static let standard = MailStyle(color: .standard)

    init(color: WebColor) {
        button = color
        buttonText = WebColor.white.contrast(with: color) >= WebColor.readable ? .white : .black.readable(on: color)
        // The logo's words stand on the page, which is a little darker than the mail.
        link = color.readable(on: MailStyle.page)
        darkLink = color.readable(on: MailStyle.darkPage)
    }

    private static let page = WebColor("#f2f4f6") ?? .white
    private static let darkPage = WebColor("#1d2228") ?? .black

    static let font = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

    func paragraph(_ content: String) -> String { "<p style=\"margin:0 0 16px\">\(content)</p>" }

    func heading(_ level: Int, _ content: String) -> String {
        let size = level == 1 ? 26 : level == 2 ? 20 : 17
        let style = "margin:\(level == 1 ? 0 : 28)px 0 12px;font-size:\(size)px;line-height:1.3;font-weight:700"
        return "<h\(level) style=\"\(style)\">\(content)</h\(level)>"
    }

    static let rule = "<hr class=\"rule\" style=\"margin:28px 0;border:0;border-top:1px solid #dde2e7\">"

    func list(start: Int?, items: [String]) -> String {
        let tag = start == nil ? "ul" : "ol"
        let from = start.map { $0 == 1 ? "" : " start=\"\($0)\"" } ?? ""
        let rows = items.map { "<li style=\"margin:0 0 6px\">\($0)</li>" }.joined(separator: "\n")
        return "<\(tag)\(from) style=\"margin:0 0 16px;padding-left:24px\">\n\(rows)\n</\(tag)>"
    }

    func link(_ label: String, url: String) -> String {
        "<a class=\"link\" href=\"\(WebText.escaped(url))\" style=\"color:\(link)\">\(label)</a>"
    }

    /// A cell of a table, because Outlook gives a link neither area nor colour: there the cell has both, by
    /// `mso-padding-alt`.
    func button(_ label: String, url: String) -> String {
        """
        <table role="presentation" class="button" cellpadding="0" cellspacing="0" border="0" style="margin:24px 0">\
        <tr><td align="center" bgcolor="\(button)" style="border-radius:8px;background-color:\(button);\
        mso-padding-alt:13px 26px"><a href="\(WebText.escaped(url))" style="display:inline-block;padding:13px 26px;\
        mso-padding-alt:0;border-radius:8px;background-color:\(button);color:\(buttonText);font-weight:600;\
        line-height:1.25;text-decoration:none">\(label)</a></td></tr></table>
        """
    }

    /// What stands under a mail. The lines are HTML, each link among them already one.
    func footer(_ lines: [String]) -> String {
        "<p class=\"quiet\" style=\"margin:0;font-size:13px;line-height:1.6;color:#5b6670\">"
            + lines.joined(separator: "<br>\n") + "</p>"
    }

    func quietLink(_ label: String, url: String) -> String {
        "<a class=\"quiet\" href=\"\(WebText.escaped(url))\" style=\"color:#5b6670\">\(label)</a>"
    }

    /// The picture that tells of an opening: nothing to see, and nothing to be read aloud.
    static func picture(_ url: String?) -> String {
        guard let url else { return "" }
        return "\n<img src=\"\(WebText.escaped(url))\" width=\"1\" height=\"1\" alt=\"\" style=\"display:block\">"
    }
}
