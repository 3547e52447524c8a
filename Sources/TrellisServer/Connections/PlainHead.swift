import NIOCore
import NIOHTTP1

/// Brings the heads of requests to the one form that is read behind it: a path, one name of the site, and whether the
/// connection ends with the answer.
///
/// An address in place of the path says which site is meant, whatever `Host` says (RFC 9112, 3.2.2). A connection of
/// HTTP/1.0 ends with its answer unless the client asks to keep it, and so does any that says so (RFC 9112, 9.3).
final class PlainHead: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Requests that were read and not answered yet, each with whether it is the last and came as HTTP/1.0.
    private var requests = CircularBuffer<(isLast: Bool, isOld: Bool)>()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        let isLast = !head.isKeepAlive
        requests.append((isLast, head.version == .http1_0))
        if isLast { head.headers.replaceOrAdd(name: "connection", value: "close") }
        PlainHead.moveAuthority(&head)
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), head.status.code >= 200, let request = requests.popFirst()
        else { return context.write(data, promise: promise) }
        if request.isLast {
            head.headers.replaceOrAdd(name: "connection", value: "close")
        } else if request.isOld, !head.headers.contains(name: "connection") {
            // Who speaks HTTP/1.0 takes a connection that stays for one that ends, unless it is told.
            head.headers.add(name: "connection", value: "keep-alive")
        }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    /// `GET http://acme.example/offers` becomes `GET /offers` with `Host: acme.example`. A request of HTTP/1.1 with no
    /// `Host` or several is left as it is: it is refused (RFC 9112, 3.2). What is neither a path nor an address of the
    /// web is for no site.
    static func moveAuthority(_ head: inout HTTPRequestHead) {
        guard !head.uri.hasPrefix("/"), head.uri != "*" else { return }
        let hosts = head.headers["host"].count
        guard hosts == 1 || (hosts == 0 && head.version == .http1_0) else { return }
        guard let scheme = ["http://", "https://"].first(where: { head.uri.lowercased().hasPrefix($0) }) else {
            return head.headers.replaceOrAdd(name: "host", value: "")
        }
        let rest = head.uri.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        let path = rest[authority.endIndex...]
        head.headers.replaceOrAdd(name: "host", value: String(authority))
        head.uri = path.hasPrefix("/") ? String(path) : "/" + path
    }
}
