import Testing
import TrellisKernel
import TrellisTesting

/// What anybody may ask over HTTP, or an assistant: every view, of the kernel and of all plugins.
@Suite struct GuardedViewsTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel(
            """
            activities: {sms.answered: {answer: text}}
            plugins: {lead_magnets: {}, drip: {}, scoring: {}, audiences: {}, handoff: {reps: {ann: {email: ann@a.example}}, reject_reasons: [wombat budget]}}
            """, plugins: shippedPlugins)
    }

    /// What a reader does not see from whom everything personal is hidden.
    private var hiddenFromReader: [String] { hidden(["personal"]) }

    private func hidden(_ names: [String]) -> [String] {
        var reader = ServerSettings.Reader()
        reader.hidden = names.map { LocatedText($0) }
        return crm.kernel.secrets + crm.kernel.hidden(from: reader)
    }

    private var relations: [String] {
        get throws {
            try crm.rows("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")
        }
    }

    @Test func `what is personal is there, and so is whatever is called like it`() throws {
        let hidden = Set(hiddenFromReader)
        for name in Kernel.personal(of: shippedPlugins) {
            let parts = name.split(separator: ".")
            try #require(parts.count == 2)
            let found = try crm.rows("SELECT name FROM pragma_table_xinfo('\(parts[0])') WHERE name = '\(parts[1])'")
            #expect(found.count == 1 && hidden.contains(name), "\(name)")
        }
        let telling = try crm.rows(
            """
            SELECT m.name || '.' || c.name FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c
            WHERE m.type = 'table' AND m.name NOT IN ('accounts', 'opportunities') AND c.name IN
                ('email', 'first_name', 'last_name', 'phone', 'external_id', 'recipient', 'mailbox', 'referrer', 'click_id', 'network', 'agent',
                 'platform_id', 'diagnostic', 'reason', 'body')
            -- Reasons that are words of Trellis, from a list.
            AND m.name || '.' || c.name NOT IN
                ('suppressions.reason', 'transport_stalls.reason', 'mail_hits.reason', 'drip_enrolments.reason', 'audiences_audiences.reason',
                 'audiences_removals.reason')
            """)
        #expect(telling.count > 20 && hidden.isSuperset(of: telling), "\(Set(telling).subtracting(hidden))")
    }

    @Test func `what keeps a column is there, and so is the column`() throws {
        let copies = shippedPlugins.flatMap { Array($0.copies) }
        #expect(copies.count > 10)
        for name in copies.flatMap({ [$0.key] + $0.value }) {
            let parts = name.split(separator: ".")
            try #require(parts.count == 2)
            let found = try crm.rows("SELECT name FROM pragma_table_xinfo('\(parts[0])') WHERE name = '\(parts[1])'")
            #expect(found.count == 1 && name == name.lowercased(), "\(name)")
        }
    }

    @Test func `with what a deal came to is hidden what is kept of it, sums too`() throws {
        try crm.capture(["email": "ann@a.example"])
        _ = try crm.foreign(
            "INSERT INTO opportunities (lead_id, stage, amount, owner, closed_at) VALUES (1, 'won', 987654.25, 'quentin', '2026-03-12')"
        )
        try crm.pump()
        /// The tables and views that tell the amount or the owner to whom these names are hidden.
        func telling(_ names: [String]) throws -> Set<String> {
            var telling: Set<String> = []
            for relation in try relations {
                var query = GuardedQuery(database: crm.kernel.config.databasePath, sql: "SELECT * FROM \(relation)")
                query.hidden = hidden(names)
                query.run { part in
                    guard case .row(let cells) = part else { return true }
                    let texts = cells.compactMap(\.text)
                    if texts.contains(where: { $0.contains("987654") || $0.contains("quentin") }) {
                        telling.insert(relation)
                    }
                    return true
                }
            }
            return telling
        }
        let all = try telling([])
        let known: Set<String> = [
            "opportunities", "figures_deals", "figures_closed_deals", "figures_earnings", "figures_revenue",
            "kpi_sales", "kpi_roi", "ladder_roi",
        ]
        #expect(all.isSuperset(of: known), "\(all)")
        for names in [["opportunities.amount", "Opportunities.Owner"], ["*.amount", "*.owner"], ["opportunities"]] {
            #expect(try telling(names) == [], "\(names)")
        }
    }

    @Test func `who is a lead is told by no table and no view to whom everything personal is hidden`() throws {
        try crm.capture([
            "email": "zebulon@quagga.example", "first_name": "Zebulon", "last_name": "Quagga", "phone": "+4930123456",
            "external_id": "zq-77", "country": "DE", "stage": "mql",
        ])
        _ = try crm.foreign("INSERT INTO contacts (email, last_name) VALUES ('quincy@quagga.example', 'Quagga')")
        try crm.pump()
        try crm.run("handoff reject", "1", "wombat budget")
        try crm.record("sms.answered", lead: 1, ["answer": "numbat"])
        try crm.pump()
        #expect(try crm.rows("SELECT reason FROM figures_handoffs") == ["wombat budget"])
        #expect(try crm.value("SELECT count(*) FROM events WHERE body LIKE '%numbat%'") == "1")
        var countries = 0
        for relation in try relations {
            var query = GuardedQuery(
                database: crm.kernel.config.databasePath, sql: "SELECT * FROM \(relation)")
            query.hidden = hiddenFromReader
            query.run { part in
                guard case .row(let cells) = part else { return true }
                let texts = cells.compactMap { $0.text?.lowercased() }
                if texts.contains("de") { countries += 1 }
                for mark in ["zebulon", "quagga", "30123456", "zq-77", "quincy", "wombat", "numbat"] {
                    #expect(!texts.contains { $0.contains(mark) }, "\(relation): \(texts)")
                }
                return true
            }
        }
        // The rows are read, and what is not personal stands in them.
        #expect(countries > 1)
    }

    @Test func `every view answers a guarded question`() throws {
        let views = try crm.rows("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")
        #expect(views.count > 45)
        for view in views {
            var query = GuardedQuery(database: crm.kernel.config.databasePath, sql: "SELECT * FROM \(view)")
            query.hidden = crm.kernel.secrets
            var problem: QueryProblem?
            query.run { part in
                if case .end(let ending) = part { problem = ending.problem }
                return true
            }
            #expect(problem == nil, "\(view): \(problem.map { "\($0)" } ?? "")")
        }
    }
}
