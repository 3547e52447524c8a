/// Why a connection to a relay is of no use any more.
enum SMTPFault: Error, Hashable, CustomStringConvertible {
    /// The name is unknown, nobody listens, or the network is down.
    case unreachable(String)
    /// TLS failed: an unknown authority, another name, no common version.
    case insecure(String)
    case closed
    case tookTooLong(step: String)
    /// The bytes are no reply of a mail server, or far too many.
    case malformed

    var description: String {
        switch self {
        case .unreachable(let reason): "it cannot be reached (\(reason))"
        case .insecure(let reason): "the encrypted connection failed (\(reason))"
        case .closed: "it closed the connection"
        case .tookTooLong(let step): "it did not answer in time (\(step))"
        case .malformed: "its answer is not that of a mail server"
        }
    }
}
