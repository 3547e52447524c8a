import Testing

@testable import Handoff

/// Who is next.
@Suite struct DealTests {
    private func deal(_ weights: [Int], free: Int = 1_000_000, order: Deal.Order = .turns) -> Deal {
        Deal(
            order: order,
            hands: weights.enumerated().map { index, weight in
                Deal.Hand(rep: "\(index)", weight: weight, inHand: 0, free: free)
            })
    }

    private func names(_ deal: inout Deal, _ count: Int, among: [Int]) -> String {
        (0..<count).map { _ in deal.next(among: among).map(String.init) ?? "-" }.joined()
    }

    @Test func `equal weights take turns, heavier ones are interleaved`() {
        var equal = deal([1, 1, 1])
        #expect(names(&equal, 7, among: [0, 1, 2]) == "0120120")
        var heavy = deal([5, 1, 1])
        #expect(names(&heavy, 14, among: [0, 1, 2]) == "00102000010200")
    }

    @Test(arguments: [[3, 2, 1], [7, 1], [1, 1, 1, 1, 1, 1, 1], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]])
    func `at every moment everybody is within two leads of their share`(_ weights: [Int]) {
        var deal = deal(weights)
        let total = weights.reduce(0, +)
        for count in 1...2000 {
            #expect(deal.next(among: Array(weights.indices)) != nil)
            for (index, weight) in weights.enumerated() {
                let share = Double(count * weight) / Double(total)
                #expect(abs(Double(deal.hands[index].dealt) - share) < 2)
            }
        }
    }

    @Test func `who was away is owed nothing for that time, and who is back is in turn again`() {
        var deal = deal([1, 1, 1])
        _ = names(&deal, 30, among: [0, 1, 2])
        #expect(names(&deal, 20, among: [0, 2]) == String(repeating: "02", count: 10))
        #expect(names(&deal, 6, among: [0, 1, 2]) == "012012")
        #expect(deal.hands.map(\.dealt) == [22, 12, 22])
    }

    @Test func `whoever is there, nobody is ever far from what they were entitled to`() {
        var deal = deal([4, 3, 2, 1, 1])
        // A fixed order of who is away, which looks like chance: the bits of a multiplicative hash.
        for step in 1...20_000 {
            let bits = (step &* 2_654_435_761) >> 7
            let there = (0..<5).filter { bits >> $0 & 1 == 1 }
            guard !there.isEmpty else { continue }
            #expect(deal.next(among: there) != nil)
            for hand in deal.hands { #expect(abs(hand.owed) < 3 * Deal.share) }
        }
    }

    @Test func `nobody gets more than they have places for, and a weight of 0 gets nothing`() {
        var deal = deal([1, 1, 0], free: 2)
        #expect(names(&deal, 4, among: [0, 1, 2]) == "0101")
        #expect(deal.hands.map(\.free) == [0, 0, 2])
        // What nobody can take entitles nobody.
        let before = deal.hands
        #expect(names(&deal, 2, among: [0, 1, 2]) == "--")
        #expect(deal.hands == before)
    }

    @Test func `least loaded goes by what is in hand, and among equals by turns`() {
        var deal = deal([1, 1, 1], order: .load)
        deal.hands[0].inHand = 2
        #expect(names(&deal, 7, among: [0, 1, 2]) == "1212012")
    }
}
