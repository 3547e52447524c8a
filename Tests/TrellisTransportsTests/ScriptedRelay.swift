import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TrellisKernel

/// A mail server on this machine that says what a test tells it to, and remembers all it heard.
final class ScriptedRelay: Sendable {
    /// What it does when something was said to it.
    enum Action: Sendable {
        case say(String)
        /// The same in pieces of one byte.
        case trickle(String)
        case sayAndDrop(String)
        case drop
        case silence
    }

    /// What it heard: a verb, the line it stood in, and how many of the kind came before on all connections.
    struct Cue: Sendable {
        /// `greeting`, `dot`, `secret` (a line of AUTH LOGIN) or a verb in capitals.
        let verb: String
        let line: String
        let before: Int
        let connection: Int
    }

    /// What it takes for the end of a line, and so of a message.
    enum Strictness: Sendable, CaseIterable {
        /// CRLF alone, as RFC 5321 has it.
        case crlf
        /// Also a lone LF, as many did before 2024.
        case lineFeed
        /// Also a lone CR.
        case anything
    }

    struct Script: Sendable {
        var offers = ["SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES"]
        var offersEncrypted: [String]?
        var strictness = Strictness.crlf
        var encryption: (context: NIOSSLContext, isImplicit: Bool)?
        var answer: @Sendable (Cue) -> Action? = { _ in nil }
    }

    struct Memory: Sendable {
        var lines: [String] = []
        var messages: [[UInt8]] = []
        var connections = 0
        var counts: [String: Int] = [:]
        var open: [ObjectIdentifier: any NIOCore.Channel] = [:]
    }

    let script: Script
    private let memory = Mutex(Memory())
    private let server = Mutex<(any NIOCore.Channel)?>(nil)

    init(_ script: Script = Script()) async throws {
        self.script = script
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let encryption = self.script.encryption, encryption.isImplicit {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLServerHandler(context: encryption.context))
                    }
                    try channel.pipeline.syncOperations.addHandler(RelayHandler(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.withLock { $0 = channel }
    }

    convenience init(answer: @escaping @Sendable (Cue) -> Action?) async throws {
        var script = Script()
        script.answer = answer
        try await self.init(script)
    }

    deinit {
        server.withLock { $0?.close(promise: nil) }
    }

    var port: Int { server.withLock { $0?.localAddress?.port } ?? 0 }
    var heard: Memory { memory.withLock { $0 } }
    /// The verbs in order, without the farewell of connections that end.
    var verbs: [String] {
        heard.lines.map { String($0.split(separator: " ").first ?? "") }.filter { $0 != "QUIT" }
    }

    func remember<T: Sendable>(_ body: @Sendable (inout Memory) -> T) -> T { memory.withLock { body(&$0) } }

    /// Closes every open connection, as a relay does that has waited long enough.
    func hangUp() async throws {
        for channel in heard.open.values { try? await channel.close().get() }
    }

    /// Listens no more.
    func stop() async throws {
        try await server.withLock { $0 }?.close().get()
        try await hangUp()
    }

    /// A relay as the config would name it.
    var settings: MailRelay {
        var relay = MailRelay()
        relay.host = "127.0.0.1"
        relay.port = port
        relay.encryption = MailRelay.Encryption.none
        return relay
    }
}

/// One connection to the scripted relay.
private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case commands, message, secrets(Int)
    }

    private let relay: ScriptedRelay
    private var state = State.commands
    private var connection = 0
    private var line: [UInt8] = []
    private var content: [UInt8] = []
    private var isEncrypted = false
    private var skipsLineFeed = false

    init(_ relay: ScriptedRelay) {
        self.relay = relay
        isEncrypted = relay.script.encryption?.isImplicit ?? false
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        connection = relay.remember { memory in
            memory.connections += 1
            memory.open[ObjectIdentifier(channel)] = channel
            return memory.connections
        }
        react("greeting", "", otherwise: .say("220 relay.example ready"), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let channel = context.channel
        relay.remember { $0.open[ObjectIdentifier(channel)] = nil }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView where context.channel.isActive { take(byte, context) }
    }

    private func take(_ byte: UInt8, _ context: ChannelHandlerContext) {
        var strictness = ScriptedRelay.Strictness.crlf
        if case .message = state { strictness = relay.script.strictness }
        if skipsLineFeed {
            skipsLineFeed = false
            if byte == 10 { return }
        }
        switch (byte, strictness) {
        case (10, .crlf) where line.last == 13:
            line.removeLast()
            end(context)
        case (10, .lineFeed):
            if line.last == 13 { line.removeLast() }
            end(context)
        case (10, .anything): end(context)
        case (13, .anything):
            skipsLineFeed = true
            end(context)
        default: line.append(byte)
        }
    }

    private func end(_ context: ChannelHandlerContext) {
        let bytes = line
        line = []
        let text = String(decoding: bytes, as: UTF8.self)
        switch state {
        case .message:
            guard bytes == [46] else {
                content += (bytes.first == 46 ? Array(bytes.dropFirst()) : bytes) + [13, 10]
                return
            }
            state = .commands
            let message = content
            content = []
            relay.remember { $0.messages.append(message) }
            react("dot", ".", otherwise: .say("250 2.0.0 taken"), context)
        case .secrets(let left):
            state = left > 1 ? .secrets(left - 1) : .commands
            let reply = left > 1 ? "334 UGFzc3dvcmQ6" : "235 2.7.0 welcome"
            hear(text, verb: "secret", otherwise: .say(reply), context)
        case .commands:
            hear(text, verb: text.prefix { $0 != " " }.uppercased(), otherwise: usual(text), context)
        }
    }

    private func usual(_ text: String) -> ScriptedRelay.Action {
        switch text.prefix(4).uppercased() {
        case "EHLO":
            let offers = isEncrypted ? relay.script.offersEncrypted ?? relay.script.offers : relay.script.offers
            let lines = ["relay.example"] + offers
            return .say(
                lines.enumerated().map { "250\($0 == lines.count - 1 ? " " : "-")\($1)" }.joined(separator: "\r\n"))
        case "STAR": return .say("220 go ahead")
        case "AUTH": return .say(text.hasPrefix("AUTH LOGIN") ? "334 VXNlcm5hbWU6" : "235 2.7.0 welcome")
        case "DATA": return .say("354 go ahead")
        case "QUIT": return .sayAndDrop("221 bye")
        default: return .say("250 2.0.0 good")
        }
    }

    private func hear(
        _ text: String, verb: String, otherwise action: ScriptedRelay.Action, _ context: ChannelHandlerContext
    ) {
        relay.remember { $0.lines.append(text) }
        let said = react(verb, text, otherwise: action, context)
        if said?.hasPrefix("354") == true { state = .message }
        if verb == "AUTH", said?.hasPrefix("334") == true { state = .secrets(2) }
        guard verb == "STARTTLS", said?.hasPrefix("220") == true, let encryption = relay.script.encryption else {
            return
        }
        isEncrypted = true
        try? context.pipeline.syncOperations.addHandler(
            NIOSSLServerHandler(context: encryption.context), position: .first)
    }

    @discardableResult
    private func react(
        _ verb: String, _ text: String, otherwise usual: ScriptedRelay.Action, _ context: ChannelHandlerContext
    ) -> String? {
        let before = relay.remember { memory in
            memory.counts[verb, default: 0] += 1
            return memory.counts[verb, default: 1] - 1
        }
        let cue = ScriptedRelay.Cue(verb: verb, line: text, before: before, connection: connection)
        switch relay.script.answer(cue) ?? usual {
        case .say(let reply):
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: reply + "\r\n")), promise: nil)
            return reply
        case .trickle(let reply):
            for byte in (reply + "\r\n").utf8 {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [byte])), promise: nil)
            }
            return reply
        case .sayAndDrop(let reply):
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: reply + "\r\n")), promise: nil)
            context.close(promise: nil)
            return reply
        case .drop: context.close(promise: nil)
        case .silence: break
        }
        return nil
    }
}
