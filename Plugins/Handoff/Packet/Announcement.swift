import TrellisKernel

/// What follows when a handoff has come somewhere new, whoever moved it there, be it a statement in another SQLite
/// client: clocks, mails, webhooks, the stage and the owner of the lead.
struct Announcement {
    let settings: HandoffSettings
    let tx: Transaction

    static let kinds = [
        "handoff.offered", "handoff.accepted", "handoff.escalated", "handoff.expired", "handoff.recycled",
        "handoff.queued",
        "handoff.rejected", "handoff.converted", "handoff.withdrawn", "handoff.won", "handoff.lost",
    ]

    func make() throws {
        try tellPrograms()
        let appointments = Appointments(settings: settings, tx: tx)
        try appointments.overtaken()
        try tx.scratchTable("handoff_news", columns: Appointments.columns)
        // Only where it still is: what was overtaken is told by what overtook it.
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.handoff_news
                SELECT h.id, h.lead_id, h.state, h.rep, h.offer, t.at, t.event_id FROM batch AS b
                CROSS JOIN handoff_transitions AS t ON t.event_id = b.id
                CROSS JOIN handoff_handoffs AS h ON h.id = t.handoff_id
                WHERE t.state = h.state AND t.offer = h.offer AND \(Appointments.isWhereItStands)
                """
        ).execute()
        guard tx.db.changesCount > 0 else { return }
        let states = Set(
            try String.fetchAll(tx.db.cachedStatement(sql: "SELECT DISTINCT state FROM temp.handoff_news")))
        try own(states)
        if states.contains("offered") {
            try appointments.offered()
            try tell("handoff-offer", "offered")
        }
        if states.contains("accepted") {
            try appointments.accepted()
            try Announcement.moveOn("SELECT lead_id FROM temp.handoff_news WHERE state = 'accepted'", [:], tx)
        }
        if states.contains("escalated") {
            try appointments.escalated()
            try escalate()
        }
        if states.contains("queued") { try appointments.queued() }
        if states.contains("recycled") { try rest() }
        if states.contains("expired") { try Overrun(settings: settings, tx: tx).passOn() }
    }

    /// An accepted lead is a sales accepted lead, where the config has that stage.
    static func moveOn(_ leads: String, _ arguments: StatementArguments, _ tx: Transaction) throws {
        let isStage = try Bool.fetchOne(
            tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM stages WHERE name = 'sal')"))
        if isStage == true { try tx.moveStage(to: "sal", leads: leads, arguments: arguments) }
    }

    /// A lead belongs to the rep who has it.
    private func own(_ states: Set<String>) throws {
        guard !states.isDisjoint(with: ["offered", "accepted"]) else { return }
        try tx.db.cachedStatement(
            sql: """
                UPDATE leads SET owner = n.rep, updated_at = ? FROM temp.handoff_news AS n
                WHERE n.lead_id = leads.id AND n.state IN ('offered', 'accepted') AND leads.owner IS NOT n.rep
                """
        ).execute(arguments: [tx.stamp])
    }

    private func tell(_ mail: String, _ state: String) throws {
        let address = RepMails(settings).address
        try tx.send(
            .internal,
            forEach: """
                SELECT 'handoff:' || h.handoff_id || ':offer ' || h.offer || ' to ' || h.rep AS key, h.lead_id, \(address) AS recipient,
                       '\(mail)' AS template, json_object('handoff', h.handoff_id, 'offer', h.offer) AS body, h.event_id AS cause_id
                FROM temp.handoff_news AS h WHERE h.state = '\(state)' AND \(address) IS NOT NULL
                """)
    }

    private func escalate() throws {
        guard let address = settings.clocks.escalateTo else { return }
        try tx.send(
            .internal,
            forEach: """
                SELECT 'handoff:' || n.handoff_id || ':escalation ' || n.event_id AS key, n.lead_id, :address AS recipient,
                       'handoff-escalation' AS template, json_object('handoff', n.handoff_id, 'offer', n.offer) AS body, n.event_id AS cause_id
                FROM temp.handoff_news AS n WHERE n.state = 'escalated'
                """, arguments: ["address": address])
    }

    /// When a lead that rests comes back, and into which sequence.
    private func rest() throws {
        let into = "CASE WHEN h.outcome = 'lost' THEN :lost ELSE :rejected END"
        try tx.schedule(
            "handoff.recycle_due",
            forEach: """
                SELECT 'handoff ' || h.id AS key, h.rests_until AS due_at, h.lead_id, NULL AS cause_id, json_object('into', \(into)) AS body
                FROM temp.handoff_news AS n JOIN handoff_handoffs AS h ON h.id = n.handoff_id
                WHERE n.state = 'recycled' AND h.rests_until IS NOT NULL
                """,
            arguments: ["lost": settings.afterLoss?.into?.value, "rejected": settings.recycle?.into?.value])
    }

    /// Programs of the house hear of every step, with all a rep gets to know.
    private func tellPrograms() throws {
        guard let webhook = settings.webhook?.value else { return }
        try tx.callWebhook(
            .internal,
            forEach: """
                SELECT 'handoff:' || t.handoff_id || ':step ' || t.event_id AS key, t.lead_id, :webhook AS recipient, b.kind AS template,
                       json_object('handoff', t.handoff_id, 'offer', t.offer, 'rep', t.rep, 'state', t.state) AS body, b.id AS cause_id
                FROM batch AS b CROSS JOIN handoff_transitions AS t ON t.event_id = b.id
                """, arguments: ["webhook": webhook])
    }

    /// What a program reads otherwise than a person: a time without the comma that a sentence needs, the reasons as a
    /// list, and no link to accept what is accepted.
    static func write(_ draft: inout MessageDraft, reasons: [String]) {
        guard draft.purpose == .internal, kinds.contains(draft.template) else { return }
        if let until = draft.values["by_when"], until.hasPrefix(", ") {
            draft.values["by_when"] = String(until.dropFirst(2))
        }
        draft.values["reject_reason"] = nil
        if draft.values["reject_url"] != nil { draft.lists["reject_reasons"] = reasons }
        if draft.values["contact_url"] != nil { draft.values["accept_url"] = nil }
    }
}
