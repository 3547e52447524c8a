/// What a link to unsubscribe is about: all marketing mail of a lead, or that of one list alone.
///
/// A list is a purpose of consent. Leaving it takes the consent back; other mail goes on.
public struct WayOut: Sendable, Hashable {
    public let leadID: Int64
    /// Nil for all marketing mail.
    public let list: String?

    public init(leadID: Int64, list: String? = nil) {
        self.leadID = leadID
        self.list = list
    }

    /// Reads what ``subject`` wrote; nil for anything else.
    public init?(_ subject: String) {
        let parts = subject.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let leadID = Int64(parts[0]), parts.count == 1 || MailList.isName(parts[1]) else { return nil }
        self.init(leadID: leadID, list: parts.count == 2 ? parts[1] : nil)
    }

    /// What is sealed in the link: `42`, or `42 product-news`.
    public var subject: String { list.map { "\(leadID) \($0)" } ?? String(leadID) }
}

extension Transaction {
    /// Takes a lead out: of a list by taking the consent to it back, and of all marketing mail by suppressing the
    /// address. What is there already is left as it is, so that a click repeated is one.
    public func leave(_ out: WayOut) throws {
        guard let list = out.list else {
            return try db.execute(
                sql: """
                    INSERT INTO suppressions (email, reason, origin, at)
                    SELECT email, 'unsubscribed', :origin, :now FROM leads WHERE id = :lead AND email IS NOT NULL
                    ON CONFLICT DO NOTHING
                    """, arguments: ["origin": origin, "now": stamp, "lead": out.leadID])
        }
        try db.execute(
            sql: """
                INSERT INTO consents (lead_id, purpose, state, source, at)
                SELECT id, :list, 'withdrawn', :origin, :now FROM leads
                WHERE id = :lead AND NOT EXISTS (
                    SELECT 1 FROM consents_now WHERE lead_id = :lead AND purpose = :list AND state = 'withdrawn')
                """, arguments: ["origin": origin, "now": stamp, "lead": out.leadID, "list": list])
    }

    /// Takes back what ``leave(_:)`` did, under whichever spelling of the address; what a mail server or a complaint
    /// said stays. A list is only come back to where ``canComeBack(_:)`` says so.
    public func comeBack(_ out: WayOut) throws {
        guard let list = out.list else {
            return try db.execute(
                sql: """
                    DELETE FROM suppressions WHERE reason = 'unsubscribed' AND id IN (SELECT suppression_id FROM suppressed_leads WHERE lead_id = ?)
                    """, arguments: [out.leadID])
        }
        try db.execute(
            sql: """
                INSERT INTO consents (lead_id, purpose, state, text, source, at)
                SELECT lead_id, purpose, 'granted', text, :origin, :now FROM (\(WayOut.agreementSQL))
                """, arguments: ["origin": origin, "now": stamp, "lead": out.leadID, "list": list])
    }

    /// Whether ``comeBack(_:)`` would take back that somebody left. Of a list: where they had agreed to it, and a way
    /// out took that back. What they said on the telephone, or the house wrote, is not undone by a button.
    public func canComeBack(_ out: WayOut) throws -> Bool {
        guard let list = out.list else { return true }
        return try Bool.fetchOne(
            db, sql: "SELECT EXISTS (\(WayOut.agreementSQL))", arguments: ["lead": out.leadID, "list": list]) ?? false
    }
}

extension WayOut {
    /// The agreement to a list that a way out took back. The ways out write their origin: the link and the one click,
    /// the page of choices, and a mail that came in.
    fileprivate static let agreementSQL = """
        SELECT was.* FROM consents AS was
        WHERE was.id = (SELECT max(id) FROM consents WHERE lead_id = :lead AND purpose = :list AND state <> 'withdrawn')
          AND was.state = 'granted'
          AND EXISTS (SELECT 1 FROM consents_now WHERE lead_id = :lead AND purpose = :list AND state = 'withdrawn'
                      AND source IN ('form:unsubscribe', 'form:preferences', '\(Mailroom.origin)'))
        """
}
