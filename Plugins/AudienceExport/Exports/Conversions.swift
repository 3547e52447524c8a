import Foundation
import TrellisKernel

/// What became of the clicks: a file for a platform with the click, the stage the lead reached, its worth and the time,
/// for leads who agreed to it. Each change of stage is reported once to each platform.
struct Conversions {
    let platform: Platform
    let path: String
    /// Stages that are reported.
    let stages: [String]
    /// The purpose a lead must have agreed to.
    let consent: String

    /// How a platform wants its file.
    struct Form: Sendable {
        let opening: String
        /// Kinds of click ids, as `touches.click_id_kind` has them; empty where people are found by their address.
        let clickKinds: [String]
        let row: @Sendable (Conversion) -> [String]
    }

    /// One change of stage.
    struct Conversion {
        let clickID: String
        /// When the click came, in milliseconds since 1970.
        let clickedAt: Int64
        let hash: String
        let stage: String
        /// Whether the stage is the last one: the purchase.
        let isOutcome: Bool
        let at: Date
        /// What was won, of the outcome alone: with each stage before it the platform would add it up.
        let value: Double?
        let currency: String

        var seconds: String { String(Int64(at.timeIntervalSince1970)) }
        var amount: String { value.map { String(format: "%.2f", $0) } ?? "" }
        /// UTC, to the second.
        var time: String { String(Timestamp.text(at).prefix(19)) }
    }

    /// The forms, by the name of the platform.
    /// - Google: https://support.google.com/google-ads/answer/7014069
    /// - Microsoft: https://help.ads.microsoft.com/apex/index/3/en/56852
    /// - LinkedIn finds people by their address: https://www.linkedin.com/help/lms/answer/a530615; where nothing is
    ///   known of the worth it wants 1. A purchase is one of its types of conversion, any stage before it a qualified
    ///   lead.
    /// - Meta and TikTok, the parameters of their interfaces for programs:
    ///   https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/fbp-and-fbc and
    ///   https://business-api.tiktok.com/portal/docs
    static let forms: [String: Form] = [
        "google": Form(
            opening:
                "Parameters:TimeZone=+0000\nGoogle Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency\n",
            clickKinds: ["gclid"]
        ) { [$0.clickID, $0.stage, $0.time, $0.amount, $0.value == nil ? "" : $0.currency] },
        "microsoft": Form(
            opening:
                "Parameters:TimeZone=+0000\nMicrosoft Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency\n",
            clickKinds: ["msclkid"]
        ) { [$0.clickID, $0.stage, $0.time, $0.amount, $0.value == nil ? "" : $0.currency] },
        "meta": Form(opening: "event_name,event_time,fbc,value,currency\n", clickKinds: ["fbclid"]) {
            [
                $0.stage, $0.seconds, "fb.1.\($0.clickedAt).\($0.clickID)", $0.amount,
                $0.value == nil ? "" : $0.currency,
            ]
        },
        "tiktok": Form(opening: "event,event_time,ttclid,value,currency\n", clickKinds: ["ttclid"]) {
            [$0.stage, $0.seconds, $0.clickID, $0.amount, $0.value == nil ? "" : $0.currency]
        },
        "linkedin": Form(opening: "email,timestamp,eventtype,amount,currency\n", clickKinds: ["li_fat_id"]) {
            [
                $0.hash, String(Int64($0.at.timeIntervalSince1970 * 1000)),
                $0.isOutcome ? "PURCHASE" : "QUALIFIED_LEAD",
                $0.value == nil ? "1" : $0.amount, $0.currency,
            ]
        },
    ]

    /// The currency of the last deal that was won and whose worth is known, as SQL over `leads AS l`. What was won in
    /// another one is not added up with it: a row has one currency.
    private static let currency = """
        (SELECT coalesce(currency, (SELECT currency FROM site)) FROM opportunities AS won WHERE won.lead_id = l.id AND won.stage = 'won' AND won.amount IS NOT NULL
         ORDER BY won.closed_at DESC, won.id DESC LIMIT 1)
        """

    /// Whether the change of stage `h` is to the last one, as SQL.
    private static let isOutcome =
        "(h.to_stage = (SELECT name FROM stages WHERE NOT is_side ORDER BY position DESC LIMIT 1))"

    /// A click older than so many days counts no more (Google's limit, the shortest of them).
    static let clickDaysMax = 90

    /// - Returns: how many were written.
    func write(_ tx: Transaction) throws -> (export: Int64, rows: Int) {
        guard let form = Conversions.forms[platform.name] else {
            throw KernelError.usage(
                "\(platform.name) takes no file of conversions. These do: \(Conversions.forms.keys.sorted().joined(separator: ", "))."
            )
        }
        try Publication.finish(tx)
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_exports (audience, platform, file, members, withheld, at, kind, purpose)
                VALUES ('', ?, ?, 0, '{}', ?, 'conversions', ?)
                """, arguments: [platform.name, Publication.absolute(path), tx.stamp, consent])
        let export = tx.db.lastInsertedRowID
        try collect(form, export, tx)
        let withheld = try MemberFilter(audience: MemberFilter.conversions, platform: platform.name, tx: tx)
            .ask(about: "audiences_conversions", where: "export_id = \(export)")
        try receive(export, tx)
        var files = FileSet(path: path, opening: form.opening, rowsMax: nil)
        do {
            let rows = try stream(form, export, to: &files, tx)
            try tx.db.execute(
                sql: """
                    UPDATE audiences_exports SET members = (SELECT count(*) FROM audiences_receipts WHERE export_id = :id),
                        rows = :rows, withheld = :withheld WHERE id = :id
                    """,
                arguments: [
                    "id": export, "rows": rows,
                    "withheld": String(decoding: try JSONEncoder().encode(withheld), as: UTF8.self),
                ])
            try files.publish(export, tx)
            return (export, rows)
        } catch {
            files.discard()
            throw error
        }
    }

    /// The changes of stage that were not reported yet, of leads with a click and a consent.
    private func collect(_ form: Form, _ export: Int64, _ tx: Transaction) throws {
        let kinds = form.clickKinds.map(\.sqlLiteral).joined(separator: ", ")
        let list = String(decoding: try JSONEncoder().encode(stages), as: UTF8.self)
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_conversions (platform, event_id, lead_id, export_id)
                SELECT :platform, h.event_id, h.lead_id, :export
                FROM stage_history AS h
                JOIN leads AS l ON l.id = h.lead_id
                JOIN consents AS c ON c.id = (SELECT max(id) FROM consents WHERE lead_id = h.lead_id AND purpose = :consent)
                WHERE h.to_stage IN (SELECT value FROM json_each(:stages)) AND c.state = 'granted' AND l.email IS NOT NULL
                  AND NOT EXISTS (SELECT 1 FROM suppressed_leads AS s WHERE s.lead_id = h.lead_id)
                  AND EXISTS (SELECT 1 FROM touches AS t WHERE t.lead_id = h.lead_id AND t.click_id_kind IN (\(kinds)) AND t.click_id IS NOT NULL
                              AND t.at <= h.at AND t.at >= datetime(h.at, '-\(Conversions.clickDaysMax) days'))
                  AND NOT EXISTS (SELECT 1 FROM audiences_conversions AS d WHERE d.platform = :platform AND d.event_id = h.event_id)
                ORDER BY h.event_id
                """,
            arguments: ["platform": platform.name, "export": export, "consent": consent, "stages": list])
    }

    /// A receipt for each lead.
    private func receive(_ export: Int64, _ tx: Transaction) throws {
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_receipts (export_id, lead_id, consent_id)
                SELECT DISTINCT :export, lead_id, (SELECT max(id) FROM consents WHERE lead_id = d.lead_id AND purpose = :consent)
                FROM audiences_conversions AS d WHERE export_id = :export
                """, arguments: ["export": export, "consent": consent])
    }

    private func stream(_ form: Form, _ export: Int64, to files: inout FileSet, _ tx: Transaction) throws -> Int {
        let kinds = form.clickKinds.map(\.sqlLiteral).joined(separator: ", ")
        let csv = CSVWriter(safe: true)
        var buffer: [UInt8] = []
        var count = 0
        let rows = try Row.fetchCursor(
            tx.db,
            sql: """
                SELECT h.to_stage, h.at, l.email, t.click_id, t.at AS clicked_at, \(Conversions.isOutcome) AS is_outcome,
                       CASE WHEN \(Conversions.isOutcome) AND h.event_id = (
                                SELECT min(event_id) FROM stage_history WHERE lead_id = l.id AND to_stage = h.to_stage)
                            THEN (SELECT sum(amount) FROM opportunities WHERE lead_id = l.id AND stage = 'won'
                                  AND coalesce(currency, (SELECT currency FROM site)) = \(Conversions.currency))
                       END AS value, coalesce(\(Conversions.currency), (SELECT currency FROM site)) AS currency
                FROM audiences_conversions AS d JOIN stage_history AS h ON h.event_id = d.event_id JOIN leads AS l ON l.id = d.lead_id
                JOIN touches AS t ON t.id = (
                    SELECT id FROM touches WHERE lead_id = d.lead_id AND click_id_kind IN (\(kinds)) AND click_id IS NOT NULL AND at <= h.at
                    ORDER BY at DESC, id DESC LIMIT 1)
                WHERE d.export_id = ? ORDER BY d.event_id
                """, arguments: [export])
        while let row = try rows.next() {
            guard let at = Timestamp.date(row["at"] as String) else { continue }
            let clicked = Timestamp.date(row["clicked_at"] as String) ?? at
            let conversion = Conversion(
                clickID: row["click_id"], clickedAt: Int64(clicked.timeIntervalSince1970 * 1000),
                hash: platform.email.normalised(row["email"]).map { Digest.hex($0) } ?? "", stage: row["to_stage"],
                isOutcome: row["is_outcome"], at: at, value: row["value"], currency: row["currency"])
            csv.append(form.row(conversion), to: &buffer)
            try files.noteRow(&buffer)
            count += 1
        }
        try files.finish(&buffer)
        return count
    }
}
