import Foundation

/// Makes the mail of an outbox row, from the lead as it is now.
struct MailRenderer: Sendable {
    let config: Config
    let templates: MailTemplates
    private let sender: MailAddress?

    init(config: Config, templates: MailTemplates) {
        self.config = config
        self.templates = templates
        sender = config.site.mail.from.flatMap(MailAddress.init(parsing:))
    }

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
        /// The event that called for it.
        var causeID: Int64?
        /// Whether a person reads it, and no program.
        var isMail = true
        /// The list it is of: a purpose of consent; nil for that of the site.
        var list: String?

        init(_ row: Row) throws {
            id = row["id"]
            key = row["key"]
            origin = row["origin"]
            purpose = MessagePurpose(rawValue: row["purpose"]) ?? .marketing
            leadID = row["lead_id"]
            recipient = row["recipient"]
            template = row["template"]
            body = MailRenderer.texts(row["body"])
            causeID = row["cause_id"]
            isMail = row["transport"] == "mail"
            list = row["list"]
        }

        /// An order that stands in no row yet.
        init(id: Int64, key: String, origin: String, purpose: MessagePurpose, leadID: Int64?, template: String) {
            self.id = id
            self.key = key
            self.origin = origin
            self.purpose = purpose
            self.leadID = leadID
            self.template = template
            body = [:]
        }
    }

    /// The message, or the reason why it has to wait for a person.
    enum Outcome {
        case ready(RenderedMessage)
        case held(String)
    }

    /// Why no mail can be made: a person has to mend something.
    struct Hold: Error, CustomStringConvertible {
        let description: String
    }

    func render(_ order: Order, values: [String: String], recipient: String, tx: Transaction) throws
        -> Outcome
    {
        do {
            var message = try message(of: order, values: values, recipient: recipient) { template in
                try MailWatch(config: config).watch(order, targets: template.targets(values), tx)
            }
            message.date = tx.now
            return .ready(
                RenderedMessage(
                    id: order.id, stableID: identity(of: order), recipient: message.to.address,
                    bytes: try message.rendered()))
        } catch let problem where problem is Hold || problem is MailTemplateProblem || problem is MailProblem {
            return .held("\(problem)")
        }
    }

    /// The mail before it is encoded.
    ///
    /// - Parameter watch: says what is watched of it.
    /// - Throws: ``Hold``, ``MailTemplateProblem`` or ``MailProblem`` for what a person has to mend.
    func message(
        of order: Order, values: [String: String], recipient: String,
        watch: (MailTemplate) throws -> MailWatch.Outcome = { _ in MailWatch.Outcome() }
    ) throws -> MailMessage {
        let (template, from, to) = try parts(of: order, values: values, recipient: recipient)
        let style = MailStyle(color: config.site.mail.brand.color)
        let words = config.lexicon.words(for: values[MailValues.language] ?? config.site.site.language)
        let footer = try footer(order, style, leave: words("mail_unsubscribe"))
        let watched = try watch(template)
        let mail = try template.rendered(values, links: watched.links, style: style)
        let page = try templates.layout().page(
            MailLayout.Content(
                subject: mail.subject, preheader: mail.preheader, body: mail.html,
                footer: footer.html + MailStyle.picture(watched.picture)),
            config: config, style: style)
        return MailMessage(
            from: template.from?.address(values) ?? from, to: to, replyTo: template.replyTo?.address(values),
            subject: mail.subject,
            date: Date(timeIntervalSince1970: 0), messageID: "\(identity(of: order))@\(config.messageDomain)",
            headers: footer.headers, text: mail.text + footer.text, html: page)
    }

    /// The template of an order, and from whom to whom its mail goes.
    ///
    /// - Throws: ``Hold`` or ``MailTemplateProblem``.
    func parts(of order: Order, values: [String: String], recipient: String) throws -> (
        template: MailTemplate, from: MailAddress, to: MailAddress
    ) {
        guard let from = sender else {
            throw Hold(description: "mail.from is not set in the config")
        }
        guard let to = MailAddress(parsing: recipient) else {
            do throws(MailProblem) { _ = try MailAddress(address: recipient).header("To") } catch {
                throw Hold(description: "\(error)\(wayOut(of: order))")
            }
            throw Hold(description: "the address cannot be written in a mail header.\(wayOut(of: order))")
        }
        if order.purpose == .marketing, config.site.site.postalAddress == nil {
            throw Hold(description: "site.postal_address is not set, and marketing mail needs one")
        }
        guard let template = try templates.named(order.template, values: values) else {
            throw Hold(description: "there is no mail '\(order.template)'")
        }
        return (template, from, to)
    }

    /// What lets a mail go on that a lead's address holds: another address, or none any more. What has an address of
    /// its own was checked where the config names it.
    private func wayOut(of order: Order) -> String {
        order.recipient == nil
            ? " Correct leads.email, or never mail it again ('trellis suppress ADDRESS'); then 'trellis outbox retry'."
            : ""
    }

    /// A marketing mail says who sends it and how to leave (RFC 2369, RFC 8058); other mail says that nobody typed it
    /// (RFC 3834).
    private func footer(_ order: Order, _ style: MailStyle, leave: String) throws -> (
        text: String, html: String, headers: [(name: String, value: String)]
    ) {
        let automatic = [(name: "Auto-Submitted", value: "auto-generated")]
        guard order.purpose == .marketing, let leadID = order.leadID, let address = config.site.site.postalAddress
        else { return ("", "", automatic) }
        let link = try config.link(leaving: WayOut(leadID: leadID, list: order.list))
        let name = config.site.site.name
        let sender = address.hasPrefix(name) ? address : "\(name), \(address)"
        return (
            "\n\n--\n\(sender)\n\(leave): \(link)\n",
            style.footer([WebText.escaped(sender), style.quietLink(WebText.escaped(leave), url: link)]),
            MailList(config: config).headers(order, leaving: [link] + (byMail(order).map { [$0] } ?? [])) + automatic
        )
    }

    /// The way out for mail programs that know no other; nil where nobody would read it.
    private func byMail(_ order: Order) -> String? {
        BounceAddress(config: config).map { "mailto:\($0.address(for: order.id))?subject=unsubscribe" }
    }

    func identity(of order: Order) -> String { MessageIdentity(config: config).text(of: order.id, key: order.key) }

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
