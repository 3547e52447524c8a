import TrellisKernel

/// A part of an export on its way to a webhook. Its rows are written as it leaves, of those who may be in it then:
/// whoever was erased, withdrew or was kept out while the webhook could not be reached is not among them.
struct Part {
    let id: Int64
    let number: Int64
    let parts: Int64
    let audience: Audiences.Audience
    let audiences: Audiences
    let platform: Platform
    let first: Int64
    let last: Int64
    let tx: Transaction

    /// Fills a message of an export; leaves all others as they are.
    ///
    /// - Throws: a `Veto` where nobody can say any more who may be in it.
    static func fill(_ draft: inout MessageDraft, _ audiences: Audiences, _ tx: Transaction) throws {
        guard draft.origin == "plugin:\(AudienceExport.name)", draft.leadID == nil,
            let export = draft.values["export"].flatMap({ Int64($0) }),
            let number = draft.values["part"].flatMap({ Int64($0) })
        else { return }
        let row = try Row.fetchOne(
            tx.db,
            sql: """
                SELECT p.first_lead, p.last_lead, x.audience, x.platform,
                       (SELECT count(*) FROM audiences_parts WHERE export_id = p.export_id AND action = p.action) AS parts
                FROM audiences_parts AS p JOIN audiences_exports AS x ON x.id = p.export_id
                WHERE p.export_id = ? AND p.action = ? AND p.part = ?
                """, arguments: [export, draft.template, number])
        guard let row else { throw Veto("its rows were kept by an older program; the next file says all of it again") }
        let name: String = row["audience"]
        guard let audience = audiences.named(name), let platform = Platform.named(row["platform"]) else {
            throw Veto("the audience '\(name)' is not in the config any more")
        }
        let part = Part(
            id: export, number: number, parts: row["parts"], audience: audience, audiences: audiences,
            platform: platform, first: row["first_lead"], last: row["last_lead"], tx: tx)
        draft.isWrittenAnew = true
        draft.numbers = ["export": export, "part": number, "parts": part.parts]
        draft.values["rows"] = try draft.template == "audience.add" ? part.additions() : part.removals()
    }

    private var export: Export {
        Export(audience: audience, audiences: audiences, platform: platform, path: "")
    }

    private func additions() throws -> String {
        let range: StatementArguments = ["export": id, "first": first, "last": last]
        try fit(range)
        var writer = export.writer
        var text = Array(export.opening("Add").utf8)
        let rows = try Row.fetchCursor(
            tx.db,
            sql: platform.isOfCompanies
                ? Export.companies(writer, "r.lead_id IN (SELECT lead_id FROM temp.audiences_fit)")
                    + " HAVING min(l.id) BETWEEN :first AND :last ORDER BY min(l.id)"
                : writer.select(from: Export.receipts, phones: audience.value.phones)
                    + """
                     WHERE r.export_id = :export AND r.lead_id BETWEEN :first AND :last
                      AND r.lead_id IN (SELECT lead_id FROM temp.audiences_fit) ORDER BY r.lead_id
                    """,
            arguments: range)
        while let row = try rows.next() {
            _ = writer.append(row)
            writer.keys.removeAll(keepingCapacity: true)
        }
        text += writer.buffer
        return String(decoding: text, as: UTF8.self)
    }

    /// Asks again who of the part may be on the list, in `temp.audiences_fit`, and notes who may not.
    private func fit(_ range: StatementArguments) throws {
        // A company is in the part of the first of its people, so that those of the other parts count too.
        let range: StatementArguments =
            platform.isOfCompanies ? ["export": id, "first": Int64.min, "last": Int64.max] : range
        let eligibility = Eligibility(audience: audience, audiences: audiences, platform: platform)
        let select = eligibility.select(among: "lead_id BETWEEN :first AND :last")
        try tx.scratchTable("audiences_fit", columns: "lead_id INTEGER PRIMARY KEY")
        try tx.db.execute(
            sql: """
                INSERT INTO temp.audiences_fit (lead_id) SELECT e.lead_id FROM (\(select)) AS e
                WHERE EXISTS (SELECT 1 FROM audiences_receipts WHERE export_id = :export AND lead_id = e.lead_id)
                """, arguments: eligibility.arguments(at: tx.stamp, range))
        _ = try MemberFilter(audience: audience.name, platform: platform.name, tx: tx)
            .ask(about: "temp.audiences_fit", where: "true")
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_left_out (export_id, lead_id)
                SELECT export_id, lead_id FROM audiences_receipts
                WHERE export_id = :export AND lead_id BETWEEN :first AND :last
                  AND lead_id NOT IN (SELECT lead_id FROM temp.audiences_fit) ON CONFLICT DO NOTHING
                """, arguments: range)
    }

    private func removals() throws -> String {
        let list = try ListOnPlatform.id(audience.name, platform.name, tx)
        var removals = Removals(export: id, list: list, writer: export.writer, tx: tx)
        var text = Array(export.removalOpening.utf8)
        _ = try removals.write(from: first, through: last) { text += $0 }
        return String(decoding: text, as: UTF8.self)
    }
}
