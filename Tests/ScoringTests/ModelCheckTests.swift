import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// What `trellis check` says of a model that works, and is hardly meant so.
@Suite struct ModelCheckTests {
    private func notes(_ rules: String) throws -> [String] {
        let crm = try TestKernel(
            "activities: {demo.booked: {}}\nplugins: {scoring: {\(rules)}}", plugins: [Scoring.self])
        return try withExtendedLifetime(crm) {
            try crm.kernel.config.check(plugins: [Scoring.self]).map { "\($0.place.path): \($0.message)" }
        }
    }

    @Test func `once leaves nothing to a cap`() throws {
        #expect(
            try notes("engagement: {demo: {on: demo.booked, points: 5, once: true, at_most: 3}}") == [
                "plugins.scoring.engagement.demo: once: true counts it once per lead and never again, so at_most: 3 does nothing. Leave one of them out"
            ])
        for rule in ["once: true", "at_most: 3", "once: false, at_most: 2 per day"] {
            #expect(try notes("engagement: {demo: {on: demo.booked, points: 5, \(rule)}}") == [])
        }
    }

    @Test func `rules of one name in a model are noted, those of two models are not`() throws {
        let fit = "fit: {demo: {when: \"title = 'Head'\", points: 5}}"
        let engagement = "engagement: {demo: {on: demo.booked, points: 5}}"
        let sentence =
            "a rule of fit is named 'demo' too, and the reasons of a score add up what both gave. Give one of them another name"
        #expect(try notes("\(fit), \(engagement)") == ["plugins.scoring.engagement.demo: \(sentence)"])
        #expect(
            try notes("models: {upsell: {\(fit), \(engagement)}}") == [
                "plugins.scoring.models.upsell.engagement.demo: \(sentence)"
            ])
        #expect(try notes("\(fit), models: {upsell: {\(engagement)}}") == [])
    }

    @Test(arguments: ["grade: A", "when: \"country = 'DE'\""])
    func `hysteresis without a number to fall below is noted`(_ asked: String) throws {
        func found(_ threshold: String) throws -> [String] {
            try notes("grades: {A: 10}, thresholds: {mql: {hysteresis: 5, \(threshold)}}")
        }
        #expect(
            try found(asked) == [
                "plugins.scoring.thresholds.mql: hysteresis is how far score, fit or engagement must fall, and none of them is given. Add one, or take hysteresis out"
            ])
        for axis in ["score", "fit", "engagement"] { #expect(try found("\(axis): 10, \(asked)") == []) }
    }

    @Test func `the letters of grades go down with their points`() throws {
        #expect(
            try notes("grades: {A: 10, B: 15}") == [
                "plugins.scoring.grades.A: A takes a fit of 10, and B one of 15: a lead has the grade that takes most of those it reaches, so B is the better one. Give A the higher number"
            ])
        for grades in ["B: 15, A: 20", "A: 40, B: 20, C: 10, D: -1000", "cold: 0, hot: 20"] {
            #expect(try notes("grades: {\(grades)}") == [])
        }
    }
}
