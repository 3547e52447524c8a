extension MailLayout {
    /// The layout of a site that has none of its own: one column of 600 pixels, light or dark as the reader has it.
    ///
    /// Outlook on Windows knows no greatest width and gets a table in a comment that it alone reads; Gmail keeps the
    /// style block as long as it is small.
    public static let builtInSource = """
        <!DOCTYPE html>
        <html>
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="supported-color-schemes" content="light dark">
        <meta name="x-apple-disable-message-reformatting">
        <meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
        <title>{{subject}}</title>
        <!--[if mso]><style>body, table, td, p, a, li, h1, h2, h3 { font-family: Arial, sans-serif !important; }</style><![endif]-->
        <style>
        :root { color-scheme: light dark; supported-color-schemes: light dark; }
        @media (max-width: 640px) {
          .frame { padding: 20px 0 32px !important; }
          .edge { padding-left: 20px !important; padding-right: 20px !important; }
          .card { padding: 28px 20px 12px !important; border-left: 0 !important; border-right: 0 !important; border-radius: 0 !important; }
        }
        @media (prefers-color-scheme: dark) {
          .page { background-color: #13171b !important; }
          .card { background-color: #1d2228 !important; border-color: #2d343c !important; color: #e4e8ec !important; }
          .link { color: {{dark_link_color}} !important; }
          .quiet { color: #a5afb9 !important; }
          .rule { border-color: #3a434d !important; }
        }
        </style>
        </head>
        <body class="page" style="margin:0;padding:0;background-color:#f2f4f6;-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%">
        {{{preheader}}}<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" \
        bgcolor="#f2f4f6" style="background-color:#f2f4f6">
        <tr><td class="frame" align="center" style="padding:32px 16px 40px">
        <!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px">
        <tr><td class="edge" align="left" style="padding:0 4px 20px;\(MailStyle.font)">{{{logo}}}</td></tr>
        <tr><td class="card" align="left" bgcolor="#ffffff" style="padding:36px 40px 20px;background-color:#ffffff;\
        border:1px solid #e3e7eb;border-radius:12px;\(MailStyle.font);font-size:16px;line-height:1.6;color:#1f2933;\
        word-break:break-word">
        {{{body}}}
        </td></tr>
        <tr><td class="edge" align="left" style="padding:20px 4px 0;\(MailStyle.font)">
        {{{footer}}}
        </td></tr>
        </table>
        <!--[if mso]></td></tr></table><![endif]-->
        </td></tr>
        </table>
        </body>
        </html>

        """

    static func builtIn() throws(MailTemplateProblem) -> MailLayout {
        try MailLayout(name: "the built-in layout", source: builtInSource)
    }
}
