import Foundation
import TrellisKernel

/// Sets the clocks of handoffs: the moments are reckoned in the working hours of the rep, once per rep and beginning,
/// and then written with one statement per clock, however many leads there are.
///
/// An appointment names the offer it was made for. What it finds when it comes decides: who has answered meanwhile, or
/// has not got the lead any more, hears nothing.
struct Appointments {
    let settings: HandoffSettings
    let tx: Transaction

    static let kind = "handoff.clock_due"

    /// The clocks of offers that begin to run: of `temp.handoff_news` those that were offered.
    func offered() throws { try start("offered", "accept_by", "accept", settings.clocks.ofOffers) }

    /// The clocks of the first contact: of `temp.handoff_news` those that were accepted and not talked to yet.
    func accepted() throws { try start("accepted", "contact_by", "contact", settings.clocks.ofContacts) }

    /// When what waits in the queue is told of: nobody works there, so it is the working time of the house.
    func queued() throws {
        guard let span = settings.clocks.queueWithin else { return }
        try reckon("queued", [("queue", span)])
        try schedule("queued")
    }

    /// When what was escalated is taken back.
    func escalated() throws {
        let clocks = settings.clocks.ofEscalations
        guard !clocks.isEmpty else { return }
        try reckon("escalated", clocks)
        try schedule("escalated")
    }

    /// Offers without a clock, though the config has one by now: it begins when they are looked at. That of the queue
    /// began when the lead came there.
    func catchUp() throws {
        try tx.scratchTable("handoff_news", columns: Appointments.columns)
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.handoff_news
                SELECT id, lead_id, state, rep, offer, iif(state = 'queued', offered_at, :now), event_id FROM handoff_handoffs
                WHERE (state = 'offered' AND accept_by IS NULL AND :accepts)
                   OR (state = 'accepted' AND contact_by IS NULL AND contacted_at IS NULL AND :contacts)
                   OR (state = 'queued' AND escalated_at IS NULL AND :queues)
                """
        ).execute(arguments: [
            "now": tx.stamp, "accepts": settings.clocks.acceptWithin != nil,
            "contacts": settings.clocks.contactWithin != nil, "queues": settings.clocks.queueWithin != nil,
        ])
        guard tx.db.changesCount > 0 else { return }
        try offered()
        try accepted()
        try queued()
    }

    /// A handoff that has come somewhere new, and when.
    static let columns = """
        handoff_id INTEGER, lead_id INTEGER, state TEXT, rep TEXT, offer INTEGER, at TEXT, event_id INTEGER PRIMARY KEY
        """

    /// What ran and stopped before anybody looked: a rep who answers within the second kept a promise too. Of offers
    /// and acceptances of the batch that were overtaken, the moment is noted and no appointment is made.
    func overtaken() throws {
        let clocks = settings.clocks
        for (state, clock, within) in [
            ("offered", "accept", clocks.acceptWithin), ("accepted", "contact", clocks.contactWithin),
        ] {
            guard let within else { continue }
            try tx.scratchTable("handoff_news", columns: Appointments.columns)
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO temp.handoff_news
                    SELECT t.handoff_id, t.lead_id, t.state, t.rep, t.offer, t.at, t.event_id
                    FROM batch AS b CROSS JOIN handoff_transitions AS t ON t.event_id = b.id
                    WHERE t.state = ? AND t.due_at IS NULL AND NOT \(Appointments.isWhereItStands)
                    """
            ).execute(arguments: [state])
            guard tx.db.changesCount > 0 else { continue }
            try reckon(state, [(clock, within)])
            try keep("due_at", in: "handoff_transitions", by: "event_id = n.event_id", state, clock)
        }
    }

    /// SQL over `handoff_transitions AS t`: whether nothing has happened to the handoff since.
    static let isWhereItStands = """
        NOT EXISTS (SELECT 1 FROM handoff_transitions AS later WHERE later.handoff_id = t.handoff_id AND later.id > t.id
                    AND later.state NOT IN ('won', 'lost'))
        """

    // MARK: - Steps

    private func start(_ state: String, _ column: String, _ clock: String, _ clocks: [Clocks.Clock]) throws {
        guard !clocks.isEmpty else { return }
        try reckon(state, clocks)
        if clocks.contains(where: { $0.name == clock }) {
            try keep(column, in: "handoff_handoffs", by: "id = n.handoff_id", state, clock)
            try keep("due_at", in: "handoff_transitions", by: "event_id = n.event_id", state, clock)
        }
        try schedule(state)
    }

    private func reckon(_ state: String, _ clocks: [Clocks.Clock]) throws {
        try reckon(
            clocks, from: "SELECT DISTINCT coalesce(rep, ''), at FROM temp.handoff_news WHERE state = ?",
            arguments: [state])
    }

    /// Fills `temp.handoff_dues` with the moment of each clock for each rep and beginning.
    ///
    /// - Parameter beginnings: a SELECT of reps and when their clocks began.
    func reckon(_ clocks: [Clocks.Clock], from beginnings: String, arguments: StatementArguments = [:]) throws {
        try tx.scratchTable(
            "handoff_dues", columns: "rep TEXT, at TEXT, clock TEXT, due_at TEXT, PRIMARY KEY (rep, at, clock)")
        let rows = try Row.fetchAll(tx.db.cachedStatement(sql: beginnings), arguments: arguments)
        guard !rows.isEmpty else { return }
        let calendars = try Calendars(settings, tx)
        let insert = try tx.db.cachedStatement(sql: "INSERT INTO temp.handoff_dues VALUES (?, ?, ?, ?)")
        var known: [String: WorkCalendar] = [:]
        for row in rows {
            let (rep, at): (String, String) = (row[0], row[1])
            guard let start = Timestamp.date(at) else { continue }
            let calendar = known[rep] ?? calendars.of(rep)
            known[rep] = calendar
            for clock in clocks {
                let due = calendar.instant(after: start, working: clock.after.seconds)
                try insert.execute(arguments: [rep, at, clock.name, Timestamp.text(due)])
            }
        }
    }

    /// Writes the moment down where people look for it.
    private func keep(_ column: String, in table: String, by key: String, _ state: String, _ clock: String) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE \(table) SET \(column) = due.due_at
                FROM temp.handoff_news AS n JOIN temp.handoff_dues AS due ON due.rep = n.rep AND due.at = n.at
                WHERE \(table).\(key) AND n.state = ? AND due.clock = ?
                """
        ).execute(arguments: [state, clock])
    }

    private func schedule(_ state: String) throws {
        try tx.schedule(
            Appointments.kind,
            forEach: """
                SELECT 'handoff:' || n.handoff_id || ':' || n.offer || ':' || due.clock || ':' || due.due_at AS key, due.due_at, n.lead_id,
                       h.event_id AS cause_id, json_object('handoff', n.handoff_id, 'offer', n.offer, 'clock', due.clock, 'since', n.at) AS body
                FROM temp.handoff_news AS n JOIN temp.handoff_dues AS due ON due.rep = coalesce(n.rep, '') AND due.at = n.at
                JOIN handoff_handoffs AS h ON h.id = n.handoff_id WHERE n.state = :state
                """, arguments: ["state": state])
    }
}
