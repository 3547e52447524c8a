import Foundation
import HTTPTypes
import Hummingbird
import TrellisKernel

/// Reads a request into what an endpoint sees: its body within limits, its fields decoded, its visitor's address.
struct RequestReader: Sendable {
    let kernel: Kernel

    /// - Throws: ``WebProblem`` for what cannot be read.
    func read(_ request: Request, _ context: SiteContext, as form: Endpoint.Body = .fields) async throws -> WebRequest {
        do {
            let body = try await body(of: request)
            let isForm = form == .fields && ["POST", "PUT", "PATCH"].contains(request.method.rawValue)
            return WebRequest(
                kernel: kernel, method: request.method.rawValue, path: path(of: request),
                parameters: try parameters(context),
                query: try FormBody.query(request.uri.query ?? ""), queryText: request.uri.query ?? "",
                fields: isForm ? try FormBody.read(body, contentType: request.headers[.contentType]) : WebFields([]),
                body: body, client: client(of: request, context), headers: headers(of: request))
        } catch let problem as BodyProblem {
            throw WebProblem(problem)
        }
    }

    /// With one slash at a time: two at the beginning of a path are the address of another site.
    private func path(of request: Request) -> String {
        "/" + request.uri.path.split(separator: "/").joined(separator: "/")
    }

    private func body(of request: Request) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap(Int.init), length > FormBody.bytesMax {
            throw RequestReader.tooLarge
        }
        var bytes: [UInt8] = []
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= FormBody.bytesMax else { throw RequestReader.tooLarge }
            bytes.append(contentsOf: part.readableBytesView)
        }
        return bytes
    }

    private static var tooLarge: WebProblem {
        WebProblem(
            413, Phrase("problem_too_large", ["size": String(FormBody.bytesMax / 1024)]),
            headers: [("connection", "close")])
    }

    private func parameters(_ context: SiteContext) throws -> [String: String] {
        var values: [String: String] = [:]
        for (name, value) in context.parameters {
            let written = String(value)
            let decoded = written.utf8.contains(UInt8(ascii: "%")) ? written.removingPercentEncoding : written
            guard let text = decoded, !text.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
                throw WebProblem.notFound
            }
            values[String(name)] = text
        }
        return values
    }

    private func headers(of request: Request) -> [String: String] {
        request.headers.reduce(into: [:]) { headers, field in
            let name = field.name.canonicalName
            headers[name] = headers[name].map { "\($0), \(field.value)" } ?? field.value
        }
    }

    private func client(of request: Request, _ context: SiteContext) -> ClientAddress {
        ForwardedClient(trusted: kernel.config.site.server.trustedProxies)
            .address(peer: context.peer, forwardedFor: request.headers.all("x-forwarded-for"))
    }
}

/// Whose address counts: that of the connection, unless it is a trusted proxy; then the last one in `X-Forwarded-For`
/// that is no trusted proxy. What stands before that was written by anybody.
struct ForwardedClient: Sendable {
    let trusted: [AddressRange]

    func address(peer: String?, forwardedFor: [String]) -> ClientAddress {
        guard let peer = peer.flatMap({ ClientAddress($0) }) else { return .none }
        guard isTrusted(peer) else { return peer }
        let chain = forwardedFor.flatMap { $0.split(separator: ",") }.map { ClientAddress($0.filter { $0 != " " }) }
        for address in chain.reversed() {
            guard let address else { return peer }
            if !isTrusted(address) { return address }
        }
        return peer
    }

    private func isTrusted(_ address: ClientAddress) -> Bool { trusted.contains { address.isIn($0) } }
}
