/// What a marketing mail tells mail programs about the list it belongs to.
struct MailList {
    let config: Config

    /// `List-Unsubscribe` with a way to leave by one click (RFC 2369, section 3.2; RFC 8058), `List-Id` (RFC 2919), and
    /// `Feedback-ID`, by which Google groups complaints.
    ///
    /// - Parameter leaving: addresses by which the person leaves, the best first: one of https, then perhaps a mailto.
    func headers(_ order: MailRenderer.Order, leaving: [String]) -> [(name: String, value: String)] {
        var headers = [
            (name: "List-Unsubscribe", value: leaving.map { "<\($0)>" }.joined(separator: ", ")),
            (name: "List-Id", value: "<\(id(of: order))>"), (name: "Feedback-ID", value: feedback(order)),
        ]
        // One click is a promise that only https keeps (RFC 8058, section 3.1).
        if leaving.first?.hasPrefix("https://") == true {
            headers.insert((name: "List-Unsubscribe-Post", value: "List-Unsubscribe=One-Click"), at: 1)
        }
        return headers
    }

    /// What the lead agreed to, under the sender's domain: `newsletter.acme.example`; where no consent is asked for,
    /// `mail.acme.example`.
    private func id(of order: MailRenderer.Order) -> String {
        let consent = order.list ?? config.site.mail.consent
        return "\(consent == "none" ? "mail" : MailList.word(consent)).\(config.messageDomain)"
    }

    /// Whether a text may be the name of a list: of letters, digits, `-` and `_`, and not `none`, which is no purpose.
    static func isName(_ text: String) -> Bool { MailTemplates.isName(text) && text != "none" }

    /// `welcome:drip:marketing:acme.example`: the mail, who asked for it, its purpose, and the sender, which alone must
    /// be there and has 5 to 15 characters (https://support.google.com/a/answer/6254652).
    private func feedback(_ order: MailRenderer.Order) -> String {
        let origin = order.origin.split(separator: ":").last.map(String.init) ?? order.origin
        var sender = String(config.messageDomain.prefix(15))
        while sender.utf8.count < 5 { sender += "_" }
        return [MailList.word(order.template), MailList.word(origin), order.purpose.rawValue, sender].joined(
            separator: ":")
    }

    /// A word that stands for itself in a header, whatever it was: at most 40 letters, digits and hyphens.
    static func word(_ text: String) -> String {
        let bytes = text.utf8.prefix(40).map { byte in
            MailEncoding.isAlphanumeric(byte) || byte == UInt8(ascii: "_") ? byte : UInt8(ascii: "-")
        }
        return bytes.isEmpty ? "-" : String(decoding: bytes, as: UTF8.self)
    }
}

extension SettingType where Value == String {
    /// The name of a list: a purpose of consent.
    public static var mailList: SettingType {
        .parsed("a purpose of consent such as product-news, of letters, digits, - and _") {
            MailList.isName($0) ? $0 : nil
        }
    }
}
