/// Finds the name somebody probably meant.
public enum NearMiss {
    /// The candidate nearest to a misspelt name, when it is near enough to be worth saying: at most a third of the
    /// letters differ (Damerau–Levenshtein distance, adjacent transposition counted once), and never more than 3.
    /// Nothing where the name is a candidate itself: then it is not the spelling that is wrong.
    public static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let limit = min(3, max(1, name.count / 3))
        let ranked = candidates.map { (distance(name, $0), $0) }.filter { $0.0 <= limit }
        let nearest = ranked.min { ($0.0, $0.1) < ($1.0, $1.1) }
        return nearest?.0 == 0 ? nil : nearest?.1
    }

    /// " Did you mean 'points'?", or nothing.
    public static func hint(_ name: String, among candidates: some Sequence<String>) -> String {
        of(name, among: candidates).map { " Did you mean '\($0)'?" } ?? ""
    }

    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left.utf8.prefix(64)), Array(right.utf8.prefix(64)))
        var before = [Int](repeating: 0, count: b.count + 1)
        var previous = Array(0...b.count)
        for i in a.indices {
            var current = [i + 1] + [Int](repeating: 0, count: b.count)
            for j in b.indices {
                let substitution = previous[j] + (a[i] == b[j] ? 0 : 1)
                current[j + 1] = min(substitution, previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    current[j + 1] = min(current[j + 1], before[j - 1] + 1)
                }
            }
            (before, previous) = (previous, current)
        }
        return previous[b.count]
    }
}
