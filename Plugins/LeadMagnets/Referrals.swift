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

    /// Notes who brought a new lead; a code that nobody has brings nobody.
    static func credit(code: String, lead: Int64, magnet: String, _ tx: Transaction) throws {
        guard isCode(code) else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_referrals (lead_id, referrer_id, magnet, at)
                SELECT :lead, lead_id, :magnet, :now FROM magnets_referral_codes WHERE code = :code AND lead_id <> :lead
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
