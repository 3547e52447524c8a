import NIOCore
import NIOSSL
import NIOTLS

/// Hands replies to whoever waits for one. It lives on the event loop of its connection.
final class SMTPReplyReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let eventLoop: any EventLoop
    private var parser = SMTPReplyParser()
    private var replies: [SMTPReply] = []
    private var waiting: EventLoopPromise<SMTPReply>?
    private var shaking: EventLoopPromise<Void>?
    private var failure: (any Error)?

    /// Replies that nobody asked for; a relay says one before it closes.
    private static let repliesMax = 10

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    var isIdle: Bool { replies.isEmpty && failure == nil && !parser.isInside }

    func next() -> EventLoopFuture<SMTPReply> {
        if !replies.isEmpty { return eventLoop.makeSucceededFuture(replies.removeFirst()) }
        if let failure { return eventLoop.makeFailedFuture(failure) }
        let promise = eventLoop.makePromise(of: SMTPReply.self)
        waiting = promise
        return promise.futureResult
    }

    func handshake() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        shaking = promise
        return promise.futureResult
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        do {
            for reply in try parser.take(unwrapInboundIn(data).readableBytesView) {
                if let promise = waiting {
                    waiting = nil
                    promise.succeed(reply)
                } else {
                    replies.append(reply)
                    guard replies.count <= SMTPReplyReader.repliesMax else { throw SMTPFault.malformed }
                }
            }
        } catch {
            fail(error)
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            shaking?.succeed()
            shaking = nil
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Many relays close without the farewell of TLS; what they said before is whole all the same.
        if case .uncleanShutdown? = error as? NIOSSLError {
            fail(SMTPFault.closed)
        } else {
            fail(error)
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(SMTPFault.closed)
        context.fireChannelInactive()
    }

    private func fail(_ error: any Error) {
        if failure == nil { failure = error }
        waiting?.fail(error)
        waiting = nil
        shaking?.fail(error)
        shaking = nil
    }
}
