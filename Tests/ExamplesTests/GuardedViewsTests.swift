import Testing
import TrellisKernel
import TrellisTesting

/// What anybody may ask over HTTP, or an assistant: every view, of the kernel and of all plugins.
@Suite struct GuardedViewsTests {
    @Test func `every view answers a guarded question`() throws {
        let crm = try TestKernel(
            "plugins: {lead_magnets: {}, drip: {}, scoring: {}, audiences: {}, handoff: {reps: {ann: {email: ann@a.example}}}}",
            plugins: shippedPlugins)
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
