import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// Weights, territories, working hours and absences in the route.
@Suite struct DealingTests {
    @Test(arguments: [[60], Array(repeating: 1, count: 60), [7, 23, 1, 29], [59, 1]])
    func `weights are kept however the leads come, and over a restart`(_ batches: [Int]) throws {
        let yaml =
            "reps: {ann: {email: a@a.example, weight: 3, capacity: 100}, ben: {email: b@a.example, weight: 2}, cy: {email: c@a.example}}"
        var crm = try HandoffSite.crm(yaml)
        let first = crm
        for (index, count) in batches.enumerated() {
            try crm.qualified(count)
            if index == 1 { crm = try crm.reopened("plugins: {handoff: {\(yaml)}}") }
        }
        #expect(
            try crm.rows("SELECT rep, in_hand, dealt, entitled FROM rep_load") == [
                "ann|30|30|30.0", "ben|20|20|20.0", "cy|10|10|10.0",
            ])
        #expect(try crm.troubles() == [])
        withExtendedLifetime(first) {}
    }

    private static let map = """
        reps: {dach: {email: a@a.example, territories: [DE, AT]}, munich: {email: b@a.example, territories: [DE-80, DE-81]},
               big: {email: c@a.example, territories: [{when: "employees >= 1000"}]}, world: {email: d@a.example}}
        """

    private func lead(_ crm: TestKernel, _ name: String, _ fields: KeyValuePairs<String, String>) throws {
        var all = [(name: "email", text: "\(name)@lead.example"), (name: "stage", text: "mql")]
        all += fields.map { (name: $0.key, text: $0.value) }
        let draft = try crm.kernel.draft(all)
        try crm.kernel.write(origin: "cli") { _ = try $0.capture(draft) }
        try crm.pump()
    }

    @Test func `the territory that is drawn most closely comes first`() throws {
        let crm = try HandoffSite.crm(Self.map + ", route: [{to: territory}, {to: round_robin}]")
        try lead(crm, "berlin", ["country": "DE", "postal_code": "10115"])
        try lead(crm, "munich", ["country": "DE", "postal_code": "80331"])
        try lead(crm, "siemens", ["country": "DE", "postal_code": "80331", "employees": "300000"])
        try lead(crm, "vienna", ["country": "AT"])
        try lead(crm, "lyon", ["country": "FR"])
        #expect(
            try crm.rows("SELECT rep, route FROM handoff_handoffs ORDER BY id") == [
                "dach|route 1: territory", "munich|route 1: territory", "big|route 1: territory",
                "dach|route 1: territory", "world|route 2: round_robin",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `when the closest is full, the next one takes it`() throws {
        let crm = try HandoffSite.crm(
            """
            reps: {dach: {email: a@a.example, territories: [DE]}, munich: {email: b@a.example, territories: [DE-80], capacity: 1}},
            route: [{to: territory}]
            """)
        for name in ["one", "two"] { try lead(crm, name, ["country": "DE", "postal_code": "80331"]) }
        try lead(crm, "three", ["country": "FR"])
        #expect(try crm.reps == "munich dach -")
    }

    @Test func `turns pass by reps of other territories`() throws {
        let crm = try HandoffSite.crm(Self.map)
        for name in ["one", "two", "three"] { try lead(crm, name, ["country": "FR"]) }
        #expect(try crm.reps == "world world world")
        for name in ["four", "five"] { try lead(crm, name, ["country": "AT"]) }
        #expect(try crm.reps == "world world world dach world")
    }

    // MARK: - Who is there

    @Test func `nobody is routed a lead while they are away, by whatever rule`() throws {
        let crm = try HandoffSite.crm(
            HandoffSite.threeReps
                + #", route: [{when: "country = 'FR'", to: ann}, {to: account_owner}, {to: round_robin}]"#)
        try crm.foreign("INSERT INTO accounts (name, domain, owner) VALUES ('Big', 'lead.example', 'ann')")
        #expect(
            try crm.run("handoff absent", "ann", options: ["until": "2026-03-03"]) == [
                "ann is away from 2026-03-02 09:00 to 2026-03-04 00:00 (UTC)."
            ])
        try crm.qualified(1, country: "FR")
        try crm.qualified(2, country: "DE")
        #expect(try crm.reps == "ben cy ben")
        crm.clock.set("2026-03-04 00:00:00")
        try crm.qualified(1, country: "DE")
        #expect(try crm.reps == "ben cy ben ann")
        #expect(try crm.troubles() == [])
    }

    @Test func `who is back takes what waited for somebody`() throws {
        let crm = try HandoffSite.crm("reps: {ann: {email: a@a.example}}")
        try crm.run("handoff absent", "ann", options: ["until": "2026-03-02 12:00"])
        try crm.qualified(2)
        #expect(try crm.reps == "- -")
        crm.clock.advance(by: "3 hours")
        let before = try crm.lastEvent
        try crm.pump()
        #expect(try crm.reps == "ann ann")
        #expect(
            try crm.events(after: before) == [
                "handoff.queue_due", "lead.updated", "lead.updated", "handoff.offered", "handoff.offered",
            ])
        #expect(
            try crm.rows("SELECT state, rep, origin FROM handoff_transitions WHERE lead_id = 1") == [
                "queued||plugin:handoff", "offered|ann|plugin:handoff",
            ])
        #expect(try crm.troubles() == [])
    }

    private static let zones = """
        reps: {berlin: {email: a@a.example, zone: Europe/Berlin}, york: {email: b@a.example, zone: America/New_York}},
        working_hours: {from: "09:00", to: "17:00"}
        """

    @Test func `leads come to those who are at work, or to all by turns, as off_hours says`() throws {
        // Nine in the morning UTC: Berlin works, New York sleeps.
        let turns = try HandoffSite.crm(Self.zones)
        try turns.qualified(4)
        #expect(try turns.reps == "berlin york berlin york")
        let sun = try HandoffSite.crm(Self.zones + ", off_hours: at_work")
        try sun.qualified(2)
        sun.clock.set("2026-03-02 20:00:00")
        try sun.qualified(2)
        // On Sunday nobody works, and it is by turns again.
        sun.clock.set("2026-03-08 12:00:00")
        try sun.qualified(2)
        #expect(try sun.reps == "berlin berlin york york berlin york")
        #expect(try sun.troubles() == [])
    }

    @Test func `with queue they wait until somebody begins to work`() throws {
        let crm = try HandoffSite.crm(Self.zones + ", off_hours: queue")
        crm.clock.set("2026-03-06 23:00:00")
        try crm.qualified(2)
        #expect(try crm.reps == "- -")
        crm.clock.set("2026-03-09 07:59:00")
        try crm.pump()
        #expect(try crm.reps == "- -")
        crm.clock.set("2026-03-09 08:00:00")
        try crm.pump()
        #expect(try crm.reps == "berlin berlin")
        #expect(try crm.troubles() == [])
    }

    @Test func `the queue is not looked at for a rep who is away with no end known, before they are back`() throws {
        let crm = try HandoffSite.crm("reps: {ann: {email: a@a.example}}, working_hours: {}, off_hours: queue")
        crm.clock.set("2026-03-06 23:00:00")
        try crm.run("handoff absent", "ann")
        try crm.qualified(1)
        let looks = "SELECT due_at FROM scheduled_events WHERE kind = 'handoff.queue_due'"
        #expect(try crm.rows(looks) == [])
        crm.clock.set("2026-03-07 23:00:00")
        try crm.run("handoff present", "ann")
        try crm.pump()
        #expect(try crm.rows(looks) == ["2026-03-09 09:00:00.000"])
        crm.clock.set("2026-03-09 09:00:00")
        try crm.pump()
        #expect(try crm.reps == "ann")
        #expect(try crm.troubles() == [])
    }

    // MARK: - Owners

    @Test func `a lead that has a rep goes there, while there is a place`() throws {
        let crm = try HandoffSite.crm(
            "reps: {ann: {email: a@a.example}, ben: {email: b@a.example, capacity: 1}}, route: [{to: ann}]")
        for (name, owner) in [("one", "ben"), ("two", "ben"), ("three", "somebody else")] {
            try lead(crm, name, ["owner": owner])
        }
        #expect(
            try crm.rows("SELECT rep, route FROM handoff_handoffs ORDER BY id") == [
                "ben|the rep it had", "ann|route 1: ann", "ann|route 1: ann",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: [(true, "ann"), (false, "ben")])
    func `who accepted a lead gets it again the next time, unless keep_owner is off`(_ keeps: Bool, _ next: String)
        throws
    {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", keep_owner: \(keeps), recycle: {after: 1 day}")
        try crm.qualified(1)
        try crm.run("handoff accept", "1")
        try crm.run("handoff reject", "1", "too early")
        crm.clock.advance(by: "1 day")
        try crm.pump()
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|recycled|too early", "1|2|\(next)|offered|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the load of a rep says until when they are away`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(1)
        try crm.run("handoff absent", "ann", options: ["until": "2999-03-04"])
        try crm.run("handoff absent", "ben")
        try crm.run("handoff absent", "cy", options: ["from": "2999-03-10"])
        let load = "SELECT rep, free, away_until FROM rep_load"
        #expect(try crm.rows(load) == ["ann|49|2999-03-05 00:00:00.000", "ben|50|further notice", "cy|50|"])
        crm.clock.advance(by: "1 hour")
        try crm.run("handoff present", "ann")
        #expect(try crm.rows(load) == ["ann|49|", "ben|50|further notice", "cy|50|"])
    }
}
