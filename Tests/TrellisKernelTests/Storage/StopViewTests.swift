import Testing
import TrellisKernel
import TrellisTesting

/// What plugins say of what stands still.
@Suite struct StopViewTests {
    private struct Post: Plugin {
        static let name = "post"
        static let summary = "Has a letter that nobody fetches."
        static let views = [
            ViewFile(
                name: "letters",
                sql: """
                    -- What lies there.
                    CREATE VIEW post_stops AS
                    SELECT 'letter' AS stop, 'number 7' AS subject, 'nobody fetches it' AS reason, '2026-03-01 09:00:00.000' AS since;
                    """)
        ]
        let hooks: [any Hook] = []
        init(settings: NoSettings) {}
    }

    private struct Quiet: Plugin {
        static let name = "quiet"
        static let summary = "Never stands still."
        let hooks: [any Hook] = []
        init(settings: NoSettings) {}
    }

    @Test func `a view that is called after its plugin is shown while that is on`() throws {
        let crm = try TestKernel("plugins: {post: {}, quiet: {}}", plugins: [Post.self, Quiet.self])
        #expect(
            try crm.rows("SELECT stop, subject, reason, since FROM kernel_stops") == [
                "letter|number 7|nobody fetches it|2026-03-01 09:00:00.000"
            ])
        let off = try crm.reopened("plugins: {post: {enabled: false}, quiet: {}}")
        #expect(try off.rows("SELECT * FROM kernel_stops") == [])
        let on = try off.reopened("plugins: {post: {}, quiet: {}}")
        #expect(try on.rows("SELECT count(*) FROM kernel_stops") == ["1"])
    }

    @Test func `without such a view nothing stands still`() throws {
        #expect(try TestKernel("plugins: {quiet: {}}", plugins: [Quiet.self]).rows("SELECT * FROM kernel_stops") == [])
    }
}
