import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A web server on this machine that answers what a test tells it to, and remembers what it was asked.
final class ScriptedReceiver: Sendable {
    struct Request: Sendable {
        var head: HTTPRequestHead
        var body: [UInt8] = []
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var bodyBytes = 0
        var isSilent = false
    }

    private let answer: @Sendable (Request) -> Answer
    private let asked = Mutex<[Request]>([])
    private let server = Mutex<(any Channel)?>(nil)

    init(encryption: NIOSSLContext? = nil, answer: @escaping @Sendable (Request) -> Answer = { _ in Answer() })
        async throws
    {
        self.answer = answer
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let encryption { try pipeline.addHandler(NIOSSLServerHandler(context: encryption)) }
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(ReceiverHandler(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.withLock { $0 = channel }
    }

    deinit {
        server.withLock { $0?.close(promise: nil) }
    }

    var port: Int { server.withLock { $0?.localAddress?.port } ?? 0 }
    var requests: [Request] { asked.withLock { $0 } }

    fileprivate func take(_ request: Request) -> Answer {
        asked.withLock { $0.append(request) }
        return answer(request)
    }
}

private final class ReceiverHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let receiver: ScriptedReceiver
    private var request: ScriptedReceiver.Request?

    init(_ receiver: ScriptedReceiver) {
        self.receiver = receiver
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = ScriptedReceiver.Request(head: head)
        case .body(let part): request?.body += Array(part.readableBytesView)
        case .end:
            guard let request else { return }
            let answer = receiver.take(request)
            if answer.isSilent { return }
            var headers = HTTPHeaders(answer.headers)
            headers.add(name: "content-length", value: String(answer.bodyBytes))
            let status = HTTPResponseStatus(statusCode: answer.status)
            context.write(
                wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
            let body = ByteBuffer(repeating: 120, count: answer.bodyBytes)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
