import Foundation
import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// Who gets a lead.
@Suite struct RoutingTests {
    // MARK: - When

    @Test func `a lead that reaches the stage is offered, gets an owner, and its rep a mail`() async throws {
        let crm = try HandoffSite.crm()
        try crm.capture(["email": "lee@lead.example", "first_name": "Lee", "last_name": "Low"])
        try await crm.work()
        #expect(try crm.handoffs == [])
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        let before = try crm.lastEvent
        try await crm.work()
        #expect(try crm.events(after: before) == ["lead.updated", "handoff.offered"])
        #expect(
            try crm.rows("SELECT kind, origin, cause_kind FROM lead_trace WHERE event_id > \(before)") == [
                "lead.updated|plugin:handoff|lead.stage_changed", "handoff.offered|plugin:handoff|lead.stage_changed",
            ])
        #expect(try crm.rows("SELECT owner FROM leads") == ["ann"])
        #expect(
            try crm.rows("SELECT rep, route, state, event_id FROM handoff_handoffs") == [
                "ann|route 1: round_robin|offered|\(before)"
            ])
        #expect(crm.transport.sent.map { "\($0.recipient) \($0.subject)" } == ["ann@acme.example New lead: Lee Low"])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: ["sal", "sql"])
    func `a lead that jumps past the stage is handed off too`(_ stage: String) throws {
        let crm = try HandoffSite.crm()
        try crm.capture(["email": "lee@lead.example"])
        try crm.foreign("UPDATE leads SET stage = '\(stage)' WHERE id = 1")
        try crm.pump()
        #expect(try crm.reps == "ann")
        #expect(try crm.rows("SELECT stage FROM leads") == [stage])
    }

    @Test(arguments: ["opportunity", "customer"], ["mql", "sql"])
    func `who has a deal or is a customer already is not offered`(_ stage: String, _ at: String) async throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", at: \(at)")
        try crm.capture(["email": "old@cust.example", "stage": stage])
        try crm.capture(["email": "lee@lead.example"])
        try crm.foreign("UPDATE leads SET stage = '\(stage)' WHERE id = 2")
        try await crm.work()
        #expect(try crm.handoffs == [])
        #expect(crm.transport.sent.isEmpty)
        #expect(try crm.rows("SELECT stage, owner FROM leads") == ["\(stage)|", "\(stage)|"])
    }

    @Test func `a site that hands off at opportunity offers those, and no customers`() throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", at: opportunity")
        try crm.capture(["email": "lee@lead.example", "stage": "opportunity"])
        try crm.capture(["email": "old@cust.example", "stage": "customer"])
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|offered|"])
    }

    @Test func `who becomes a customer before a rep accepted is taken out of the queue and the offers`() throws {
        let crm = try HandoffSite.crm("reps: {ann: {email: ann@acme.example, capacity: 2}}")
        try crm.qualified(3)
        try crm.run("handoff accept", "1")
        #expect(try crm.rows("SELECT state FROM handoff_handoffs") == ["accepted", "offered", "queued"])
        try crm.foreign("UPDATE leads SET stage = 'customer'")
        try crm.pump()
        #expect(
            try crm.handoffs == [
                "1|1|ann|accepted|", "2|1|ann|withdrawn|the lead is past sales",
                "3|1||withdrawn|the lead is past sales",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: ["subscriber", "lead", "recycled", "disqualified"])
    func `a lead at an earlier stage or beside the road is not`(_ stage: String) throws {
        let crm = try HandoffSite.crm()
        try crm.capture(["email": "lee@lead.example", "stage": stage])
        try crm.pump()
        #expect(try crm.handoffs == [])
    }

    @Test func `a lead that left the road again before anybody looked is not`() throws {
        let crm = try HandoffSite.crm()
        try crm.capture(["email": "lee@lead.example", "stage": "mql"])
        try crm.foreign("UPDATE leads SET stage = 'disqualified' WHERE id = 1")
        try crm.pump()
        #expect(try crm.handoffs == [])
    }

    @Test func `a lead is never in two hands, however many stages it passes`() throws {
        let crm = try HandoffSite.crm()
        try crm.capture(["email": "lee@lead.example"])
        for stage in ["mql", "sal"] { try crm.foreign("UPDATE leads SET stage = '\(stage)' WHERE id = 1") }
        try crm.pump()
        try crm.run("handoff accept", "1")
        for stage in ["sql", "opportunity"] {
            try crm.foreign("UPDATE leads SET stage = '\(stage)' WHERE id = 1")
            try crm.pump()
        }
        #expect(try crm.handoffs == ["1|1|ann|accepted|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead that has the stage waits until the condition holds too`() throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", when: employees >= 50")
        try crm.capture(["email": "lee@lead.example", "stage": "mql"])
        try crm.capture(["email": "big@lead.example", "stage": "mql", "employees": "80"])
        try crm.capture(["email": "early@lead.example", "employees": "80"])
        try crm.pump()
        #expect(try crm.handoffs == ["2|1|ann|offered|"])
        try crm.foreign("UPDATE leads SET employees = 51 WHERE id = 1")
        try crm.foreign("UPDATE leads SET employees = 81 WHERE id = 3")
        try crm.pump()
        #expect(try crm.handoffs == ["2|1|ann|offered|", "1|1|ben|offered|"])
        // One that is at rest is not looked at, whatever changes.
        try crm.run("handoff reject", "2", "no budget")
        try crm.foreign("UPDATE leads SET employees = 52 WHERE id = 1")
        try crm.pump()
        #expect(try crm.handoffs.count == 2)
        #expect(throws: ConfigProblems.self) { try HandoffSite.crm(HandoffSite.threeReps + ", when: emploies > 1") }
        #expect(try crm.troubles() == [])
    }

    // MARK: - To whom

    @Test func `the rules are asked in their order`() throws {
        let crm = try HandoffSite.crm(
            HandoffSite.threeReps
                + #", route: [{when: "country = 'FR'", to: cy}, {when: "country = 'DE'", to: queue}, {when: "country <> 'DE'", to: ben}]"#
        )
        for country in ["FR", "DE", "IT"] { try crm.qualified(1, country: country) }
        try crm.capture(["email": "nowhere@lead.example", "stage": "mql"])
        try crm.pump()
        #expect(
            try crm.rows("SELECT rep, route, state FROM handoff_handoffs ORDER BY id") == [
                "cy|route 1: cy|offered", "|route 2: queue|queued", "ben|route 3: ben|offered", "|queue|queued",
            ])
        #expect(
            try crm.events().filter { $0.hasPrefix("handoff") } == [
                "handoff.offered", "handoff.queued", "handoff.offered", "handoff.queued",
            ])
        #expect(try crm.rows("SELECT owner FROM leads ORDER BY id") == ["cy", "", "ben", ""])
    }

    @Test func `the owner of the account comes first`() async throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", route: [{to: account_owner}, {to: round_robin}]")
        try crm.foreign(
            "INSERT INTO accounts (name, domain, owner) VALUES ('Big', 'big.example', 'cy'), ('Old', 'old.example', 'somebody else'), ('New', 'new.example', NULL)"
        )
        for domain in ["big.example", "old.example", "new.example", "none.example"] {
            try crm.capture(["email": "lee@\(domain)", "stage": "mql"])
        }
        try await crm.work()
        #expect(
            try crm.rows("SELECT rep, route FROM handoff_handoffs ORDER BY id") == [
                "cy|route 1: account_owner", "ann|route 2: round_robin", "ben|route 2: round_robin",
                "cy|route 2: round_robin",
            ])
        #expect(
            crm.transport.sent.map(\.recipient) == [
                "cy@acme.example", "ann@acme.example", "ben@acme.example", "cy@acme.example",
            ])
        // An owner the config does not know has no address and no capacity: the lead goes on, and a person is told.
        let reason = "owns accounts and is no rep of the config; leads that went by the next rule: 1"
        let stop = "no such rep|somebody else|\(reason)"
        #expect(try crm.troubles() == [stop])
        try crm.qualified(1)
        #expect(try crm.troubles() == [stop])
        let known = try crm.reopened(
            "plugins: {handoff: {\(HandoffSite.threeReps.replacing("reps: {", with: "reps: {somebody else: {email: s@a.example}, ")), route: [{to: account_owner}]}}"
        )
        try begin(known)
        #expect(try known.troubles() == [])
    }

    @Test func `an owner who is gone from the accounts, or whom no rule asks for, stops nothing`() throws {
        for gone in [true, false] {
            let crm = try HandoffSite.crm(HandoffSite.threeReps + ", route: [{to: account_owner}, {to: queue}]")
            try crm.foreign("INSERT INTO accounts (name, domain, owner) VALUES ('Old', 'lead.example', 'zoe')")
            try crm.qualified(2)
            #expect(try crm.rows("SELECT stop, subject FROM kernel_stops") == ["no such rep|zoe"])
            if gone {
                try crm.foreign("UPDATE accounts SET owner = 'ann'")
                #expect(try crm.troubles() == [])
            } else {
                let other = try crm.reopened("plugins: {handoff: {\(HandoffSite.threeReps)}}")
                try begin(other)
                #expect(try other.troubles() == [])
                let off = try other.reopened("plugins: {handoff: {enabled: false, \(HandoffSite.threeReps)}}")
                #expect(try off.troubles() == [])
            }
        }
    }

    @Test(arguments: [[3], [1, 1, 1]])
    func `an owner of accounts gets no more than it can take`(_ batches: [Int]) throws {
        let crm = try HandoffSite.crm(
            "reps: {ann: {email: a@a.example, capacity: 1}, ben: {email: b@a.example, capacity: 1}}, route: [{to: account_owner}, {to: ben}]"
        )
        try crm.foreign("INSERT INTO accounts (name, domain, owner) VALUES ('Big', 'lead.example', 'ann')")
        for count in batches { try crm.qualified(count) }
        #expect(try crm.reps == "ann ben -")
        #expect(try crm.rows("SELECT rep, in_hand FROM rep_load") == ["ann|1", "ben|1"])
        #expect(try crm.troubles() == [])
    }

    /// What a worker does when it starts.
    private func begin(_ crm: TestKernel) throws {
        for plugin in crm.kernel.plugins {
            try crm.kernel.write(origin: "plugin:handoff") { try plugin.begin(since: nil, $0) }
        }
    }

    @Test func `the leads of who is a rep no more go to others, or wait`() async throws {
        let crm = try HandoffSite.crm("reps: {ann: {email: a@a.example}, ben: {email: b@a.example, capacity: 2}}")
        try crm.qualified(4)
        try crm.run("handoff accept", "3")
        #expect(try crm.reps == "ann ben ann ben")
        let again = try crm.reopened("plugins: {handoff: {reps: {ben: {email: b@a.example, capacity: 3}}}}")
        try begin(again)
        try await again.work()
        #expect(
            try again.handoffs == ["1|1|ben|offered|", "2|1|ben|offered|", "3|1||queued|", "4|1|ben|offered|"])
        #expect(try again.rows("SELECT owner FROM leads ORDER BY id") == ["ben", "ben", "", "ben"])
        #expect(try again.rows("SELECT rep, in_hand FROM rep_load") == ["ben|3"])
        #expect(again.transport.sent.map(\.recipient).contains("b@a.example"))
        #expect(try again.troubles() == [])
    }

    @Test(arguments: [[7], [1, 1, 1, 1, 1, 1, 1], [1, 2, 4], [3, 4], [5, 2]])
    func `round robin goes on where it stopped, however the leads come`(_ batches: [Int]) throws {
        let crm = try HandoffSite.crm()
        for count in batches { try crm.qualified(count) }
        #expect(try crm.reps == "ann ben cy ann ben cy ann")
    }

    @Test(arguments: [[7], [1, 1, 1, 1, 1, 1, 1], [2, 3, 2], [4, 3]])
    func `round robin skips a full rep and stays fair to the others`(_ batches: [Int]) throws {
        let crm = try HandoffSite.crm(
            "reps: {ann: {email: a@a.example}, ben: {email: b@a.example, capacity: 1}, cy: {email: c@a.example}}")
        for count in batches { try crm.qualified(count) }
        #expect(try crm.reps == "ann ben cy ann cy ann cy")
    }

    @Test func `least loaded evens out what the reps have in hand`() throws {
        let crm = try HandoffSite.crm(
            HandoffSite.threeReps + #", route: [{when: "country = 'FR'", to: ann}, {to: least_loaded}]"#)
        try crm.qualified(2, country: "FR")
        try crm.qualified(5)
        #expect(try crm.reps == "ann ann ben cy ben cy ann")
        for handoff in ["4", "6"] { try crm.run("handoff reject", handoff, "not now") }
        try crm.qualified(3)
        #expect(try crm.reps == "ann ann ben cy ben cy ann cy cy ben")
    }

    @Test func `when all reps are full the rest waits in the queue`() throws {
        let crm = try HandoffSite.crm(
            "reps: {ann: {email: a@a.example, capacity: 2}, ben: {email: b@a.example, capacity: 1}, cy: {email: c@a.example, capacity: 0}}"
        )
        try crm.qualified(5)
        #expect(try crm.reps == "ann ben ann - -")
        #expect(
            try crm.rows("SELECT route, state FROM handoff_handoffs WHERE rep IS NULL") == [
                "queue|queued", "queue|queued",
            ])
        #expect(try crm.run("handoff") == ["ann|2|0|0|0|0", "ben|1|0|0|0|0", "(queue)|0|0|0|0|2"])
        // A place that is free again is for who waits longest, and not for who is new.
        try crm.run("handoff reject", "2", "no budget")
        try crm.qualified(2)
        #expect(try crm.reps == "ann ben ann ben - - -")
        #expect(try crm.rows("SELECT lead_id FROM handoff_queue") == ["5", "6", "7"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a rep named by a rule gets no more than it can take`() throws {
        let crm = try HandoffSite.crm(
            "reps: {ann: {email: a@a.example, capacity: 1}, ben: {email: b@a.example}}, route: [{to: ann}, {when: \"country = 'FR'\", to: ben}]"
        )
        try crm.qualified(2)
        try crm.qualified(1, country: "FR")
        #expect(try crm.reps == "ann - ben")
    }

    @Test func `two processes that assign at once give no lead to two reps and no rep too many`() async throws {
        let yaml = "reps: {ann: {email: a@a.example, capacity: 120}, ben: {email: b@a.example, capacity: 100}}"
        let crm = try HandoffSite.crm(yaml)
        let other = try TestKernel(
            "plugins: {handoff: {\(yaml)}}", plugins: [Handoff.self], folder: crm.folder, clock: crm.clock)
        for round in 1...5 {
            try crm.kernel.write(origin: "cli") { tx in
                try tx.db.execute(
                    sql: """
                        WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60)
                        INSERT INTO leads (email, stage) SELECT 'l' || i || '.\(round)@a.example', 'mql' FROM n
                        """)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for kernel in [crm.kernel, other.kernel] { group.addTask { _ = try EventPump(kernel).runUntilIdle() } }
                try await group.waitForAll()
            }
        }
        #expect(try crm.rows("SELECT count(*), count(DISTINCT lead_id) FROM handoff_handoffs") == ["300|300"])
        #expect(try crm.run("handoff") == ["ann|120|0|0|0|0", "ben|100|0|0|0|0", "(queue)|0|0|0|0|80"])
        #expect(try crm.rows("SELECT count(*) FROM outbox_messages") == ["220"])
        #expect(try crm.events().count { $0 == "handoff.offered" } == 220)
        #expect(try crm.troubles() == [])
    }

    // MARK: - Filters

    private struct Vacation: Plugin {
        static let name = "vacation"
        static let summary = "Ann's leads go to Cy; competitors stay with marketing; Italy waits."
        init(settings: NoSettings) {}

        @HookBuilder var hooks: [any Hook] {
            Filter("stand-in", HandoffDraft.self) { draft, tx in
                let country = try String.fetchOne(
                    tx.db, sql: "SELECT country FROM leads WHERE id = ?", arguments: [draft.leadID])
                if country == "FR" { throw Veto("a competitor") }
                if draft.rep == "ann" { draft.rep = "cy" }
                if country == "IT" { draft.rep = nil }
            }
        }
    }

    @Test func `a filter may send a lead to another rep, let it wait, or keep it`() async throws {
        let crm = try HandoffSite.crm(plugins: [Vacation.self])
        for country in ["DE", "DE", "FR", "IT"] { try crm.qualified(1, country: country) }
        try await crm.work()
        #expect(
            try crm.rows("SELECT lead_id, rep, state FROM handoff_handoffs ORDER BY id") == [
                "1|cy|offered", "2|ben|offered", "4||queued",
            ])
        #expect(try crm.rows("SELECT id, owner, stage FROM leads") == ["1|cy|mql", "2|ben|mql", "3||mql", "4||mql"])
        #expect(crm.transport.sent.map(\.recipient) == ["cy@acme.example", "ben@acme.example"])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Config

    @Test func `a rep or a stage that does not exist is named with what was meant`() throws {
        func problems(_ yaml: String) throws -> [String] {
            do {
                _ = try HandoffSite.crm(yaml)
                return []
            } catch let problems as ConfigProblems {
                return problems.problems.map {
                    $0.description.replacing(#/^config.yaml:\d+:\d+: plugins.handoff./#, with: "")
                }
            }
        }
        #expect(
            try problems(HandoffSite.threeReps + ", route: [{to: bem}]") == [
                "route.1.to: there is no rep 'bem'. Did you mean 'ben'? There are: ann, ben, cy, account_owner, territory, round_robin, least_loaded, queue."
            ])
        #expect(
            try problems(HandoffSite.threeReps + ", at: mqll, route: [{when: contry IS NULL, to: ann}]") == [
                "at: there is no stage 'mqll'. Did you mean 'mql'? There are: subscriber, lead, mql, sal, sql, opportunity, customer, recycled, disqualified.",
                "route.1.when: SQL: no such column: contry. Did you mean 'country'?",
            ])
        #expect(
            try problems("reps: {ann: {email: nobody}}") == [
                "reps.ann.email: expected an e-mail address, got 'nobody'."
            ])
    }
}
