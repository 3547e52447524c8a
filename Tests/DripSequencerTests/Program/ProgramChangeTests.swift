import Testing
import TrellisKernel

@testable import DripSequencer

@Suite struct ProgramChangeTests {
    private func program(_ words: String) -> Program {
        Program(
            operations: words.split(separator: " ").enumerated().map { index, word in
                let act: Operation.Act
                switch word.first {
                case "w": act = .wait(seconds: Int(word.dropFirst()) ?? 0)
                case "f": act = .waitFor(kind: "mail.clicked", condition: nil, seconds: 5, otherwise: index + 1)
                default: act = .mail(name: String(word))
                }
                return Operation(label: "\(index + 1)", act: act)
            })
    }

    /// Where a lead goes on that rests at a wait.
    private func place(_ old: String, _ new: String, at wait: Int) -> ProgramChange.Place {
        ProgramChange(from: program(old), to: program(new)).place(restingAt: wait, step: wait + 1)
    }

    @Test func `a lead stays at its wait where the wait stayed`() {
        #expect(place("a w1 b", "a w1 b", at: 1) == .init(step: 2, restingAt: 1))
        // A mail more before it, which the lead does not get any more, and one more after it, which it does.
        #expect(place("a w1 b", "a x w1 y b", at: 1) == .init(step: 3, restingAt: 2))
        #expect(place("a w1 b w2 c", "a b w2 c", at: 3) == .init(step: 3, restingAt: 2))
    }

    @Test func `a wait with another duration is the same wait, reckoned anew`() {
        #expect(place("a w1 b", "a w9 b", at: 1) == .init(step: 2, restingAt: 1, isOtherWait: true))
    }

    @Test func `where the wait is gone the lead goes on behind what it did last`() {
        #expect(place("a w1 b", "a b", at: 1) == .init(step: 1))
        #expect(place("a w1 b", "x a y b", at: 1) == .init(step: 2))
        #expect(place("a w1", "x y", at: 1) == .init(step: 0))
        #expect(place("a w1 b", "", at: 1) == .init(step: 0))
    }

    @Test func `a wait for an event rests with the time that is up before it`() {
        #expect(place("a f b", "x a f b", at: 1) == .init(step: 3, restingAt: 2))
    }

    @Test func `what came before is never done again, whatever is moved`() {
        let acts = ["a", "b", "c", "w1", "w2", "f"]
        var state: UInt64 = 7
        func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        for _ in 0..<3000 {
            let old = (0..<(1 + next(7))).map { _ in acts[next(6)] }
            let new = (0..<next(8)).map { _ in acts[next(6)] }
            let step = next(old.count + 1)
            let change = ProgramChange(
                from: program(old.joined(separator: " ")), to: program(new.joined(separator: " ")))
            let wait = step > 0 && !["a", "b", "c"].contains(old[step - 1]) ? step - 1 : nil
            let place = change.place(restingAt: wait, step: step)
            #expect((0...new.count).contains(place.step))
            let done = change.partners.prefix(step).compactMap { $0 }
            #expect(done.allSatisfy { $0 < place.step }, "\(old) at \(step) to \(new)")
        }
    }
}
