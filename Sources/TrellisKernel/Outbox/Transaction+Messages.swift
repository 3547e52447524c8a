import Foundation

extension Transaction {
    /// Puts a mail into the outbox per row of a SELECT of `key, lead_id, recipient, template, body, cause_id`. A key
    /// that is there already is the same message and changes nothing.
    ///
    /// - Parameter ready: SQL over the columns of the SELECT that gives the moment before which the mail does not go;
    ///   without it, now.
    /// - Parameter within: how long from now on it is worth sending: what could not go by then is dropped, and
    ///   `mail.expired` says so. Without it, as long as its front matter says, or always.
    /// - Parameter list: the list that marketing mail is of, which is the purpose of consent it needs. What the mail's
    ///   front matter says goes before; without both it is that of the site.
    public func send(
        _ purpose: MessagePurpose, forEach select: String, ready: String = ":now", within: Span? = nil,
        list: String? = nil, arguments: StatementArguments = [:]
    ) throws {
        try put(
            "mail", purpose, forEach: select, ready: ready, expires: within.map { now + Double($0.seconds) },
            list: purpose == .marketing ? list : nil, arguments)
    }

    /// Puts a call of a webhook of the config into the outbox per row of the same kind of SELECT: `recipient` is its
    /// name under `webhooks:`, `template` the type of what is told, `body` what is told beside the lead's columns.
    ///
    /// - Parameter purpose: `internal` for a program of the house, which is told the lead's card too (`lead_card`).
    public func callWebhook(
        _ purpose: MessagePurpose = .transactional, forEach select: String, arguments: StatementArguments = [:]
    ) throws {
        try put("webhook", purpose, forEach: select, ready: ":now", arguments)
    }

    private func put(
        _ transport: String, _ purpose: MessagePurpose, forEach select: String, ready: String, expires: Date? = nil,
        list: String? = nil, _ arguments: StatementArguments
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO outbox_messages (key, transport, purpose, origin, lead_id, recipient, template, body, cause_id, ready_at, created_at, expires_at, list)
                SELECT message.key, :transport, :purpose, :origin, message.lead_id, message.recipient, message.template, message.body,
                       message.cause_id, \(ready), :now, :expires, :list
                FROM (\(select)) AS message
                WHERE true ON CONFLICT (key) DO NOTHING
                """
        ).execute(
            arguments: arguments
                &+ [
                    "transport": transport, "purpose": purpose.rawValue, "origin": origin, "now": stamp,
                    "expires": expires.map(Timestamp.text), "list": list,
                ])
    }

    /// Takes back what this plugin has for leads that need it no more, per row of a SELECT of `lead_id, prefix,
    /// suffix`: of the lead's messages those whose key begins and ends so. What waits, is held or failed is cancelled.
    /// What is with the courier already may arrive; where it does not, and where nobody knows, it is not sent again.
    /// Each lead is looked up by itself: left to choose, SQLite reads all messages there ever were.
    public func withdraw(because reason: String, forEach select: String, arguments: StatementArguments = [:]) throws {
        try db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET withdrawn = :reason,
                    state = iif(\(Transaction.isStill), 'cancelled', state), settled_at = iif(\(Transaction.isStill), :now, settled_at),
                    reason = iif(\(Transaction.isStill), :reason, reason)
                WHERE id IN (
                    SELECT m.id FROM (\(select)) AS gone CROSS JOIN outbox_messages AS m ON m.lead_id = gone.lead_id
                    WHERE m.state IN (\(Transaction.unsettled)) AND m.origin = :origin
                      AND substr(m.key, 1, length(gone.prefix)) = gone.prefix AND substr(m.key, -length(gone.suffix)) = gone.suffix)
                """
        ).execute(arguments: arguments &+ ["now": stamp, "reason": reason, "origin": origin])
    }

    /// Holds what this plugin has waiting, per row of a SELECT of ids: none of it goes until the plugin lets it go.
    /// What is with the courier already may arrive; what comes back from it goes to the filters again.
    public func hold(because reason: String, forEach select: String, arguments: StatementArguments = [:]) throws {
        try db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'held', held_by = :origin, reason = :reason
                WHERE id IN (\(select)) AND state = 'waiting' AND origin = :origin
                """
        ).execute(arguments: arguments &+ ["reason": reason, "origin": origin])
    }

    /// Lets go what this plugin holds, per row of a SELECT of `id, ready_at`: it waits again, not before `ready_at`.
    public func release(forEach select: String, arguments: StatementArguments = [:]) throws {
        try db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'waiting', held_by = NULL, reason = NULL, ready_at = freed.ready_at
                FROM (\(select)) AS freed
                WHERE outbox_messages.id = freed.id AND state = 'held' AND held_by = :origin
                """
        ).execute(arguments: arguments &+ ["origin": origin])
    }

    /// States of a message that may go yet, by itself or by somebody's hand.
    public static let unsettled = "'waiting', 'sending', 'inflight', 'held', 'failed', 'unknown'"
    /// Of these, the ones in which nobody is at it.
    private static let isStill = "state IN ('waiting', 'held', 'failed')"

    /// What a mail of the site is for, as its front matter says; marketing where it cannot be read.
    public func purpose(ofMail name: String) -> MessagePurpose {
        let template = try? kernel.templates.named(name)
        return template?.purpose == .transactional ? .transactional : .marketing
    }
}
