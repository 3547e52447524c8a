import TrellisKernel

/// Hands an export to a webhook of the config, through the outbox: signed, tried again, each part once. A part is
/// `{"type": "audience.add" | "audience.remove", "data": {…}}` with audience, platform, export, part, parts, consent,
/// signals, and the rows as the platform's file has them. The message says which part it is, and no more: ``Part``
/// writes the rows when it leaves.
struct Delivery {
    let webhook: String
    let export: Export
    let tx: Transaction

    /// What every key of such a message begins with.
    static let prefix = "audiences:"

    func order(_ outcome: Export.Outcome) throws {
        try divide(outcome.id)
        try tx.callWebhook(
            .internal,
            forEach: """
                SELECT :prefix || :export || ':' || action || ' ' || part AS key, NULL AS lead_id, :webhook AS recipient, action AS template,
                       json_object('audience', :audience, 'platform', :platform, 'export', :export, 'part', part,
                           'parts', count(*) OVER (PARTITION BY action), 'consent', :consent, 'signals', :signals) AS body,
                       NULL AS cause_id
                FROM audiences_parts WHERE export_id = :export ORDER BY action, part
                """,
            arguments: [
                "prefix": Delivery.prefix, "export": outcome.id, "webhook": webhook,
                "audience": export.audience.name, "platform": export.platform.name,
                "consent": export.audience.value.consent,
                "signals": export.platform.consentSignals.joined(separator: " "),
            ])
    }

    /// As many leads in a part as the platform takes rows at once.
    private func divide(_ id: Int64) throws {
        for (action, leads) in [
            ("audience.add", "SELECT lead_id FROM audiences_receipts WHERE export_id = :export"),
            ("audience.remove", "SELECT DISTINCT lead_id FROM audiences_removals WHERE export_id = :export"),
        ] {
            try tx.db.execute(
                sql: """
                    INSERT INTO audiences_parts (export_id, action, part, first_lead, last_lead)
                    SELECT :export, :action, 1 + place / :rows, min(lead_id), max(lead_id)
                    FROM (SELECT lead_id, row_number() OVER (ORDER BY lead_id) - 1 AS place FROM (\(leads))) GROUP BY 3
                    """, arguments: ["export": id, "action": action, "rows": export.platform.batchRows])
        }
    }

    /// Takes as accepted what was delivered as a whole.
    static func settle(_ tx: Transaction) throws {
        let done = try Int64.fetchAll(
            tx.db,
            sql: """
                SELECT x.id FROM audiences_exports AS x WHERE x.accepted_at IS NULL AND x.id IN (
                    SELECT json_extract(body, '$.export') FROM outbox_messages WHERE \(ours) GROUP BY 1
                    HAVING min(state = 'sent'))
                ORDER BY x.id
                """)
        for id in done { _ = try Acceptance(export: id, tx: tx).note() }
    }

    /// The messages of exports, as a condition on `outbox_messages`.
    static let ours = "key >= '\(prefix)' AND key < 'audiences;'"
}
