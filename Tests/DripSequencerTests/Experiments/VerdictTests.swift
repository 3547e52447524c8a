import Testing

@testable import DripSequencer

@Suite struct VerdictTests {
    private static func standings(
        _ tallies: KeyValuePairs<String, ArmTally>, holdout: ArmTally = ArmTally()
    ) -> Standings {
        var standings = Standings(arms: tallies.map(\.key))
        for (arm, tally) in tallies { standings.add(tally, arm: arm, round: 0) }
        standings.add(holdout, arm: nil, round: 0)
        return standings
    }

    private let two = standings([
        "case-study": ArmTally(sent: 420, converted: 50, open: 8), "webinar-invite": ArmTally(sent: 409, converted: 33),
    ])

    @Test func `a winner is named with how sure it is, rates and counts`() {
        #expect(
            Verdict(two, decision: .winner(0)).sentence
                == "case-study beats webinar-invite, 97 % sure (12.1 % against 8.1 % of 412 and 409)")
        let three = Self.standings([
            "a": ArmTally(sent: 1000, converted: 8), "b": ArmTally(sent: 1000, converted: 200),
            "c": ArmTally(sent: 1000, converted: 100),
        ])
        #expect(
            Verdict(three).sentence
                == "b beats a and c, over 99.9 % sure (20.0 % against 0.80 % and 10.0 % of 1000, 1000 and 1000)")
    }

    @Test func `before that it says who leads, or what is missing`() {
        #expect(
            Verdict(two).sentence
                == "too early to say: case-study leads webinar-invite, 97 % likely (12.1 % against 8.1 % of 412 and 409)"
        )
        let few = Self.standings([
            "a": ArmTally(sent: 60, converted: 1, open: 20), "b": ArmTally(sent: 99), "c": ArmTally(sent: 100),
        ])
        #expect(
            Verdict(few).sentence
                == "too early to say: a has 40 of the 100 outcomes it needs (20 still open), b has 99 of the 100 outcomes it needs"
        )
        #expect(Verdict(Self.standings(["a": ArmTally()])).sentence == "too early to say: one mail alone is no test")
    }

    @Test func `a difference that is not worth waiting for is named with its margin`() {
        let alike = Self.standings([
            "a": ArmTally(sent: 10_000, converted: 1000), "b": ArmTally(sent: 10_000, converted: 1010),
        ])
        #expect(
            Verdict(alike).sentence
                == "no difference worth waiting for: a and b are within 2.0 points of each other (10.0 % and 10.1 % of 10000 and 10000)"
        )
    }

    @Test func `mails are held against nobody mailed`() {
        func lift(_ holdout: ArmTally) -> String? {
            Verdict(
                Self.standings(
                    ["a": ArmTally(sent: 500, converted: 60), "b": ArmTally(sent: 500, converted: 52)],
                    holdout: holdout)
            ).lift
        }
        #expect(
            lift(ArmTally(sent: 110, converted: 9))
                == "against nobody mailed (holdout): +3.0 points (−3.8 to +7.3), 80 % sure")
        #expect(
            lift(ArmTally(sent: 110, converted: 20))
                == "against nobody mailed (holdout): −7.0 points (−15.4 to −0.5), 98 % sure that the mails do harm")
        #expect(
            lift(ArmTally(sent: 1_000_000_000, converted: 112_000_000))
                == "against nobody mailed (holdout): +0.0 points (−1.8 to +2.1), 52 % sure")
        #expect(
            lift(ArmTally(sent: 110, converted: 2, open: 98))
                == "against nobody mailed (holdout): too early to say, the holdout has 12 of the 100 outcomes it needs (98 still open)"
        )
        #expect(lift(ArmTally()) == nil)
    }

    @Test func `nobody reads 100 percent, and nobody a negative share`() {
        let sure = Self.standings([
            "a": ArmTally(sent: 1_000_000_000, converted: 999_999_999), "b": ArmTally(sent: 1_000_000_000),
        ])
        #expect(
            Verdict(sure).sentence
                == "a beats b, over 99.9 % sure (100.0 % against 0.0 % of 1000000000 and 1000000000)")
        let nearly = Self.standings([
            "a": ArmTally(sent: 1000, converted: 130), "b": ArmTally(sent: 1000, converted: 97),
        ])
        #expect(
            Verdict(nearly).sentence
                == "too early to say: a leads b, 98 % likely (13.0 % against 9.7 % of 1000 and 1000)")
    }

    @Test func `small rates and a high certainty get the digits they need`() {
        let rare = Self.standings(
            ["a": ArmTally(sent: 50_000, converted: 100), "b": ArmTally(sent: 50_000, converted: 64)],
            holdout: ArmTally(sent: 50_000, converted: 30))
        #expect(
            Verdict(rare).sentence
                == "too early to say: a leads b, 99.7 % likely (0.20 % against 0.13 % of 50000 and 50000)")
        #expect(
            Verdict(rare).lift == "against nobody mailed (holdout): +0.10 points (+0.07 to +0.14), over 99.9 % sure")
    }

    @Test func `a stored decision about arms that are gone says that it is too early`() {
        #expect(Verdict(two, decision: .winner(7)).sentence.hasPrefix("too early to say: case-study leads"))
    }
}
