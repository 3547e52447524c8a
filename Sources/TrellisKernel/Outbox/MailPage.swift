import Foundation

/// The one layout of all mails: a single column that reads well on a phone, with system fonts, dark on white.
/// Styles are inline, since several mail programs drop a style sheet. Arguments are HTML unless named
/// otherwise.
enum MailPage {
    private static let font =
        "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

    /// Where whoever sends the mail may put HTML of its own, such as the line that says how to leave. No
    /// value can hold it, since each is escaped.
    static let footerSlot = "<!-- footer -->"

    /// The page. The title, the preheader and the link's URL are plain text and escaped here.
    static func html(title: String, preheader: String?, body: String, footer: String) -> String {
        """
        <!DOCTYPE html>
        <html>
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light">
        <title>\(MailEncoding.escaped(title))</title>
        </head>
        <body style="margin:0;padding:0;background-color:#ffffff;-webkit-text-size-adjust:100%">
        \(hidden(preheader))<table role="presentation" width="100%" cellpadding="0" cellspacing="0">
        <tr><td align="center" style="padding:32px 20px">
        <table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0" \
        style="width:100%;max-width:600px">
        <tr><td align="left" style="\(font);font-size:16px;line-height:1.6;color:#1f2933">
        \(body)
        \(footerSlot)
        </td></tr>
        \(small(footer))</table>
        </td></tr>
        </table>
        </body>
        </html>

        """
    }

    /// The inbox's second line. The padding after it keeps mail programs from filling up with the body's
    /// start.
    private static func hidden(_ preheader: String?) -> String {
        guard let preheader else { return "" }
        let padding = String(repeating: "&zwnj;&nbsp;", count: 40)
        return "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">"
            + "\(MailEncoding.escaped(preheader))\(padding)</div>\n"
    }

    private static func small(_ footer: String) -> String {
        guard !footer.isEmpty else { return "" }
        return "<tr><td align=\"left\" style=\"padding-top:24px;border-top:1px solid #e4e7eb;"
            + "\(font);font-size:13px;line-height:1.5;color:#616e7c\">\n\(footer)\n</td></tr>\n"
    }

    /// The picture that tells of an opening: nothing to see, nothing to be read aloud.
    static func picture(_ url: String?) -> String {
        guard let url else { return "" }
        return
            "<img src=\"\(MailEncoding.escaped(url))\" width=\"1\" height=\"1\" alt=\"\" style=\"display:block;border:0\">"
    }

    static func paragraph(_ content: String) -> String { "<p style=\"margin:0 0 16px\">\(content)</p>" }

    static func heading(_ level: Int, _ content: String) -> String {
        let size = level == 1 ? 26 : level == 2 ? 21 : 17
        let style = "margin:28px 0 12px;font-size:\(size)px;line-height:1.3"
        return "<h\(level) style=\"\(style)\">\(content)</h\(level)>"
    }

    static let rule = "<hr style=\"margin:28px 0;border:0;border-top:1px solid #e4e7eb\">"

    static func list(start: Int?, items: [String]) -> String {
        let tag = start == nil ? "ul" : "ol"
        let from = start.map { $0 == 1 ? "" : " start=\"\($0)\"" } ?? ""
        let rows = items.map { "<li style=\"margin:0 0 6px\">\($0)</li>" }.joined(separator: "\n")
        return "<\(tag)\(from) style=\"margin:0 0 16px;padding-left:24px\">\n\(rows)\n</\(tag)>"
    }

    static func link(_ label: String, url: String) -> String {
        "<a href=\"\(MailEncoding.escaped(url))\" style=\"color:#0b5cad\">\(label)</a>"
    }

    /// Its area is a border and not a padding, which Outlook would drop.
    static func button(_ label: String, url: String) -> String {
        let style =
            "display:inline-block;border:solid #1f4f82;border-width:11px 22px;border-radius:6px;"
            + "background-color:#1f4f82;color:#ffffff;font-weight:600;text-decoration:none"
        let href = MailEncoding.escaped(url)
        return "<p style=\"margin:24px 0\"><a href=\"\(href)\" style=\"\(style)\">\(label)</a></p>"
    }
}
