import HTTPTypes
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

@Suite struct TokenTriesTests {
    private let begin = ContinuousClock.now
    private let tries = TokenTries(freeTries: 5)

    /// The seconds to wait, "house" or "wrong"; and "last" for the wrong one after which the address waits.
    private func say(_ token: String, from address: String = "203.0.113.7/32", after seconds: Double = 0) -> String {
        switch tries.verdict(
            of: token, from: address, now: begin + .seconds(seconds), find: { token == "right" ? .house : nil })
        {
        case .known: "house"
        case .wrong(let isLast): isLast ? "last" : "wrong"
        case .wait(let seconds): "\(seconds)"
        }
    }

    @Test func `after five wrong tokens an address waits, twice as long each time`() {
        #expect((1...5).map { say("\($0)") } == ["wrong", "wrong", "wrong", "wrong", "last"])
        #expect(say("6") == "1" && say("right", after: 0.9) == "1")
        #expect(say("6", after: 1) == "wrong" && say("7", after: 1.5) == "2")
        #expect(say("7", after: 3) == "wrong" && say("8", after: 6.9) == "1" && say("right", after: 7) == "house")
    }

    @Test func `of 10,000 guesses within an hour 17 are compared`() {
        var compared = 0
        for number in 0..<10_000 {
            let verdict = tries.verdict(of: "\(number)", from: "a", now: begin + .milliseconds(360 * number)) {
                compared += 1
                return nil
            }
            if case .known = verdict { Issue.record("a guess was right") }
        }
        #expect(compared == 17)
        let wait = Int(say("x", from: "a", after: 3_600)) ?? 0
        #expect((1...TokenTries.secondsMax).contains(wait))
    }

    @Test func `the right token of another address is not kept out`() {
        for number in 1...50 { _ = say("\(number)") }
        #expect(say("right") == "1" && say("right", from: "198.51.100.4/32") == "house")
    }

    @Test func `a program with an old token waits, and the others of its address do not`() {
        #expect((1...5).map { _ in say("old") } == ["wrong", "wrong", "wrong", "wrong", "last"])
        #expect(say("old") == "1" && say("right") == "house")
        // It was one guess.
        #expect((1...4).map { say("\($0)") } == ["wrong", "wrong", "wrong", "last"])
        #expect(say("right") == "1")
    }

    @Test func `wrong tokens are forgotten after an hour`() {
        for number in 1...4 { _ = say("\(number)") }
        #expect(say("5", after: 3_601) == "wrong" && say("6", after: 3_602) == "wrong")
    }

    @Test func `a person may mistype, and as many at once get no more than one after the other`() async {
        let tries = tries
        let begin = begin
        let compared = await withTaskGroup(of: Bool.self) { group in
            for number in 1...200 {
                group.addTask {
                    if case .wait = tries.verdict(of: "\(number)", from: "a", now: begin, find: { nil }) {
                        false
                    } else {
                        true
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(compared == 5)
        #expect(say("mistyped") == "wrong" && say("right") == "house")
    }

    @Test func `whoever guesses at the door is told to wait`() async throws {
        let crm = try TestKernel(#"server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}"}}"#)
        let admin = try Listener.admin(crm)
        var answers: [Answer] = []
        for number in 1...40 {
            answers.append(try await admin.get("/api/leads", [.authorization: "Bearer guess \(number)"]))
        }
        let refused = answers.filter { $0.status == 429 }
        #expect(answers.prefix(5).allSatisfy { $0.status == 401 } && Set(answers.map(\.status)) == [401, 429])
        #expect(refused.count >= 20)
        for answer in refused {
            let seconds = try #require(answer.headers[.retryAfter].flatMap { Int($0) })
            #expect(
                answer.json?["error"]?.scalarText
                    == "Too many wrong tokens came from your address. Try again in \(seconds) seconds.")
        }
        // Without a token nobody guesses.
        #expect(try await admin.get("/api/leads").status == 401)
    }
}
