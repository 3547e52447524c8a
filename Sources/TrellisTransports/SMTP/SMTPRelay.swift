import Foundation
import NIOCore
import TrellisKernel

/// One relay: its open connections, and whether it rests because it was of no use.
actor SMTPRelay {
    private let access: RelayAccess
    private let clock: KernelClock
    private var kept: [Kept] = []
    private var freeSlots: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isProven = false
    private var rest: Rest?

    /// A connection without a message, which quits by itself after a while.
    private struct Kept {
        let session: SMTPSession
        let since: ContinuousClock.Instant
        let quitting: Scheduled<Void>
    }

    private struct Rest {
        var until: Date
        var seconds: TimeInterval
        var reason: String
    }

    /// Many relays close after this many, and the spread over servers behind one name stays even.
    static let mailsPerConnectionMax = 100
    /// A relay that is down is asked again after a minute, then ever more seldom.
    static let restSecondsMin: TimeInterval = 60
    static let restSecondsMax: TimeInterval = 15 * 60

    init(_ access: RelayAccess, clock: KernelClock) {
        self.access = access
        self.clock = clock
        freeSlots = access.relay.connections
    }

    /// Why this relay is not asked now; nil where it is.
    func reasonToRest() -> String? {
        guard let rest, clock.now() < rest.until else { return nil }
        return rest.reason
    }

    func send(_ mail: SMTPEnvelope, handingOver: @Sendable () async throws -> Void) async -> Delivery {
        await takeSlot()
        defer { giveSlot() }
        let delivery = named(await deliver(mail, handingOver: handingOver))
        if case .stalled(let reason) = delivery {
            stall(because: reason)
        } else {
            rest = nil
        }
        return delivery
    }

    /// Quits every connection that carries no message.
    func close() {
        for each in kept {
            each.quitting.cancel()
            each.session.line.quit()
        }
        kept = []
    }

    private func deliver(_ mail: SMTPEnvelope, handingOver: @Sendable () async throws -> Void) async -> Delivery {
        while let last = kept.popLast() {
            last.quitting.cancel()
            guard last.since.duration(to: .now) < access.timeouts.idle, await last.session.line.isIdle else {
                last.session.line.close()
                continue
            }
            if let delivery = await carry(mail, on: last.session, handingOver: handingOver) { return delivery }
        }
        do {
            let session = try await SMTPSession.open(access)
            return await carry(mail, on: session, handingOver: handingOver) ?? .retry(because: "\(SMTPFault.closed)")
        } catch {
            return .stalled(because: error.reason)
        }
    }

    /// Nil where the connection was dead before the message began.
    private func carry(
        _ mail: SMTPEnvelope, on opened: SMTPSession, handingOver: @Sendable () async throws -> Void
    ) async -> Delivery? {
        var session = opened
        let outcome = await session.send(mail, isProven: isProven, handingOver: handingOver)
        isProven = isProven || session.tookRecipient
        if session.isUsable {
            if session.mailsCount < SMTPRelay.mailsPerConnectionMax {
                kept.append(
                    Kept(session: session, since: .now, quitting: session.line.quit(after: access.timeouts.idle)))
            } else {
                session.line.quit()
            }
        }
        if case .settled(let delivery) = outcome { return delivery }
        return nil
    }

    /// Several messages that fail at once are one failure.
    private func stall(because reason: String) {
        let now = clock.now()
        if let rest, now < rest.until { return }
        let seconds = min((rest?.seconds).map { $0 * 2 } ?? SMTPRelay.restSecondsMin, SMTPRelay.restSecondsMax)
        rest = Rest(until: now + seconds, seconds: seconds, reason: reason)
    }

    /// The reason with the relay it is about.
    private func named(_ delivery: Delivery) -> Delivery {
        let host = access.relay.host
        return switch delivery {
        case .sent: .sent
        case .retry(let reason): .retry(because: "\(host): \(reason)")
        case .slower(let reason): .slower(because: "\(host): \(reason)")
        case .stalled(let reason): .stalled(because: "\(host): \(reason)")
        case .refused(let reason): .refused(because: "\(host): \(reason)")
        case .blocked(let reason): .blocked(because: "\(host): \(reason)")
        case .undeliverable(let reason): .undeliverable(because: "\(host): \(reason)")
        case .unknown(let reason): .unknown(because: "\(host): \(reason)")
        }
    }

    // MARK: - Slots

    /// So many connections and no more, whatever the number of messages that come at once.
    private func takeSlot() async {
        if freeSlots > 0 {
            freeSlots -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func giveSlot() {
        if waiting.isEmpty {
            freeSlots += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
