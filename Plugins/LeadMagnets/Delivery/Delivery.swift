import Foundation
import TrellisKernel

/// Hands over what was asked for: each submission once its form, or the confirmation of its address, is in the log.
/// Also a form that came by a command or by another program: what counts is the event.
struct Delivery {
    let magnet: Named<MagnetSettings.Magnet>
    let tx: Transaction
    /// The ids of the first and the last event of the batch.
    let range: (first: Int64, last: Int64)

    /// A confirmation goes to an address once a day at most, and so often in thirty days: whoever types the address of
    /// somebody else into many forms sends them one mail.
    static let confirmationsPerMonth = 3

    static let receiptDays = 7

    /// The kind of event the handing over is.
    var kind: String {
        switch magnet.value.kind {
        case .asset, .link: "asset.downloaded"
        case .webinar: "webinar.registered"
        case .trial: "trial.started"
        }
    }

    /// Makes a row of each form in the batch. With double opt-in it waits, unless the address was confirmed before and
    /// no consent is asked for.
    func note() throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_submissions (magnet, lead_id, event_id, at, variant, state, delivered_by, delivered_as)
                SELECT :magnet, lead, id, at, variant, CASE WHEN waits THEN 'waiting' ELSE 'delivered' END,
                       CASE WHEN waits THEN NULL ELSE id END, :kind
                FROM (SELECT form.*, :isDouble AND (
                          NOT \(Delivery.isConfirmed)
                          OR EXISTS (SELECT 1 FROM consents_now WHERE lead_id = form.lead AND state = 'requested')) AS waits
                      FROM (SELECT b.*, coalesce(m.kept_id, b.lead_id) AS lead, json_extract(body, '$.variant') AS variant
                            FROM batch AS b LEFT JOIN lead_merges AS m ON m.gone_id = b.lead_id
                            WHERE kind = 'form.submitted' AND lead_id IS NOT NULL AND json_extract(body, '$.form') = :magnet) AS form)
                WHERE true ON CONFLICT (event_id) DO NOTHING
                """
        ).execute(arguments: ["magnet": magnet.name, "kind": kind, "isDouble": magnet.value.optIn == .double])
    }

    /// Whether a lead confirmed its address before a form, `form(id, lead_id, lead)`. The log is entered by the lead,
    /// of whom it has little, and not by the kind, of which everybody has one
    /// (https://www.sqlite.org/optoverview.html, 2.1).
    static let isConfirmed = """
        EXISTS (SELECT 1 FROM events WHERE lead_id IN (form.lead, form.lead_id) AND +kind = 'form.confirmed' AND id < form.id)
        """

    /// A lead who confirmed gets all that waited for it.
    static func confirm(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE magnets_submissions SET state = 'delivered', delivered_by = confirmed.id
                FROM (SELECT lead_id, max(id) AS id FROM batch WHERE kind = 'form.confirmed' GROUP BY lead_id) AS confirmed
                WHERE magnets_submissions.lead_id = confirmed.lead_id AND state = 'waiting' AND event_id < confirmed.id
                """
        ).execute()
    }

    /// Asks those who wait to confirm their address, and those whose consent is only requested: once per form, also
    /// when the log is read again from its start.
    func askToConfirm() throws {
        try tx.send(
            .transactional,
            forEach: """
                SELECT 'confirm:lead ' || s.lead_id || ':' || max(s.event_id) AS key, s.lead_id, NULL AS recipient, :template AS template,
                       json_object('magnet', :magnet, 'magnet_title', :title) AS body, max(s.event_id) AS cause_id
                FROM magnets_submissions AS s
                WHERE s.event_id BETWEEN :first AND :last AND s.magnet = :magnet AND s.asked_at IS NULL
                  AND (s.state = 'waiting' OR EXISTS (SELECT 1 FROM consents_now AS c WHERE c.lead_id = s.lead_id AND c.state = 'requested'))
                  AND NOT EXISTS (SELECT 1 FROM outbox_messages WHERE lead_id = s.lead_id AND key GLOB 'confirm:*' AND created_at > datetime(:now, '-1 day'))
                  AND (SELECT count(*) FROM outbox_messages WHERE lead_id = s.lead_id AND key GLOB 'confirm:*' AND created_at > datetime(:now, '-30 days'))
                      < \(Delivery.confirmationsPerMonth)
                GROUP BY s.lead_id
                """,
            arguments: [
                "magnet": magnet.name, "first": range.first, "last": range.last, "now": tx.stamp,
                "template": magnet.value.confirmMail?.value ?? "magnet-confirm",
                "title": magnet.value.title,
            ])
        try tx.db.cachedStatement(
            sql: """
                UPDATE magnets_submissions SET asked_at = :now WHERE event_id BETWEEN :first AND :last AND magnet = :magnet AND asked_at IS NULL
                """
        ).execute(arguments: ["now": tx.stamp, "first": range.first, "last": range.last, "magnet": magnet.name])
    }

    /// The event, the mail and the dates of what is due now.
    func handOver() throws {
        let due = "FROM magnets_submissions WHERE magnet = :magnet AND state = 'delivered' AND handed_at IS NULL"
        let arguments: StatementArguments = ["magnet": magnet.name]
        let endsOn = Timestamp.text(tx.now + Double(magnet.value.trial.days) * 86_400).prefix(10)
        let body =
            switch magnet.value.kind {
            case .asset, .link: "json_object('magnet', magnet)"
            case .webinar: "json_object('magnet', magnet, 'webinar', magnet)"
            case .trial: "json_object('ends_on', '\(endsOn)', 'magnet', magnet)"
            }
        try tx.emit(
            kind, forEach: "SELECT lead_id, delivered_by AS cause_id, \(body) AS body \(due)", arguments: arguments)
        if let (field, value) = day(trialEndsOn: String(endsOn)) {
            try tx.db.cachedStatement(
                sql: """
                    UPDATE leads SET "\(field)" = :value, updated_at = :now WHERE id IN (SELECT lead_id \(due))
                    """
            ).execute(arguments: arguments &+ ["value": value, "now": tx.stamp])
        }
        if magnet.value.isReferred {
            try Referrals.makeCodes(for: "SELECT DISTINCT lead_id AS id \(due)", tx, arguments: arguments)
        }
        try mail(due, arguments)
        try tx.db.cachedStatement(
            sql: """
                UPDATE magnets_submissions SET handed_at = :now WHERE magnet = :magnet AND state = 'delivered' AND handed_at IS NULL
                """
        ).execute(arguments: arguments &+ ["now": tx.stamp])
    }

    /// The column of the lead that takes the day of a trial or the time of a webinar, for sequences to wait for.
    private func day(trialEndsOn endsOn: String) -> (field: String, value: String)? {
        switch magnet.value.kind {
        case .trial: return magnet.value.trial.field.map { ($0.value, endsOn) }
        case .webinar:
            guard let field = magnet.value.webinar.field, let start = magnet.value.webinar.startsAt else { return nil }
            return (field.value, Timestamp.text(start))
        case .asset, .link: return nil
        }
    }

    /// Whether the lead has it on the page before them: that of the button which confirms this form, or the page after
    /// the form itself. With double opt-in that page shows nothing, not even to who confirmed before: anybody may have
    /// typed the address. The forms of ad platforms are of another origin, and so is what is released; a form that
    /// somebody of the house filled in says so.
    private static let isOnPage = """
        EXISTS (SELECT 1 FROM events AS e WHERE e.id = delivered_by AND json_extract(e.body, '$.form') = magnet
                AND (e.kind = 'form.confirmed'
                     OR (NOT :isDouble AND e.origin = 'form:' || magnet AND json_extract(e.body, '$.by') IS NULL)))
        """

    private func mail(_ due: String, _ arguments: StatementArguments) throws {
        // Asked twice for the same thing within a day, a lead gets one mail.
        try tx.send(
            .transactional,
            forEach: """
                SELECT 'magnet:' || magnet || ':lead ' || lead_id || ':' || date(:now) AS key, lead_id, NULL AS recipient, :template AS template,
                       json_object('magnet', magnet, 'magnet_title', :title) AS body, delivered_by AS cause_id
                \(due) AND (:isMailed OR NOT \(Delivery.isOnPage))
                """,
            arguments: arguments &+ [
                "isMailed": magnet.value.deliver == .email, "isDouble": magnet.value.optIn == .double,
                "now": tx.stamp, "template": magnet.value.mail?.value ?? Mails.name(for: magnet.value),
                "title": magnet.value.title,
            ])
    }
}
