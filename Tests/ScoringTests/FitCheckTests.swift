import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// What `trellis check` says of rules of fit that change while the lead does not.
@Suite struct FitCheckTests {
    private func notes(_ predicate: String) throws -> [ConfigProblem] {
        let crm = try TestKernel(
            "plugins: {scoring: {fit: {a: {when: \"\(predicate)\", points: 5}}}}", plugins: [Scoring.self])
        return try withExtendedLifetime(crm) { try crm.kernel.config.check(plugins: [Scoring.self]) }
    }

    @Test(arguments: [
        "created_at > datetime('now', '-30 days')", "julianday('NOW') - julianday(created_at) < 30",
        "created_at > CURRENT_DATE", "created_at > date()", "strftime('%Y') = '2026'",
        "(SELECT employees FROM accounts WHERE accounts.id = account_id AND accounts.created_at > date('now')) > 5",
    ])
    func `one that reads the clock is told when it is asked, and what to use`(_ predicate: String) throws {
        let notes = try notes(predicate)
        #expect(notes.map(\.place.path) == ["plugins.scoring.fit.a.when"])
        #expect(
            notes.first?.message.hasPrefix(
                "a rule of fit is asked when the lead or its account changes, and this one reads the clock") == true)
    }

    @Test func `one that asks chance is told what stays`() throws {
        let notes = try notes("random() % 2 = 0")
        #expect(notes.map(\.place.path) == ["plugins.scoring.fit.a.when"])
        #expect(notes.first?.message.hasSuffix("Divide leads by what stays: id % 2 = 0") == true)
    }

    @Test(arguments: [
        "title LIKE '%now%'", "created_at > date('2026-01-01')", "id % 2 = 0",
        "(SELECT employees FROM accounts WHERE accounts.id = account_id) > 500",
    ])
    func `of any other there is nothing to say`(_ predicate: String) throws {
        #expect(try notes(predicate).isEmpty)
    }
}
