import TrellisKernel

/// What of a rule of fit works, and is hardly meant: an answer that changes while the lead does not.
enum FitCheck {
    static func check(_ rule: LocatedText, _ check: ConfigCheck) {
        let before = check.problems.count
        check.leadPredicate(rule)
        guard check.problems.count == before, let asked = try? check.read({ try Asked(of: rule.value, $0) }) else {
            return
        }
        if asked.isClock {
            check.note(
                "a rule of fit is asked when the lead or its account changes, and this one reads the clock: by time alone no points come or go. "
                    + "Ask the clock in when: of a threshold, which is asked every hour, or give the points by a rule of engagement with half_life, fades or lasts",
                at: rule.place)
        }
        if asked.isChance {
            check.note(
                "random() has another answer whenever the lead or its account changes, and in a rebuild. Divide leads by what stays: id % 2 = 0",
                at: rule.place)
        }
    }

    /// What a predicate asks beside its lead, by its program after `EXPLAIN` (https://www.sqlite.org/opcode.html). With
    /// how many arguments a function is called does not stand there: that of time which is given none is read in the
    /// text.
    private struct Asked {
        var isClock: Bool
        var isChance: Bool

        init(of predicate: String, _ db: Database) throws {
            let steps = try Row.fetchAll(db, sql: "EXPLAIN SELECT 1 FROM leads WHERE (\(predicate)\n)").map { step in
                (opcode: step["opcode"] as String, operand: (step["p4"] as String?) ?? "")
            }
            let functions = steps.filter { $0.opcode == "Function" || $0.opcode == "PureFunc" }.map(\.operand)
            isChance = functions.contains { $0.hasPrefix("random(") || $0.hasPrefix("randomblob(") }
            isClock =
                functions.contains { $0.hasPrefix("current_") }
                || steps.contains { $0.opcode == "String8" && $0.operand.lowercased() == "now" }
                || predicate.contains(
                    /(?i)\b(date|time|datetime|julianday|unixepoch)\s*\(\s*\)|\bstrftime\s*\(\s*'[^']*'\s*\)/)
        }
    }
}
