import Foundation
import Synchronization
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct SettlementTests {
    private static let files = ["mails/hello.md": "---\nsubject: Hello\npurpose: marketing\n---\nHello.\n"]

    private func crm(_ leads: Int = 1) throws -> TestKernel {
        let crm = try TestKernel(files: Self.files)
        for number in 1...leads {
            try crm.capture(["email": "a\(number)@acme.example"], consents: ["newsletter"])
        }
        try order(crm)
        return crm
    }

    private func order(_ crm: TestKernel, _ prefix: String = "k") throws {
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .marketing,
                forEach: """
                    SELECT :prefix || id AS key, id AS lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id FROM leads
                    """, arguments: ["prefix": prefix])
        }
    }

    @Test func `a closed way out costs no message an attempt, rests longer each time, and is shown`() async throws {
        let crm = try crm(3)
        crm.transport.answer { _ in .stalled(because: "the relay cannot be reached") }
        var tries: [Int] = []
        for rest in ["59s", "1s", "119s", "1s", "239s", "1s"] {
            try await crm.work()
            tries.append(crm.transport.sent.count)
            crm.clock.advance(by: rest)
        }
        #expect(tries == [1, 1, 2, 2, 3, 3])
        #expect(try crm.rows("SELECT DISTINCT state, attempts, lease FROM outbox_messages") == ["waiting|0|"])
        #expect(
            try crm.rows("SELECT stop, subject, reason FROM kernel_stops") == [
                "no way out|mail|the relay cannot be reached; tried 3 times, again at 2026-03-02 09:07:00.000"
            ])
        crm.transport.answer { _ in .sent }
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(crm.transport.sent.count == 6)
        #expect(try crm.rows("SELECT DISTINCT state, attempts FROM outbox_messages") == ["sent|1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `an address nobody has is never mailed again`() async throws {
        let crm = try crm(2)
        crm.transport.answer { $0.recipient.hasPrefix("a1") ? .undeliverable(because: "550 5.1.1") : .sent }
        try await crm.work()
        try order(crm, "later")
        try await crm.work()
        #expect(
            try crm.rows("SELECT key, state, reason FROM outbox_messages ORDER BY id") == [
                "k1|refused|550 5.1.1", "k2|sent|", "later1|cancelled|the address is suppressed", "later2|sent|",
            ])
        #expect(try crm.rows("SELECT email, reason FROM suppressions") == ["a1@acme.example|bounced"])
        #expect(
            try crm.events().filter { ["mail.refused", "mail.bounced"].contains($0) } == [
                "mail.refused", "mail.bounced",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `one refusal of many holds up nobody`() async throws {
        let crm = try crm(70)
        crm.transport.answer {
            $0.id % 7 == 0 ? .refused(because: "550 no") : $0.id % 7 == 1 ? .retry(because: "450 later") : .sent
        }
        try await crm.work()
        #expect(
            try crm.rows("SELECT state, count(*), max(attempts) FROM outbox_messages GROUP BY state") == [
                "refused|10|1", "sent|50|1", "waiting|10|1",
            ])
        #expect(Set(crm.transport.sent.map(\.id)).count == 70 && crm.transport.sent.count == 70)
    }

    /// Several at a time, and what none of them had begun when the way out closed goes back untouched.
    @Test func `many are under way at once, each with a row that says so before it leaves`() async throws {
        let crm = try crm(60)
        let transport = Narrow(path: crm.kernel.config.databasePath)
        try await Courier(crm.kernel, transport: transport).runUntilIdle()
        #expect(transport.state.withLock { $0.carried } == 60)
        #expect(transport.state.withLock { $0.most } <= 8)
        #expect(transport.state.withLock { $0.notInflight } == 0)
        #expect(try crm.rows("SELECT state, count(*) FROM outbox_messages GROUP BY state") == ["sent|60"])
        #expect(try crm.troubles() == [])
    }

    private final class Narrow: Transport {
        let name = "mail"
        let isIdempotent = false
        let connectionsMax = 8
        let path: String
        let state = Mutex((carried: 0, now: 0, most: 0, notInflight: 0))

        init(path: String) {
            self.path = path
        }

        func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
            state.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
            }
            defer { state.withLock { $0.now -= 1 } }
            do { try await handingOver() } catch { return .retry(because: "\(error)") }
            let table = try? SQLConnection(path: path, access: .read).table(
                "SELECT state FROM outbox_messages WHERE id = \(message.id)")
            state.withLock { state in
                state.carried += 1
                if table?.rows.first?.first != .text("inflight") { state.notInflight += 1 }
            }
            return .sent
        }
    }

    @Test func `a message that another process took over does not leave from here`() async throws {
        let crm = try crm()
        let kernel = crm.kernel
        let thief = Thief(kernel)
        try await Courier(kernel, transport: thief).runUntilIdle()
        #expect(thief.left.withLock { $0 } == 0)
        #expect(try crm.rows("SELECT state, lease FROM outbox_messages") == ["sending|another"])
    }

    private final class Thief: Transport {
        let name = "mail"
        let isIdempotent = false
        let kernel: Kernel
        let left = Mutex(0)

        init(_ kernel: Kernel) {
            self.kernel = kernel
        }

        func send(_: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
            _ = try? kernel.write(origin: "test") {
                try $0.db.execute(sql: "UPDATE outbox_messages SET lease = 'another'")
            }
            do { try await handingOver() } catch { return .retry(because: "\(error)") }
            left.withLock { $0 += 1 }
            return .sent
        }
    }
}
