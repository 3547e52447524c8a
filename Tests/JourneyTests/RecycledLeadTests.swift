import DripSequencer
import Handoff
import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// A lead that sales gave back.
@Suite struct RecycledLeadTests {
    private static let rules = """
        activities: {demo.booked: {}}
        plugins:
          drip:
            sequences:
              again:
                enter: {on: form.submitted}
                exit: [handoff.offered]
                reentry: each time
                steps: [{mail: again}, {wait: 1 day}, {mail: again}]
          scoring:
            engagement: {demo: {on: demo.booked, points: 60}}
            thresholds: {mql: {score: 60}}
          handoff:
            reps: {rita: {email: rita@acme.example}}
            recycle: {after: 30 days, into: again}
        """

    @Test func `it rests, enters the sequence it was recycled into, and is handed off again when it earns it`()
        async throws
    {
        let crm = try TestKernel(
            Self.rules, plugins: [DripSequencer.self, Scoring.self, Handoff.self],
            files: ["mails/again.md": "---\nsubject: Once more\npurpose: marketing\n---\nHello again.\n"])
        try crm.capture(["email": "ann@corp.example"], consents: ["newsletter"])
        try crm.record("demo.booked", lead: 1)
        try await crm.work()
        try crm.run("handoff reject", "1", "too early")
        // While it rests, points are noted and nothing else happens.
        try crm.record("demo.booked", lead: 1)
        crm.clock.advance(by: "29 days")
        try await crm.work()
        #expect(try crm.rows("SELECT stage, owner FROM leads") == ["recycled|"])
        #expect(try crm.rows("SELECT score FROM scoring_scores") == ["120.0"])
        #expect(crm.transport.sent.map(\.recipient) == ["rita@acme.example"])
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(try crm.rows("SELECT sequence, cycle, state FROM drip_enrolments") == ["again|1|active"])
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
        try crm.record("demo.booked", lead: 1)
        try await crm.work()
        crm.clock.advance(by: "5 days")
        try await crm.work()
        #expect(
            try crm.rows("SELECT cycle, rep, state FROM handoff_handoffs") == ["1|rita|recycled", "2|rita|offered"])
        #expect(try crm.rows("SELECT state, reason FROM drip_enrolments") == ["exited|handoff.offered"])
        #expect(crm.transport.sent.map(\.recipient) == ["rita@acme.example", "ann@corp.example", "rita@acme.example"])
        #expect(
            try crm.rows("SELECT to_stage FROM stage_history ORDER BY event_id") == [
                "lead", "mql", "recycled", "lead", "mql",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `a sequence to be recycled into that nobody wrote is refused, with its place`() throws {
        for key in ["recycle", "recycle_lost"] {
            let rules = Self.rules.replacing("recycle: {after: 30 days, into: again}", with: "\(key): {into: agian}")
            let problems = #expect(throws: ConfigProblems.self) {
                try TestKernel(
                    rules, plugins: [DripSequencer.self, Scoring.self, Handoff.self],
                    files: ["mails/again.md": "---\nsubject: Once more\npurpose: marketing\n---\nHello again.\n"])
            }
            let text = "\(problems?.description ?? "")"
            #expect(
                text.hasPrefix("config.yaml:17:")
                    && text.hasSuffix(
                        "plugins.handoff.\(key).into: there is no sequence 'agian'. Did you mean 'again'? There are: again."
                    ),
                "\(text)")
        }
    }
}
