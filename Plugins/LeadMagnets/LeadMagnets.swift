import Foundation
import TrellisKernel

/// Turns a stranger who wants something useful into a lead who got it: a form, a submission, a mail with a signed link.
public struct LeadMagnets: Plugin {
    public static let name = "lead_magnets"
    public static let summary = "Downloads behind a form, delivered by mail."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static let events = [EventDeclaration("asset.downloaded", ["magnet": .text])]
    public static let mails = [
        "magnet-delivery": """
        ---
        subject: {{magnet_title}}
        purpose: transactional
        ---
        Hello {{first_name|there}},

        here is what you asked for:

        [{{magnet_title}}]({{download_url}})

        {{site_name}}
        """
    ]
    public static let invariants = [
        Invariant(
            "a submission is answered by one download",
            violations: """
                SELECT s.id FROM magnets_submissions AS s
                WHERE (SELECT count(*) FROM events AS e WHERE e.kind = 'asset.downloaded' AND e.cause_id = s.event_id) <> 1
                """)
    ]

    private let magnets: [Named<MagnetSettings.Magnet>]

    public init(settings: MagnetSettings) {
        magnets = settings.magnets
    }

    public func check(_ check: ConfigCheck) {
        for magnet in magnets {
            for field in magnet.value.form.fields { check.leadColumn(field.name) }
            if let asset = magnet.value.asset { check.file(asset) }
            if let stage = magnet.value.stage { check.stage(stage) }
            if let mail = magnet.value.mail { check.mail(mail, values: ["magnet_title", "download_url"]) }
        }
    }

    @HookBuilder public var hooks: [any Hook] {
        Filter("form", LeadDraft.self, order: .early) { draft, _ in try applyForm(to: &draft) }
        Subscribe("deliver", to: ["form.submitted"], from: .nextEvent) { _, tx in try deliver(tx) }
        Answer("download-link", TemplateValues.self) { question, _ in
            guard let submission = question.body["submission"] else { return [:] }
            return ["download_url": try question.link("download", submission)]
        }
        Answer("submissions", Report.self) { _, db in [ReportSection("Magnets", try LeadMagnets.overview(db))] }
    }

    /// A form takes the fields it declares and nothing else, and says which are missing.
    private func applyForm(to draft: inout LeadDraft) throws {
        guard let form = draft.form else { return }
        guard let magnet = magnets.first(where: { $0.name == form })?.value else {
            throw Veto(
                "there is no magnet '\(form)'.\(NearMiss.hint(form, among: magnets.map(\.name))) There are: \(magnets.map(\.name).joined(separator: ", "))."
            )
        }
        let declared = Set(magnet.form.fields.map(\.name.value) + ["source", "medium", "campaign"])
        for column in draft.givenColumns where !declared.contains(column) { draft[column] = .null }
        let missing = magnet.form.fields.filter { $0.isRequired && draft[$0.name.value].isNull }.map(\.name.value)
        guard missing.isEmpty else { throw Veto("the form of '\(form)' needs \(missing.joined(separator: ", "))") }
        draft.consents = draft.consents.filter { purpose, _ in magnet.form.consent.contains { $0.name == purpose } }
        draft.consentTexts = Dictionary(magnet.form.consent.map { ($0.name, $0.value) }) { first, _ in first }
        if let stage = magnet.stage { draft["stage"] = stage.value.databaseValue }
    }

    private func deliver(_ tx: Transaction) throws {
        for magnet in magnets {
            let last =
                try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT coalesce(max(id), 0) FROM magnets_submissions"))
                ?? 0
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO magnets_submissions (magnet, lead_id, event_id, at)
                    SELECT :magnet, lead_id, id, at FROM batch
                    WHERE kind = 'form.submitted' AND lead_id IS NOT NULL AND json_extract(body, '$.form') = :magnet
                    ON CONFLICT (event_id) DO NOTHING
                    """
            ).execute(arguments: ["magnet": magnet.name])
            guard tx.db.changesCount > 0 else { continue }
            try tx.emit(
                "asset.downloaded",
                forEach: """
                    SELECT lead_id, event_id AS cause_id, json_object('magnet', magnet) AS body FROM magnets_submissions WHERE id > :last
                    """, arguments: ["last": last])
            // Asked twice for the same thing within a day, a lead gets one mail.
            try tx.send(
                .transactional,
                forEach: """
                    SELECT 'magnet:' || magnet || ':lead ' || lead_id || ':' || date(at) AS key, lead_id, NULL AS recipient, :template AS template,
                           json_object('submission', id, 'magnet_title', :title) AS body, event_id AS cause_id
                    FROM magnets_submissions WHERE id > :last
                    """,
                arguments: [
                    "template": magnet.value.mail?.value ?? "magnet-delivery", "title": magnet.value.title,
                    "last": last,
                ])
        }
    }

    static func overview(_ db: Database) throws -> Table {
        Table(
            columns: ["magnet", "submissions", "leads"],
            try Row.fetchAll(
                db,
                sql:
                    "SELECT magnet, count(*), count(DISTINCT lead_id) FROM magnets_submissions GROUP BY magnet ORDER BY 2 DESC"
            ))
    }

    public var commands: [Command] {
        [
            Command("magnets", "The magnets and who asked for them.") { call in
                .table(try call.kernel.read { try LeadMagnets.overview($0) })
            }
        ]
    }
}
