import TrellisKernel

/// Remembers what each lead downloaded first, shows it on the card, and holds back leads who downloaded too little.
public struct FirstDownload: Plugin {
    public static let name = "first_download"
    public static let summary = "What each lead downloaded first; no handoff before enough downloads."
    public static let rebuilds: [String]? = ["first_download_leads"]
    public static let migrations = MigrationFolder(
        owner: name,
        files: [
            MigrationFile(
                name: "0001_create_leads",
                sql: """
                    -- What a lead downloaded first.
                    CREATE TABLE first_download_leads (lead_id INTEGER PRIMARY KEY, magnet TEXT NOT NULL) STRICT;
                    """)
        ])

    public struct Settings: SettingsRecord {
        var needed = 1
        public init() {}
        public static var fields: [SettingsField<Self>] {
            SettingsField("needed", \.needed, .integer(0...100), "Downloads a lead needs before it is handed to sales.")
        }
    }

    private let settings: Settings
    public init(settings: Settings) { self.settings = settings }

    @HookBuilder public var hooks: [any Hook] {
        // One statement for the whole batch, however many events it holds.
        Subscribe("remember", to: ["asset.downloaded"], from: .firstEvent) { _, tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO first_download_leads (lead_id, magnet)
                    SELECT lead_id, json_extract(body, '$.magnet') FROM batch WHERE lead_id IS NOT NULL ORDER BY id
                    ON CONFLICT DO NOTHING
                    """)
        }
        // Counts in the log, not in a table of its own: a table lags behind the log by a batch, the log by nothing.
        Filter("enough-downloads", HandoffDraft.self) { draft, tx in
            let count = "SELECT count(*) FROM events WHERE lead_id = ? AND kind = 'asset.downloaded'"
            let downloads = try Int.fetchOne(tx.db, sql: count, arguments: [draft.leadID]) ?? 0
            if downloads < settings.needed { throw Veto("has \(downloads) of \(settings.needed) downloads") }
        }
        Answer("card-line", LeadCard.self) { card, db in
            let magnet = "SELECT magnet FROM first_download_leads WHERE lead_id = ?"
            return try String.fetchAll(db, sql: magnet, arguments: [card.leadID]).map { CardLine("first download", $0) }
        }
    }
}
