/// How one text differs from another, line by line: the shortest way from the one to the other (Myers, An O(ND)
/// Difference Algorithm and Its Variations, 1986).
struct LineDifference {
    /// Lines that only the newer text has, and that only the older one has.
    let added: Int
    let removed: Int
    private let lines: [Line]

    private struct Line {
        let mark: Character
        let text: Substring
        /// The lines that were passed of the older and of the newer text before this one.
        let old: Int
        let new: Int
    }

    /// Lines around a change that are shown with it.
    static let context = 3

    init(_ old: String, _ new: String) {
        let (before, after) = (LineDifference.split(old), LineDifference.split(new))
        let difference = after.difference(from: before)
        var (removals, insertions): (Set<Int>, Set<Int>) = ([], [])
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removals.insert(offset)
            case .insert(let offset, _, _): insertions.insert(offset)
            }
        }
        (added, removed) = (insertions.count, removals.count)
        var lines: [Line] = []
        var (i, j) = (0, 0)
        while i < before.count || j < after.count {
            if i < before.count, removals.contains(i) {
                lines.append(Line(mark: "-", text: before[i], old: i, new: j))
                i += 1
            } else if j < after.count, insertions.contains(j) {
                lines.append(Line(mark: "+", text: after[j], old: i, new: j))
                j += 1
            } else if i < before.count, j < after.count {
                lines.append(Line(mark: " ", text: after[j], old: i, new: j))
                (i, j) = (i + 1, j + 1)
            } else {
                break
            }
        }
        self.lines = lines
    }

    private static func split(_ text: String) -> [Substring] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// In the unified format (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/diff.html), without the two
    /// lines that name the texts.
    func unified() -> [String] {
        var shown: [String] = []
        var index = 0
        while let first = lines[index...].firstIndex(where: { $0.mark != " " }) {
            let start = max(index, first - LineDifference.context)
            var end = first
            var quiet = 0
            while end < lines.count, quiet <= 2 * LineDifference.context {
                quiet = lines[end].mark == " " ? quiet + 1 : 0
                end += 1
            }
            end -= max(0, quiet - LineDifference.context)
            let hunk = lines[start..<end]
            let (old, new) = (hunk.count { $0.mark != "+" }, hunk.count { $0.mark != "-" })
            shown.append("@@ -\(hunk[start].old + min(1, old)),\(old) +\(hunk[start].new + min(1, new)),\(new) @@")
            shown += hunk.map { "\($0.mark)\($0.text)" }
            index = end
        }
        return shown
    }
}
