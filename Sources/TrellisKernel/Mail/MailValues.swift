/// What a template may name: the fields of the event that called for the mail, the lead's columns, the site's name and
/// links, what the plugins add, and what the message brought itself. Where two have the same name, the later one holds.
struct MailValues {
    let kernel: Kernel
    /// Whether the links of the lead are sealed; without it something stands in their place, for a mail that nobody
    /// gets.
    var sealsLinks = true

    /// The names that are there for every mail, besides the columns of the lead.
    static let always = [
        "site_name", "base_url", "unsubscribe_url", "preferences_url", "lead_key", MailTemplate.Sender.ownerName,
        MailTemplate.Sender.ownerEmail,
    ]

    /// The language a plugin says the mail of a message is in: that of the form it follows from. Without it the mail
    /// is in that of the site.
    static let language = "mail_language"

    /// The zone a plugin says the times of a message are written by where the lead tells none. No column is called so.
    static let timezone = "mail.timezone"

    func values(of order: MailRenderer.Order, _ tx: Transaction) throws -> [String: String] {
        var values = ["site_name": kernel.config.site.site.name, "base_url": kernel.config.site.site.baseURL]
        let question = TemplateValues(
            leadID: order.leadID, key: order.key, template: order.template, body: order.body, now: tx.now,
            config: kernel.config)
        let answers = try kernel.hooks.ask(question, tx.db)
        if let leadID = order.leadID {
            let row = try Row.fetchOne(
                tx.db.cachedStatement(sql: "SELECT * FROM leads WHERE id = ?"), arguments: [leadID])
            let place = try tx.place(
                ofZone: row.flatMap { $0["timezone"] as String? }, country: row.flatMap { $0["country"] as String? },
                or: order.isMail ? answers.lazy.compactMap { $0[MailValues.timezone] }.first : nil)
            values.merge(try fieldsOfCause(order, in: place, tx)) { own, _ in own }
            let fields = kernel.config.site.leads.fields.map { ($0.name, $0.value.kind) } + MailValues.times
            values.merge(MailValues.texts(row, written(fields, place, order))) { _, column in column }
            values.merge(links(of: leadID, order)) { _, link in link }
        }
        if order.purpose == .internal, let leadID = order.leadID {
            let lines = try kernel.hooks.ask(LeadCard(leadID: leadID), tx.db).flatMap { $0 }
            values["lead_card"] = lines.map { "\($0.label): \($0.text)" }.joined(separator: " · ")
        }
        for answer in answers {
            values.merge(answer) { first, _ in first }
        }
        values[MailValues.timezone] = nil
        return values.merging(order.body) { _, own in own }
    }

    private func links(of leadID: Int64, _ order: MailRenderer.Order) -> [String: String] {
        guard let signer = try? kernel.signer else { return [:] }
        func token(_ purpose: String, _ subject: String) -> String {
            sealsLinks ? signer.token(purpose: purpose, subject: subject) : purpose
        }
        let lead = String(leadID)
        let base = kernel.config.site.site.baseURL
        var links = [
            "preferences_url": "\(base)/preferences/\(token("preferences", lead))", "lead_key": token("lead", lead),
        ]
        if order.purpose == .marketing {
            let out = WayOut(leadID: leadID, list: order.list)
            links["unsubscribe_url"] = "\(base)/unsubscribe/\(token("unsubscribe", out.subject))"
        }
        return links
    }

    private static let times = [("created_at", CustomField.Kind.time), ("updated_at", .time)]

    private func fieldsOfCause(_ order: MailRenderer.Order, in place: LocalTime, _ tx: Transaction) throws
        -> [String: String]
    {
        guard let cause = order.causeID,
            let row = try Row.fetchOne(
                tx.db.cachedStatement(sql: "SELECT kind, body FROM events WHERE id = ?"), arguments: [cause]),
            let fields = kernel.kinds[row["kind"]]?.fields, !fields.isEmpty
        else { return [:] }
        let write = written(fields.map { ($0.name, $0.value) }, place, order)
        let declared = Set(fields.map(\.name))
        let values = MailRenderer.texts(row["body"]).filter { declared.contains($0.key) }
        return Dictionary(uniqueKeysWithValues: values.map { ($0.key, write($0.key, $0.value)) })
    }

    /// Writes the values of days and times as the site wants them, and leaves others as they are.
    private func written(
        _ fields: [(String, CustomField.Kind)], _ place: LocalTime, _ order: MailRenderer.Order
    ) -> (String, String) -> String {
        let dated = Set(fields.filter { $0.1 == .date || $0.1 == .time }.map(\.0))
        let dates = kernel.config.site.mail.dates
        return { name, value in
            (dated.contains(name) ? dates.text(of: value, in: place, isZoned: order.isMail) : nil) ?? value
        }
    }

    private static func texts(_ row: Row?, _ write: (String, String) -> String) -> [String: String] {
        var values: [String: String] = [:]
        for (column, value) in row ?? Row() where !value.isNull {
            values[column] = write(column, String.fromDatabaseValue(value) ?? "\(value)")
        }
        return values
    }
}
