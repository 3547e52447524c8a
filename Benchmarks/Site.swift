/// The config of both sides: all five plugins on.
struct Site {
    let side: Workspace.Side
    let leads: Int
    var rules = ScoreRules.ten
    var further: [String] = []

    /// Enough for all: nobody waits in the queue.
    static func reps(for leads: Int) -> [String] {
        leads <= 5_000_000 ? ["ada", "ben", "cleo"] : ["ada", "ben", "cleo", "dan", "eva", "fay"]
    }

    var yaml: String {
        let fit = rules.rules.map { "      \($0.name): {when: \"\($0.when)\", points: \($0.points)}" }.joined(
            separator: "\n")
        let reps = Site.reps(for: leads).map { "      \($0): {email: \($0)@bench.example, capacity: 100000}" }.joined(
            separator: "\n")
        return """
            site: {name: Bench, base_url: "https://crm.bench.example", postal_address: "1 Main Street", secret: "a secret for the bench only"}
            database: \(side.rawValue).sqlite
            mail: {from: "Bench <hello@bench.example>"}
            plugins:
              lead_magnets:
                magnets:
                  guide: {title: The guide, asset: guide.pdf, form: {fields: [email!]}}
              drip:
                sequences:
                  welcome:
                    enter: {on: lead.created}
                    steps:
                      - wait: 1 day
                      - mail: first
                      - wait: 3 days
                      - mail: second
                      - wait: 5 days
                      - mail: third
              scoring:
                fit:
            \(fit)
                thresholds:
                  mql: {score: \(rules.threshold)}
              audiences:
                everyone: {sql: SELECT id AS lead_id FROM leads, platforms: [google], events: false}
                warm: {sql: SELECT lead_id FROM scoring_scores WHERE score >= 30, platforms: [google], events: false}
              handoff:
                at: mql
                reps:
            \(reps)
            \(further.map { "  \($0): {}" }.joined(separator: "\n"))
            """
    }
}

/// Rules of fit over the columns of a lead.
struct ScoreRules: Sendable {
    struct Rule: Sendable {
        let name: String
        let when: String
        let points: Int
    }

    let rules: [Rule]
    /// The score at which a lead is an mql.
    let threshold: Int

    /// About one lead in twenty reaches the threshold: 4 in 100.
    static let ten = ScoreRules(rules: usual, threshold: 45)
    /// Nobody reaches the threshold, so that a rescoring moves no stage.
    static let twenty = ScoreRules(rules: usual + further, threshold: 1000)

    private static let usual = [
        Rule(
            name: "decision-maker", when: "title LIKE '%head%' OR title LIKE 'chief%' OR title LIKE '%director%'",
            points: 20),
        Rule(name: "engineer", when: "title LIKE '%engineer%'", points: 5),
        Rule(name: "middle-size", when: "employees BETWEEN 50 AND 500", points: 10),
        Rule(name: "large", when: "employees > 500", points: 15),
        Rule(name: "home-market", when: "country IN ('DE', 'AT', 'CH')", points: 10),
        Rule(name: "near-market", when: "country IN ('FR', 'NL', 'BE', 'GB')", points: 5),
        Rule(name: "our-industry", when: "industry IN ('software', 'manufacturing')", points: 10),
        Rule(name: "referred", when: "source = 'referral'", points: 10),
        Rule(name: "near-us", when: "city IN ('Berlin', 'Wien', 'Paris', 'London')", points: 5),
        Rule(name: "free-mail", when: "email LIKE '%@gmail.com'", points: -15),
    ]

    private static let further = [
        Rule(name: "buyer", when: "title LIKE '%buyer%' OR title LIKE '%purchas%'", points: 10),
        Rule(name: "student", when: "title LIKE '%student%' OR title LIKE '%intern%'", points: -20),
        Rule(name: "tiny", when: "employees < 5", points: -10),
        Rule(name: "giant", when: "employees >= 4000", points: 5),
        Rule(name: "far-market", when: "country IN ('US', 'CA', 'AU')", points: -5),
        Rule(name: "retail", when: "industry = 'retail'", points: 5),
        Rule(name: "paid", when: "source IN ('ads', 'sponsored')", points: -5),
        Rule(name: "met-us", when: "source IN ('fair', 'webinar')", points: 15),
        Rule(name: "has-company", when: "company IS NOT NULL AND length(company) > 3", points: 2),
        Rule(name: "has-name", when: "first_name IS NOT NULL AND last_name IS NOT NULL", points: 2),
    ]
}
