import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Closes connections that hold the server up: those beyond the limit, heads that do not come to an end, bodies that
/// trickle, readers that do not read, and connections on which nothing happens.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// From the opening of the connection to the end of the first head.
    static let headTime = TimeAmount.seconds(10)
    /// From one answer to the end of the next head.
    static let idleTime = TimeAmount.seconds(30)
    /// A body brings so many bytes in each such time, or its end.
    static let bodyTime = TimeAmount.seconds(10)
    static let bodyBytes = 10 * 1024
    /// From an answer that came before the end of its request to the end of the connection.
    static let lingerTime = TimeAmount.seconds(2)
    /// How long a reader may take nothing of what waits for it.
    static let writeTime = TimeAmount.seconds(30)

    private let limit: ConnectionLimit
    private var entry: ConnectionLimit.Entry?
    private var deadline: Scheduled<Void>?
    private var writeDeadline: Scheduled<Void>?
    private var bytesInTime = 0
    /// Between the head of a request and its end: what is answered meanwhile was answered early, and the rest of the
    /// body is not waited for.
    private var isRequestOpen = false
    /// After a body in chunks no other request is read: where two servers read its length differently, one of them
    /// takes the end of the body for a request (RFC 9112, 11.2).
    private var isLast = false
    private var isLastRead = false

    init(_ limit: ConnectionLimit) {
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        addPlainHead(context)
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLastRead else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            (isRequestOpen, bytesInTime) = (true, 0)
            isLast = head.headerFields[.transferEncoding] != nil
            if let entry { limit.work(entry) }
            watchBody(context)
        case .body(let part): bytesInTime += part.readableBytes
        case .end:
            (isRequestOpen, isLastRead) = (false, isLast)
            stop()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        guard isLast || isRequestOpen else {
            close(context, after: ConnectionGuard.idleTime)
            if let entry { limit.rest(entry) }
            return context.write(data, promise: promise)
        }
        // What still comes is thrown away for a moment before the end: a connection that is closed on unread bytes is
        // reset, and the answer is lost with it (RFC 9112, 9.6).
        isLastRead = true
        let written = promise ?? context.eventLoop.makePromise()
        let channel = context.channel
        written.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
        close(context, after: ConnectionGuard.lingerTime)
        context.write(data, promise: written)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        writeDeadline?.cancel()
        writeDeadline = context.channel.isWritable ? nil : schedule(context, ConnectionGuard.writeTime)
        context.fireChannelWritabilityChanged()
    }

    /// The library adds handlers behind its own alone; the authority of a request is gone there.
    private func addPlainHead(_ context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(PlainHead(), position: .after(decoder))
        } catch {
            context.close(promise: nil)
        }
    }

    // MARK: - Deadlines

    private func begin(_ context: ChannelHandlerContext) {
        guard entry == nil else { return }
        let channel = context.channel
        entry = limit.enter(channel.remoteAddress?.ipAddress ?? "") { channel.close(promise: nil) }
        guard entry != nil else { return context.close(promise: nil) }
        close(context, after: ConnectionGuard.headTime)
    }

    private func end() {
        stop()
        writeDeadline?.cancel()
        if let entry { limit.leave(entry) }
        entry = nil
    }

    private func stop() {
        deadline?.cancel()
        deadline = nil
    }

    private func close(_ context: ChannelHandlerContext, after time: TimeAmount) {
        stop()
        deadline = schedule(context, time)
    }

    private func schedule(_ context: ChannelHandlerContext, _ time: TimeAmount) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    private func watchBody(_ context: ChannelHandlerContext) {
        stop()
        let (channel, watch) = (context.channel, NIOLoopBound(self, eventLoop: context.eventLoop))
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: ConnectionGuard.bodyTime) {
            guard watch.value.bytesInTime >= ConnectionGuard.bodyBytes else { return channel.close(promise: nil) }
            watch.value.bytesInTime = 0
            watch.value.watchBody(bound.value)
        }
    }
}
