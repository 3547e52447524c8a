import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// One sequence of a group at a time.
@Suite struct RivalsTests {
    private func crm() throws -> TestKernel {
        try TestKernel(
            """
            activities: {course.started: {plan: text}, course.bought: {}}
            plugins:
              drip:
                sequences:
                  nurture: {enter: {on: lead.created}, group: talk, steps: [{mail: one}, {wait: 1 day}, {mail: two}]}
                  pitch: {enter: {on: course.started}, group: talk, priority: 5, steps: [{mail: three}, {wait: 1 day}]}
                  other: {enter: {on: course.bought}, group: talk, reentry: each time, steps: [{wait: 1 day}]}
                  apart: {enter: {on: course.started}, steps: [{wait: 1 day}]}
            """, plugins: [DripSequencer.self], files: DripSite.files)
    }

    private func states(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT sequence, state, reason FROM drip_enrolments ORDER BY sequence, id")
    }

    @Test func `the one of higher priority takes a lead over, with the mails that wait`() throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.record("course.started", lead: 1)
        try crm.pump()
        #expect(
            try states(crm) == ["apart|active|", "nurture|exited|pitch took over", "pitch|active|"])
        #expect(
            try crm.rows("SELECT template, state, reason FROM outbox_messages ORDER BY id") == [
                "one|cancelled|the sequence is over: pitch took over", "three|waiting|",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `who comes second stays out, and the log says so; once the first is over it may come`() throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.record("course.bought", lead: 1)
        try crm.pump()
        #expect(try states(crm) == ["nurture|active|"])
        #expect(
            try crm.rows("SELECT body, cause_id IS NOT NULL FROM events WHERE kind = 'drip.kept_out'") == [
                #"{"sequence":"other","by":"nurture"}|1"#
            ])
        crm.clock.advance(by: "1 day")
        try crm.pump()
        try crm.record("course.bought", lead: 1)
        try crm.pump()
        #expect(try states(crm) == ["nurture|completed|", "other|active|"])
    }

    @Test func `in one batch the one of higher priority comes first`() throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try crm.record("course.started", lead: 1)
        try crm.pump()
        #expect(try states(crm) == ["apart|active|", "pitch|active|"])
    }
}
