import Foundation
import TrellisKernel

/// Keeps audiences, groups of leads by SQL, in step with the log, and writes the files that ad platforms take: hashed
/// addresses of leads who agreed to it, and nobody else; and of those who must be taken off a list again.
public struct AudienceExport: Plugin {
    public static let name = "audiences"
    public static let summary = "Audiences by SQL, exported as hashed files for ad platforms."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static let events = [
        EventDeclaration(
            "audiences.refresh_due", ["audience": .text], says: "[{audience}: ]members were due to be looked at"),
        EventDeclaration("audiences.moment_due", says: "leads were due to be looked at, by time alone"),
        EventDeclaration("audiences.export_due", ["audience": .text], says: "the file of {audience} was due"),
        EventDeclaration(
            "audiences.lifetime_due", ["audience": .text, "platform": .text, "export": .integer],
            says: "members of {audience} on {platform} were about to lapse"),
        EventDeclaration("audience.entered", ["audience": .text], says: "entered the audience {audience}"),
        EventDeclaration("audience.left", ["audience": .text], says: "left the audience {audience}"),
        EventDeclaration(
            "audience.exported",
            [
                "audience": .text, "members": .integer, "platform": .text, "export": .integer, "removals": .integer,
            ], says: "{audience} was exported[ for {platform}][: {members} members]"),
        EventDeclaration(
            "audience.export_refused", ["audience": .text, "platform": .text, "reason": .text],
            says: "the file of {audience} was refused[: {reason}]"),
        EventDeclaration(
            "audience.expiring", ["audience": .text, "platform": .text, "members": .integer, "days": .integer],
            says: "{audience} lapses on {platform} in {days} days"),
    ]
    /// Hashes of addresses, as the platforms have them.
    public static let personal = [
        "audiences_uploads.key", "audiences_removals.key", "audiences_keys.key", "audiences_leaving.hash",
    ]
    public static var cardColumns: KeyValuePairs<String, String> {
        [
            "audiences":
                "SELECT group_concat(audience, ', ') FROM audiences_members WHERE lead_id = leads.id AND until IS NULL"
        ]
    }
    public static let invariants = [
        Invariant(
            "nobody without consent is in a file",
            violations: """
                SELECT r.export_id, r.lead_id FROM audiences_receipts AS r
                JOIN audiences_exports AS x ON x.id = r.export_id JOIN consents AS c ON c.id = r.consent_id
                WHERE r.consent_id > 0 AND (c.state <> 'granted' OR c.at > x.at
                   OR c.lead_id <> coalesce((SELECT kept_id FROM lead_merges WHERE gone_id = r.lead_id), r.lead_id))
                  AND NOT EXISTS (SELECT 1 FROM events WHERE lead_id = r.lead_id AND kind = 'lead.erased')
                """),
        Invariant(
            "a file has a receipt for each of its members",
            violations: """
                SELECT id, members FROM audiences_exports WHERE members <> (SELECT count(*) FROM audiences_receipts WHERE export_id = id)
                """),
        Invariant(
            "a lead is in an audience once, unless two leads became one just now",
            violations: """
                SELECT lead_id, audience FROM audiences_members WHERE until IS NULL AND NOT EXISTS (
                    SELECT 1 FROM events WHERE kind = 'lead.merged'
                    AND id > (SELECT last_event_id FROM subscribers WHERE id = 'audiences/notice-changes'))
                GROUP BY audience, lead_id HAVING count(*) > 1
                """),
        Invariant(
            "of whom a platform took off nothing is kept",
            violations: """
                SELECT r.export_id, r.lead_id FROM audiences_removals AS r JOIN audiences_exports AS x ON x.id = r.export_id
                WHERE x.accepted_at IS NOT NULL AND r.key IS NOT NULL
                """),
        messagesWithoutRows,
    ]

    private static let messagesWithoutRows = Invariant(
        "no message holds rows about people",
        violations: """
            SELECT id, state FROM outbox_messages
            WHERE \(Delivery.ours) AND (content IS NOT NULL OR json_type(body, '$.rows') IS NOT NULL)
            """)

    let audiences: Audiences

    public init(settings: AudienceSettings) {
        audiences = Audiences(settings)
    }

    public func check(_ check: ConfigCheck) throws {
        try AudienceCheck(audiences: audiences, check: check).run()
    }

    @HookBuilder public var hooks: [any Hook] {
        Answer("plan", Plan.self, MembershipPlan.changes)
        Subscribe("notice-changes", to: nil, from: .nextEvent, budget: .seconds(60)) { _, tx in
            try Membership(audiences: audiences, tx: tx).follow()
        }
        Subscribe(
            "refresh", to: ["audiences.refresh_due", "audiences.moment_due"], from: .nextEvent, budget: .seconds(60)
        ) { _, tx in
            try Membership(audiences: audiences, tx: tx).refreshDue()
        }
        Subscribe("write-files", to: [ExportSchedule.kind], from: .nextEvent, batch: 1, budget: .seconds(60)) { _, tx in
            try Delivery.settle(tx)
            try ExportSchedule(audiences: audiences, tx: tx).run()
        }
        Filter("write-part", MessageDraft.self, order: .early) { try Part.fill(&$0, audiences, $1) }
        Subscribe("take-deliveries", to: ["webhook.delivered"], from: .nextEvent) { _, tx in try Delivery.settle(tx) }
        Answer("files", PersonFiles.self) { question, db in try FilesOfPerson.paths(question.leadIDs, db) }
        Subscribe("remind", to: ["audiences.lifetime_due"], from: .nextEvent) { _, tx in try Lifetime.remind(tx) }
        Answer("sizes", Report.self) { _, db in
            [ReportSection("Audiences", try overview(db).table(db))]
        }
        Answer("ends", Report.self) { _, db in
            try overview(db).endingSoon(db).map { [ReportSection("Audiences to be uploaded again", $0)] } ?? []
        }
    }

    /// As of the moment of the reader's transaction, which the kernel's clock says.
    private func overview(_ db: Database) throws -> Overview {
        Overview(audiences: audiences, stamp: Timestamp.text(try db.transactionDate))
    }

    /// Takes up a new config, and what a webhook was told meanwhile.
    public func begin(since _: Date?, _ tx: Transaction) throws {
        try tx.scratchTable("audiences_changed", columns: Upkeep.changedColumns)
        try TakeUp(audiences: audiences, tx: tx).begin()
        try Delivery.settle(tx)
        try ExportSchedule(audiences: audiences, tx: tx).tidyUp()
    }

    public var commands: [Command] { AudienceCommands(audiences: audiences).all }
}
