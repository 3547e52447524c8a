import Foundation
import TrellisKernel

/// What is written when a form is taken in, in one transaction: with the others that came at the same time, by the
/// statements of one.
struct Intake: Sendable {
    /// The name of what was offered.
    let magnet: String
    let token: FormToken
    let draft: LeadDraft
    let visitor: String?
    /// The fields of the form, of which those count that were filled in.
    let told: [String]
    let referral: String?

    /// One form may be sent for so many addresses, as by somebody who goes back to mend theirs; more is a program.
    static let addressesPerForm = 3
    /// Every copy of a snippet has the same token: there, the same address again within so many minutes is the same.
    static let minutesOfSnippet = 10

    struct Replayed: Error {}
    /// The same form, or the same person, twice among those that came at once: the second must see what the first left.
    private struct Repeated: Error {}

    /// Digests of the form, and of the form with who filled it in.
    private typealias Receipt = (token: String, receipt: String)

    /// Returns the lead of each. The same form with the same address again is the same submission.
    static func take(_ all: [Intake], _ tx: Transaction) throws -> [Int64] {
        let receipts = all.map { $0.token.receipt(of: $0.draft.identity) }
        var leads = try zip(all, receipts).map { try $0.taken($1, tx) }
        let new = all.indices.filter { leads[$0] == nil }
        guard isEachOnce(new.map { all[$0] }) else { throw Repeated() }
        for index in new { try all[index].refuseReplay(receipts[index], tx) }
        for (index, result) in zip(new, try tx.capture(new.map { all[$0].draft })) {
            try all[index].note(result, receipts[index], tx)
            leads[index] = result.leadID
        }
        return leads.compactMap { $0 }
    }

    private static func isEachOnce(_ intakes: [Intake]) -> Bool {
        let forms = intakes.filter { $0.token.madeAt != nil }
        return Set(intakes.map(\.draft.identity)).count == intakes.count
            && Set(forms.map(\.token.number)).count == forms.count
    }

    private func taken(_ receipt: Receipt, _ tx: Transaction) throws -> Int64? {
        let since = token.madeAt == nil ? tx.now - Double(Intake.minutesOfSnippet) * 60 : .distantPast
        return try Int64.fetchOne(
            tx.db.cachedStatement(sql: "SELECT lead_id FROM magnets_receipts WHERE receipt = ? AND at > ?"),
            arguments: [receipt.receipt, Timestamp.text(since)])
    }

    private func refuseReplay(_ receipt: Receipt, _ tx: Transaction) throws {
        guard token.madeAt != nil else { return }
        let before = try Int.fetchOne(
            tx.db.cachedStatement(sql: "SELECT count(*) FROM magnets_receipts WHERE token = ?"),
            arguments: [receipt.token])
        guard before ?? 0 < Intake.addressesPerForm else { throw Replayed() }
    }

    /// Whose form it was, and what else follows from it.
    private func note(_ result: CaptureResult, _ receipt: Receipt, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_receipts (receipt, token, lead_id, at) VALUES (?, ?, ?, ?)
                ON CONFLICT (receipt) DO UPDATE SET at = excluded.at
                """
        ).execute(arguments: [receipt.receipt, receipt.token, result.leadID, tx.stamp])
        if let visitor {
            try Visits.belong(to: result.leadID, visitor: visitor, tx)
            let filledIn = told.filter { !draft[$0].isNull }
            try ToldFields.note(filledIn, visitor: visitor, lead: result.leadID, tx)
        }
        if let referral, result.outcome == .created {
            try Referrals.credit(code: referral, lead: result.leadID, magnet: magnet, tx)
        }
    }
}
