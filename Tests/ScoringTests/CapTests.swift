import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// Caps that rules share, grades, points by hand, and thresholds that ask more than the score.
@Suite struct CapTests {
    private func crm(_ rules: String, more: String = "") throws -> TestKernel {
        try TestKernel(
            "activities: {page.viewed: {}, film.watched: {}, mail.hated: {}}\nplugins: {scoring: {\(rules)}}\n\(more)",
            plugins: [Scoring.self])
    }

    private static let web = """
        groups: {web: 20 per day}, engagement: {viewed: {on: page.viewed, points: 8, group: web}, \
        watched: {on: film.watched, points: 9, group: web, at_most: 2 per day}, hated: {on: mail.hated, points: -5, group: web}}
        """

    private func points(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT rule, points FROM scoring_entries WHERE axis = 'engagement' ORDER BY id")
    }

    /// However the pump cuts the log into batches.
    @Test(arguments: [true, false])
    func `the rules of a group give so much together and no more`(_ atOnce: Bool) throws {
        let crm = try crm(Self.web)
        try crm.capture(["email": "ann@a.example"])
        for kind in [
            "page.viewed", "film.watched", "mail.hated", "page.viewed", "film.watched", "film.watched", "page.viewed",
        ] {
            try crm.record(kind, lead: 1)
            if !atOnce { try crm.pump() }
        }
        try crm.pump()
        // 8 and 9 are 17, 3 are left of the next 8; the hated mail costs what it costs; the second film is counted.
        #expect(try points(crm) == ["viewed|8", "watched|9", "hated|-5", "viewed|3", "watched|0"])
        #expect(try crm.value("SELECT score FROM scoring_scores") == "15.0")
        crm.clock.advance(by: "1 day")
        try crm.record("page.viewed", lead: 1)
        try crm.pump()
        #expect(try crm.value("SELECT score FROM scoring_scores") == "23.0")
        #expect(try crm.troubles() == [])
    }

    @Test func `a group without a period has a cap for ever`() throws {
        let crm = try crm("groups: {web: 20}, engagement: {viewed: {on: page.viewed, points: 8, group: web}}")
        try crm.capture(["email": "ann@a.example"])
        for _ in 1...4 {
            try crm.record("page.viewed", lead: 1)
            crm.clock.advance(by: "40 days")
            try crm.pump()
        }
        #expect(try points(crm) == ["viewed|8", "viewed|8", "viewed|4"])
    }

    private func problems(_ rules: String) throws -> [String] {
        do {
            _ = try crm(rules)
            return []
        } catch let problems as ConfigProblems {
            return problems.problems.map(\.message).sorted()
        }
    }

    @Test func `a group or a grade nobody named is an error with what was meant`() throws {
        #expect(
            try problems(
                "groups: {web: 20}, grades: {A: 30}, engagement: {viewed: {on: page.viewed, points: 8, group: wep}}, thresholds: {mql: {grade: silver}}"
            ) == [
                "there is no grade 'silver' under grades:.",
                "there is no group 'wep' under groups:. Did you mean 'web'?",
            ])
        #expect(
            try problems(
                "engagement: {viewed: {on: page.viewed, points: 8, half_life: 1 day, fades: 1 day}, seen: {on: page.viewed, points: 1, lasts: 0}}, thresholds: {sql: {}}"
            ) == [
                "a threshold is on_create, or says what is to be reached: score, fit, engagement, grade or when.",
                "half_life, fades and lasts exclude each other: say one.", "lasts must be longer than nothing.",
            ])
    }

    // MARK: - Grades and thresholds

    @Test func `a grade is the best whose fit is reached, and a threshold may ask for one`() async throws {
        let crm = try crm(
            """
            grades: {A: 30, B: 10, C: -1000}, fit: {head: {when: "title = 'Head'", points: 30}, german: {when: "country = 'DE'", points: 10}}, \
            engagement: {viewed: {on: page.viewed, points: 5}}, thresholds: {mql: {grade: B, engagement: 5}}
            """)
        for (name, title, country) in [("ann", "Head", "DE"), ("bob", "", "DE"), ("cleo", "", "FR")] {
            try crm.capture(["email": "\(name)@a.example", "title": title, "country": country])
        }
        for lead in [1, 2, 3] as [Int64] { try crm.record("page.viewed", lead: lead) }
        try crm.kernel.write(origin: "kernel") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
        try await crm.work()
        #expect(
            try crm.rows("SELECT id, stage, grade FROM lead_cards ORDER BY id") == ["1|mql|A", "2|mql|B", "3|lead|C"])
        #expect(try crm.rows("SELECT lead_id, grade FROM scoring_current ORDER BY 1") == ["1|A", "2|B", "3|C"])
    }

    @Test func `a threshold may be a predicate, or the mere coming`() throws {
        let crm = try crm(
            """
            fit: {known: {when: "company IS NOT NULL", points: 1}}, \
            thresholds: {subscriber: {score: 100}, mql: {when: "country = 'DE' AND title = 'Head'"}, sal: on_create}
            """.replacing("sal: on_create", with: "sal: {score: 100}"))
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
        try crm.foreign("UPDATE leads SET country = 'DE' WHERE id = 1")
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == ["mql"])
        try crm.foreign("UPDATE leads SET country = 'FR' WHERE id = 1")
        try crm.pump()
        #expect(try crm.rows("SELECT kind FROM events WHERE kind = 'score.fell'") == ["score.fell"])
        let other = try self.crm("thresholds: {mql: on_create}")
        try other.capture(["email": "ann@a.example"])
        try other.pump()
        #expect(try other.rows("SELECT stage FROM leads") == ["mql"])
    }

    @Test func `a change of the account weighs its leads again, and accounts have the scores of their leads`() throws {
        let crm = try crm(
            "fit: {big: {when: \"(SELECT employees FROM accounts WHERE accounts.id = account_id) > 100\", points: 20}}")
        try crm.foreign("INSERT INTO accounts (name, domain) VALUES ('Corp', 'corp.example')")
        for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@corp.example"]) }
        try crm.pump()
        let account = try #require(try crm.value("SELECT account_id FROM leads WHERE id = 1"))
        try crm.foreign("UPDATE accounts SET employees = 500 WHERE id = \(account)")
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, fit FROM scoring_scores ORDER BY 1") == ["1|20", "2|20"])
        #expect(
            try crm.rows("SELECT leads, score, best_score FROM scoring_accounts WHERE account_id = \(account)") == [
                "2|40.0|20.0"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `the score of an account is that of this moment, with the grade of its best fit`() throws {
        let crm = try crm(
            """
            grades: {A: 30, C: -1000}, fit: {head: {when: "title = 'Head'", points: 30}}, \
            engagement: {viewed: {on: page.viewed, points: 40, half_life: 10 days}}
            """)
        try crm.foreign("INSERT INTO accounts (name, domain) VALUES ('Corp', 'corp.example')")
        for name in ["ann", "bob"] {
            try crm.capture(["email": "\(name)@corp.example", "title": name == "ann" ? "Head" : ""])
        }
        for lead in [1, 2] as [Int64] { try crm.record("page.viewed", lead: lead) }
        try crm.kernel.write(origin: "kernel") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
        try crm.pump()
        crm.clock.advance(by: "20 days")
        #expect(
            try crm.rows(
                "SELECT leads, fit, round(engagement, 3), round(score, 3), round(best_score, 3), grade FROM scoring_accounts"
            )
                == ["2|30|20.0|50.0|40.0|A"])
    }

    // MARK: - By hand

    @Test func `points by hand are entries with a person and a reason, and survive a rebuild`() throws {
        let crm = try crm("engagement: {viewed: {on: page.viewed, points: 5}}, thresholds: {mql: {score: 30}}")
        try crm.capture(["email": "ann@a.example"])
        try crm.record("page.viewed", lead: 1)
        #expect(
            try crm.run("scoring add", "ann@a.example", "30", "met at the fair", options: ["by": "rita"]) == [
                "Lead 1: +30 engagement, counted when the worker comes by."
            ])
        try crm.run("scoring add", "1", "-4", "a typo", options: ["by": "rita", "axis": "fit"])
        try crm.pump()
        #expect(try crm.rows("SELECT fit, engagement, score FROM scoring_scores") == ["-4|35.0|31.0"])
        #expect(try crm.rows("SELECT stage FROM leads") == ["mql"])
        #expect(
            try crm.run("scoring explain", "1").map {
                $0.split(separator: "|", omittingEmptySubsequences: false).suffix(1)
            }
            .prefix(3).map { String($0.first ?? "") } == ["", "rita: met at the fair", "rita: a typo"])
        _ = try Rebuild(crm.kernel).run("scoring")
        #expect(try crm.rows("SELECT fit, engagement, score FROM scoring_scores") == ["-4|35.0|31.0"])
        _ = try Person(email: "ann@a.example").erase(crm.kernel)
        try crm.pump()
        #expect(try crm.rows("SELECT author, reason FROM scoring_adjustments") == ["rita|", "rita|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `points by hand are refused where they are no points`() throws {
        let crm = try crm("engagement: {viewed: {on: page.viewed, points: 5}}")
        try crm.capture(["email": "ann@a.example"])
        for points in ["many", "0", "1001", "1.5"] {
            #expect(throws: KernelError.self) { try crm.run("scoring add", "1", points, "why") }
        }
        #expect(throws: KernelError.noLead("7")) { try crm.run("scoring add", "7", "5", "why") }
        #expect(throws: KernelError.self) { try crm.run("scoring add", "1", "5", "") }
        #expect(throws: KernelError.self) { try crm.run("scoring add", "1", "5", "why", options: ["axis": "luck"]) }
        #expect(try crm.rows("SELECT count(*) FROM scoring_adjustments") == ["0"])
    }
}
