/// What leads do that the kernel itself knows: with mails, and the activities of the config.
struct KernelActs {
    let config: Config

    var all: [SimulatedAct] { mails + activities }

    /// A mail a lead got before under the same name is another one.
    private static let mail = SimulatedAct.Chance(
        "mail.sent",
        subject: """
            chance.body ->> 'mail' || ':' || (
                SELECT count(*) FROM outbox_messages AS m WHERE m.lead_id = chance.lead_id AND m.template = chance.body ->> 'mail'
                  AND m.id < chance.body ->> 'message_id')
            """)

    private static func trace(_ kind: String, _ more: String = "true") -> SimulatedAct.Trace {
        SimulatedAct.Trace([kind], where: "trace.body ->> 'message_id' = chance.body ->> 'message_id' AND \(more)")
    }

    private static func message(_ condition: String) -> String {
        "EXISTS (SELECT 1 FROM outbox_messages AS m WHERE m.id = chance.body ->> 'message_id' AND \(condition))"
    }

    private var mails: [SimulatedAct] {
        let hour = 3600.0
        return [
            SimulatedAct(
                "mail.opened", ofEach: "mails with a picture", after: KernelActs.mail,
                where: KernelActs.message("m.opens_watched"), knownBy: KernelActs.trace("mail.opened"),
                usual: .init(0.3, after: 8 * hour)
            ) { try KernelActs.tell("mail.opened", $0) },
            SimulatedAct(
                "mail.clicked", ofEach: "mails with watched links", after: KernelActs.mail,
                where: KernelActs.message("m.links_watched > 0"), knownBy: KernelActs.trace("mail.clicked"),
                usual: .init(0.03, after: 8 * hour)
            ) { try KernelActs.tell("mail.clicked", $0) },
            SimulatedAct(
                "mail.replied", ofEach: "mails sent", after: KernelActs.mail,
                knownBy: KernelActs.trace("mail.replied"), usual: .init(0.005, after: 24 * hour)
            ) { try KernelActs.tell("mail.replied", $0) },
            SimulatedAct(
                "lead.unsubscribed", ofEach: "marketing mails sent", after: KernelActs.mail,
                where: KernelActs.message("m.purpose = 'marketing'"),
                knownBy: .init(["lead.unsubscribed"], where: "trace.body ->> 'reason' = 'unsubscribed'"),
                usual: .init(0.002, after: 12 * hour)
            ) { try KernelActs.suppress("unsubscribed", $0) },
            SimulatedAct(
                "mail.bounced", ofEach: "mails sent", after: KernelActs.mail,
                knownBy: KernelActs.trace("mail.bounced", "trace.body ->> 'class' = 'hard'"),
                usual: .init(0.005, after: 60)
            ) { tx in
                try KernelActs.suppress("bounced", tx)
                try KernelActs.tell("mail.bounced", body: "json_set(chance.body, '$.class', 'hard')", tx)
            },
        ]
    }

    /// A person began it, so that it has no cause. A lead that is gone does nothing.
    private static func tell(_ kind: String, body: String = "chance.body", _ tx: Transaction) throws {
        try tx.emit(
            kind,
            forEach: """
                SELECT s.lead_id, NULL AS cause_id, \(body) AS body
                FROM temp.simulated AS s JOIN events AS chance ON chance.id = s.chance_id JOIN leads AS l ON l.id = s.lead_id
                ORDER BY s.at, s.chance_id
                """)
    }

    private static func suppress(_ reason: String, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO suppressions (email, reason, origin, at)
                SELECT l.email, :reason, :origin, :now FROM temp.simulated AS s JOIN leads AS l ON l.id = s.lead_id
                WHERE l.email IS NOT NULL ORDER BY s.at, s.chance_id
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: ["reason": reason, "origin": tx.origin, "now": tx.stamp])
    }

    // MARK: - Activities

    /// Each as often as the log has it, with the fields of one that was there; none that never happened.
    private var activities: [SimulatedAct] {
        config.site.activities.map { activity in
            SimulatedAct(recurring: activity.name, usual: .init(0, after: 0)) { tx in
                try KernelActs.record(activity.name, tx)
            }
        }
    }

    private static func record(_ kind: String, _ tx: Transaction) throws {
        try tx.emit(
            kind,
            forEach: """
                SELECT s.lead_id, NULL AS cause_id, coalesce(
                    (SELECT body FROM simulation_bodies AS b WHERE b.kind = :kind AND b.number = abs(s.luck) % (
                        SELECT max(1, count(*)) FROM simulation_bodies WHERE kind = :kind)), '{}') AS body
                FROM temp.simulated AS s JOIN leads AS l ON l.id = s.lead_id
                WHERE l.stage <> 'disqualified'
                ORDER BY s.at, s.chance_id
                """, arguments: ["kind": kind])
    }
}
