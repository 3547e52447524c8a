/// How a lead under way in one program goes on in another: it never does again what it did, and misses nothing that
/// comes after it.
struct ProgramChange: Sendable {
    let old: Program
    let new: Program
    /// For each operation of the old program the same one of the new, where there is one.
    let partners: [Int?]

    init(from old: Program, to new: Program) {
        self.old = old
        self.new = new
        partners = ProgramChange.align(old.operations.map(\.essence), new.operations.map(\.essence))
    }

    /// Where a lead goes on.
    struct Place: Sendable, Hashable {
        /// The operation that comes next, and the wait it rests at; nil where it goes on at once when its time comes.
        var step: Int
        var restingAt: Int?
        /// Whether the wait is another one now, so that its end is reckoned anew.
        var isOtherWait = false
    }

    /// Where a lead goes on that rests at a wait of the old program, or is at a step of it between two waits.
    func place(restingAt wait: Int?, step: Int) -> Place {
        guard let wait, old.operations.indices.contains(wait) else { return Place(step: after(step - 1)) }
        if let same = partners[wait] { return Place(step: next(behind: same), restingAt: same) }
        // The same step of the config with another duration or another day.
        let label = old.operations[wait].label
        if let changed = new.operations.firstIndex(where: { $0.label == label && $0.isWait }),
            !partners.contains(changed), ProgramChange.isAlike(old.operations[wait].act, new.operations[changed].act),
            after(wait - 1) <= changed
        {
            return Place(step: next(behind: changed), restingAt: changed, isOtherWait: true)
        }
        return Place(step: after(wait - 1))
    }

    /// The operation of the new program behind the last one that is in both and stands at or before `index` in the old.
    private func after(_ index: Int) -> Int {
        guard index >= 0 else { return 0 }
        return partners.prefix(index + 1).last { $0 != nil }.flatMap { $0 }.map { $0 + 1 } ?? 0
    }

    private func next(behind wait: Int) -> Int {
        if case .waitFor(_, _, _, _, let otherwise) = new.operations[wait].act { otherwise } else { wait + 1 }
    }

    private static func isAlike(_ left: Operation.Act, _ right: Operation.Act) -> Bool {
        switch (left, right) {
        case (.wait, .wait), (.waitUntil, .waitUntil), (.waitFor, .waitFor): true
        default: false
        }
    }

    /// A longest common subsequence (Hunt and McIlroy, "An Algorithm for Differential File Comparison", 1976): programs
    /// are short, so a table of all pairs does.
    private static func align(_ left: [Operation.Act], _ right: [Operation.Act]) -> [Int?] {
        var lengths = Array(repeating: Array(repeating: 0, count: right.count + 1), count: left.count + 1)
        for i in left.indices.reversed() {
            for j in right.indices.reversed() {
                lengths[i][j] =
                    left[i] == right[j] ? lengths[i + 1][j + 1] + 1 : max(lengths[i + 1][j], lengths[i][j + 1])
            }
        }
        var partners = [Int?](repeating: nil, count: left.count)
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            if left[i] == right[j] {
                partners[i] = j
                (i, j) = (i + 1, j + 1)
            } else if lengths[i + 1][j] >= lengths[i][j + 1] {
                i += 1
            } else {
                j += 1
            }
        }
        return partners
    }
}
