import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// One connection to a relay: bytes out, replies in, and a limit on every wait.
///
/// It knows nothing of what is said; ``SMTPSession`` does. Whatever fails closes it.
final class SMTPLine: Sendable {
    private let channel: any Channel
    private let reader: NIOLoopBound<SMTPReplyReader>

    private init(channel: any Channel, reader: NIOLoopBound<SMTPReplyReader>) {
        self.channel = channel
        self.reader = reader
    }

    /// How the encrypted connection begins, where it is encrypted from its first byte.
    struct Encryption: Sendable {
        let context: NIOSSLContext
        let host: String

        /// An address has no name to send along; its certificate is then held against the address itself.
        func handler() throws -> NIOSSLClientHandler {
            let isAddress = host.contains(":") || host.utf8.allSatisfy { $0 == 46 || (48...57).contains($0) }
            return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
        }
    }

    /// - Throws: ``SMTPFault``.
    static func connect(
        host: String, port: Int, encryption: Encryption?, within limit: Duration, on group: any EventLoopGroup
    ) async throws(SMTPFault) -> SMTPLine {
        do {
            return try await ClientBootstrap(group: group)
                .connectTimeout(TimeAmount(limit))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let encryption { try channel.pipeline.syncOperations.addHandler(encryption.handler()) }
                        let reader = SMTPReplyReader(channel.eventLoop)
                        try channel.pipeline.syncOperations.addHandler(reader)
                        return SMTPLine(
                            channel: channel, reader: NIOLoopBound(reader, eventLoop: channel.eventLoop))
                    }
                }
        } catch {
            throw SMTPLine.fault(error, step: "connecting")
        }
    }

    /// Whether it can carry another command: open, and the relay has said nothing unasked.
    var isIdle: Bool {
        get async {
            guard channel.isActive else { return false }
            return (try? await channel.eventLoop.submit { self.reader.value.isIdle }.get()) ?? false
        }
    }

    /// The next reply.
    func reply(within limit: Duration, step: String) async throws(SMTPFault) -> SMTPReply {
        try await wait(limit, step: step) { self.reader.value.next() }
    }

    /// Writes bytes, and returns when the system has taken them.
    func write(_ bytes: some Sequence<UInt8>, within limit: Duration, step: String) async throws(SMTPFault) {
        let buffer = ByteBuffer(bytes: bytes)
        try await wait(limit, step: step) { self.channel.writeAndFlush(buffer) }
    }

    /// Encrypts from here on (RFC 3207). What the relay sent behind its 220 came in the clear and could be anybody's,
    /// so that it ends the connection.
    func startTLS(_ encryption: Encryption, within limit: Duration) async throws(SMTPFault) {
        try await wait(limit, step: "STARTTLS") {
            self.channel.eventLoop.flatSubmit {
                do {
                    guard self.reader.value.isIdle else { throw SMTPFault.malformed }
                    let handshake = self.reader.value.handshake()
                    try self.channel.pipeline.syncOperations.addHandler(encryption.handler(), position: .first)
                    return handshake
                } catch {
                    return self.channel.eventLoop.makeFailedFuture(error)
                }
            }
        }
    }

    func close() {
        channel.close(promise: nil)
    }

    /// Says goodbye, and closes whether or not it is heard.
    func quit() {
        channel.writeAndFlush(ByteBuffer(string: "QUIT\r\n"), promise: nil)
        channel.eventLoop.scheduleTask(in: .seconds(2)) { [channel] in channel.close(promise: nil) }
    }

    /// Quits after a time without a message; cancel it when there is one.
    func quit(after idle: Duration) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: TimeAmount(idle)) { self.quit() }
    }

    private func wait<T: Sendable>(
        _ limit: Duration, step: String, _ start: @escaping @Sendable () -> EventLoopFuture<T>
    ) async throws(SMTPFault) -> T {
        let promise = channel.eventLoop.makePromise(of: T.self)
        let timer = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) {
            promise.fail(SMTPFault.tookTooLong(step: step))
        }
        channel.eventLoop.execute {
            start().whenComplete { result in
                timer.cancel()
                promise.completeWith(result)
            }
        }
        do {
            return try await promise.futureResult.get()
        } catch {
            close()
            throw SMTPLine.fault(error, step: step)
        }
    }

    /// What failed, in words that name no address of a person.
    static func fault(_ error: any Error, step: String) -> SMTPFault {
        switch error {
        case let fault as SMTPFault: return fault
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first?.error { return .unreachable(words(failure)) }
            return .unreachable("its name is not known")
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: return .insecure(encryption(error))
        case ChannelError.connectTimeout: return .tookTooLong(step: step)
        case is ChannelError: return .closed
        case let error as IOError:
            return step == "connecting" ? .unreachable(words(error)) : .closed
        default: return .unreachable(words(error))
        }
    }

    /// What is wrong with the encryption, and what to do: the library names the files it was built from instead.
    static func encryption(_ error: any Error) -> String {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "nobody trusted here vouches for its certificate. Give the certificates of its authority as ca:"
        }
        if text.contains("failedToValidateHostname") {
            return "its certificate is for another name. Give the name in the certificate as host:"
        }
        if text.contains("WRONG_VERSION_NUMBER") { return "it does not begin encrypted. Say tls: starttls" }
        if let reason = text.firstMatch(of: /OPENSSL_internal:([A-Z0-9_]+)/)?.output.1 {
            return reason.lowercased().replacing("_", with: " ")
        }
        return words(error)
    }

    private static func words(_ error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        return String("\(error)".prefix(200))
    }
}
