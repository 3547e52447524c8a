import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Promising: Plugin {
    static let name = "promising"
    static let summary = "Promises something."
    static let invariants = [
        Invariant("nobody is called Bob", violations: "SELECT id, first_name FROM leads WHERE first_name = 'Bob'")
    ]
    static let migrations = MigrationFolder(
        owner: name,
        files: [
            MigrationFile(
                name: "0001_create_nothing", sql: "CREATE TABLE promising_nothing (id INTEGER PRIMARY KEY) STRICT")
        ])
    init(settings: NoSettings) {}
    var hooks: [any Hook] { [] as [any Hook] }
}

@Suite struct DoctorTests {
    private func broken(_ crm: TestKernel) throws -> [String] {
        try Doctor(crm.kernel).examine(isStrict: true).filter { !$0.isKept }.map { "\($0.promise): \($0.detail)" }
    }

    @Test func `a sound file keeps every promise`() throws {
        let crm = try TestKernel()
        let ann = try crm.capture(["email": "ann@acme.example"])
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = \(ann)")
        try crm.foreign("DELETE FROM leads")
        try crm.pump()
        #expect(try broken(crm) == [])
        #expect(try Doctor(crm.kernel).examine(isStrict: false).count == Doctor.invariants.count + 4)
    }

    @Test func `every trigger that is dropped is noticed by name`() throws {
        let crm = try TestKernel()
        let names = try crm.kernel.read { try ChangeTriggers.expected($0).map(\.name) }
        #expect(names.count == 18)
        for name in names {
            try crm.foreign("DROP TRIGGER \(name)")
            #expect(
                try broken(crm) == [
                    "every change is logged, whoever makes it: missing or changed: \(name); put back with doctor --fix"
                ])
            #expect(try Doctor(crm.kernel).fix() == [name])
            #expect(try broken(crm) == [])
        }
    }

    @Test func `a trigger that was altered is noticed and put back, and works again`() throws {
        let crm = try TestKernel()
        try crm.foreign("DROP TRIGGER leads_log_insert")
        try crm.foreign("CREATE TRIGGER leads_log_insert AFTER INSERT ON leads BEGIN SELECT 1; END")
        #expect(try broken(crm).count == 1)
        #expect(try Doctor(crm.kernel).fix() == ["leads_log_insert"])
        #expect(try Doctor(crm.kernel).fix() == [])
        try crm.foreign("INSERT INTO leads (external_id) VALUES ('1')")
        #expect(try crm.events() == ["lead.created"])
    }

    @Test func `a lead that came while nobody logged is found`() throws {
        let crm = try TestKernel()
        try crm.foreign("DROP TRIGGER leads_log_insert")
        try crm.foreign("INSERT INTO leads (external_id) VALUES ('1')")
        _ = try Doctor(crm.kernel).fix()
        #expect(try broken(crm) == ["every lead has exactly one event of its creation: id 1"])
    }

    @Test func `a lead that went while nobody logged is found`() throws {
        let crm = try TestKernel()
        try crm.capture(["external_id": "1"])
        try crm.foreign("DROP TRIGGER leads_log_delete")
        try crm.foreign("DELETE FROM leads")
        _ = try Doctor(crm.kernel).fix()
        #expect(try broken(crm) == ["a lead that is gone has an event that says so: lead_id 1"])
    }

    @Test func `a stage the log does not know of is found`() throws {
        let crm = try TestKernel()
        try crm.capture(["external_id": "1"])
        try crm.foreign("DROP TRIGGER leads_log_update")
        try crm.foreign("UPDATE leads SET stage = 'mql'")
        _ = try Doctor(crm.kernel).fix()
        #expect(try broken(crm) == ["the stage of a lead is what the log says last: id 1, stage mql, to_stage lead"])
    }

    @Test func `a cursor beyond the log is found`() throws {
        let crm = try TestKernel()
        try crm.foreign("UPDATE subscribers SET last_event_id = 99 WHERE id = 'kernel/link-accounts'")
        #expect(try broken(crm) == ["no cursor is beyond the log: id kernel/link-accounts, last_event_id 99"])
    }

    @Test func `a mail without its event is found`() throws {
        let crm = try TestKernel()
        try crm.capture(["external_id": "1"])
        try crm.foreign(
            """
            INSERT INTO outbox_messages (key, origin, lead_id, template, state, ready_at, created_at, settled_at)
            VALUES ('k', 'sql', 1, 'welcome', 'sent', '2026-01-01', '2026-01-01', '2026-01-01')
            """)
        #expect(try broken(crm) == ["every mail sent has one event: id 1"])
    }

    @Test func `a mail to an address that was suppressed when it was claimed is found`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"])
        try crm.foreign(
            "INSERT INTO suppressions (email, reason, at) VALUES ('ann@acme.example', 'unsubscribed', '2026-01-01 10:00:00.000')"
        )
        for (key, claimed) in [("before", "09:59:59.999"), ("after", "10:00:00.001")] {
            try crm.foreign(
                """
                INSERT INTO outbox_messages (key, origin, lead_id, template, state, ready_at, created_at, leased_at, settled_at)
                VALUES ('\(key)', 'sql', 1, 'welcome', 'sent', '2026-01-01', '2026-01-01', '2026-01-01 \(claimed)', '2026-01-01 10:00:01.000')
                """)
        }
        #expect(try broken(crm).first == "nothing was sent to a suppressed address: id 2")
    }

    @Test func `somebody who writes in the name of the kernel is found`() throws {
        let crm = try TestKernel()
        try crm.foreign("UPDATE kernel_context SET origin = 'import:1'")
        #expect(try broken(crm) == ["nobody writes in the name of the kernel: origin import:1"])
    }

    @Test func `a plugin's promise is examined once its tables are there`() throws {
        let never = try TestKernel("", plugins: [Promising.self])
        try never.capture(["external_id": "1", "first_name": "Bob"])
        #expect(try broken(never) == [])
        let crm = try never.reopened("plugins: {promising: {}}")
        #expect(try broken(crm) == ["nobody is called Bob: id 1, first_name Bob"])
    }

    @Test func `what is asked of each row looks through no kind of event as a whole`() throws {
        let crm = try TestKernel()
        for invariant in Doctor.invariants {
            let plan = try crm.kernel.read {
                try Row.fetchAll($0, sql: "EXPLAIN QUERY PLAN \(invariant.violations)").map { $0["detail"] as String }
            }
            let inner = plan.drop { !$0.hasPrefix("CORRELATED") }
            #expect(!inner.contains { $0.contains("events_by_kind (kind=?)") }, "\(invariant.promise): \(plan)")
        }
    }
}
