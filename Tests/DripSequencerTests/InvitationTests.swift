import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// What `trellis sequences enter` says comes true.
@Suite struct InvitationTests {
    private static let willEnter = "Lead 1 will enter course once 'trellis work' or 'trellis serve' runs."

    private func crm(_ reentry: String) throws -> TestKernel {
        let crm = try DripSite.crm("enter: {on: course.started}, reentry: \(reentry), steps: [{wait: 1 day}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        return crm
    }

    /// Why a lead is not let in; nothing is logged then.
    private func refusal(_ crm: TestKernel, _ sequence: String) throws -> String {
        let before = try crm.lastEvent
        let error = #expect(throws: KernelError.self) { try crm.run("sequences enter", sequence, "1") }
        #expect(try crm.lastEvent == before)
        return error.map { "\($0)" } ?? ""
    }

    @Test func `a lead that was never there enters, whatever the entry says`() throws {
        let crm = try crm("never")
        #expect(try crm.run("sequences enter", "course", "ann@a.example") == [Self.willEnter])
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|active|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `who is in it already does not enter, and who was does not where nobody comes twice`() throws {
        let crm = try crm("never")
        try crm.run("sequences enter", "course", "1")
        try crm.pump()
        #expect(try refusal(crm, "course") == "Lead 1 will not enter course: it is in it already, since 2026-03-02.")
        crm.clock.advance(by: "2 days")
        try crm.pump()
        #expect(
            try refusal(crm, "course")
                == "Lead 1 will not enter course: it was in it from 2026-03-02 until 2026-03-04, and with 'reentry: never' nobody comes twice. Say 'each time' in the config to let them."
        )
    }

    @Test func `who may come again after a time is told when`() throws {
        let crm = try crm("after 10 days")
        try crm.run("sequences enter", "course", "1")
        crm.clock.advance(by: "2 days")
        try crm.pump()
        crm.clock.advance(by: "2 days")
        try crm.pump()
        #expect(
            try refusal(crm, "course")
                == "Lead 1 will not enter course: it entered it on 2026-03-04, and comes again after 10 days (reentry): from 2026-03-14 09:00 UTC on."
        )
        crm.clock.advance(by: "9 days")
        #expect(try crm.run("sequences enter", "course", "1") == [Self.willEnter])
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|completed|", "1|2|active|"])
    }

    @Test func `who was taken out just now may come again at once`() throws {
        let crm = try crm("each time")
        try crm.run("sequences enter", "course", "1")
        try crm.pump()
        try crm.run("sequences exit", "course", "1")
        #expect(try crm.run("sequences enter", "course", "1") == [Self.willEnter])
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|exited|dismissed", "1|2|active|"])
    }

    @Test func `a sequence of its group keeps a lead out or lets it go, and a paused one sends nothing`() throws {
        let crm = try TestKernel(
            """
            plugins:
              drip:
                sequences:
                  nurture: {enter: {on: lead.created}, group: talk, steps: [{wait: 9 days}]}
                  pitch: {enter: {on: mail.clicked}, group: talk, priority: 5, paused: true, steps: [{wait: 1 day}, {mail: one}]}
                  other: {enter: {on: mail.clicked}, group: talk, steps: [{wait: 1 day}]}
            """, plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        try crm.pump()
        #expect(
            try refusal(crm, "other")
                == "Lead 1 will not enter other: it is in nurture, which is of the same group and does not stand aside. It may once a worker has let it out of that one: trellis sequences exit nurture 1"
        )
        #expect(
            try crm.run("sequences enter", "pitch", "1") == [
                "Lead 1 will enter pitch once 'trellis work' or 'trellis serve' runs. It will leave nurture then: pitch goes before it in their group. pitch is paused: nothing of it is sent until it goes on."
            ])
        try crm.pump()
        #expect(
            try crm.rows("SELECT sequence, state, reason FROM drip_enrolments ORDER BY id") == [
                "nurture|exited|pitch took over", "pitch|active|",
            ])
    }
}
