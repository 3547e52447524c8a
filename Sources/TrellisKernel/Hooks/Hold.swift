/// Holds a draft for as long as a plugin wants: thrown by a filter of a ``MessageDraft`` that may go later, nobody
/// knows when. The plugin lets it go by ``Transaction/release(forEach:arguments:)``.
public struct Hold: Error, Sendable, Hashable, CustomStringConvertible {
    /// Why, as the outbox shows it: `the sequence is paused`.
    public let reason: String
    /// The plugin whose filter threw it.
    var plugin = ""

    public init(because reason: String) {
        self.reason = reason
    }

    public var description: String { "held: \(reason)" }
}
