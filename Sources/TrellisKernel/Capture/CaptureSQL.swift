/// The statements of ``Capture`` that name the columns of this CRM. They are written once at boot: a form is so short
/// that to write them each time would take as long as to run them.
struct CaptureSQL: Sendable {
    /// The columns of the temp table that drafts are staged in.
    let draftColumns: String
    /// Stages a draft: its row, its id as a new lead, its values, its touch, what the log says of its form.
    let stage: String
    /// Makes leads of those that have an address or an external id.
    let insertNamed: String
    /// Makes leads of those known by a number that nobody has yet, one for each number.
    let insertNumbered: String
    /// The rows of a turn that say something their lead does not have.
    let differing: String
    /// Changes the leads of a turn.
    let update: String
    let addTouches: String
    /// Logs that forms were submitted, after all else that follows from their drafts.
    static let logForms = """
        INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
        SELECT '\(FormSubmitted.kind)', d.lead_id, c.cause_id, c.depth, c.origin, c.now, d."form:body"
        FROM kernel_context AS c CROSS JOIN temp.drafts AS d WHERE d."form:body" IS NOT NULL ORDER BY d.row
        """

    static let touchColumns = [
        "kind", "channel", "source", "medium", "campaign", "referrer", "landing_page", "click_id_kind", "click_id",
    ]

    /// First touch counts: these keep what they have.
    private static let firstCounts: Set<String> = ["source", "medium", "campaign", "created_at"]

    init(columns all: [String]) {
        let names = all.map { "\"\($0)\"" }
        let touches = CaptureSQL.touchColumns.map { "\"touch:\($0)\"" }.joined(separator: ", ")
        draftColumns = """
            row INTEGER PRIMARY KEY, new_id INTEGER, lead_id INTEGER, turn INTEGER, \(names.joined(separator: ", ")), \(touches),
            "form:body" TEXT
            """
        let marks = (all + CaptureSQL.touchColumns + ["form:body"]).map { _ in "?" }.joined(separator: ", ")
        stage = "INSERT INTO temp.drafts VALUES (?1, ?2, ?2, NULL, \(marks))"
        insertNamed = CaptureSQL.insert(all, where: "d.email IS NOT NULL OR d.external_id IS NOT NULL")
        insertNumbered = CaptureSQL.insert(
            all,
            where: """
                d.lead_id IS NULL AND NOT EXISTS (SELECT 1 FROM leads WHERE leads.phone = d.phone)
                AND d.row IN (SELECT min(row) FROM temp.drafts WHERE lead_id IS NULL GROUP BY phone)
                """)
        let changing = all.filter { $0 != "stage" }
        let differs = CaptureSQL.differs(changing)
        differing = """
            SELECT d.row FROM temp.drafts AS d JOIN leads ON leads.id = d.lead_id WHERE d.turn = ? AND (\(differs))
            """
        update = """
            UPDATE leads SET \(CaptureSQL.assignments(changing)), updated_at = :now FROM temp.drafts AS d
            WHERE leads.id = d.lead_id AND d.turn = :turn AND (\(differs))
            """
        addTouches = """
            INSERT INTO touches (lead_id, at, \(CaptureSQL.touchColumns.joined(separator: ", ")))
            SELECT lead_id, :now, \(touches) FROM temp.drafts
            WHERE "touch:kind" IS NOT NULL AND ("touch:kind" <> 'import' OR (lead_id > :last AND turn IS NULL)) ORDER BY row
            """
    }

    private static func insert(_ names: [String], where condition: String) -> String {
        let values = names.map { name in
            switch name {
            case "stage": "coalesce(d.stage, 'lead')"
            case "created_at": "coalesce(d.created_at, :now)"
            default: "d.\"\(name)\""
            }
        }
        return """
            INSERT INTO leads (id, \(names.map { "\"\($0)\"" }.joined(separator: ", ")), updated_at)
            SELECT d.new_id, \(values.joined(separator: ", ")), :now FROM temp.drafts AS d
            WHERE \(condition) ORDER BY d.row
            ON CONFLICT DO NOTHING
            """
    }

    private static func assignments(_ names: [String]) -> String {
        names.map { name in
            firstCounts.contains(name)
                ? "\"\(name)\" = coalesce(leads.\"\(name)\", d.\"\(name)\")"
                : "\"\(name)\" = coalesce(d.\"\(name)\", leads.\"\(name)\")"
        }.joined(separator: ", ")
    }

    private static func differs(_ names: [String]) -> String {
        names.filter { $0 != "created_at" }.map { name in
            firstCounts.contains(name)
                ? "leads.\"\(name)\" IS NULL AND d.\"\(name)\" IS NOT NULL"
                : "d.\"\(name)\" IS NOT NULL AND d.\"\(name)\" IS NOT leads.\"\(name)\""
        }.joined(separator: " OR ")
            + """
             OR (d.stage IS NOT NULL AND d.stage <> leads.stage AND EXISTS (
                SELECT 1 FROM stages AS was, stages AS becomes WHERE was.name = leads.stage AND becomes.name = d.stage
                AND (was.is_side OR becomes.is_side OR becomes.position > was.position)))
            """
    }
}
