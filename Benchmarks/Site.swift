/// The config of both sides: all five plugins on.
struct Site {
    let side: Workspace.Side
    let leads: Int
    var rules = ScoreRules.ten
    var further: [String] = []

    /// Enough for all: nobody waits in the queue.
    static func reps(for leads: Int) -> [String] {
        let few = ["ada", "ben", "cleo"]
        return leads <= 2_000_000 ? few : few + ["dan", "eva", "fay", "gil", "hal", "ida", "jon", "kim", "leo"]
    }

    var yaml: String {
        let fit = rules.rules.map { "      \($0.name): {when: \"\($0.when)\", points: \($0.points)}" }.joined(
            separator: "\n")
        let engagement = rules.acts.map { "      \($0.name): {\($0.yaml)}" }.joined(separator: "\n")
        let reps = Site.reps(for: leads).map { "      \($0): {email: \($0)@bench.example, capacity: 100000}" }.joined(
            separator: "\n")
        return """
            site: {name: Bench, base_url: "https://crm.bench.example", postal_address: "1 Main Street", secret: "a secret for the bench only"}
            database: \(side.rawValue).sqlite
            mail: {from: "Bench <hello@bench.example>"}
            activities: {page.viewed: {page: text}, guide.read: {}, demo.watched: {minutes: integer}, demo.asked: {}}
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
            \(engagement.isEmpty ? "" : "    engagement:\n" + engagement)
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

/// Rules over the columns of a lead and over what it does.
struct ScoreRules: Sendable {
    struct Rule: Sendable {
        let name: String
        let when: String
        let points: Int
    }

    let rules: [Rule]
    var acts: [Act] = []
    /// The score at which a lead is an mql.
    let threshold: Int

    /// About one lead in twenty reaches the threshold: 4 in 100.
    static let ten = ScoreRules(rules: usual, threshold: 45)
    /// The same and ten more over what leads do. Between 4 and 5 leads in 100 reach the threshold, 3 of which did not
    /// reach that of the ten.
    static let mixed = ScoreRules(rules: usual, acts: happened, threshold: 65)

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

    private static let happened: [Act] = [
        Act("subscribed", on: "consent.granted", where: ("purpose", "= 'newsletter'"), points: 5, .once),
        Act("reachable", on: "consent.granted", where: ("purpose", "= 'ads'"), points: 2, .once),
        Act("viewed", on: "page.viewed", points: 1, .atMost(1, "day")),
        Act("priced", on: "page.viewed", where: ("page", "= 'pricing'"), points: 5, .atMost(2, "week")),
        Act("careers", on: "page.viewed", where: ("page", "= 'careers'"), points: -10, .atMost(1, "month")),
        Act("read", on: "guide.read", points: 4, .atMost(2, nil)),
        Act("first-read", on: "guide.read", points: 6, .once),
        Act("watched", on: "demo.watched", points: 10, .always),
        Act("watched-long", on: "demo.watched", where: ("minutes", ">= 30"), points: 10, .atMost(1, "week")),
        Act("asked", on: "demo.asked", points: 25, .once),
    ]
}
