import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Which events of the log a subscriber gets next.
@Suite struct BatchWindowTests {
    /// Leads with a consent each, so that two kinds alternate: created, granted, created, granted, …
    private func crm() throws -> TestKernel {
        let crm = try TestKernel()
        for turn in 1...5 { try crm.capture(["email": "lead\(turn)@acme.example"], consents: ["newsletter"]) }
        return crm
    }

    private func fill(_ kinds: [String]?, after: Int64 = 0, through: Int64 = 10, limit: Int = 100) throws -> String {
        let crm = try crm()
        return try crm.kernel.write(origin: "test") { tx in
            let window = try BatchWindow.fill(kinds, after: after, through: through, limit: limit, tx.db)
            let ids = try Int64.fetchAll(tx.db, sql: "SELECT id FROM batch")
            return "\(ids) of \(window.count) through \(window.through)"
        }
    }

    @Test func `events of one kind come in order, and no further than asked`() throws {
        #expect(try fill(["lead.created"]) == "[1, 3, 5, 7, 9] of 5 through 10")
        #expect(try fill(["lead.created"], after: 3, through: 8) == "[5, 7] of 2 through 8")
        #expect(try fill(["lead.created"], limit: 2) == "[1, 3] of 2 through 3")
    }

    @Test func `events of several kinds come in the order of the log`() throws {
        #expect(try fill(["lead.created", "consent.granted"]) == "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10] of 10 through 10")
        #expect(try fill(["consent.granted", "lead.created"], after: 1, limit: 3) == "[2, 3, 4] of 3 through 4")
        #expect(try fill(["consent.granted", "lead.created", "lead.erased"], limit: 1) == "[1] of 1 through 1")
    }

    @Test func `without events of its kinds a subscriber passes all others at once`() throws {
        #expect(try fill(["lead.erased", "lead.merged"]) == "[] of 0 through 10")
        #expect(try fill(["lead.erased"]) == "[] of 0 through 10")
        #expect(try fill([]) == "[] of 0 through 10")
    }

    @Test func `all kinds, and more kinds than a compound statement may have parts`() throws {
        #expect(try fill(nil, after: 2, limit: 3) == "[3, 4, 5] of 3 through 5")
        let many = (1...600).map { "kind\($0).happened" } + ["lead.created"]
        #expect(try fill(many, limit: 2) == "[1, 3] of 2 through 3")
    }

    @Test func `what stands in the relation stays where it would do as well`() throws {
        let crm = try crm()
        try crm.kernel.write(origin: "test") { tx in
            func fill(_ kinds: [String], after: Int64, through: Int64 = 10, limit: Int, _ standing: BatchWindow?) throws
                -> (
                    window: BatchWindow, isFilled: Bool
                )
            {
                try tx.db.execute(sql: "INSERT INTO temp.batch_ids VALUES (-1, '')")
                let window = try BatchWindow.fill(
                    kinds, after: after, through: through, limit: limit, standing: standing, tx.db)
                let isFilled =
                    try Bool.fetchOne(tx.db, sql: "SELECT -1 NOT IN (SELECT id FROM temp.batch_ids)") ?? false
                try tx.db.execute(sql: "DELETE FROM temp.batch_ids WHERE id = -1")
                return (window, isFilled)
            }
            let first = try fill(["lead.created"], after: 0, limit: 3, nil)
            #expect(first.isFilled && first.window.count == 3 && first.window.through == 5)
            let same = try fill(["lead.created", "lead.erased"], after: 0, limit: 4, first.window)
            #expect(!same.isFilled && same.window.count == 3 && same.window.through == 5)
            // Another place, another kind, fewer at a time, or no further than before its end: filled anew.
            #expect(try fill(["lead.created"], after: 1, limit: 3, first.window).isFilled)
            #expect(try fill(["lead.created", "consent.granted"], after: 0, limit: 3, first.window).isFilled)
            #expect(try fill(["lead.created"], after: 0, limit: 2, first.window).isFilled)
            #expect(try fill(["lead.created"], after: 0, through: 4, limit: 3, first.window).isFilled)
        }
    }

    @Test func `a batch is read from the window alone, whatever is asked of it`() throws {
        let crm = try crm()
        let plan = try crm.kernel.write(origin: "test") { tx in
            try Row.fetchAll(
                tx.db,
                sql: """
                    EXPLAIN QUERY PLAN SELECT leads.email FROM leads JOIN batch ON batch.lead_id = leads.id
                    WHERE batch.kind = 'lead.created' AND batch.lead_id = 3
                    """
            ).map { $0["detail"] as String }
        }
        #expect(plan.contains { $0.hasPrefix("SCAN b") })
        #expect(plan.allSatisfy { !$0.contains("events_by_kind") && !$0.contains("events_by_lead") })
    }
}
