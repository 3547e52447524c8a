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

    /// The name of what stands in the target of a link in place of a day or time that is written for people, in UTC and
    /// without the name of a zone: a page reads it. No column is called so.
    static func inLink(_ name: String) -> String { inLinks + name }
    static let inLinks = "mail.link."

    func values(of order: MailRenderer.Order, _ tx: Transaction) throws -> [String: String] {
        var values = ["site_name": kernel.config.site.site.name, "base_url": kernel.config.site.site.baseURL]
        let row = try order.leadID.flatMap { leadID in
            try Row.fetchOne(
                tx.db.cachedStatement(sql: "SELECT * FROM leads WHERE id = ?"), arguments: [leadID])
        }
        let zone = row.flatMap { $0["timezone"] as String? }
        let country = row.flatMap { $0["country"] as String? }
        let card = try card(of: order, tx)
        let question = TemplateValues(
            leadID: order.leadID, key: order.key, template: order.template, body: order.body, now: tx.now,
            place: try tx.place(ofZone: zone, country: country), config: kernel.config, card: card ?? [])
        let answers = try kernel.hooks.ask(question, tx.db)
        var moments: [String: (text: String, plain: String?)] = [:]
        if let leadID = order.leadID {
            let place = try tx.place(
                ofZone: zone, country: country,
                or: order.isMail ? answers.lazy.compactMap { $0[MailValues.timezone] }.first : nil)
            let told = try fieldsOfCause(order, tx).filter { values[$0.key] == nil }.merging(columns(of: row)) { $1 }
            for (name, fact) in told {
                let moment =
                    !fact.isMoment ? nil : order.isMail ? written(fact.text, place) : MailDates.plain(fact.text)
                values[name] = moment ?? fact.text
                if let moment { moments[name] = (moment, MailDates.plain(fact.text)) }
            }
            values.merge(links(of: leadID, order)) { _, link in link }
        }
        if let card { values["lead_card"] = card.map { "\($0.label): \($0.text)" }.joined(separator: " · ") }
        for answer in answers {
            values.merge(answer) { first, _ in first }
        }
        values[MailValues.timezone] = nil
        values.merge(order.body) { _, own in own }
        guard order.isMail else { return values.filter { !$0.key.hasPrefix(MailValues.inLinks) } }
        // What a message brought itself may have taken the place of a moment.
        for (name, moment) in moments where values[name] == moment.text {
            values[MailValues.inLink(name)] = moment.plain
        }
        return values
    }

    /// For people and programs of the house; nil for others.
    private func card(of order: MailRenderer.Order, _ tx: Transaction) throws -> [CardLine]? {
        guard order.purpose == .internal, let leadID = order.leadID else { return nil }
        return try kernel.hooks.ask(LeadCard(leadID: leadID), tx.db).flatMap { $0 }
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

    /// A column or a field as the file has it.
    private struct Told {
        let text: String
        var isMoment = false
    }

    private static let times = ["created_at", "updated_at"]

    private func fieldsOfCause(_ order: MailRenderer.Order, _ tx: Transaction) throws -> [String: Told] {
        guard let cause = order.causeID,
            let row = try Row.fetchOne(
                tx.db.cachedStatement(sql: "SELECT kind, body FROM events WHERE id = ?"), arguments: [cause]),
            let fields = kernel.kinds[row["kind"]]?.fields, !fields.isEmpty
        else { return [:] }
        let kinds = Dictionary(fields.map { ($0.name, $0.value) }) { first, _ in first }
        return MailRenderer.texts(row["body"]).reduce(into: [:]) { told, field in
            guard let kind = kinds[field.key] else { return }
            told[field.key] = Told(text: field.value, isMoment: kind == .date || kind == .time)
        }
    }

    private func columns(of row: Row?) -> [String: Told] {
        let moments = Set(
            kernel.config.site.leads.fields.filter { [.date, .time].contains($0.value.kind) }.map(\.name)
                + MailValues.times)
        var told: [String: Told] = [:]
        for (column, value) in row ?? Row() where !value.isNull {
            told[column] = Told(
                text: String.fromDatabaseValue(value) ?? "\(value)", isMoment: moments.contains(column))
        }
        return told
    }

    /// A day or time as the site wants it; nil for what is neither.
    private func written(_ value: String, _ place: LocalTime) -> String? {
        (kernel.config.site.mail.dates ?? .iso).text(of: value, in: place)
    }

    /// Which of the values of a call of a webhook are whole numbers where they come from: in a column of the lead, in a
    /// field of the event, or in what the message brought. None for a mail, whose values are texts.
    func numbers(of order: MailRenderer.Order, among values: [String: String], _ tx: Transaction) throws -> [String:
        Int64]
    {
        guard !order.isMail else { return [:] }
        var numbers: [String: Int64] = [:]
        let lead = try Row.fetchOne(
            tx.db.cachedStatement(sql: "SELECT * FROM leads WHERE id = ?"), arguments: [order.leadID])
        for (column, value) in lead ?? Row() {
            if case .int64(let number) = value.storage { numbers[column] = number }
        }
        let told = try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT key, atom FROM (
                        SELECT told.* FROM outbox_messages AS m JOIN json_each(m.body) AS told WHERE m.id = :message
                        UNION ALL SELECT told.* FROM events AS e JOIN json_each(e.body) AS told WHERE e.id = :cause)
                    WHERE typeof(key) = 'text' AND type = 'integer' AND typeof(atom) = 'integer'
                    """), arguments: ["message": order.id, "cause": order.causeID])
        for row in told where values[row["key"]] == "\(row["atom"] as Int64)" { numbers[row["key"]] = row["atom"] }
        return numbers.filter { values[$0.key] == String($0.value) }
    }
}
