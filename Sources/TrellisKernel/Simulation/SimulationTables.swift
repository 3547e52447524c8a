import Foundation

/// What is read from the copy once the time has passed.
struct SimulationTables {
    private let kernel: Kernel
    private let start: Date
    private let end: Date
    private let stagesBefore: [String: Int64]

    init(_ kernel: Kernel, from start: Date, until end: Date, stagesBefore: [String: Int64]) {
        self.kernel = kernel
        self.start = start
        self.end = end
        self.stagesBefore = stagesBefore
    }

    /// A message keeps only the last reason why it waited, and none once it is sent: so each time is noted.
    static let schema = """
        -- Each time a mail that was due had to wait: quiet hours, a cap, the pace of a domain.
        CREATE TABLE simulation_waits (
            message_id INTEGER NOT NULL,
            reason     TEXT    NOT NULL,
            at         TEXT    NOT NULL,
            until      TEXT    NOT NULL
        ) STRICT;
        CREATE TRIGGER simulation_waits_note AFTER UPDATE OF ready_at ON outbox_messages
        WHEN NEW.state = 'waiting' AND NEW.ready_at > OLD.ready_at
        BEGIN
            INSERT INTO simulation_waits
            SELECT NEW.id, coalesce(NEW.reason, 'the pace of ' || coalesce(NEW.domain, 'its domain')), coalesce(now, OLD.ready_at), NEW.ready_at
            FROM kernel_context;
        END;
        """

    static func stages(_ kernel: Kernel) throws -> [String: Int64] {
        try kernel.read { db in
            try Row.fetchAll(db, sql: "SELECT stage, count(*) FROM leads GROUP BY stage").reduce(into: [:]) {
                $0[$1[0]] = $1[1]
            }
        }
    }

    func all() throws -> [SimulationSection] {
        let report = SimulationReport(from: Timestamp.text(start), until: Timestamp.text(end))
        let sections =
            [try stages(), try days()] + (try kernel.ask(report).flatMap { $0 })
            + [try mails(), try reasons(), try acts(), try troubles()]
        return sections.filter { !$0.table.rows.isEmpty }
    }

    // MARK: - Tables

    private func stages() throws -> SimulationSection {
        let rows = try kernel.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT s.name, count(l.id) FROM stages AS s LEFT JOIN leads AS l ON l.stage = s.name
                    GROUP BY s.name ORDER BY s.is_side, s.position
                    """)
        }
        let cells = rows.map { row -> [Cell] in
            let (name, now): (String, Int64) = (row[0], row[1])
            return [.text(name), .integer(stagesBefore[name] ?? 0), .integer(now)]
        }
        return SimulationSection(
            "Leads by stage", drawing: .bars,
            Table(
                columns: ["stage", "at_start", "at_end"],
                rows: cells.filter { $0[1] != .integer(0) || $0[2] != .integer(0) }))
    }

    /// Days of the site, with those on which nothing was sent.
    private func days() throws -> SimulationSection {
        let place = LocalTime(named: kernel.config.site.site.timezone) ?? LocalTime(.gmt)
        let rows = try kernel.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT substr(settled_at, 1, 15) || '0' AS minute, purpose, count(*) AS mails FROM outbox_messages
                    WHERE transport = 'mail' AND state = 'sent' AND settled_at > :start AND settled_at <= :end GROUP BY 1, 2
                    """, arguments: ["start": Timestamp.text(start), "end": Timestamp.text(end)])
        }
        var counts: [String: [String: Int64]] = [:]
        for row in rows {
            guard let at = Timestamp.date(row["minute"] as String) else { continue }
            counts[place.day(of: at).description, default: [:]][row["purpose"], default: 0] += row["mails"] as Int64
        }
        var table = Table(columns: ["day", "to_leads", "to_the_house", "mails"])
        guard !counts.isEmpty else { return SimulationSection("Mails a day", drawing: .course, table) }
        var day = place.day(of: start)
        while day <= place.day(of: end) {
            let of = counts[day.description] ?? [:]
            let leads = (of["marketing"] ?? 0) + (of["transactional"] ?? 0)
            let house = of["internal"] ?? 0
            table.rows.append([.text(day.description), .integer(leads), .integer(house), .integer(leads + house)])
            day = day.adding(days: 1)
        }
        return SimulationSection("Mails a day", drawing: .course, table)
    }

    private func mails() throws -> SimulationSection {
        try section(
            "Mails", keys: 1, ["mail", "sent", "had_to_wait", "cancelled", "held", "waiting"],
            """
            SELECT template, count(*) FILTER (WHERE state = 'sent' AND settled_at > :start), count(DISTINCT w.message_id),
                   count(*) FILTER (WHERE state = 'cancelled' AND settled_at > :start), count(*) FILTER (WHERE state = 'held'),
                   count(*) FILTER (WHERE state = 'waiting')
            FROM outbox_messages AS m LEFT JOIN (SELECT DISTINCT message_id FROM simulation_waits) AS w ON w.message_id = m.id
            WHERE state IN ('waiting', 'held') OR settled_at > :start GROUP BY template ORDER BY template
            """)
    }

    private func reasons() throws -> SimulationSection {
        try section(
            "Why mails waited or did not go", keys: 2, ["what", "why", "mails"],
            """
            SELECT 'had to wait', reason, count(DISTINCT message_id) FROM simulation_waits GROUP BY reason
            UNION ALL
            SELECT CASE state WHEN 'held' THEN 'held for a person' ELSE state END, coalesce(reason, '–'), count(*) FROM outbox_messages
            WHERE state = 'held' OR (state IN ('cancelled', 'failed', 'refused') AND settled_at > :start) GROUP BY 1, 2
            ORDER BY 1, 3 DESC, 2
            """)
    }

    private func acts() throws -> SimulationSection {
        guard try kernel.read({ try $0.tableExists("simulation_acts") }) else {
            return SimulationSection("What people did", Table(columns: ["act", "times"]))
        }
        return try section(
            "What people did", keys: 1, ["act", "times"],
            "SELECT act, count(*) FROM simulation_acts WHERE done_at >= :start GROUP BY act ORDER BY act")
    }

    private func troubles() throws -> SimulationSection {
        try section(
            "What could not be handled", keys: 2, ["hook", "why", "events"],
            """
            SELECT subscriber, error, count(*) FROM parked_events WHERE parked_at >= :start GROUP BY 1, 2 ORDER BY 3 DESC, 1
            """)
    }

    private func section(_ title: String, keys: Int, _ columns: [String], _ sql: String) throws -> SimulationSection {
        let rows = try kernel.read { db in
            let statement = try db.makeStatement(sql: sql)
            if sql.contains(":start") { statement.arguments = ["start": Timestamp.text(start)] }
            return try Row.fetchAll(statement)
        }
        return SimulationSection(title, keys: keys, Table(columns: columns, rows))
    }
}
