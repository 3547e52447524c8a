import Foundation
import TrellisKernel

/// Puts each mail into a Maildir instead of sending it: the default, so that nobody is mailed by accident.
///
/// The name of the file is the stable id of the message, so that a delivery repeated after a crash is the same file.
public struct FileTransport: Transport {
    public let name = "mail"
    public let isIdempotent = true
    /// So many share a wait for the disk when their outcome is written down.
    public let connectionsMax = 32
    private let maildir: Maildir

    /// - Parameter folder: made where it is not there; `new/` holds what was sent.
    public init(folder: String) {
        maildir = Maildir(folder: folder)
    }

    public func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
        do {
            try await handingOver()
        } catch {
            return .retry(because: "the message was held back before it was handed over: \(error)")
        }
        do {
            _ = try maildir.deliver(message.bytes, name: message.stableID)
            return .sent
        } catch {
            return .retry(because: "\(error)")
        }
    }
}
