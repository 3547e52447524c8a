import Foundation
import TrellisKernel

/// Writes the files that ad platforms take: hashed addresses of leads who agreed to it, and nobody else.
public struct AudienceExport: Plugin {
    public static let name = "audiences"
    public static let summary = "Audiences by SQL, exported as hashed files for ad platforms."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static let events = [
        EventDeclaration("audiences.refresh_due"),
        EventDeclaration("audience.exported", ["audience": .text, "members": .integer]),
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
                WHERE c.state <> 'granted' OR c.lead_id <> r.lead_id OR c.at > x.at
                """),
        Invariant(
            "a file has a receipt for each of its members",
            violations: """
                SELECT id, members FROM audiences_exports WHERE members <> (SELECT count(*) FROM audiences_receipts WHERE export_id = id)
                """),
    ]

    private let audiences: [Named<AudienceSettings.Audience>]

    public init(settings: AudienceSettings) {
        audiences = settings.entries
    }

    public func check(_ check: ConfigCheck) {
        let names = audiences.map(\.name)
        for audience in audiences {
            check.select(audience.value.sql, column: "lead_id")
            for platform in audience.value.platforms where Platform.named(platform.value) == nil {
                let known = Platform.all.map(\.name)
                check.problem(
                    "there is no platform '\(platform.value)'.\(NearMiss.hint(platform.value, among: known)) There are: \(known.joined(separator: ", ")).",
                    at: platform.place)
            }
            for other in audience.value.exclude where !names.contains(other.value) {
                check.problem(
                    "there is no audience '\(other.value)'.\(NearMiss.hint(other.value, among: names))", at: other.place
                )
            }
        }
    }

    /// A change of any lead makes an appointment to look at the audiences again, at most one a minute.
    @HookBuilder public var hooks: [any Hook] {
        Subscribe("notice-changes", to: AudienceExport.changing, from: .firstEvent) { _, tx in
            let minute = String(Timestamp.text(tx.now + 60).prefix(17)) + "00.000"
            try tx.schedule(
                "audiences.refresh_due",
                forEach:
                    "SELECT 'audiences ' || :minute AS key, :minute AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body",
                arguments: ["minute": minute])
        }
        Subscribe("refresh", to: ["audiences.refresh_due"], from: .nextEvent, batch: 1, budget: .seconds(60)) { _, tx in
            for audience in audiences { try Membership(audience: audience, tx: tx).refresh() }
        }
        Answer("sizes", Report.self) { _, db in [ReportSection("Audiences", try overview(db))] }
    }

    private static let changing = [
        "lead.created", "lead.updated", "lead.stage_changed", "lead.deleted", "lead.restored", "lead.erased",
        "lead.merged", "lead.unsubscribed",
        "consent.granted", "consent.withdrawn", "asset.downloaded", "form.submitted",
    ]

    /// Sizes as they are now, not as of the last refresh.
    private func overview(_ db: Database) throws -> Table {
        var table = Table(columns: ["audience", "members", "may_be_exported", "platforms", "last_export"], rows: [])
        for audience in audiences {
            let members =
                try Int64.fetchOne(db, sql: "SELECT count(DISTINCT lead_id) FROM (\(audience.value.sql.value))") ?? 0
            let exportable =
                try Int64.fetchOne(
                    db, sql: "SELECT count(*) FROM (\(eligible(audience)))",
                    arguments: ["consent": audience.value.consent]) ?? 0
            let last = try String.fetchOne(
                db, sql: "SELECT max(at) FROM audiences_exports WHERE audience = ?", arguments: [audience.name])
            table.rows.append([
                .text(audience.name), .integer(members), .integer(exportable),
                .text(audience.value.platforms.map(\.value).joined(separator: ", ")),
                last.map(Cell.text) ?? .null,
            ])
        }
        return table
    }

    /// The members who may be in a file: an address, the consent given, not suppressed, not in an excluded audience.
    func eligible(_ audience: Named<AudienceSettings.Audience>) -> String {
        let excluded = audience.value.exclude.compactMap { other in audiences.first { $0.name == other.value } }
        let exclusions = excluded.map {
            "AND l.lead_id NOT IN (SELECT lead_id FROM (\($0.value.sql.value)) WHERE lead_id IS NOT NULL)"
        }
        // By id, so that leads, consents and receipts are each read or written from one end to the other.
        return """
            SELECT l.lead_id AS lead_id, l.email AS email, c.id AS consent_id
            FROM (SELECT DISTINCT lead_id FROM (\(audience.value.sql.value)
                 ) ORDER BY lead_id) AS member
            CROSS JOIN consents AS c ON c.id = (SELECT max(id) FROM consents WHERE lead_id = member.lead_id AND purpose = :consent)
            CROSS JOIN lead_mailboxes AS l ON l.lead_id = member.lead_id
            WHERE l.email IS NOT NULL AND c.state = 'granted'
              AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.mailbox = l.email)
              AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.mailbox = l.mailbox)
              \(exclusions.joined(separator: "\n  "))
            """
    }

    public var commands: [Command] {
        [
            Command("audiences", "The audiences, how many are in them, and how many may be exported.") { call in
                .table(try call.kernel.read { try overview($0) })
            },
            Command(
                "audiences export", "Write the file of an audience for a platform.", arguments: ["NAME"],
                options: [
                    "platform": "google, meta or linkedin; the first of the config without it",
                    "output": "the file; NAME-PLATFORM.csv without it",
                ]
            ) { call in
                guard let audience = audiences.first(where: { $0.name == call.arguments[0] }) else {
                    throw KernelError.usage(
                        "There is no audience '\(call.arguments[0])'.\(NearMiss.hint(call.arguments[0], among: audiences.map(\.name)))"
                    )
                }
                let name = call.options["platform"] ?? audience.value.platforms.first?.value ?? "google"
                guard let platform = Platform.named(name) else {
                    throw KernelError.usage("There is no platform '\(name)'. There are: google, meta, linkedin.")
                }
                let file = call.options["output"] ?? "\(audience.name)-\(platform.name).csv"
                let export = AudienceFile(
                    audience: audience, platform: platform, path: file, eligible: eligible(audience))
                return .text(try export.write(call.kernel))
            },
            Command("audiences refresh", "Look at every audience again, now.") { call in
                try call.kernel.write(origin: "cli") { tx in
                    for audience in audiences { try Membership(audience: audience, tx: tx).refresh() }
                }
                return .table(try call.kernel.read { try overview($0) })
            },
        ]
    }
}

/// Brings the membership of an audience up to date: two statements, one for those who left and one for those who came.
struct Membership {
    let audience: Named<AudienceSettings.Audience>
    let tx: Transaction

    func refresh() throws {
        let sql = audience.value.sql.value
        try tx.db.execute(
            sql: """
                UPDATE audiences_members SET until = :now
                WHERE audience = :audience AND until IS NULL AND lead_id NOT IN (SELECT lead_id FROM (\(sql)) WHERE lead_id IS NOT NULL)
                """, arguments: ["now": tx.stamp, "audience": audience.name])
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_members (audience, lead_id, since)
                SELECT :audience, lead_id, :now FROM (SELECT DISTINCT lead_id FROM (\(sql)) WHERE lead_id IS NOT NULL) AS found
                WHERE NOT EXISTS (SELECT 1 FROM audiences_members AS m WHERE m.audience = :audience AND m.lead_id = found.lead_id AND m.until IS NULL)
                """, arguments: ["now": tx.stamp, "audience": audience.name])
    }
}
