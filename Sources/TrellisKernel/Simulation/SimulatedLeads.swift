import Foundation

/// New leads of a trial: copies of recent ones without their names and addresses, through the road of a form.
///
/// What a lead is like, where it came from, which form it filled in and what it agreed to is taken from one lead of the
/// file, so that all of it is there in the proportion of the file. Days of the config's own fields move with the time.
final class SimulatedLeads {
    private let kernel: Kernel
    private let luck: Luck
    private let start: Date
    /// Leads a day.
    let perDay: Double
    /// What the leads a day were taken from.
    let basis: String
    /// How many came.
    private(set) var count = 0
    /// Reasons why a filter of the config turned one away, and how often.
    private(set) var refusals: [String: Int] = [:]
    private let models: [Int64]

    /// So many of the youngest leads are copied from.
    static let modelsMax = 2000
    /// In one transaction.
    static let batchMax = 1000
    private static let basisDays = 28.0

    /// - Parameter perDay: nil for the mean of the last four weeks, imports left out.
    init(_ kernel: Kernel, luck: Luck, perDay: Double?, start: Date) throws {
        self.kernel = kernel
        self.luck = luck
        self.start = start
        let measured = try kernel.read { try SimulatedLeads.measure($0, now: start) }
        (self.perDay, basis) = perDay.map { ($0, "given") } ?? measured
        models = try kernel.read { db in
            try Int64.fetchAll(db, sql: "SELECT id FROM leads ORDER BY id DESC LIMIT \(SimulatedLeads.modelsMax)")
        }
        try kernel.write(origin: Behaviour.origin) { tx in
            try tx.db.execute(
                sql: """
                    -- A lead that a simulation made up, with its number.
                    CREATE TABLE simulation_leads (lead_id INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT
                    """)
        }
    }

    /// A file younger than four weeks has no more days than it has.
    private static func measure(_ db: Database, now: Date) throws -> (Double, String) {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT count(*), (SELECT max(1, julianday(:now) - julianday(min(at))) FROM events) FROM events
                WHERE kind = 'lead.created' AND origin NOT LIKE 'import:%' AND at >= :since AND at <= :now
                """,
            arguments: [
                "now": Timestamp.text(now), "since": Timestamp.text(now - basisDays * 86_400),
            ])
        let leads: Int64 = row?[0] ?? 0
        let days = min((row?[1] as Double?) ?? 1, basisDays)
        let span = days <= 1 ? "the first day" : "the last \(Int(days.rounded(.up))) days"
        return (Double(leads) / days, "measured: \(leads) in \(span), without imports")
    }

    // MARK: - Arrivals

    /// When the next one comes: they are spread evenly. Nil where none does.
    var nextDue: Date? {
        perDay > 0 && !models.isEmpty ? start + Double(count + 1) / perDay * 86_400 : nil
    }

    /// Takes in those who have come by now.
    func arrive() throws {
        guard perDay > 0, !models.isEmpty else { return }
        // A moment that was rounded to a millisecond is the moment.
        let due = Int(((kernel.clock.now().timeIntervalSince(start) + 0.001) / 86_400 * perDay).rounded(.down))
        while count < due {
            let numbers = (count + 1)...min(due, count + SimulatedLeads.batchMax)
            try kernel.write(origin: Behaviour.origin) { try take(numbers, $0) }
            count = numbers.upperBound
        }
    }

    private func take(_ numbers: ClosedRange<Int>, _ tx: Transaction) throws {
        var drafts: [String: [(number: Int, draft: LeadDraft)]] = [:]
        for number in numbers {
            let place = Int(luck.bits("new \(number)", "model") % UInt64(models.count))
            do {
                guard let draft = try draft(number, like: models[place], tx) else { continue }
                drafts[draft.form ?? "", default: []].append((number, draft))
            } catch let veto as Veto {
                refusals[veto.reason, default: 0] += 1
            } catch let problem as FieldProblem {
                refusals[problem.description, default: 0] += 1
            }
        }
        for (form, group) in drafts.sorted(by: { $0.key < $1.key }) {
            let acting = try tx.acting(as: form.isEmpty ? Behaviour.origin : "form:\(form)")
            let results = try Capture(kernel.leadLayout).take(group.map(\.draft), acting)
            for (result, one) in zip(results, group) {
                try tx.db.cachedStatement(sql: "INSERT INTO simulation_leads VALUES (?, ?) ON CONFLICT DO NOTHING")
                    .execute(arguments: [result.leadID, one.number])
            }
        }
        _ = try tx.acting(as: Behaviour.origin)
    }

    // MARK: - Copies

    /// Columns that say who somebody is, or what has become of them.
    private static let own: Set<String> = [
        "email", "first_name", "last_name", "phone", "company", "external_id", "stage", "owner", "created_at",
    ]

    private func draft(_ number: Int, like model: Int64, _ tx: Transaction) throws -> LeadDraft? {
        guard
            let row = try Row.fetchOne(
                tx.db.cachedStatement(sql: "SELECT * FROM leads WHERE id = ?"), arguments: [model])
        else { return nil }
        var draft = kernel.draft()
        let age = tx.now.timeIntervalSince(Timestamp.date(row["created_at"] as String) ?? tx.now)
        for column in kernel.leadLayout.columns where !SimulatedLeads.own.contains(column.name) {
            draft[column.name] = SimulatedLeads.moved(row[column.name] as DatabaseValue, column.kind, by: age)
        }
        // RFC 2606 keeps .invalid free. A company of its own each, as most leads have.
        draft.email = "simulated-\(number)@company-\(number).invalid"
        let names = ["first_name": "Simulated", "last_name": "Lead \(number)", "company": "Company \(number)"]
        for (column, name) in names where !(row[column] as DatabaseValue).isNull { draft[column] = name.databaseValue }
        if !(row["phone"] as DatabaseValue).isNull {
            // Numbers for stories that nobody has (Ofcom, numbers for drama).
            draft["phone"] = ("+447700900" + String(format: "%03d", number % 1000)).databaseValue
        }
        try addOrigin(of: model, to: &draft, tx)
        try draft.normalise()
        try tx.filter(&draft)
        return draft
    }

    private static func moved(_ value: DatabaseValue, _ kind: LeadLayout.Kind, by age: TimeInterval) -> DatabaseValue {
        guard case .field(let kind) = kind, [.date, .time].contains(kind),
            let date = String.fromDatabaseValue(value).flatMap({ Timestamp.date($0) })
        else { return value }
        let text = Timestamp.text(date + (kind == .date ? (age / 86_400).rounded() * 86_400 : age))
        return (kind == .date ? String(text.prefix(10)) : text).databaseValue
    }

    /// The form that made the lead, its first touch, and what it said to each purpose first.
    private func addOrigin(of model: Int64, to draft: inout LeadDraft, _ tx: Transaction) throws {
        if let form = try Row.fetchOne(
            tx.db.cachedStatement(
                sql: """
                    SELECT CAST(body ->> 'form' AS TEXT), CAST(body ->> 'variant' AS TEXT) FROM events
                    WHERE lead_id = ? AND kind = 'form.submitted' ORDER BY id LIMIT 1
                    """), arguments: [model])
        {
            draft.form = form[0]
            draft.variant = form[1]
        }
        if let touch = try Row.fetchOne(
            tx.db.cachedStatement(sql: "SELECT * FROM touches WHERE lead_id = ? ORDER BY id LIMIT 1"),
            arguments: [model])
        {
            draft.touch = LeadDraft.Touch(
                kind: touch["kind"], channel: touch["channel"], source: touch["source"], medium: touch["medium"],
                campaign: touch["campaign"])
        }
        let consents = try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT purpose, state FROM consents AS c
                    WHERE lead_id = :lead AND id = (SELECT min(id) FROM consents WHERE lead_id = :lead AND purpose = c.purpose)
                    """), arguments: ["lead": model])
        for consent in consents where consent["state"] != "withdrawn" {
            draft.consents[consent["purpose"]] = true
            if consent["state"] == "requested" { draft.awaitsConfirmation = true }
        }
    }
}
