import Foundation
import TrellisKernel

/// How fast mails that ask to confirm go out to everybody together. Whoever types the addresses of many strangers into
/// a form sends each one mail, and their mailboxes take us for the sender: beyond so many in any minute a mail waits
/// its turn in the outbox.
struct ConfirmationPace {
    let perMinute: Int
    let tx: Transaction

    /// Gives the mails that this moment made their time: each a minute after the one that is so many places before it.
    /// The order and the limit of either list lead SQLite to the index of the newest, past all that were ever sent.
    func spread() throws {
        try tx.db.cachedStatement(
            sql: """
                WITH made AS (
                    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place
                    FROM (SELECT id FROM outbox_messages
                          WHERE key GLOB 'confirm:*' AND ready_at >= :now AND created_at = :now AND state = 'waiting' ORDER BY ready_at LIMIT -1)),
                before AS (
                    SELECT ready_at, row_number() OVER (ORDER BY ready_at) - 1 + :most - count(*) OVER () AS place
                    FROM (SELECT ready_at FROM outbox_messages
                          WHERE key GLOB 'confirm:*' AND ready_at > strftime('%Y-%m-%d %H:%M:%f', :now, '-60 seconds')
                            AND state <> 'cancelled' AND NOT (created_at = :now AND state = 'waiting')
                          ORDER BY ready_at DESC LIMIT :most)),
                turn AS (
                    SELECT m.id, strftime('%Y-%m-%d %H:%M:%f', max(:now, coalesce(strftime('%Y-%m-%d %H:%M:%f', b.ready_at, '+60 seconds'), :now)),
                                          '+' || (m.place / :most * 60) || ' seconds') AS ready_at
                    FROM made AS m LEFT JOIN before AS b ON b.place = m.place % :most)
                UPDATE outbox_messages SET ready_at = turn.ready_at FROM turn
                WHERE outbox_messages.id = turn.id AND outbox_messages.ready_at <> turn.ready_at
                """
        ).execute(arguments: ["now": tx.stamp, "most": perMinute])
    }

    /// Those that have not had their turn: how many, and until when.
    static func waiting(_ db: Database) throws -> Table {
        Table(
            columns: ["mails", "next", "last"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT count(*), min(ready_at), max(ready_at) FROM outbox_messages
                    WHERE key GLOB 'confirm:*' AND state = 'waiting' AND attempts = 0 AND ready_at > created_at HAVING count(*) > 0
                    """))
    }
}
