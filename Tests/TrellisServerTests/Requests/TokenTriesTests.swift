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
        case .wait(let seconds, let isAddress): "\(seconds)" + (isAddress ? "" : " for the token")
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
        #expect((1...5).map { _ in say("old") } == ["wrong", "wrong", "wrong", "wrong", "wrong"])
        #expect(say("old") == "1 for the token" && say("right") == "house")
        // It was one guess.
        #expect((1...4).map { say("\($0)") } == ["wrong", "wrong", "wrong", "last"])
        #expect(say("right") == "1")
    }

    @Test func `a flood of addresses with a guess each makes nobody forgotten who waits`() {
        let tries = TokenTries(freeTries: 1, entriesMax: 100)
        let say = { (token: String, address: String, seconds: Double) in
            tries.verdict(of: token, from: address, now: begin + .seconds(seconds)) { nil }
        }
        // Six guesses, each as soon as it is heard: it waits 32 seconds now, from second 31 to 63.
        for (number, second) in [0, 1, 3, 7, 15, 31].enumerated() { _ = say("\(number)", "guesser", Double(second)) }
        for number in 1...1000 { _ = say("x", "a\(number)", 32 + Double(number) / 100) }
        guard case .wait(seconds: 21, isAddress: true) = say("right", "guesser", 42) else {
            return #expect(Bool(false), "the guesser is forgotten")
        }
        // Of the others, those who came last are remembered.
        guard case .wait = say("x", "a1000", 42) else { return #expect(Bool(false), "the last one is forgotten") }
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

    @Test(
        arguments: [
            ("127.0.0.1", [], "{}", true), ("::1", [], "{}", true), ("127.8.0.1", [], "{}", true),
            ("203.0.113.7", [], "{}", false), ("0.0.0.0", [], "{}", false),
            // A proxy on this machine asks for somebody elsewhere.
            ("127.0.0.1", ["x-forwarded-for"], "{}", false), ("::1", ["forwarded"], "{}", false),
            ("127.0.0.1", ["x-real-ip"], "{}", false), ("127.0.0.1", ["via"], "{}", false),
            ("127.0.0.1", ["x-forwarded-proto"], "{}", false), ("::1", ["x-forwarded-host"], "{}", false),
            ("127.0.0.1", ["via"], "{trusted_proxies: [127.0.0.1]}", false),
            // Any program sends this.
            ("127.0.0.1", ["user-agent"], "{}", true),
            ("127.0.0.1", [], "{admin: {behind_tls: true}}", false),
            ("127.0.0.1", [], "{admin: {behind_tls: true}, trusted_proxies: [127.0.0.1]}", true),
        ] as [(String, [String], String, Bool)])
    func `programs of this machine are not kept out`(
        _ address: String, _ names: [String], _ yaml: String, _ isOfThisMachine: Bool
    ) throws {
        let server = try Config.parse("server: \(yaml)", plugins: []).site.server
        var headers: HTTPFields = [.authorization: "Bearer x"]
        for name in names { headers[try #require(HTTPField.Name(name))] = "198.51.100.4" }
        let client = try #require(ClientAddress(address))
        #expect(TokenCheck.isOfThisMachine(client, headers, server) == isOfThisMachine)
    }

    @Test func `a program that says an old token again hears that this token waits`() async throws {
        let crm = try TestKernel(#"server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}"}}"#)
        let admin = try Listener.admin(crm)
        var answers: [Answer] = []
        for _ in 1...20 { answers.append(try await admin.get("/api/leads", [.authorization: "Bearer old"])) }
        let refused = answers.filter { $0.status == 429 }
        #expect(refused.count >= 5)
        for answer in refused {
            let seconds = try #require(answer.headers[.retryAfter].flatMap { Int($0) })
            #expect(
                answer.json?["error"]?.scalarText
                    == "This token was wrong too often, and is not looked at for \(seconds) seconds. The right one is.")
        }
        let token = try #require(TestKernel.environment["TRELLIS_ADMIN_TOKEN"])
        #expect(try await admin.get("/api/leads", [.authorization: "Bearer \(token)"]).status == 200)
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
