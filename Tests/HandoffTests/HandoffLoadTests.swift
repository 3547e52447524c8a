import Foundation
import Handoff
import Synchronization
import Testing
import TrellisKernel
import TrellisTesting

/// Many leads, twenty reps, two kernels on one file, people who answer and go away, and hooks that crash: whatever
/// happens, each lead is in one pair of hands or in the queue.
///
/// A thousand leads; ten thousand with LONG=1.
@Suite struct HandoffLoadTests {
    /// Fails every so many drafts, as a plugin with a bug would: the transaction it fails in is undone.
    private struct Crashing: Plugin {
        static let name = "crashing"
        static let summary = "Fails now and then."
        static let drafts = Mutex(0)
        static let period = Mutex(0)
        struct Crash: Error {}

        init(settings: NoSettings) {}

        @HookBuilder var hooks: [any Hook] {
            Filter("now-and-then", HandoffDraft.self) { _, _ in
                let count = Crashing.drafts.withLock { count in
                    count += 1
                    return count
                }
                let period = Crashing.period.withLock { $0 }
                if period > 0, count % period == 0 { throw Crash() }
            }
        }
    }

    private static let isLong = ProcessInfo.processInfo.environment["LONG"] == "1"
    private static let leads = isLong ? 10_000 : 1000
    private static let rounds = 10
    private static let people = 6

    private static let yaml: String = {
        let zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]
        let reps = (0..<20).map { number in
            "r\(number): {email: r\(number)@acme.example, weight: \(number % 4 + 1), zone: \(zones[number % 4]), capacity: \(leads / 50)}"
        }
        return """
            plugins:
              handoff:
                reps: {\(reps.joined(separator: ", "))}
                accept_within: 2 hours
                remind_after: [1 hour]
                contact_within: 4 hours
                escalate_to: head@acme.example
                return_after: 1 hour
                working_hours: {from: "06:00", to: "22:00", days: [mon, tue, wed, thu, fri, sat, sun]}
                reject_reasons: [no budget, wrong person]
                recycle: {after: 2 days}
              crashing: {}
            """
    }()

    /// Numbers that look like chance and are the same at each run (SplitMix64).
    private struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
    }

    private final class Counts: Sendable {
        let all = Mutex<[String: Int]>([:])
        func note(_ what: String) { all.withLock { $0[what, default: 0] += 1 } }
    }

    @Test func `each lead has one holder or the queue at every moment, weights are kept, and no clock is missed`()
        async throws
    {
        let crm = try TestKernel(Self.yaml, plugins: [Handoff.self, Crashing.self])
        let other = try TestKernel(
            Self.yaml, plugins: [Handoff.self, Crashing.self], folder: crm.folder, clock: crm.clock)
        let counts = Counts()
        // Rarely enough that the drafts of one event, as many as there are leads in a queue, come through in the end.
        Crashing.period.withLock { $0 = Self.isLong ? 997 : 97 }
        var dice = Dice(state: 7)
        for round in 0..<Self.rounds {
            try arrive(crm, round)
            try leave(crm, &dice)
            let seeds = (0..<Self.people).map { _ in dice.next() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for kernel in [crm.kernel, other.kernel] {
                    group.addTask { try Self.pump(kernel) }
                }
                for (person, seed) in seeds.enumerated() {
                    let kernel = person % 2 == 0 ? crm.kernel : other.kernel
                    group.addTask { try Self.work(kernel, seed, counts) }
                }
                let watched = crm.kernel
                group.addTask { for _ in 0..<6 { try Self.look(watched) } }
                try await group.waitForAll()
            }
            crm.clock.advance(by: "\(20 + dice.next() % 100) minutes")
        }
        // Whatever crashed is tried again once it does not crash any more, and the clocks of all go on.
        Crashing.period.withLock { $0 = 0 }
        for _ in 0..<12 {
            crm.clock.advance(by: "1 hour")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for kernel in [crm.kernel, other.kernel] {
                    group.addTask { try Self.pump(kernel) }
                }
                try await group.waitForAll()
            }
        }
        try Self.look(crm.kernel)
        try judge(crm, counts)
    }

    /// Handles what there is. Who has waited too long for the other one's writes tries again, as people are told to.
    private static func pump(_ kernel: Kernel) throws {
        for _ in 1...10 {
            do {
                try EventPump(kernel).runUntilIdle()
                return
            } catch KernelError.busy {}
        }
        try EventPump(kernel).runUntilIdle()
    }

    /// A batch of qualified leads, and some recycled ones that cross the threshold again.
    private func arrive(_ crm: TestKernel, _ round: Int) throws {
        try crm.kernel.write(origin: "import") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < :count)
                    INSERT INTO leads (email, stage) SELECT 'l' || i || '.' || :round || '@lead.example', 'mql' FROM n
                    """, arguments: ["count": Self.leads / Self.rounds, "round": round])
            try tx.db.execute(
                sql:
                    "UPDATE leads SET stage = 'mql' WHERE id IN (SELECT id FROM leads WHERE stage = 'lead' ORDER BY id LIMIT 20)"
            )
        }
    }

    /// Somebody goes away for some hours, and hands over what they have every other time.
    private func leave(_ crm: TestKernel, _ dice: inout Dice) throws {
        let until = Timestamp.text(crm.clock.now + Double(3600 + dice.next() % 20_000))
        let rep = "r\(dice.next() % 20)"
        let handsOver = dice.next() % 2 == 0 ? "yes" : "no"
        do {
            try crm.run(
                "handoff absent", rep, options: ["until": String(until.prefix(19)), "hand-over": handsOver])
        } catch let error where "\(error)".contains("Crash()") {
            // A command that crashes has done nothing.
        }
    }

    /// A person who takes leads and gives them back. That somebody was quicker is no error.
    private static func work(_ kernel: Kernel, _ seed: UInt64, _ counts: Counts) throws {
        var dice = Dice(state: seed)
        let commands = Dictionary(
            uniqueKeysWithValues: kernel.plugins.flatMap { $0.commands }.map { ($0.path.joined(separator: " "), $0) })
        for _ in 0..<(leads / rounds / people) {
            let open = try kernel.read {
                try Row.fetchAll(
                    $0,
                    sql:
                        "SELECT id, state FROM handoff_handoffs WHERE state IN ('offered', 'escalated', 'accepted') ORDER BY id % ?, id LIMIT 30",
                    arguments: [Int(dice.next() % 1000) + 1])
            }
            guard let row = open.randomElement(using: &dice) else { continue }
            let (id, state): (Int64, String) = (row[0], row[1])
            let roll = dice.next() % 10
            let (name, more): (String, [String]) =
                state == "accepted"
                ? (roll < 4 ? ("contact", []) : roll < 8 ? ("convert", []) : ("reject", ["no budget"]))
                : (roll < 6
                    ? ("accept", []) : roll < 9 ? ("reject", ["wrong person"]) : ("reassign", ["r\(dice.next() % 20)"]))
            do {
                _ = try commands["handoff \(name)"]?(CommandCall(kernel: kernel, arguments: [String(id)] + more))
                counts.note(name)
            } catch KernelError.data {
                counts.note("too late")
            } catch KernelError.busy {
                counts.note("too busy")
            }
        }
    }

    /// What must hold at every moment, asked in one snapshot.
    private static func look(_ kernel: Kernel) throws {
        let wrong = try kernel.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT 'two hands', lead_id FROM handoff_handoffs WHERE state IN ('queued', 'offered', 'escalated', 'accepted', 'expired')
                    GROUP BY lead_id HAVING count(*) > 1
                    UNION ALL SELECT 'nobody', lead_id FROM handoff_handoffs WHERE state = 'expired'
                    UNION ALL
                    SELECT 'another owner', h.lead_id FROM handoff_handoffs AS h JOIN leads AS l ON l.id = h.lead_id
                    WHERE h.state IN ('queued', 'offered', 'escalated', 'accepted') AND l.owner IS NOT h.rep
                    UNION ALL
                    SELECT 'rep of too many', count(*) FROM handoff_handoffs
                    WHERE state IN ('offered', 'escalated', 'accepted') AND route NOT IN ('by hand') GROUP BY rep HAVING count(*) > \(leads / 50)
                    """)
        }
        #expect(wrong.map { "\($0)" } == [])
    }

    private func judge(_ crm: TestKernel, _ counts: Counts) throws {
        #expect(try crm.rows("SELECT count(DISTINCT lead_id) FROM handoff_handoffs") == ["\(Self.leads)"])
        // The share of each rep in what they could take part in.
        let shares = try crm.rows(
            "SELECT rep FROM rep_load WHERE abs(dealt - entitled) > max(2, 0.02 * entitled)")
        #expect(shares == [])
        #expect(try crm.rows("SELECT rep FROM rep_load WHERE dealt = 0") == [])
        // Every step stands in the trace of its lead, with a cause that leads back to what qualified it.
        #expect(
            try crm.rows(
                """
                SELECT t.id FROM handoff_transitions AS t LEFT JOIN lead_trace AS e ON e.event_id = t.event_id AND e.lead_id = t.lead_id
                WHERE e.event_id IS NULL OR e.cause_id IS NULL OR e.kind <> 'handoff.' || t.state
                """) == [])
        // No clock of an open offer lies in the past: each has done its work.
        let now = Timestamp.text(crm.clock.now)
        #expect(
            try crm.rows(
                """
                SELECT id FROM handoff_handoffs WHERE state = 'offered' AND accept_by <= '\(now)'
                   OR state = 'accepted' AND contacted_at IS NULL AND contact_by <= '\(now)'
                """) == [])
        #expect(try crm.troubles() == [])
        let said = counts.all.withLock { $0 }
        for what in ["accept", "reject", "convert", "contact", "reassign"] { #expect((said[what] ?? 0) > 0, "\(what)") }
        for state in ["offered", "queued", "escalated", "expired", "accepted", "rejected", "recycled", "converted"] {
            let count = try crm.value("SELECT count(*) FROM handoff_transitions WHERE state = '\(state)'") ?? "0"
            #expect(count != "0", "\(state)")
        }
        if Self.isLong {
            print(
                "\(Self.leads) leads:", try crm.rows("SELECT state, count(*) FROM handoff_transitions GROUP BY 1"),
                said,
                try crm.rows("SELECT max(abs(dealt - entitled)), max(abs(dealt - entitled) / entitled) FROM rep_load"))
        }
    }
}
