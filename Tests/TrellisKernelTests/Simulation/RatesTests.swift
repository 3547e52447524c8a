import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct RatesTests {
    private static let activities = "activities: {demo.booked: {slot: text}}"

    /// A log of mails, of which some were clicked after two hours.
    private func crm(mails: Int, clicked: Int) throws -> TestKernel {
        let crm = try TestKernel(Self.activities)
        try crm.kernel.write(origin: "test") { tx in
            for number in 1...max(mails, 1) where number <= mails {
                let at = Timestamp.text(tx.now - 10 * 86_400)
                try tx.db.execute(
                    sql: "INSERT INTO leads (id, email, created_at) VALUES (?, ?, ?)",
                    arguments: [number, "a\(number)@acme.example", at])
                try tx.db.execute(
                    sql: """
                        INSERT INTO outbox_messages (id, key, purpose, origin, lead_id, template, state, ready_at, created_at, settled_at, links_watched, opens_watched)
                        VALUES (?1, ?1, 'marketing', 'test', ?1, 'news', 'sent', ?2, ?2, ?2, 1, 0)
                        """, arguments: [number, at])
                try event("mail.sent", number, at, tx)
                guard number <= clicked else { continue }
                try event("mail.clicked", number, Timestamp.text(tx.now - 10 * 86_400 + 7200), tx)
                // Once more is the same click.
                try event("mail.clicked", number, Timestamp.text(tx.now - 9 * 86_400), tx)
            }
        }
        return crm
    }

    private func event(_ kind: String, _ number: Int, _ at: String, _ tx: Transaction) throws {
        try tx.db.execute(
            sql: "INSERT INTO events (kind, lead_id, origin, at, body) VALUES (?, ?, 'test', ?, ?)",
            arguments: [kind, number, at, "{\"mail\":\"news\",\"message_id\":\(number)}"])
    }

    private func known(_ crm: TestKernel, _ settings: SimulationSettings = .init()) throws -> [String: Rates.Known] {
        let acts = KernelActs(config: crm.kernel.config).all
        let rates = Rates(settings: settings, now: crm.clock.now)
        return Dictionary(
            uniqueKeysWithValues: try crm.kernel.read { try rates.known(of: acts, $0) }.map { ($0.act.name, $0) })
    }

    @Test func `a rate is measured from the log, with the time it took`() throws {
        let clicked = try #require(try known(crm(mails: 100, clicked: 10))["mail.clicked"])
        #expect(clicked.basis == "measured" && clicked.cases == 100 && clicked.happened == 10)
        #expect(clicked.rate.share == 0.1)
        #expect(abs(clicked.rate.after - 7200) < 1)
    }

    @Test func `too few cases tell nothing, and what was assumed is said`() throws {
        let clicked = try #require(try known(crm(mails: 49, clicked: 10))["mail.clicked"])
        #expect(clicked.basis == "assumed" && clicked.rate.share == 0.03 && clicked.cases == 49)
        let table = Rates.table([clicked])
        #expect(table.rows == [["mail.clicked", "3 %", "mails with watched links", "8 h", "assumed", 49, 10]])
    }

    @Test func `cases so young that the act may be yet to come tell nothing`() throws {
        let crm = try crm(mails: 100, clicked: 10)
        crm.clock.set("2026-02-20 20:00:00")
        let clicked = try #require(try known(crm)["mail.clicked"])
        #expect(clicked.cases == 0 && clicked.basis == "assumed")
    }

    @Test func `what was never watched was never a chance`() throws {
        let opened = try #require(try known(crm(mails: 100, clicked: 10))["mail.opened"])
        #expect(opened.cases == 0 && opened.basis == "assumed")
    }

    @Test func `a rate that is given stands, and the rest of it is measured`() throws {
        var settings = SimulationSettings()
        var rate = SimulationSettings.Rate()
        rate.share = 0.5
        settings.rates = [Named("mail.clicked", rate)]
        let clicked = try #require(try known(crm(mails: 100, clicked: 10), settings)["mail.clicked"])
        #expect(clicked.basis == "given" && clicked.rate.share == 0.5)
        #expect(abs(clicked.rate.after - 7200) < 1)
    }

    @Test func `an activity is counted per lead and month`() throws {
        let crm = try crm(mails: 300, clicked: 0)
        for lead in 1...20 { try crm.record("demo.booked", lead: Int64(lead)) }
        let booked = try #require(try known(crm)["demo.booked"])
        // 300 leads for ten days are a hundred months.
        #expect(booked.basis == "measured" && booked.cases == 100 && booked.happened == 20)
        #expect(abs(booked.rate.share - 0.2) < 1e-9)
    }
}
