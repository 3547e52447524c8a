import Synchronization

/// Says, in a file beside the database, which message is being written at this moment. A trap in what writes it cannot
/// be caught, and would kill each process after this one too: so the message that three died of is held unseen.
///
/// The file is that of a ``RunningMark``, one for each transport, for couriers work side by side.
final class WritingMark: Sendable {
    /// One of them may have been somebody's `kill -9`; three at the same message are none.
    static let deathsMax = 3

    private let transport: String
    private let mark: RunningMark
    /// What the process before this one died of, until that message is held.
    private let suspicion: Mutex<RunningMark.Suspicion?>

    /// - Parameters:
    ///   - path: of the database.
    ///   - isAfterCrash: whether the worker before this one died; else what it left means nothing.
    init(path: String, transport: String, isAfterCrash: Bool) throws {
        self.transport = transport
        mark = try RunningMark(path: WritingMark.file(path, transport), isAfterCrash: isAfterCrash)
        suspicion = Mutex(mark.found)
    }

    static func file(_ path: String, _ transport: String) -> String { "\(path)-writing-\(transport)" }

    /// Marks the message that is written next.
    ///
    /// - Returns: false where it must not be, because the process died of it often enough. Who lets it go again has it
    ///   tried again.
    func begin(_ message: Int64) -> Bool {
        let deaths = suspicion.withLock { suspicion in
            guard let found = suspicion, found.event == message else { return 0 }
            if found.deaths >= WritingMark.deathsMax { suspicion = nil }
            return found.deaths
        }
        guard deaths < WritingMark.deathsMax else { return false }
        mark.write(.init(subscriber: transport, through: message, event: message, deaths: deaths))
        return true
    }

    /// All are written: whatever kills the process from here on is none of them.
    func end() { mark.write(nil) }
}
