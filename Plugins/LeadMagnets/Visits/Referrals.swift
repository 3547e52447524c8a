import Foundation
import TrellisKernel

/// Links that a lead shares, and the credit for who comes by them.
enum Referrals {
    /// `/r/CODE/sales-plan` leads to the offer; the code goes along until the form is sent.
    static func endpoint(_ offers: Offers) -> Endpoint {
        Endpoint(.get, "/r/:code/:magnet") { request in
            let offer = try offers.offer(request["magnet"], request)
            guard isCode(request["code"]) else { return .see(offer.path) }
            return .see("\(offer.path)?ref=\(request["code"])&utm_source=friend&utm_medium=referral")
        }
    }

    /// The link of a lead for an offer; nil until the lead has a code.
    static func link(of lead: Int64, _ offer: Offer, _ db: Database) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(sql: "SELECT code FROM magnets_referral_codes WHERE lead_id = ?"), arguments: [lead]
        ).map { "\(offer.config.site.site.baseURL)/r/\($0)/\(offer.name)" }
    }

    /// Gives each lead of `leads`, a SELECT of ids, a code of its own.
    static func makeCodes(for leads: String, _ tx: Transaction, arguments: StatementArguments) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_referral_codes (lead_id, code)
                SELECT id, lower(hex(randomblob(6))) FROM (\(leads)) WHERE true ON CONFLICT DO NOTHING
                """
        ).execute(arguments: arguments)
    }

    /// Two leads that became one have one credit: what either brought is the kept one's, and nobody brought themselves.
    static func followMerges(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE magnets_referrals SET referrer_id = m.kept_id FROM lead_merges AS m
                WHERE m.gone_id = referrer_id AND m.gone_id IN (SELECT lead_id FROM batch WHERE kind = 'lead.merged')
                """
        ).execute()
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM magnets_referrals
                WHERE lead_id IN (SELECT lead_id FROM batch WHERE kind = 'lead.merged')
                   OR lead_id IN (SELECT m.kept_id FROM batch AS b JOIN lead_merges AS m ON m.gone_id = b.lead_id WHERE b.kind = 'lead.merged') AND lead_id = referrer_id
                """
        ).execute()
    }

    /// Notes who brought a new lead; a code that nobody has brings nobody. The code of a lead that was merged is that
    /// of the lead it became.
    static func credit(code: String, lead: Int64, magnet: String, _ tx: Transaction) throws {
        guard isCode(code) else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_referrals (lead_id, referrer_id, magnet, at)
                SELECT :lead, referrer, :magnet, :now
                FROM (SELECT coalesce(m.kept_id, c.lead_id) AS referrer FROM magnets_referral_codes AS c
                      LEFT JOIN lead_merges AS m ON m.gone_id = c.lead_id WHERE c.code = :code)
                WHERE referrer <> :lead
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: ["lead": lead, "magnet": magnet, "now": tx.stamp, "code": code])
        guard tx.db.changesCount > 0 else { return }
        try tx.emit(
            "lead.referred",
            forEach: """
                SELECT referrer_id AS lead_id, NULL AS cause_id, json_object('lead_id', lead_id, 'magnet', magnet) AS body
                FROM magnets_referrals WHERE lead_id = :referred
                """, arguments: ["referred": lead])
    }

    private static func isCode(_ text: String) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
