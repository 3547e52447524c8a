import Testing

@testable import Scoring

/// Leads dealt into groups.
@Suite struct FoldsTests {
    private let converted = (0..<103).map { $0 % 4 == 0 }

    @Test func `every lead is in one group, and the groups are alike`() {
        let folds = Folds(converted, count: 5, seed: 7)
        for number in 0..<5 {
            let heldOut = folds.heldOut(number)
            #expect((20...22).contains(heldOut.count))
            #expect((5...6).contains(heldOut.count { converted[$0] }))
            #expect(Set(heldOut).isDisjoint(with: folds.training(number)))
            #expect(heldOut.count + folds.training(number).count == 103)
        }
    }

    @Test func `the same seed deals the same groups, and another one others`() {
        #expect(Folds(converted, count: 5, seed: 7).group == Folds(converted, count: 5, seed: 7).group)
        #expect(Folds(converted, count: 5, seed: 7).group != Folds(converted, count: 5, seed: 8).group)
    }

    @Test func `there are at least two groups, also of nothing`() {
        #expect(Folds(converted, count: -3, seed: 1).count == 2)
        #expect(Folds([], count: 5, seed: 1).heldOut(4) == [])
        #expect(Folds([true], count: 5, seed: 1).group == [0])
    }
}
