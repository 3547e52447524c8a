import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

@Suite struct SilenceRollTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel(plugins: [Figures.self], at: "2026-03-02 09:00:00")
        for name in ["ann", "ben"] { try crm.capture(["email": "\(name)@a.example"]) }
        try crm.pump()
    }

    private func write(_ sql: String) throws {
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: sql) }
        try crm.pump()
    }

    private func speak(_ day: String) throws {
        try write(
            """
            INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('lead.contacted', 1, 'cli', '\(day) 08:00:00.000', '{}')
            """)
    }

    private func silences() throws -> [String] { try crm.rows("SELECT day, leads FROM figures_silences ORDER BY day") }

    @Test func `leads that may still buy are counted by the day of the last word with them`() throws {
        #expect(try silences() == ["2026-03-02|2"])
        try speak("2026-03-05")
        #expect(try silences() == ["2026-03-02|1", "2026-03-05|1"])
        // What was said earlier is no later word.
        try speak("2026-03-04")
        #expect(try silences() == ["2026-03-02|1", "2026-03-05|1"])
        try write("UPDATE leads SET stage = 'customer' WHERE id = 2")
        #expect(try silences() == ["2026-03-05|1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `whoever is erased or deleted may buy nothing, until the lead is put back`() throws {
        try speak("2026-03-05")
        _ = try Person(email: "ann@a.example").erase(crm.kernel)
        try crm.pump()
        #expect(try silences() == ["2026-03-02|1"])
        try write("DELETE FROM leads WHERE id = 2")
        #expect(try silences() == [])
        _ = try Trash.restore(crm.kernel)
        try crm.pump()
        #expect(try silences() == ["2026-03-02|1"])
        #expect(try crm.troubles() == [])
        _ = try Rebuild(crm.kernel).run("figures")
        #expect(try silences() == ["2026-03-02|1"])
    }

    @Test func `a sum that is off is found by the doctor`() throws {
        try crm.foreign("UPDATE figures_silences SET leads = 3")
        #expect(
            try crm.troubles() == [
                "the silences are those of the leads that may still buy: day 2026-03-02, off 1"
            ])
    }
}
