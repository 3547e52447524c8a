import Foundation

/// Makes the mail of an outbox row, from the lead as it is now.
struct MailRenderer: Sendable {
    let config: Config
    let templates: MailTemplates

    /// What an outbox row says about its mail.
    struct Order {
        var id: Int64
        var key: String
        var origin: String
        var purpose: MessagePurpose
        var leadID: Int64?
        var recipient: String?
        var template: String
        var body: [String: String]

        init(_ row: Row) throws {
            id = row["id"]
            key = row["key"]
            origin = row["origin"]
            purpose = MessagePurpose(rawValue: row["purpose"]) ?? .marketing
            leadID = row["lead_id"]
            recipient = row["recipient"]
            template = row["template"]
            body = MailRenderer.texts(row["body"])
        }
    }

    /// The message, or the reason why it has to wait for a person.
    enum Outcome {
        case ready(RenderedMessage)
        case held(String)
    }

    func render(_ order: Order, values: [String: String], recipient: String, tx: Transaction) throws
        -> Outcome
    {
        guard let from = config.site.mail.from.flatMap(MailAddress.init(parsing:)) else {
            return .held("mail.from is not set in the config")
        }
        guard let to = MailAddress(parsing: recipient) else {
            return .held("the address cannot be written in a mail header")
        }
        if order.purpose == .marketing, config.site.site.postalAddress == nil {
            return .held("site.postal_address is not set, and marketing mail needs one")
        }
        guard let template = try templates.named(order.template) else {
            return .held("there is no mail '\(order.template)'")
        }
        let stableID = "\(order.id).\(StableHash.hex(order.key))"
        do {
            let (footerText, footerHTML, headers) = try footer(order, recipient: recipient)
            let watched = try MailWatch(config: config).watch(order, targets: template.targets(values), tx)
            let mail = try template.rendered(values, links: watched.links)
            let message = MailMessage(
                from: template.from ?? from, to: to, replyTo: nil,
                subject: mail.subject, date: tx.now,
                messageID: "\(stableID)@\(config.messageDomain)", headers: headers,
                text: mail.text + footerText,
                html: MailRenderer.insert(footerHTML + MailPage.picture(watched.picture), into: mail.html))
            return .ready(
                RenderedMessage(
                    id: order.id, stableID: stableID, recipient: to.address, bytes: try message.rendered()))
        } catch let problem as MailTemplateProblem {
            return .held("\(problem)")
        } catch let problem as MailProblem {
            return .held("\(problem)")
        }
    }

    /// A marketing mail says who sends it and how to leave (RFC 2369, RFC 8058); other mail says that nobody typed it
    /// (RFC 3834).
    private func footer(_ order: Order, recipient: String) throws -> (
        text: String, html: String, headers: [(name: String, value: String)]
    ) {
        guard order.purpose == .marketing, let leadID = order.leadID,
            let address = config.site.site.postalAddress
        else {
            return ("", "", [(name: "Auto-Submitted", value: "auto-generated")])
        }
        let link = try unsubscribeLink(leadID: leadID)
        let text = "\n\n--\n\(config.site.site.name), \(address)\nUnsubscribe: \(link)\n"
        let html = """
            <p style="margin:32px 0 0;padding-top:16px;border-top:1px solid #e5e5e5;font-size:13px;color:#777">\
            \(MailEncoding.escaped(config.site.site.name)), \(MailEncoding.escaped(address))<br>\
            <a href="\(link)" style="color:#777">Unsubscribe</a></p>
            """
        return (
            text, html,
            [
                (name: "List-Unsubscribe", value: "<\(link)>"),
                (name: "List-Unsubscribe-Post", value: "List-Unsubscribe=One-Click"),
                (name: "Auto-Submitted", value: "auto-generated"),
            ]
        )
    }

    func unsubscribeLink(leadID: Int64) throws -> String {
        try config.link("unsubscribe", String(leadID))
    }

    private static func insert(_ footer: String, into html: String) -> String {
        guard !footer.isEmpty else { return html }
        return html.contains("<!-- footer -->")
            ? html.replacing("<!-- footer -->", with: footer)
            : html.replacing("</body>", with: footer + "</body>")
    }

    /// The values of a JSON object as texts; numbers and flags as they are written, null and nested values left out.
    static func texts(_ json: String) -> [String: String] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else {
            return [:]
        }
        return object.compactMapValues { value in
            (value as? String) ?? (value as? NSNumber)?.stringValue
        }
    }
}

extension Config {
    /// The right side of every Message-ID: the domain of the sender.
    var messageDomain: String {
        site.mail.from.flatMap(MailAddress.init(parsing:)).flatMap {
            $0.address.split(separator: "@").last.map(String.init)
        } ?? "localhost"
    }
}
