import Foundation
import Testing

@testable import TrellisKernel

@Suite struct SignatureTests {
    /// RFC 4231, sections 4.2 and 4.3, whose keys are texts.
    @Test(arguments: [
        (
            String(repeating: "\u{0B}", count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            "Jefe", "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
    ])
    func `a signature is that of the standard, in small digits`(_ key: String, _ text: String, _ expected: String) {
        #expect(Signature.hex(Array(text.utf8), key: key) == expected)
    }

    @Test func `another key, another byte and another length are another signature`() {
        let one = Signature.hex([1, 2, 3], key: "key")
        for (bytes, key) in [([1, 2, 3], "kez"), ([1, 2, 2], "key"), ([1, 2], "key"), ([], "key"), ([1, 2, 3], "")]
            as [([UInt8], String)]
        {
            let other = Signature.hex(bytes, key: key)
            #expect(other.count == 64 && other != one)
        }
    }

    @Test func `only the whole is the same`() {
        let one = Signature.hex([1], key: "key")
        #expect(Signature.isSame(one, one))
        for index in 0..<64 {
            var digits = Array(one)
            digits[index] = digits[index] == "0" ? "1" : "0"
            #expect(!Signature.isSame(String(digits), one), "digit \(index)")
        }
        for other in [String(one.dropLast()), String(one.dropFirst()), one + "0", one.uppercased(), " " + one, ""] {
            #expect(!Signature.isSame(other, one))
        }
    }

    @Test func `nothing is not the same as nothing: a secret that is not there opens no door`() {
        #expect(!Signature.isSame("", ""))
        #expect(!Signature.isSame("a", ""))
    }

    // MARK: - Time

    /// Welch's t of the times that two kinds of guess take, without the slowest tenth, as dudect asks it
    /// (https://eprint.iacr.org/2016/1123.pdf): beyond 10 there is a difference.
    private func difference(samples: Int, _ compare: (String, String) -> Bool) -> Double {
        let expected = Signature.hex([1], key: "key")
        let guesses: [String] = ["x" + String(expected.dropFirst()), String(expected.dropLast()) + "x"]
        var times: [[Double]] = [[], []]
        for sample in 0..<samples {
            let kind = Int.random(in: 0...1)
            let begin = ContinuousClock.now
            let isSame = compare(guesses[kind], expected)
            let time = ContinuousClock.now - begin
            if isSame { return .infinity }
            if sample > samples / 100 { times[kind].append(Double(time.components.attoseconds) / 1e9) }
        }
        let moments = times.map { times in
            let kept = times.sorted().prefix(times.count * 9 / 10)
            let mean = kept.reduce(0, +) / Double(kept.count)
            let variance = kept.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(kept.count - 1)
            return (mean: mean, error: variance / Double(kept.count))
        }
        return abs(moments[0].mean - moments[1].mean) / (moments[0].error + moments[1].error).squareRoot()
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["LONG"] == "1"))
    func `how long it takes tells nothing of how much was right`() {
        let naive = difference(samples: 100_000) { said, expected in
            zip(said.utf8, expected.utf8).allSatisfy { $0 == $1 }
        }
        #expect(naive > 10, "the measurement sees no difference where there is one")
        let t = difference(samples: 1_000_000, Signature.isSame)
        #expect(t < 10)
    }
}
