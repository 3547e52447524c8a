import Foundation

/// Puts a draft off: thrown by a filter of a ``MessageDraft`` that may go later but not now, such as outside quiet
/// hours.
public struct Postpone: Error, Sendable, Hashable, CustomStringConvertible {
    /// When it is asked again.
    public let until: Date
    /// Why, as the outbox shows it: `quiet hours`.
    public let reason: String

    public init(until: Date, because reason: String) {
        self.until = until
        self.reason = reason
    }

    public var description: String { "put off until \(Timestamp.text(until)): \(reason)" }
}
