import CTrellisSQLite
import Foundation

/// How much a statement may take that somebody types to read the file: one that grows without end must not take the
/// machine with it. Rows are not counted: they are handed on as they come.
///
/// ```swift
/// let limits = ReadingLimits(seconds: 60, megabytes: 256)
/// limits.limitMemory()
/// let connection = try SQLConnection(path: path, access: .read, limits: limits)
/// ```
public struct ReadingLimits: Sendable, Hashable {
    /// A statement that takes longer is stopped: between two steps of it, for nothing interrupts a function in its
    /// middle. Whoever must not wait for that ends the process, as `trellis sql` does.
    public var seconds: Double
    /// What SQLite may hold, in units of 2^20 bytes: pages, the rows it sorts and groups, the relations it makes up.
    public var megabytes: Int

    public static let secondsDefault = 300.0
    /// Enough to sort some million rows, and never more than half of the machine.
    public static let megabytesDefault = min(1_024, max(16, Int(ProcessInfo.processInfo.physicalMemory >> 21)))
    /// The share of the memory that one value may have: it is held several times until it is written.
    private static let valuesPerMemory = 16

    public init(seconds: Double = secondsDefault, megabytes: Int = megabytesDefault) {
        self.seconds = seconds
        self.megabytes = megabytes
    }

    /// Limits what SQLite may hold in this process, over all its connections
    /// (https://www.sqlite.org/c3ref/hard_heap_limit64.html).
    public func limitMemory() {
        sqlite3_hard_heap_limit64(Int64(megabytes) << 20)
    }

    /// Sorts in memory, which is counted, and not in files, which would fill the disk that the CRM is on.
    func hold(on handle: OpaquePointer) {
        sqlite3_exec(handle, "PRAGMA temp_store = MEMORY", nil, nil, nil)
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Int32(clamping: (megabytes << 20) / ReadingLimits.valuesPerMemory))
    }

    /// `300`, `0.5`: without the zero of a whole number.
    private var spelledSeconds: String { seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds) }

    /// Why a statement was stopped that took longer than ``seconds``.
    public var tookLonger: String {
        "The statement took longer than \(spelledSeconds) s and was stopped. Ask for less, or give it longer with --seconds."
    }

    /// Why a statement was stopped, and what would let it go on; nil for a code that has nothing to do with limits.
    func sentence(of code: Int32) -> String? {
        switch code & 0xFF {
        case SQLITE_NOMEM:
            "The statement needed more than \(megabytes) MB of memory and was stopped. Ask for less, or give it more with --memory MB."
        case SQLITE_TOOBIG:
            "A value of the statement is longer than \(megabytes / ReadingLimits.valuesPerMemory) MB, "
                + "a sixteenth of the memory it may have. Ask for less, or give it more with --memory MB."
        case SQLITE_INTERRUPT:
            tookLonger
        default: nil
        }
    }
}
