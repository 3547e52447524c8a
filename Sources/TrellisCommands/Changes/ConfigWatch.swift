import Foundation
import Synchronization
import TrellisKernel

/// Notices that somebody edited the config file of a running process. Nothing more: a config that came into force by
/// being saved would be neither planned nor confirmed nor held to `limits:`, as `trellis apply` does all three.
final class ConfigWatch: Sendable {
    enum Finding: Sendable, Hashable {
        /// It is another than the one in force, and a process could begin with it.
        case changed
        /// No process could begin with it; the sentences say why, with the places.
        case wrong(String)
    }

    /// What tells one state of a file from another.
    private struct Mark: Hashable {
        let number: Int?
        let size: Int?
        let changedAt: Date?

        /// Nil where there is no file.
        init?(_ file: String) {
            let path = URL(filePath: file).resolvingSymlinksInPath().path(percentEncoded: false)
            guard let facts = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
            number = (facts[.systemFileNumber] as? NSNumber)?.intValue
            size = (facts[.size] as? NSNumber)?.intValue
            changedAt = facts[.modificationDate] as? Date
        }
    }

    private struct State {
        var lookedAt: ContinuousClock.Instant
        /// The state that was spoken of, or was there at the start.
        var known: Mark?
        /// Another one, seen for the first time: whoever may still be writing it is waited for.
        var seen: Mark??
    }

    /// Between two looks. An edit is spoken of when two in a row find the same.
    static let interval = Duration.seconds(1)

    private let file: String
    private let inForce: @Sendable () -> String?
    private let check: @Sendable () throws -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - inForce: the text of the config in force; nil where none is.
    ///   - check: throws where no process could begin with the file as it stands.
    init(
        _ file: String, at now: ContinuousClock.Instant = .now, inForce: @escaping @Sendable () -> String?,
        check: @escaping @Sendable () throws -> Void
    ) {
        self.file = file
        self.inForce = inForce
        self.check = check
        state = Mutex(State(lookedAt: now, known: Mark(file)))
    }

    /// Asked again and again, by several threads; most of the time it does nothing. Each edit is found once.
    func look(at now: ContinuousClock.Instant = .now) -> Finding? {
        let isNews = state.withLockIfAvailable { state in
            guard now - state.lookedAt >= ConfigWatch.interval else { return false }
            state.lookedAt = now
            let mark = Mark(file)
            guard mark != state.known else {
                state.seen = nil
                return false
            }
            guard state.seen == .some(mark) else {
                state.seen = .some(mark)
                return false
            }
            (state.known, state.seen) = (mark, nil)
            return true
        }
        guard isNews == true else { return nil }
        // That of `trellis apply` is in force already, and a signal tells of it.
        guard FileManager.default.contents(atPath: file) != inForce().map({ Data($0.utf8) }) else { return nil }
        do {
            try check()
            return .changed
        } catch {
            return .wrong("\(error)")
        }
    }

    /// The file as it stands was spoken of otherwise.
    func pass() {
        state.withLock { ($0.known, $0.seen) = (Mark(file), nil) }
    }
}
