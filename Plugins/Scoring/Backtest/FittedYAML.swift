import TrellisKernel

/// Learnt rules as a person pastes them into the config.
struct FittedYAML {
    let fit: RuleFit
    let scope: OutcomeScope
    let model: ScoringModel
    /// The name of the suggested threshold; nil where the site has no stage for it.
    let threshold: String?
    /// Columns that were left out because they were changed after the outcome.
    let changedAfterwards: [(column: String, leads: Int)]

    /// A rule that nearly all or nearly none of its leads convert by, and that is not rare, deserves a second look.
    private static let suspiciousShare = 0.97
    private static let suspiciousLeads = 0.02

    var text: String {
        (head + warnings + [""] + rules + engagement + groups + thresholds + [""] + figures).joined(separator: "\n")
    }

    private var head: [String] {
        let share = BarChart.percent(fit.report.ranked.conversion)
        let kind = fit.pointsStep == 1 ? "whole numbers" : "multiples of \(fit.pointsStep)"
        var head = [
            "# Learnt by 'trellis scoring fit': \(fit.leads) leads, \(fit.converted) of them converted (\(share)): \(scope.outcome.text.oneLine).",
            "# \(fit.report.area), every lead scored by rules learnt without it.",
            "# \(fit.rules.count) rules of \(fit.candidateCount) candidates. 20 points double the odds; points are \(kind).",
        ]
        if fit.learntFrom < fit.leads { head.append("# Learnt from \(fit.learntFrom) of the leads, drawn by chance.") }
        head += Backtest.caveats(scope, undated: fit.undated).map { "# \($0)" }
        if !fit.dropped.isEmpty {
            head.append("# Told nothing beside the others: \(fit.dropped.map(\.oneLine).joined(separator: ", ")).")
        }
        let sections =
            ["fit:"] + (fit.engagement.isEmpty ? [] : ["engagement:"]) + (model.groups.isEmpty ? [] : ["groups:"])
        head.append(
            "# Put it in the place of \(sections.joined(separator: ", ")) and thresholds: under \(model.section).")
        return head
    }

    private var warnings: [String] {
        let changed = changedAfterwards.map {
            "# Left out: \($0.column), changed after the outcome for \($0.leads) leads. Name it in --columns to take it in."
        }
        let suspicious = fit.rules.filter { rule in
            guard let with = rule.lift.with else { return false }
            let isCommon = Double(rule.lift.leads) >= FittedYAML.suspiciousLeads * Double(fit.leads)
            return isCommon && (with >= FittedYAML.suspiciousShare || with <= 1 - FittedYAML.suspiciousShare)
        }.map {
            "# Look twice: \(BarChart.percent($0.lift.with ?? 0)) of the leads of \($0.condition.name.oneLine) converted. Is its column written after the outcome?"
        }
        return changed + suspicious
    }

    private var rules: [String] {
        guard !fit.rules.isEmpty else { return ["    fit: {}"] }
        let lines = fit.rules.map { rule in
            "      \(FittedYAML.key(rule.condition.name)): {when: \(FittedYAML.quoted(rule.condition.when)), points: \(rule.points)}"
        }
        let width = min(lines.map(\.count).max() ?? 0, 100)
        return ["    fit:"]
            + zip(lines, fit.rules).map { line, rule in
                let padding = String(repeating: " ", count: max(0, width - line.count))
                let (with, others) = (rule.lift.with ?? 0, rule.lift.without ?? 0)
                let shares = "\(BarChart.percent(with)) converted; others \(BarChart.percent(others))"
                return "\(line)\(padding)  # \(rule.lift.leads) leads, \(shares)"
            }
    }

    private var thresholds: [String] {
        guard let point = fit.report.suggestion.point, let threshold else { return [] }
        let score = Int(min(max(point.score.rounded(.down), -10_000), 10_000))
        return ["    thresholds:", "      \(threshold): {score: \(score)}"]
    }

    /// The rules of engagement as they are, with the points they are worth beside the others: the threshold counts on
    /// these.
    private var engagement: [String] {
        guard !fit.engagement.isEmpty else { return [] }
        return ["    engagement:"]
            + fit.engagement.map { name, learnt, rule in
                let note = learnt == 0 ? "tells nothing beside the others; " : ""
                return
                    "      \(FittedYAML.key(name)): {\(FittedYAML.keys(rule, points: learnt))}  # \(note)now \(rule.points)"
            }
    }

    /// The caps of groups are in points: they grow and shrink with what their rules give.
    private var groups: [String] {
        guard !model.groups.isEmpty else { return [] }
        return ["    groups:"]
            + model.groups.map { group in
                let rules = fit.engagement.filter { $0.rule.group?.value == group.name }
                let before = rules.reduce(0) { $0 + max($1.rule.points, 0) }
                let after = rules.reduce(0) { $0 + max($1.learnt, 0) }
                guard before > 0, after > 0 else { return "      \(FittedYAML.key(group.name)): \(group.value.text)" }
                let share = Double(after) / Double(before)
                let times = max(1, Int((Double(group.value.times) * share).rounded()))
                let note = "now \(group.value.times); its rules give \(BarChart.percent(share)) of what they gave"
                return "      \(FittedYAML.key(group.name)): \(group.value.text(times: times))  # \(note)"
            }
    }

    /// All keys of a rule of engagement, with other points.
    static func keys(_ rule: ScoringModel.EngagementRule, points: Int) -> String {
        let keys: [(String, String?)] = [
            ("on", key(rule.on.value)), ("where", rule.condition.map { quoted($0.value) }), ("points", String(points)),
            ("half_life", rule.halfLife?.description), ("fades", rule.fades?.description),
            ("lasts", rule.lasts?.description), ("at_most", rule.cap?.text),
            ("group", rule.group.map { key($0.value) }), ("once", rule.once ? "true" : nil),
        ]
        return keys.compactMap { name, value in value.map { "\(name): \($0)" } }.joined(separator: ", ")
    }

    private var figures: [String] {
        fit.report.lines.map { $0.isEmpty ? "#" : "# \($0)" }
    }

    /// A plain word stands as it is; anything else in quotes, so that no `no` becomes false.
    private static func key(_ name: String) -> String {
        name.wholeMatch(of: /[a-z]+[-_.a-z0-9]*[-_.0-9][-_.a-z0-9]*/) != nil ? name : quoted(name)
    }

    private static func hexadecimal(_ letter: Unicode.Scalar) -> String {
        let digits = String(letter.value, radix: 16)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// A text in double quotes (https://yaml.org/spec/1.2.2/#731-double-quoted-style).
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for letter in text.unicodeScalars {
            switch letter {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            // Some readers take these for the end of a line or of the text.
            case "\u{2028}", "\u{2029}", "\u{FEFF}": quoted += "\\u" + FittedYAML.hexadecimal(letter)
            default:
                let isControl = letter.value < 32 || letter.value == 127 || (128..<160).contains(letter.value)
                let digits = String(letter.value, radix: 16)
                quoted += isControl ? "\\x" + (digits.count < 2 ? "0" : "") + digits : String(letter)
            }
        }
        return quoted + "\""
    }
}

extension String {
    /// What stands in a comment stays in it.
    fileprivate var oneLine: String {
        let ends: [Unicode.GeneralCategory] = [.control, .lineSeparator, .paragraphSeparator]
        return String(
            String.UnicodeScalarView(
                unicodeScalars.map { ends.contains($0.properties.generalCategory) ? " " : $0 }))
    }
}
