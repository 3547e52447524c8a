/// Leads dealt into groups of nearly the same size and the same share of conversions: what is learnt from all groups
/// but one is judged by that one.
struct Folds: Sendable {
    /// The group of each lead, from 0.
    let group: [Int]
    let count: Int

    /// - Parameters:
    ///   - converted: the outcome of each lead.
    ///   - count: how many groups; at least 2 are made.
    init(_ converted: [Bool], count: Int, seed: UInt64) {
        let count = max(2, count)
        var generator = SeededGenerator(seed: seed)
        var group = [Int](repeating: 0, count: converted.count)
        for outcome in [true, false] {
            let members = converted.indices.filter { converted[$0] == outcome }
            for (place, drawn) in generator.order(members.count).enumerated() { group[members[drawn]] = place % count }
        }
        self.group = group
        self.count = count
    }

    /// The leads outside a group, to learn from.
    func training(_ number: Int) -> [Int] { group.indices.filter { group[$0] != number } }

    /// The leads of a group, to judge by.
    func heldOut(_ number: Int) -> [Int] { group.indices.filter { group[$0] == number } }
}
