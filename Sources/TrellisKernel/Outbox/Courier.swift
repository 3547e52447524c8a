import Foundation
import Synchronization

/// Carries messages from the outbox to a transport, as many at a time as it takes.
///
/// A message is claimed in one transaction, which asks again whether the lead may be mailed, renders it from the lead
/// as it is now, and keeps the bytes. Then the network, outside any transaction; right before the message is out of our
/// hands its row says so. Then the outcome is settled by whoever holds the lease. Nothing is sent twice without a row
/// that says so.
public final class Courier: Sendable {
    private let kernel: Kernel
    let transport: any Transport
    private let renderer: MailRenderer
    private let mark: WritingMark?
    /// Of this courier: random, so that no other process settles what it holds.
    private let lease = UUID().uuidString

    public convenience init(_ kernel: Kernel, transport: any Transport) {
        self.init(kernel, transport: transport, mark: nil)
    }

    /// - Parameter mark: where to say what is being written, for the next process, should this one die.
    init(_ kernel: Kernel, transport: any Transport, mark: WritingMark?) {
        self.kernel = kernel
        self.transport = transport
        self.mark = mark
        renderer = MailRenderer(config: kernel.config, templates: kernel.templates)
    }

    /// Sends what is due until nothing is. Returns how many messages were settled.
    @discardableResult
    public func runUntilIdle() async throws -> Int {
        var settled = 0
        while let count = try await round() { settled += count }
        return settled
    }

    /// One claim and its deliveries; nil when nothing is due. Returns how many messages were settled.
    ///
    /// - Parameter shouldStop: asked between two messages; what is not begun by then goes back to the outbox.
    func round(until shouldStop: @escaping @Sendable () -> Bool = { false }) async throws -> Int? {
        if transport is MuteTransport { return try claim { try $0.takeMutely() } }
        guard let messages = try claim({ try $0.take() }) else { return nil }
        guard !messages.isEmpty else { return 0 }
        let queue = Queue(messages)
        let settled = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<min(max(1, transport.connectionsMax), messages.count) {
                group.addTask { try await self.carry(queue, until: shouldStop) }
            }
            return try await group.reduce(0, +)
        }
        try giveBack(queue.rest)
        return settled
    }

    /// Takes messages from the queue one by one until it is empty, or the way out is closed.
    private func carry(_ queue: Queue, until shouldStop: () -> Bool) async throws -> Int {
        var settled = 0
        while !shouldStop(), let message = queue.next() {
            let delivery = await transport.send(message) { try await self.handOver(message) }
            try await settle(message, delivery)
            if case .stalled = delivery { break }
            settled += 1
        }
        return settled
    }

    /// The messages of a claim that nobody has taken yet.
    private final class Queue: Sendable {
        private let messages: Mutex<ArraySlice<RenderedMessage>>

        init(_ messages: [RenderedMessage]) {
            self.messages = Mutex(messages[...])
        }

        func next() -> RenderedMessage? { messages.withLock { $0.popFirst() } }
        var rest: [RenderedMessage] { messages.withLock { Array($0) } }
    }

    /// After a crash: what was being sent goes back to waiting where sending again is harmless, and becomes `unknown`
    /// where the message may have left; somebody waits for a transactional one, which is sent once more later. Called
    /// by the one worker when it starts.
    public func recover() throws {
        let mayHaveLeft = "state = 'inflight' AND NOT :isIdempotent"
        let isOnceMore = "\(mayHaveLeft) AND \(RetrySchedule.isSentOnceMore)"
        try kernel.write(origin: "kernel") { tx in
            try tx.db.execute(
                sql: """
                    UPDATE outbox_messages SET lease = NULL, leased_at = NULL,
                        state = CASE WHEN \(mayHaveLeft) AND NOT (\(isOnceMore)) THEN 'unknown' ELSE 'waiting' END,
                        settled_at = CASE WHEN \(mayHaveLeft) AND NOT (\(isOnceMore)) THEN :now END,
                        reason = CASE WHEN \(isOnceMore) THEN :reason || ': it is sent once more' WHEN \(mayHaveLeft) THEN :reason END,
                        ready_at = CASE WHEN \(isOnceMore) THEN :later ELSE ready_at END,
                        resends = resends + (\(isOnceMore))
                    WHERE state IN ('sending', 'inflight') AND transport = :transport
                    """,
                arguments: [
                    "isIdempotent": transport.isIdempotent, "now": tx.stamp, "transport": transport.name,
                    "later": Timestamp.text(tx.now + RetrySchedule.resendAfter),
                    "reason": "the process stopped while it was handed over",
                ])
        }
    }

    /// Nil when nothing is due; empty when what was due may not or cannot be sent now.
    private func claim<T>(_ take: (Claim) throws -> T) throws -> T? {
        let now = Timestamp.text(kernel.clock.now())
        guard try kernel.read({ try Claim.isDue(transport.name, at: now, $0) }) else { return nil }
        return try kernel.write(origin: "kernel") { tx in
            let claim = Claim(
                kernel: kernel, renderer: renderer, transport: transport.name, lease: lease,
                isMute: transport is MuteTransport, mark: mark, tx: tx)
            return try take(claim)
        }
    }

    // MARK: - The life of a message

    /// From here on a crash leaves the outcome open: the reply may be lost (RFC 1047). Throws where another process
    /// took the message over, which then must not leave from here.
    private func handOver(_ message: RenderedMessage) async throws {
        guard !transport.isIdempotent else { return }
        let isOurs = try await together { [lease] tx in
            try tx.db.cachedStatement(
                sql: "UPDATE outbox_messages SET state = 'inflight' WHERE id = ? AND lease = ? AND state = 'sending'"
            ).execute(arguments: [message.id, lease])
            return tx.db.changesCount == 1
        }
        guard isOurs else { throw LostLease() }
    }

    private struct LostLease: Error, CustomStringConvertible {
        var description: String { "another process took the message over" }
    }

    /// An outcome that is known must not be lost to a file that somebody holds for a while: it is written as soon as it
    /// can be.
    private func settle(_ message: RenderedMessage, _ delivery: Delivery) async throws {
        while true {
            do {
                return try await together { [lease, transport] tx in
                    try Settlement(message: message.id, lease: lease, transport: transport.name, tx: tx).apply(delivery)
                }
            } catch let error as KernelError where error.passes {
                log(error)
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    func log(_ error: KernelError) { kernel.logger.warning("\(error)") }

    /// What was claimed and not begun waits again, as if it had not been touched.
    private func giveBack(_ messages: [RenderedMessage]) throws {
        guard !messages.isEmpty else { return }
        let list = "[" + messages.map { String($0.id) }.joined(separator: ",") + "]"
        try kernel.write(origin: "kernel") { tx in
            try tx.db.execute(
                sql: """
                    UPDATE outbox_messages SET state = 'waiting', lease = NULL, leased_at = NULL, attempts = attempts - 1
                    WHERE id IN (SELECT value FROM json_each(?)) AND lease = ?
                    """, arguments: [list, lease])
        }
    }

    /// Many messages share a wait for the disk, and forms do not take part in it.
    private func together<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await kernel.writeTogether(origin: "kernel", through: kernel.outboxCommit, body)
    }
}
