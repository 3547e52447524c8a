/// What became of one draft.
public struct CaptureResult: Sendable, Hashable {
    public enum Outcome: String, Sendable {
        case created, changed, same
    }

    public let leadID: Int64
    public let outcome: Outcome
}

/// Takes drafts in: one set-based road for a single form and for a chunk of an import.
///
/// The drafts are staged in a temp table, matched against the leads by e-mail address, then external id, then phone,
/// and become new rows or changes of known ones in a few statements, however many they are.
public struct Capture {
    private let layout: LeadLayout
    private let names: [String]

    init(_ layout: LeadLayout) {
        self.layout = layout
        names = layout.names.map { "\"\($0)\"" }
    }

    /// - Parameter drafts: normalised, and past the filters.
    /// - Returns: a result per draft, in their order.
    func take(_ drafts: [LeadDraft], _ tx: Transaction) throws -> [CaptureResult] {
        try stage(drafts, tx)
        let last = try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT coalesce(max(id), 0) FROM leads")) ?? 0
        try resolve(tx)
        try insertNew(tx, where: "d.email IS NOT NULL OR d.external_id IS NOT NULL")
        try resolve(tx)
        if drafts.contains(where: { $0.values[layout.email].isNull && $0.values[layout.externalID].isNull }) {
            // Last, so that a number alone finds the lead that came with it; and once, because nothing makes a number
            // unique.
            try insertNew(
                tx,
                where: """
                    NOT EXISTS (SELECT 1 FROM leads WHERE leads.phone = d.phone)
                    AND d.row IN (SELECT min(row) FROM temp.drafts WHERE lead_id IS NULL GROUP BY phone)
                    """)
            try resolve(tx)
        }
        let changed = try namingTheField { try updateKnown(newAfter: last, tx) }
        try addTouches(drafts, newAfter: last, tx)
        try addConsents(drafts, tx)
        return try results(newAfter: last, changed: changed, tx)
    }

    // MARK: - Staging

    private func stage(_ drafts: [LeadDraft], _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                CREATE TEMP TABLE IF NOT EXISTS drafts (
                    row INTEGER PRIMARY KEY, lead_id INTEGER, turn INTEGER, \(names.joined(separator: ", ")),
                    "touch:kind", "touch:channel", "touch:source", "touch:medium", "touch:campaign")
                """
        ).execute()
        try tx.db.cachedStatement(sql: "DELETE FROM temp.drafts").execute()
        let marks = names.map { _ in "?" }.joined(separator: ", ")
        let insert = try tx.db.cachedStatement(
            sql: "INSERT INTO temp.drafts VALUES (?, NULL, NULL, \(marks), ?, ?, ?, ?, ?)")
        for (row, draft) in drafts.enumerated() {
            let touch = [
                draft.touch?.kind, draft.touch?.channel, draft.touch?.source, draft.touch?.medium,
                draft.touch?.campaign,
            ]
            try insert.stage([row.databaseValue] + draft.values + touch.map { $0?.databaseValue ?? .null })
        }
    }

    /// Finds the lead each draft is about. A phone number counts only where exactly one lead has it.
    private func resolve(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.drafts SET lead_id = coalesce(
                    (SELECT id FROM leads WHERE leads.email = drafts.email),
                    (SELECT id FROM leads WHERE leads.external_id = drafts.external_id),
                    CASE WHEN drafts.email IS NULL AND drafts.external_id IS NULL
                         THEN (SELECT CASE WHEN count(*) = 1 THEN max(id) END FROM leads WHERE leads.phone = drafts.phone) END)
                WHERE lead_id IS NULL
                """
        ).execute()
    }

    /// The first draft of each unknown lead becomes a row; a second one about the same lead finds it there and
    /// changes it.
    private func insertNew(_ tx: Transaction, where condition: String) throws {
        let values = layout.columns.map { column in
            switch column.name {
            case "stage": "coalesce(d.stage, 'lead')"
            case "created_at": "coalesce(d.created_at, :now)"
            default: "d.\"\(column.name)\""
            }
        }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO leads (\(names.joined(separator: ", ")), updated_at)
                SELECT \(values.joined(separator: ", ")), :now FROM temp.drafts AS d
                WHERE d.lead_id IS NULL AND (\(condition)) ORDER BY d.row
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: ["now": tx.stamp])
    }

    // MARK: - Known leads

    /// First touch counts: these keep what they have.
    private static let firstCounts: Set<String> = ["source", "medium", "campaign", "created_at"]
    private static let handledApart: Set<String> = ["stage"]

    /// Changes what a draft says differently. Several drafts about one lead take turns, so that the last one wins.
    /// Returns the rows whose lead was changed.
    private func updateKnown(newAfter last: Int64, _ tx: Transaction) throws -> Set<Int> {
        // Of the drafts of a new lead, the one that became its row has no turn: the first with more than a number.
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.drafts SET turn = ranked.turn
                FROM (SELECT row, row_number() OVER (
                          PARTITION BY lead_id ORDER BY lead_id > :last AND email IS NULL AND external_id IS NULL, row
                      ) - (lead_id > :last) AS turn FROM temp.drafts) AS ranked
                WHERE drafts.row = ranked.row AND ranked.turn > 0
                """
        ).execute(arguments: ["last": last])
        var changed: Set<Int> = []
        let turns = try Int.fetchOne(tx.db.cachedStatement(sql: "SELECT max(turn) FROM temp.drafts")) ?? 0
        for turn in stride(from: 1, through: turns, by: 1) {
            let rows = try Int.fetchAll(
                tx.db.cachedStatement(
                    sql: """
                        SELECT d.row FROM temp.drafts AS d JOIN leads ON leads.id = d.lead_id WHERE d.turn = ? AND (\(differs))
                        """), arguments: [turn])
            guard !rows.isEmpty else { continue }
            changed.formUnion(rows)
            try tx.db.cachedStatement(
                sql: """
                    UPDATE leads SET \(assignments), updated_at = :now FROM temp.drafts AS d
                    WHERE leads.id = d.lead_id AND d.turn = :turn AND (\(differs))
                    """
            ).execute(arguments: ["now": tx.stamp, "turn": turn])
            try tx.db.cachedStatement(
                sql: """
                    UPDATE leads SET stage = d.stage, updated_at = :now FROM temp.drafts AS d, stages AS was, stages AS becomes
                    WHERE leads.id = d.lead_id AND d.turn = :turn AND d.stage IS NOT NULL AND was.name = leads.stage AND becomes.name = d.stage
                      AND d.stage <> leads.stage AND (was.is_side OR becomes.is_side OR becomes.position > was.position)
                    """
            ).execute(arguments: ["now": tx.stamp, "turn": turn])
        }
        return changed
    }

    /// A draft that names two leads at once, one by its address and one by its external id, is nobody's.
    private func namingTheField<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            let field = error.message?.split(separator: ".").last.map(String.init) ?? "external_id"
            throw FieldProblem(field: field, message: "belongs to another lead. Merge the two first.")
        }
    }

    private var changing: [LeadLayout.Column] {
        layout.columns.filter { !Capture.handledApart.contains($0.name) }
    }

    private var assignments: String {
        changing.map { column in
            Capture.firstCounts.contains(column.name)
                ? "\"\(column.name)\" = coalesce(leads.\"\(column.name)\", d.\"\(column.name)\")"
                : "\"\(column.name)\" = coalesce(d.\"\(column.name)\", leads.\"\(column.name)\")"
        }.joined(separator: ", ")
    }

    private var differs: String {
        changing.filter { $0.name != "created_at" }.map { column in
            Capture.firstCounts.contains(column.name)
                ? "leads.\"\(column.name)\" IS NULL AND d.\"\(column.name)\" IS NOT NULL"
                : "d.\"\(column.name)\" IS NOT NULL AND d.\"\(column.name)\" IS NOT leads.\"\(column.name)\""
        }.joined(separator: " OR ")
            + """
             OR (d.stage IS NOT NULL AND d.stage <> leads.stage AND EXISTS (
                SELECT 1 FROM stages AS was, stages AS becomes WHERE was.name = leads.stage AND becomes.name = d.stage
                AND (was.is_side OR becomes.is_side OR becomes.position > was.position)))
            """
    }

    // MARK: - Touches and consents

    /// A form is a touch each time; an import is one only for a lead it made, so that the same file twice changes
    /// nothing.
    private func addTouches(_ drafts: [LeadDraft], newAfter last: Int64, _ tx: Transaction) throws {
        guard drafts.contains(where: { $0.touch != nil }) else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO touches (lead_id, at, kind, channel, source, medium, campaign)
                SELECT lead_id, :now, "touch:kind", "touch:channel", "touch:source", "touch:medium", "touch:campaign" FROM temp.drafts
                WHERE "touch:kind" IS NOT NULL AND ("touch:kind" <> 'import' OR (lead_id > :last AND turn IS NULL)) ORDER BY row
                """
        ).execute(arguments: ["now": tx.stamp, "last": last])
    }

    /// A consent becomes a row only where it says something new. A consent withdrawn, or an address suppressed, is
    /// never given back by an import: only the person can do that. Several drafts about one lead take turns here too.
    private func addConsents(_ drafts: [LeadDraft], _ tx: Transaction) throws {
        guard drafts.contains(where: { !$0.consents.isEmpty }) else { return }
        try stageConsents(drafts, tx)
        let insert = try tx.db.cachedStatement(
            sql: """
                INSERT INTO consents (lead_id, purpose, state, text, source, at)
                SELECT d.lead_id, s.purpose, s.state, s.text, :source, :now
                FROM temp.draft_consents AS s CROSS JOIN temp.drafts AS d ON d.row = s.row
                LEFT JOIN consents AS c ON c.id = (SELECT max(id) FROM consents WHERE lead_id = d.lead_id AND purpose = s.purpose)
                WHERE coalesce(d.turn, 0) = :turn AND c.state IS NOT s.state
                  AND NOT (s.state = 'granted' AND c.state IS 'withdrawn' AND :source NOT LIKE 'form:%')
                  AND NOT (s.state = 'withdrawn' AND c.state IS NULL)
                ORDER BY s.rowid
                """)
        let turns = try Int.fetchOne(tx.db.cachedStatement(sql: "SELECT max(turn) FROM temp.drafts")) ?? 0
        for turn in 0...turns { try insert.execute(arguments: ["source": tx.origin, "now": tx.stamp, "turn": turn]) }
    }

    private func stageConsents(_ drafts: [LeadDraft], _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: "CREATE TEMP TABLE IF NOT EXISTS draft_consents (row INTEGER, purpose TEXT, state TEXT, text TEXT)"
        ).execute()
        try tx.db.cachedStatement(sql: "DELETE FROM temp.draft_consents").execute()
        let insert = try tx.db.cachedStatement(sql: "INSERT INTO temp.draft_consents VALUES (?, ?, ?, ?)")
        for (row, draft) in drafts.enumerated() {
            for (purpose, isGranted) in draft.consents.sorted(by: { $0.key < $1.key }) {
                let state = isGranted ? "granted" : "withdrawn"
                try insert.stage([
                    row.databaseValue, purpose.databaseValue, state.databaseValue,
                    draft.consentTexts[purpose].databaseValue,
                ])
            }
        }
    }

    private func results(newAfter last: Int64, changed: Set<Int>, _ tx: Transaction) throws -> [CaptureResult] {
        try Row.fetchAll(tx.db.cachedStatement(sql: "SELECT row, lead_id, turn FROM temp.drafts ORDER BY row")).map {
            row in
            guard let leadID: Int64 = row[1] else {
                throw FieldProblem(
                    field: "phone", message: "more than one lead has this number. Give an email or an external_id too.")
            }
            let isNew = leadID > last && (row[2] as Int?) == nil
            return CaptureResult(
                leadID: leadID, outcome: isNew ? .created : changed.contains(row[0]) ? .changed : .same)
        }
    }
}

extension Kernel {
    /// An empty draft with the columns of this CRM.
    public func draft() -> LeadDraft { LeadDraft(leadLayout) }

    /// A draft from texts, as a form or a command gives them: `["email": "…", "company": "…"]`.
    ///
    /// - Throws: ``FieldProblem`` for a value that does not fit or a field that is no column.
    public func draft(_ fields: [(name: String, text: String)]) throws -> LeadDraft {
        var draft = draft()
        for (name, text) in fields {
            guard let index = leadLayout.index(of: name) else {
                throw FieldProblem(
                    field: name, message: "no such column.\(NearMiss.hint(name, among: leadLayout.names))")
            }
            try draft.set(index, text: text)
        }
        return draft
    }
}

extension Transaction {
    /// Takes one lead in: normalises it, leads it past the filters, and inserts it or changes the one it is about.
    ///
    /// - Throws: ``FieldProblem`` for a value that does not fit, the ``Veto`` of a filter.
    public func capture(_ draft: LeadDraft) throws -> CaptureResult {
        var draft = draft
        try draft.normalise()
        try filter(&draft)
        try ErasedAddresses(secret: kernel.config.site.site.secret).refuse(draft.email, db)
        guard let result = try Capture(kernel.leadLayout).take([draft], self).first else {
            throw KernelError.data("Nothing was captured.")
        }
        if let form = draft.form { try emit(FormSubmitted(form: form), lead: result.leadID) }
        return result
    }
}
