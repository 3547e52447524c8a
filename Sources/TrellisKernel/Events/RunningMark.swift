import Foundation

/// Says, in a file beside the database, which events are being handled at this moment. A trap in Swift cannot be
/// caught, so this is how an event that kills the process is found:
///
/// 1. The process dies in a batch, and leaves the mark of the batch.
/// 2. The next worker runs that batch event by event, each marked. It dies again, and leaves the mark of one event.
/// 3. The next runs that event alone once more, for it may have been somebody's `kill -9`. It dies a third time.
/// 4. The next parks that event before it runs again.
///
/// The mark is a plain write of a few bytes: it outlives the process, needs no commit and costs a microsecond. It
/// need not outlive a power cut, which is nobody's event.
public final class RunningMark: Sendable {
    /// The events of one subscriber that were begun and not finished.
    struct Suspicion: Equatable {
        var subscriber: String
        /// The last event of the batch.
        var through: Int64
        /// The one event that was run alone; 0 while it was the whole batch.
        var event: Int64
        /// How often the process died while that event was run alone.
        var deaths: Int
    }

    /// Deaths of an event run alone before it is parked unseen; with the batch before, the process then died three
    /// times.
    static let deathsMax = 2
    private static let bytes = 256

    /// What the process before this one left; nil where it ended well or was between two batches.
    let found: Suspicion?
    private let descriptor: Int32

    /// - Parameter isAfterCrash: whether the worker before this one died; else what it left means nothing.
    init(path: String, isAfterCrash: Bool) throws {
        let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw KernelError.diskError("\(path): \(String(cString: strerror(errno)))") }
        var buffer = [UInt8](repeating: 0, count: RunningMark.bytes)
        let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        var found =
            isAfterCrash ? RunningMark.parse(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)) : nil
        if found?.event ?? 0 > 0 { found?.deaths += 1 }
        self.found = found
        if !isAfterCrash { write(nil) }
    }

    deinit {
        close(descriptor)
    }

    func write(_ suspicion: Suspicion?) {
        let text = suspicion.map { "\($0.subscriber) \($0.through) \($0.event) \($0.deaths)" } ?? "-"
        let line = text.padding(toLength: RunningMark.bytes - 1, withPad: " ", startingAt: 0) + "\n"
        _ = Array(line.utf8.prefix(RunningMark.bytes)).withUnsafeBytes {
            pwrite(descriptor, $0.baseAddress, $0.count, 0)
        }
    }

    private static func parse(_ text: String) -> Suspicion? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 4, let through = Int64(words[1]), let event = Int64(words[2]), let deaths = Int(words[3])
        else { return nil }
        return Suspicion(subscriber: String(words[0]), through: through, event: event, deaths: deaths)
    }
}
