/// Deals leads out by weight: smooth weighted round robin, as nginx has it
/// (https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1), counted in shares of a lead.
///
/// At each deal everybody who could take the lead is entitled to their share of it, and it goes to whom it is owed
/// most. Who is away or full meanwhile is entitled to nothing, and so is owed nothing when they are back.
struct Deal {
    /// Somebody who takes leads.
    struct Hand: Hashable {
        let rep: String
        /// 0 takes none.
        let weight: Int
        /// How many leads they have in hand.
        var inHand: Int
        /// How many more they can take.
        var free: Int
        var dealt = 0
        /// In millionths of a lead, as whole numbers: what is owed is never rounded to somebody's favour.
        var entitled = 0

        var owed: Int { entitled - dealt * Deal.share }
    }

    enum Order {
        /// Whom it is owed most.
        case turns
        /// Who has the fewest in hand; among those, whom it is owed most.
        case load
    }

    static let share = 1_000_000

    let order: Order
    /// In the order of the config, which decides between equals.
    var hands: [Hand]

    /// Deals one lead to one of some hands; nil where none of them can take it.
    ///
    /// - Parameter candidates: places in ``hands``.
    mutating func next(among candidates: [Int]) -> Int? {
        var total = 0
        for index in candidates where canTake(index) { total += hands[index].weight }
        guard total > 0 else { return nil }
        var chosen: Int?
        for index in candidates where canTake(index) {
            hands[index].entitled += hands[index].weight * Deal.share / total
            if let best = chosen, !comes(hands[index], before: hands[best]) { continue }
            chosen = index
        }
        guard let chosen else { return nil }
        hands[chosen].dealt += 1
        hands[chosen].inHand += 1
        hands[chosen].free -= 1
        return chosen
    }

    private func canTake(_ index: Int) -> Bool { hands[index].free > 0 && hands[index].weight > 0 }

    private func comes(_ one: Hand, before other: Hand) -> Bool {
        switch order {
        case .turns: one.owed > other.owed
        case .load: (one.inHand, -one.owed) < (other.inHand, -other.owed)
        }
    }
}
