@testable import DripSequencer

/// A test with leads whose rates are known: looked at after every batch, its shares following the outcomes, as the
/// sequencer runs it.
struct SimulatedTest {
    /// The true rate of each arm.
    let rates: [Double]
    /// Where nothing is decided before, it ends here.
    var leads = 20_000
    /// Leads between two looks.
    var batch = 100
    /// How many further leads are mailed until the outcome window of one is over.
    var delay = 0
    /// What the second half of the leads multiplies every rate with.
    var season = 1.0
    var floor = Allocation.floor
    /// The mistake of counting a conversion before the window is over.
    var countsEarly = false
    /// The mistake of comparing the arms over all rounds together.
    var pools = false

    struct Outcome {
        let decision: Decision
        /// Leads that were mailed until then.
        let leads: Int
        /// How many fewer conversions than if all had got the best arm, in the mean.
        let regret: Double
    }

    func run(seed: UInt64) -> Outcome {
        var run = Run(self, seed: seed)
        for lead in 1...leads {
            run.mail(lead)
            guard lead % batch == 0 else { continue }
            let decision = run.look(at: lead)
            if decision != .tooEarly { return Outcome(decision: decision, leads: lead, regret: run.regret) }
        }
        return Outcome(decision: .tooEarly, leads: leads, regret: run.regret)
    }

    func outcomes(_ count: Int) -> [Outcome] {
        (0..<UInt64(count)).map { run(seed: $0) }
    }

    /// How many of the tests name a winner.
    static func winners(_ outcomes: [Outcome]) -> Int {
        outcomes.filter { if case .winner = $0.decision { true } else { false } }.count
    }

    private struct Run {
        let test: SimulatedTest
        let names: [String]
        var generator: SplitMix64
        var split: Split
        var round = 0
        var countedBefore = 0
        var regret = 0.0
        var waiting: [(round: Int, arm: Int, converted: Bool)] = []
        var closed = 0
        var counts: [[(sent: Int, converted: Int)]]

        init(_ test: SimulatedTest, seed: UInt64) {
            self.test = test
            names = test.rates.indices.map { "arm-\($0)" }
            generator = SplitMix64(seed: "outcomes of \(seed)")
            split = Split(test: "simulated:\(seed)", weights: names.map { ($0, 1) })
            counts = [test.rates.map { _ in (0, 0) }]
        }

        mutating func mail(_ lead: Int) {
            let bucket = split.bucket.of(lead: Int64(lead))
            guard let arm = split.ends.firstIndex(where: { bucket < $0.end }) else { return }
            let rate = test.rates[arm] * (lead * 2 > test.leads ? test.season : 1)
            regret += (test.rates.max() ?? 0) - test.rates[arm]
            let converted = Double(generator.next() >> 11) * 0x1p-53 < rate
            waiting.append((test.pools ? 0 : round, arm, converted))
            if test.countsEarly, converted { count(waiting[waiting.count - 1]) }
            guard waiting.count > test.delay else { return }
            let known = waiting[closed]
            if !test.countsEarly || !known.converted { count(known) }
            closed += 1
        }

        private mutating func count(_ known: (round: Int, arm: Int, converted: Bool)) {
            counts[known.round][known.arm].sent += 1
            if known.converted { counts[known.round][known.arm].converted += 1 }
        }

        mutating func look(at lead: Int) -> Decision {
            var standings = Standings(arms: names)
            for (round, arms) in counts.enumerated() {
                for (arm, count) in arms.enumerated() where count.sent > 0 {
                    standings.add(
                        ArmTally(sent: count.sent, converted: count.converted), arm: names[arm], round: round)
                }
            }
            let decision = Decision(standings)
            if decision == .tooEarly, Allocation.isDue(standings, countedBefore: countedBefore) {
                split = split.reallocated(Allocation.shares(standings, floor: test.floor))
                countedBefore = standings.counted
                round += 1
                counts.append(test.rates.map { _ in (0, 0) })
            }
            return decision
        }
    }
}
