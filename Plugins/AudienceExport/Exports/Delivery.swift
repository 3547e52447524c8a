import Foundation
import TrellisKernel

/// Hands the files of an export to a webhook of the config, through the outbox: signed, tried again, each part once.
/// A part is `{"type": "audience.add" | "audience.remove", "data": {audience, platform, export, part, parts, rows}}`,
/// with the rows as the platform's file has them.
struct Delivery {
    let webhook: String
    let export: Export
    let tx: Transaction

    /// What every key of such a message begins with.
    static let prefix = "audiences:"

    func order(_ outcome: Export.Outcome) throws {
        try order(outcome.files, "audience.add", outcome.id)
        try order(outcome.removalFiles, "audience.remove", outcome.id)
    }

    private func order(_ files: [String], _ action: String, _ id: Int64) throws {
        for (index, file) in files.enumerated() {
            // It gets its name when this is committed.
            let rows = try String(contentsOfFile: file + Publication.suffix, encoding: .utf8)
            try tx.callWebhook(
                .internal,
                forEach: """
                    SELECT :prefix || :export || ':' || :action || ' ' || :part AS key, NULL AS lead_id, :webhook AS recipient,
                           :action AS template, json_object('audience', :audience, 'platform', :platform, 'export', :export,
                               'part', :part, 'parts', :parts, 'consent', :consent, 'signals', :signals, 'rows', :rows) AS body,
                           NULL AS cause_id
                    """,
                arguments: [
                    "prefix": Delivery.prefix, "export": id, "action": action, "part": index + 1,
                    "parts": files.count, "webhook": webhook, "audience": export.audience.name,
                    "platform": export.platform.name, "consent": export.audience.value.consent,
                    "signals": export.platform.consentSignals.joined(separator: " "), "rows": rows,
                ])
        }
    }

    /// Takes what was delivered as accepted, and empties the messages: hashes stay nowhere longer than they are needed.
    static func settle(_ tx: Transaction) throws {
        let ours = "key >= '\(prefix)' AND key < 'audiences;'"
        let done = try Int64.fetchAll(
            tx.db,
            sql: """
                SELECT x.id FROM audiences_exports AS x WHERE x.accepted_at IS NULL AND x.id IN (
                    SELECT json_extract(body, '$.export') FROM outbox_messages WHERE \(ours) GROUP BY 1
                    HAVING min(state = 'sent'))
                ORDER BY x.id
                """)
        for id in done { _ = try Acceptance(export: id, tx: tx).note() }
        try tx.db.execute(
            sql: """
                UPDATE outbox_messages SET body = json_remove(body, '$.rows'), content = NULL
                WHERE \(ours) AND state IN ('sent', 'cancelled') AND content IS NOT NULL
                """)
    }
}
