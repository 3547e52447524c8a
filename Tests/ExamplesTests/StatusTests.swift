import Foundation
import Testing
import TrellisKernel

@testable import TrellisCommands

@Suite struct StatusTests {
    @Test func `forms that are held stand in the status until somebody has looked`() async throws {
        let crm = try ExampleFolder("Starter", at: "2026-11-20 12:00:00")
        let status = StatusLines(crm.kernel)
        #expect(try !status.facts().contains { $0.0 == "held forms" })
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: "INSERT INTO magnets_quarantine (magnet, reasons, fields, at) VALUES ('x', 'y', '{}', ?)",
                arguments: [tx.stamp])
        }
        #expect(try status.facts().first { $0.0 == "held forms" }?.1 == "1; see 'trellis magnets quarantine'")
        #expect(try StatusFigures(crm.kernel).json["counts"]?["held_forms"]?.scalarText == "1")
        #expect(try status.stops().rows == [])
    }

    @Test func `three hundred mails that one gap holds are one row and hide no relay that is down`() throws {
        let crm = try ExampleFolder("Starter", at: "2026-11-20 12:00:00")
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300)
                    INSERT INTO outbox_messages (key, origin, template, state, reason, ready_at, created_at, recipient)
                    SELECT 'k' || i, 'cli', 'x', 'held', 'there is no value for till', :now, :now, 'a@a.example' FROM n;
                    """, arguments: ["now": tx.stamp])
            try tx.db.execute(
                sql:
                    "INSERT INTO transport_stalls (transport, reason, since, tries, retry_at) VALUES ('mail', 'refused', ?, 1, ?)",
                arguments: [tx.stamp, tx.stamp])
        }
        let rows = try StatusLines(crm.kernel).stops().rows.map { $0.prefix(2).map { $0.text ?? "" } }
        #expect(rows.map(\.first).sorted { ($0 ?? "") < ($1 ?? "") } == ["mail held", "no way out"])
        #expect(rows.contains { $0.last == "300, such as k1" }, "\(rows)")
    }

    @Test func `nobody works though something has been due for an hour`() throws {
        let crm = try ExampleFolder("Starter", at: "2026-11-20 12:00:00")
        let status = StatusLines(crm.kernel)
        for (age, isSaid) in [("-30 minutes", false), ("-2 hours", true)] {
            try crm.kernel.write(origin: "cli") { tx in
                try tx.db.execute(
                    sql: """
                        INSERT INTO outbox_messages (key, origin, template, state, ready_at, created_at, recipient)
                        SELECT :age, 'cli', 'x', 'waiting', strftime('%Y-%m-%d %H:%M:%f', :now, :age), :now, 'a@a.example'
                        """, arguments: ["now": tx.stamp, "age": age])
            }
            #expect(try status.stops().rows.contains { $0.first?.text == "no worker" } == isSaid)
        }
    }
}
