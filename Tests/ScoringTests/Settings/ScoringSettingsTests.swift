import Scoring
import Testing
import TrellisKernel
import TrellisTesting

@Suite struct ScoringSettingsTests {
    /// What the check says, each line without the place of its column.
    private func problems(_ yaml: String) throws -> [String] {
        do {
            _ = try TestKernel(yaml, plugins: [Scoring.self])
            return []
        } catch let problems as ConfigProblems {
            return problems.problems.map(\.description)
        }
    }

    @Test func `a column that does not exist is named with its place and the one that was meant`() throws {
        #expect(
            try problems(
                """
                plugins:
                  scoring:
                    fit:
                      head: {when: "titel = 'Head'", points: 20}
                """) == [
                    "config.yaml:6:20: plugins.scoring.fit.head.when: SQL: no such column: titel. Did you mean 'title'?"
                ])
    }

    @Test func `SQL that is no expression is refused`() throws {
        #expect(
            try problems(
                """
                plugins:
                  scoring:
                    fit:
                      head: {when: "title = = 'Head'", points: 20}
                """) == ["config.yaml:6:20: plugins.scoring.fit.head.when: SQL: near \"=\": syntax error."])
    }

    @Test func `a condition over a field the event does not have is refused`() throws {
        let found = try problems(
            """
            activities: {demo.booked: {slot: text}}
            plugins:
              scoring:
                engagement:
                  demo: {on: demo.booked, where: "slott = 'x'", points: 20}
            """)
        #expect(
            found.count == 1
                && found[0].hasPrefix(
                    "config.yaml:7:38: plugins.scoring.engagement.demo.where: SQL: no such column: slott.")
        )
    }

    @Test func `a name that is a field of the event and a column of the lead must say which it means`() throws {
        func found(_ condition: String) throws -> [String] {
            try problems(
                "plugins: {scoring: {engagement: {made: {on: lead.created, where: \"\(condition)\", points: 5}}}}")
        }
        #expect(
            try found("stage = 'mql'").first?.hasSuffix(
                "SQL: ambiguous column name: stage. Write event.stage or leads.stage.") == true)
        #expect(try found("event.stage = 'mql'") == [])
    }

    @Test func `an event nobody states, a stage nobody has and a cap nobody understands are told in one go`() throws {
        #expect(
            try problems(
                """
                plugins:
                  scoring:
                    engagement:
                      demo: {on: form.submited, points: 20}
                    thresholds: {mqll: {score: 10}}
                """) == [
                    "config.yaml:6:18: plugins.scoring.engagement.demo.on: there is no event 'form.submited'. Did you mean 'form.submitted'? Activities of your own stand under activities:.",
                    "config.yaml:7:18: plugins.scoring.thresholds.mqll: there is no stage 'mqll'. Did you mean 'mql'? There are: subscriber, lead, mql, sal, sql, opportunity, customer, recycled, disqualified.",
                ])
        #expect(
            try problems(
                "plugins: {scoring: {engagement: {demo: {on: form.submitted, points: 5, at_most: 2 a day, half_life: soon}}}}"
            ) == [
                "config.yaml:3:81: plugins.scoring.engagement.demo.at_most: expected a cap such as 2 per day, 5 per week, 10 per month or 3, got '2 a day'.",
                "config.yaml:3:101: plugins.scoring.engagement.demo.half_life: expected a duration such as 90m, 4 hours or 3 days, got 'soon'.",
            ])
        #expect(
            try problems("plugins: {scoring: {engagement: {demo: {on: form.submitted, points: 5, half_life: 0}}}}")
                .first?
                .hasSuffix("half_life must be longer than nothing.") == true)
    }

    @Test(arguments: ["soon", "10001", "4.5"])
    func `a threshold in one word is a number or on_create`(_ word: String) throws {
        #expect(
            try problems("plugins: {scoring: {thresholds: {mql: \(word)}}}") == [
                "config.yaml:3:39: plugins.scoring.thresholds.mql: expected a whole number from -10000 to 10000, on_create, or a mapping, got '\(word)'."
            ])
        for word in ["-10000", "40", "on_create"] {
            #expect(try problems("plugins: {scoring: {thresholds: {mql: \(word)}}}") == [])
        }
    }

    @Test func `a section that is off is checked all the same`() throws {
        #expect(try problems("plugins: {scoring: {enabled: false, fit: {head: {when: titel, points: 20}}}}").count == 1)
    }

    @Test func `a rule cannot end the statement it stands in`() throws {
        #expect(
            try problems("plugins: {scoring: {fit: {head: {when: \"1); DELETE FROM leads; --\", points: 20}}}}").count
                == 1)
        #expect(try problems("plugins: {scoring: {fit: {head: {when: \"title -- a comment\", points: 20}}}}") == [])
    }
}
