import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// Reps who are away.
@Suite struct AbsencesTests {
    @Test func `what a rep has in hand goes to others, and to the queue where nobody has a place`() async throws {
        let crm = try HandoffSite.crm("reps: {ann: {email: a@a.example}, ben: {email: b@a.example, capacity: 2}}")
        try crm.qualified(3)
        try crm.run("handoff accept", "1")
        try await crm.work()
        #expect(try crm.reps == "ann ben ann")
        #expect(
            try crm.run("handoff absent", "ann", options: ["hand-over": "yes"]) == [
                "ann is away from 2026-03-02 09:00 on (UTC). 1 lead went to another rep, 1 waits in the queue."
            ])
        #expect(try crm.handoffs == ["1|1|ben|offered|", "2|1|ben|offered|", "3|1||queued|"])
        #expect(try crm.rows("SELECT owner FROM leads ORDER BY id") == ["ben", "ben", ""])
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient).suffix(1) == ["b@a.example"])
        #expect(try crm.run("handoff absent") == ["1|ann|2026-03-02 09:00:00 UTC|"])
        crm.clock.advance(by: "1 hour")
        #expect(try crm.run("handoff present", "ann") == ["ann is back."])
        #expect(try crm.run("handoff present", "ann") == ["ann was not away."])
        #expect(try crm.run("handoff absent") == [])
        try crm.pump()
        #expect(try crm.handoffs.last == "3|1|ann|offered|")
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: [
        (0, 9, "There was no lead in hand."), (1, 9, "1 lead went to another rep."),
        (2, 9, "2 leads went to other reps."),
        (1, 0, "1 lead waits in the queue."), (2, 0, "2 leads wait in the queue."),
        (3, 1, "1 lead went to another rep, 2 wait in the queue."),
        (3, 2, "2 leads went to other reps, 1 waits in the queue."),
    ])
    func `where leads went is counted after they went there`(_ leads: Int, _ places: Int, _ told: String) throws {
        let crm = try HandoffSite.crm(
            "reps: {ann: {email: a@a.example}, ben: {email: b@a.example, capacity: \(places)}}, route: [{to: ann}, {to: ben}]"
        )
        try crm.qualified(leads)
        #expect(
            try crm.run("handoff absent", "ann", options: ["hand-over": "yes"]) == [
                "ann is away from 2026-03-02 09:00 on (UTC). \(told)"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `what makes no sense is refused`() throws {
        let crm = try HandoffSite.crm()
        let cases: [(String, [String: String], String)] = [
            ("anna", [:], "There is no rep 'anna'. Did you mean 'ann'? There are: ann, ben, cy."),
            (
                "ann", ["until": "soon"],
                "until must be a day such as 2026-12-24, or a time (UTC) such as 2026-12-24 14:00."
            ),
            ("ann", ["until": "2026-03-01"], "The absence would be over before it begins."),
            ("ann", ["hand-over": "perhaps"], "--hand-over must be yes or no."),
        ]
        for (rep, options, sentence) in cases {
            #expect(throws: KernelError.usage(sentence)) { try crm.run("handoff absent", rep, options: options) }
        }
        #expect(try crm.run("handoff absent") == [])
    }

    @Test func `what is handed over at a later beginning goes then, also by a row in SQL`() throws {
        let crm = try HandoffSite.crm()
        #expect(
            try crm.run("handoff absent", "ann", options: ["from": "2026-03-03", "hand-over": "yes"]) == [
                "ann is away from 2026-03-03 00:00 on (UTC). What is in hand then goes to others."
            ])
        try crm.foreign("INSERT INTO handoff_absences (rep, starts_at, hands_over) VALUES ('ben', '2026-03-04', 1)")
        try crm.qualified(2)
        #expect(try crm.reps == "ann ben")
        crm.clock.set("2026-03-03 00:00:00")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|cy|offered|", "2|1|ben|offered|"])
        crm.clock.set("2026-03-04 00:00:00")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|cy|offered|", "2|1|cy|offered|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `an absence that is moved hands over when it begins by then`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(1)
        try crm.run("handoff absent", "ann", options: ["from": "2026-03-03", "hand-over": "yes"])
        try crm.foreign("UPDATE handoff_absences SET starts_at = '2026-03-05 00:00:00.000'")
        crm.clock.set("2026-03-04 00:00:00")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|offered|"])
        crm.clock.set("2026-03-05 00:00:00")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ben|offered|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `an absence that has not begun is cancelled, and hands over nothing`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(2)
        #expect(try crm.reps == "ann ben")
        try crm.run("handoff absent", "ann", options: ["from": "2026-03-03", "hand-over": "yes"])
        try crm.run("handoff absent", "ben", options: ["from": "2026-03-04"])
        #expect(
            try crm.run("handoff present", "ann") == [
                "ann is not away. Cancelled: from 2026-03-03 00:00 on (UTC)."
            ])
        #expect(try crm.run("handoff absent") == ["2|ben|2026-03-04 00:00:00 UTC|"])
        #expect(try crm.rows("SELECT id FROM scheduled_events WHERE kind = 'handoff.absence_due'") == [])
        crm.clock.set("2026-03-03 00:00:00")
        try crm.pump()
        #expect(try crm.reps == "ann ben")
        #expect(try crm.troubles() == [])
    }

    @Test func `who is back is told which absences to come are cancelled with that`() throws {
        let crm = try HandoffSite.crm()
        try crm.run("handoff absent", "ann", options: ["from": "2026-04-01", "until": "2026-04-02"])
        try crm.run("handoff absent", "ann", options: ["from": "2026-03-10"])
        try crm.run("handoff absent", "ann", options: ["until": "2026-03-03"])
        crm.clock.advance(by: "1 hour")
        #expect(
            try crm.run("handoff present", "ann") == [
                "ann is back. Cancelled: from 2026-03-10 00:00 on (UTC), from 2026-04-01 00:00 to 2026-04-03 00:00 (UTC)."
            ])
        #expect(
            try crm.rows("SELECT starts_at, ends_at FROM handoff_absences") == [
                "2026-03-02 09:00:00.000|2026-03-02 10:00:00.000"
            ])
        #expect(try crm.run("handoff absent") == [])
        try crm.qualified(1)
        #expect(try crm.reps == "ann")
        #expect(try crm.troubles() == [])
    }

    @Test func `a day is one of the place where the rep is`() throws {
        let crm = try HandoffSite.crm(
            "reps: {york: {email: a@a.example, zone: America/New_York}}")
        #expect(
            try crm.run("handoff absent", "york", options: ["from": "2026-03-09", "until": "2026-03-10"]) == [
                "york is away from 2026-03-09 04:00 to 2026-03-11 04:00 (UTC)."
            ])
    }

    @Test func `an absence is told by the clock of the site`() throws {
        let crm = try TestKernel(
            "plugins: {handoff: {\(HandoffSite.threeReps)}}",
            site: "site: {name: Acme, timezone: Europe/Berlin, secret: \"${TRELLIS_SECRET}\"}", plugins: [Handoff.self])
        #expect(
            try crm.run("handoff absent", "ann", options: ["from": "2026-03-28", "until": "2026-03-29"]) == [
                "ann is away from 2026-03-28 00:00 to 2026-03-30 00:00 (Europe/Berlin)."
            ])
        #expect(try crm.run("handoff absent", "ben") == ["ben is away from 2026-03-02 10:00 on (Europe/Berlin)."])
        #expect(
            try crm.run("handoff absent") == [
                "2|ben|2026-03-02 10:00:00 Europe/Berlin|",
                "1|ann|2026-03-28 00:00:00 Europe/Berlin|2026-03-30 00:00:00 Europe/Berlin",
            ])
        #expect(try crm.rows("SELECT starts_at FROM handoff_absences WHERE rep = 'ann'") == ["2026-03-27 23:00:00.000"])
    }
}
