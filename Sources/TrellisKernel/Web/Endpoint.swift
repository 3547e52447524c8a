/// Something the site answers over HTTP, as a value: neither the kernel nor a plugin needs an HTTP library.
/// ```swift
/// Endpoint(.get, "/hello/:name") { request in .text("Hello \(request["name"])") }
/// ```
public struct Endpoint: Sendable {
    public enum Method: String, Sendable {
        /// Changes nothing that matters: mail scanners and browsers follow links nobody pressed.
        case get = "GET"
        case post = "POST"
    }

    /// How the body of a request is read before it is answered.
    public enum Body: Sendable {
        /// As a form or flat JSON: the fields are checked and decoded.
        case fields
        /// Not at all: for what is signed as a whole.
        case raw
    }

    public let method: Method
    /// A segment that begins with a colon stands for any one segment: `/forms/:magnet`.
    public let path: String
    /// Whether scripts on pages of the origins under `server.origins` may call it (CORS).
    public let isOpenToOrigins: Bool
    public let body: Body
    let answer: @Sendable (WebRequest) async throws -> WebReply

    public init(
        _ method: Method, _ path: String, isOpenToOrigins: Bool = false, body: Body = .fields,
        _ answer: @escaping @Sendable (WebRequest) async throws -> WebReply
    ) {
        self.method = method
        self.path = path
        self.isOpenToOrigins = isOpenToOrigins
        self.body = body
        self.answer = answer
    }

    /// Answers a request.
    public func callAsFunction(_ request: WebRequest) async throws -> WebReply {
        try await answer(request)
    }
}
