/// What became of one draft.
public struct CaptureResult: Sendable, Hashable {
    public enum Outcome: String, Sendable {
        case created, changed, same
    }

    public let leadID: Int64
    public let outcome: Outcome
    /// What whoever took the lead in should know of it.
    public var notes: [String] = []
}

/// Takes drafts in: one set-based road for a single form and for a chunk of an import.
///
/// The drafts are staged in a temp table, each with the id it would have as a new lead. One statement makes leads of
/// all that it can; the others are matched against the leads by e-mail address, then external id, then phone, and
/// become changes of those. So a file of new leads is not looked up at all, and any file takes a few statements.
public struct Capture {
    private let sql: CaptureSQL

    init(_ layout: LeadLayout) {
        sql = layout.captureSQL
    }

    /// - Parameter drafts: normalised, and past the filters.
    /// - Returns: a result per draft, in their order.
    func take(_ drafts: [LeadDraft], _ tx: Transaction) throws -> [CaptureResult] {
        let results = try takeIn(drafts, tx)
        if drafts.contains(where: { $0.form != nil }) {
            try tx.db.cachedStatement(sql: CaptureSQL.logForms).execute()
        }
        return results
    }

    private func takeIn(_ drafts: [LeadDraft], _ tx: Transaction) throws -> [CaptureResult] {
        let last = try lastID(tx.db)
        try stage(drafts, after: last, tx)
        let made = try tx.loggingItself { try insert(sql.insertNamed, tx) }
        try logNewLeads(after: last, tx)
        guard made < drafts.count else {
            try addTouches(drafts, newAfter: last, tx)
            try addConsents(drafts, tx)
            return drafts.indices.map { CaptureResult(leadID: last + Int64($0) + 1, outcome: .created) }
        }
        try resolve(tx)
        if drafts.contains(where: \.isKnownByNumberAlone) {
            // Last, so that a number alone finds the lead that came with it; and once, because nothing makes a number
            // unique.
            _ = try insert(sql.insertNumbered, tx)
            try resolve(tx)
            try refuseUnknown(tx)
        }
        let changed = try namingTheField { try updateKnown(newAfter: last, tx) }
        try addTouches(drafts, newAfter: last, tx)
        try addConsents(drafts, tx)
        return try results(newAfter: last, changed: changed, tx)
    }

    /// The greatest id a lead ever had.
    private func lastID(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT seq FROM sqlite_sequence WHERE name = 'leads'")) ?? 0
    }

    // MARK: - Staging

    private func stage(_ drafts: [LeadDraft], after last: Int64, _ tx: Transaction) throws {
        try tx.scratchTable("drafts", columns: sql.draftColumns)
        let insert = try tx.db.cachedStatement(sql: sql.stage)
        // Those known by a number alone come last, as they do below.
        var newID = last
        var newIDOfNumber = last + Int64(drafts.count { !$0.isKnownByNumberAlone })
        // Most that come at once say the same.
        var submissions: [FormSubmitted: String] = [:]
        for (number, draft) in drafts.enumerated() {
            if draft.isKnownByNumberAlone { newIDOfNumber += 1 } else { newID += 1 }
            var row = StagedRow(insert)
            row.append(Int64(number))
            row.append(draft.isKnownByNumberAlone ? newIDOfNumber : newID)
            for value in draft.values { row.append(value) }
            row.append(draft.touch?.kind)
            row.append(draft.touch?.channel)
            row.append(draft.touch?.source)
            row.append(draft.touch?.medium)
            row.append(draft.touch?.campaign)
            row.append(draft.touch?.referrer)
            row.append(draft.touch?.landingPage)
            row.append(draft.touch?.click?.kind)
            row.append(draft.touch?.click?.id)
            row.append(
                try draft.submission.map { submission in
                    if let body = submissions[submission] { return body }
                    let body = try tx.body(of: submission)
                    submissions[submission] = body
                    return body
                })
            try row.write()
        }
    }

    /// Makes leads of drafts, of the first where several are about one. Returns how many there are.
    private func insert(_ statement: String, _ tx: Transaction) throws -> Int {
        try tx.db.cachedStatement(sql: statement).execute(arguments: ["now": tx.stamp])
        return tx.db.changesCount
    }

    private func logNewLeads(after last: Int64, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
                SELECT 'lead.created', l.id, c.cause_id, c.depth, c.origin, c.now, json_object('stage', l.stage)
                FROM kernel_context AS c CROSS JOIN leads AS l WHERE l.id > :last ORDER BY l.id
                """
        ).execute(arguments: ["last": last])
    }

    /// Finds the lead of each draft that became none. A phone number counts only where exactly one lead has it.
    private func resolve(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.drafts SET lead_id = coalesce(
                    (SELECT id FROM leads WHERE leads.email = drafts.email),
                    (SELECT id FROM leads WHERE leads.external_id = drafts.external_id),
                    CASE WHEN drafts.email IS NULL AND drafts.external_id IS NULL
                         THEN (SELECT CASE WHEN count(*) = 1 THEN max(id) END FROM leads WHERE leads.phone = drafts.phone) END)
                WHERE lead_id IS NULL OR NOT EXISTS (SELECT 1 FROM leads WHERE leads.id = drafts.lead_id)
                """
        ).execute()
    }

    private func refuseUnknown(_ tx: Transaction) throws {
        guard try Int.fetchOne(tx.db.cachedStatement(sql: "SELECT 1 FROM temp.drafts WHERE lead_id IS NULL")) == nil
        else {
            throw FieldProblem(
                field: "phone", message: "more than one lead has this number. Give an email or an external_id too.",
                phrase: Phrase("field_phone_shared"))
        }
    }

    // MARK: - Known leads

    /// Changes what a draft says differently. Several drafts about one lead take turns, so that the last one wins.
    /// Returns the rows whose lead was changed.
    private func updateKnown(newAfter last: Int64, _ tx: Transaction) throws -> Set<Int> {
        // The draft that became the row of a new lead has no turn.
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.drafts SET turn = ranked.turn
                FROM (SELECT row, row_number() OVER (PARTITION BY lead_id ORDER BY lead_id <> new_id, row) - (lead_id > :last) AS turn
                      FROM temp.drafts) AS ranked
                WHERE drafts.row = ranked.row AND ranked.turn > 0
                """
        ).execute(arguments: ["last": last])
        var changed: Set<Int> = []
        let turns = try Int.fetchOne(tx.db.cachedStatement(sql: "SELECT max(turn) FROM temp.drafts")) ?? 0
        for turn in stride(from: 1, through: turns, by: 1) {
            let rows = try Int.fetchAll(
                tx.db.cachedStatement(sql: sql.differing), arguments: [turn])
            guard !rows.isEmpty else { continue }
            changed.formUnion(rows)
            try tx.db.cachedStatement(sql: sql.update).execute(arguments: ["now": tx.stamp, "turn": turn])
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
            throw FieldProblem(
                field: field, message: "belongs to another lead. Merge the two first.",
                phrase: Phrase("field_of_other"))
        }
    }

    // MARK: - Touches and consents

    /// A form is a touch each time; an import is one only for a lead it made, so that the same file twice changes
    /// nothing.
    private func addTouches(_ drafts: [LeadDraft], newAfter last: Int64, _ tx: Transaction) throws {
        guard drafts.contains(where: { $0.touch != nil }) else { return }
        try tx.db.cachedStatement(sql: sql.addTouches).execute(arguments: ["now": tx.stamp, "last": last])
    }

    /// A consent becomes a row only where it says something new. A consent withdrawn, or an address suppressed, is
    /// never given back by an import: only the person can do that. Several drafts about one lead take turns here too.
    private func addConsents(_ drafts: [LeadDraft], _ tx: Transaction) throws {
        guard drafts.contains(where: { !$0.consents.isEmpty }) else { return }
        try stageConsents(drafts, tx)
        try addConsentsOfNewLeads(tx)
        let insert = try tx.db.cachedStatement(
            sql: """
                INSERT INTO consents (lead_id, purpose, state, text, source, page, network, agent, at)
                SELECT d.lead_id, s.purpose, s.state, s.text, :source, s.page, s.network, s.agent, :now
                FROM temp.draft_consents AS s CROSS JOIN temp.drafts AS d ON d.row = s.row
                LEFT JOIN consents AS c ON c.id = (SELECT max(id) FROM consents WHERE lead_id = d.lead_id AND purpose = s.purpose)
                WHERE d.turn = :turn AND c.state IS NOT s.state
                  AND NOT (s.state = 'granted' AND c.state IS 'withdrawn' AND :source NOT LIKE 'form:%')
                  AND NOT (s.state = 'withdrawn' AND c.state IS NULL)
                  AND NOT (s.state = 'requested' AND c.state IS 'granted')
                ORDER BY s.rowid
                """)
        let turns = try Int.fetchOne(tx.db.cachedStatement(sql: "SELECT max(turn) FROM temp.drafts")) ?? 0
        for turn in stride(from: 1, through: turns, by: 1) {
            try insert.execute(arguments: ["source": tx.origin, "now": tx.stamp, "turn": turn])
        }
    }

    /// Nothing was said of these before, and nothing can be their cause but what is the cause of the lead.
    private func addConsentsOfNewLeads(_ tx: Transaction) throws {
        let last = try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT max(id) FROM consents")) ?? 0
        try tx.loggingItself {
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO consents (lead_id, purpose, state, text, source, page, network, agent, at)
                    SELECT d.lead_id, s.purpose, s.state, s.text, :source, s.page, s.network, s.agent, :now
                    FROM temp.draft_consents AS s CROSS JOIN temp.drafts AS d ON d.row = s.row
                    WHERE d.turn IS NULL AND s.state <> 'withdrawn' ORDER BY s.rowid
                    """
            ).execute(arguments: ["source": tx.origin, "now": tx.stamp])
        }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
                SELECT 'consent.' || n.state, n.lead_id, c.cause_id, c.depth, c.origin, c.now, json_object('purpose', n.purpose)
                FROM kernel_context AS c CROSS JOIN consents AS n WHERE n.id > :last ORDER BY n.id
                """
        ).execute(arguments: ["last": last])
    }

    private func stageConsents(_ drafts: [LeadDraft], _ tx: Transaction) throws {
        try tx.scratchTable(
            "draft_consents",
            columns: "row INTEGER, purpose TEXT, state TEXT, text TEXT, page TEXT, network TEXT, agent TEXT")
        let insert = try tx.db.cachedStatement(sql: "INSERT INTO temp.draft_consents VALUES (?, ?, ?, ?, ?, ?, ?)")
        for (number, draft) in drafts.enumerated() {
            for (purpose, isGranted) in draft.consents.sorted(by: { $0.key < $1.key }) {
                var row = StagedRow(insert)
                row.append(Int64(number))
                row.append(purpose)
                row.append(isGranted ? (draft.awaitsConfirmation ? "requested" : "granted") : "withdrawn")
                row.append(draft.consentTexts[purpose])
                row.append(draft.proof?.page)
                row.append(draft.proof?.network)
                row.append(draft.proof?.agent)
                try row.write()
            }
        }
    }

    private func results(newAfter last: Int64, changed: Set<Int>, _ tx: Transaction) throws -> [CaptureResult] {
        try Row.fetchAll(tx.db.cachedStatement(sql: "SELECT row, lead_id, turn FROM temp.drafts ORDER BY row")).map {
            row in
            let leadID: Int64 = row[1]
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
            try draft.set(name, text: text)
        }
        return draft
    }
}

extension Transaction {
    /// Takes one lead in: normalises it, leads it past the filters, and inserts it or changes the one it is about.
    ///
    /// - Throws: ``FieldProblem`` for a value that does not fit, the ``Veto`` of a filter.
    public func capture(_ draft: LeadDraft) throws -> CaptureResult {
        guard let result = try captureAtOnce([draft]).first else { throw KernelError.data("Nothing was captured.") }
        return result
    }

    /// Takes several leads in, each as if those before it were there: by the statements of one, unless a filter reads
    /// the file.
    ///
    /// - Returns: a result per draft, in their order.
    /// - Throws: as ``capture(_:)-(LeadDraft)``; what was written before stays, where no savepoint of the caller's
    ///   takes it back.
    public func capture(_ drafts: [LeadDraft]) throws -> [CaptureResult] {
        let isInTurn = drafts.count > 1 && kernel.hooks.hasFilterThatReads(LeadDraft.self)
        return try isInTurn ? drafts.flatMap { try captureAtOnce([$0]) } : captureAtOnce(drafts)
    }

    private func captureAtOnce(_ drafts: [LeadDraft]) throws -> [CaptureResult] {
        let drafts = try drafts.map { draft in
            var draft = draft
            try draft.normalise()
            try filter(&draft)
            try draft.requireName()
            return draft
        }
        let erased = ErasedAddresses(config: kernel.config)
        if try erased.hasAny(db) {
            for draft in drafts {
                try draft.proof == nil ? erased.refuse(draft.email, db) : erased.readmit(draft.email, db)
            }
        }
        var results = try Capture(kernel.leadLayout).take(drafts, self)
        for (index, draft) in drafts.enumerated() { results[index].notes = draft.notes }
        return results
    }
}

extension LeadDraft {
    /// What the log says of the form.
    fileprivate var submission: FormSubmitted? {
        form.map {
            FormSubmitted(form: $0, variant: variant, channel: touch?.channel, by: isByHouse ? "house" : nil)
        }
    }
}
