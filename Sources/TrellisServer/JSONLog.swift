import Foundation
import Logging
import TrellisKernel

/// Logs to standard error, a line of JSON each: what a text holds cannot end its line. Errors say the inside; nothing
/// says an address or the token of a link.
public struct JSONLog: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel = Logger.Level.info
    private let label: String

    init(label: String) {
        self.label = label
    }

    /// Makes this the log of the process. `TRELLIS_LOG=debug` says more, `TRELLIS_LOG=warning` less.
    public static func bootstrap() {
        let level = ProcessInfo.processInfo.environment["TRELLIS_LOG"].flatMap(Logger.Level.init(rawValue:)) ?? .info
        LoggingSystem.bootstrap { label in
            var log = JSONLog(label: label)
            log.logLevel = level
            return log
        }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, own in own }.filter { $0.key != "hb.request.id" }
        let entries: [(key: String, value: JSONValue)] =
            [
                ("at", .string(Timestamp.text(KernelClock.system.now()))), ("level", .string(event.level.rawValue)),
                ("message", .string("\(event.message)")),
            ] + all.sorted { $0.key < $1.key }.map { ($0.key, .string("\($0.value)")) }
        FileHandle.standardError.write(Data((JSONValue.object(entries).text() + "\n").utf8))
    }
}
