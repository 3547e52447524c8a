/// What a template may name: the lead's columns, then the site's name and links, then what the plugins add, then what
/// the message brought itself.
struct MailValues {
    let kernel: Kernel

    /// The names that are there for every mail, besides the columns of the lead.
    static let always = ["site_name", "base_url", "unsubscribe_url", "preferences_url", "lead_key"]

    func values(of order: MailRenderer.Order, _ tx: Transaction) throws -> [String: String] {
        var values = ["site_name": kernel.config.site.site.name, "base_url": kernel.config.site.site.baseURL]
        if let leadID = order.leadID {
            if let row = try Row.fetchOne(
                tx.db.cachedStatement(sql: "SELECT * FROM leads WHERE id = ?"), arguments: [leadID])
            {
                for (column, value) in row {
                    values[column] = String.fromDatabaseValue(value) ?? (value.isNull ? nil : "\(value)")
                }
            }
            if order.purpose == .marketing {
                values["unsubscribe_url"] = try? kernel.config.link("unsubscribe", String(leadID))
            }
            values["preferences_url"] = try? kernel.config.link("preferences", String(leadID))
            values["lead_key"] = try? kernel.signer.token(purpose: "lead", subject: String(leadID))
        }
        let question = TemplateValues(
            leadID: order.leadID, template: order.template, body: order.body, now: tx.now, config: kernel.config)
        if order.purpose == .internal, let leadID = order.leadID {
            let lines = try kernel.hooks.ask(LeadCard(leadID: leadID), tx.db).flatMap { $0 }
            values["lead_card"] = lines.map { "\($0.label): \($0.text)" }.joined(separator: " · ")
        }
        for answer in try kernel.hooks.ask(question, tx.db) {
            values.merge(answer) { first, _ in first }
        }
        return values.merging(order.body) { _, own in own }
    }
}
