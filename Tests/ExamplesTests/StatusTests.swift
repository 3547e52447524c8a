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
}
