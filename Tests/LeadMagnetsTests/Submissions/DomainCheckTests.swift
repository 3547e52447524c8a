import Synchronization
import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct DomainCheckTests {
    private let crm: TestKernel
    private let asked = Asked()

    /// Name servers that remember what they were asked.
    private final class Asked: Sendable {
        private let names = Mutex<[String]>([])
        func add(_ name: String) { names.withLock { $0.append(name) } }
        func take() -> [String] {
            names.withLock { names in
                defer { names = [] }
                return names
            }
        }
    }

    init() throws {
        crm = try MagnetSite.crm()
    }

    @Test func `the domains that are due are found by indexes`() throws {
        let plan = try crm.rows("EXPLAIN QUERY PLAN \(DomainCheck.due.replacing(":now", with: "'2026-03-02'"))")
        for index in ["magnets_domains_unknown", "magnets_domains_known"] {
            #expect(plan.contains { $0.contains("SEARCH magnets_domains") && $0.contains(index) }, "\(plan)")
        }
        #expect(!plan.contains { $0.contains("SCAN magnets_domains") }, "\(plan)")
    }

    /// `good` takes mail, `bad` takes none, of others nobody can say.
    private func check() async throws -> [String] {
        let asked = asked
        try await DomainCheck.check(crm.kernel) { domain in
            asked.add(domain)
            return domain.hasPrefix("good") ? true : domain.hasPrefix("bad") ? false : nil
        }
        return asked.take()
    }

    private func domains() throws -> [String] {
        try crm.rows("SELECT domain, takes_mail, checked_at FROM magnets_domains ORDER BY domain")
    }

    @Test func `the domain of a form is noted once, and no form waits for an answer`() async throws {
        for email in ["ann@good.example", "bob@good.example", "cid@bad.example"] {
            try crm.capture(["email": email, "first_name": "A"], form: "plan")
        }
        try crm.capture(["email": "dan@import.example"])
        try crm.pump()
        #expect(try domains() == ["bad.example||", "good.example||"])
    }

    @Test func `a domain that takes no mail flags its leads`() async throws {
        for name in ["good", "bad", "odd"] {
            try crm.capture(["email": "ann@\(name).example", "first_name": "A"], form: "plan")
        }
        try crm.pump()
        #expect(try crm.rows("SELECT flag FROM magnets_address_flags") == [])
        #expect(Set(try await check()) == ["good.example", "bad.example", "odd.example"])
        #expect(
            try domains() == [
                "bad.example|0|2026-03-02 09:00:00.000", "good.example|1|2026-03-02 09:00:00.000",
                "odd.example||2026-03-02 09:00:00.000",
            ])
        #expect(
            try crm.rows("SELECT l.email, f.flag FROM magnets_address_flags AS f JOIN leads AS l ON l.id = f.lead_id")
                == ["ann@bad.example|no_mail"])
        #expect(try crm.troubles() == [])
    }

    @Test func `an answer holds ninety days, and no answer one`() async throws {
        try crm.foreign("INSERT INTO magnets_domains (domain) VALUES ('good.example'), ('odd.example')")
        #expect(try await check().count == 2)
        #expect(try await check() == [])
        crm.clock.advance(by: "24h")
        #expect(try await check() == [])
        crm.clock.advance(by: "1s")
        #expect(try await check() == ["odd.example"])
        crm.clock.advance(by: "89 days")
        #expect(Set(try await check()) == ["good.example", "odd.example"])
        #expect(try crm.value("SELECT count(*) FROM magnets_domains") == "2")
    }

    @Test func `so many are asked at a time, those that never were first`() async throws {
        try crm.foreign("INSERT INTO magnets_domains VALUES ('good-old.example', 1, '2020-01-01 00:00:00.000')")
        try crm.foreign(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25)
            INSERT INTO magnets_domains (domain) SELECT 'good' || i || '.example' FROM n
            """)
        let first = try await check()
        #expect(first.count == DomainCheck.domainsMax && !first.contains("good-old.example"))
        let second = try await check()
        #expect(second.count == 6 && second.last == "good-old.example")
        #expect(Set(first + second).count == 26)
        #expect(try await check() == [])
    }

    @Test func `the chore of the plugin is this one`() {
        #expect(DomainCheck.chore.name == "check-domains" && DomainCheck.chore.pause == .seconds(10))
    }
}
