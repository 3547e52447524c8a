import Foundation

/// What an ``Endpoint`` answers.
public struct WebReply: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A page by the name of its template, with its values.
        case page(String, PageValues)
        case file(WebFile)
    }

    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: Body

    public init(status: Int = 200, headers: [(name: String, value: String)] = [], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A page from a template.
    public static func page(_ name: String, _ values: PageValues, status: Int = 200) -> WebReply {
        WebReply(status: status, body: .page(name, values))
    }

    public static func json(_ value: JSONValue, status: Int = 200) -> WebReply {
        WebReply(
            status: status, headers: [("content-type", "application/json")],
            body: .bytes(Array((value.text() + "\n").utf8)))
    }

    public static func text(_ text: String, type: String = "text/plain; charset=utf-8", status: Int = 200) -> WebReply {
        WebReply(status: status, headers: [("content-type", type)], body: .bytes(Array(text.utf8)))
    }

    /// Shows another page of this site after something was done: to reload it does nothing again (RFC 9110, 15.4.4).
    public static func see(_ path: String) -> WebReply {
        WebReply(status: 303, headers: [("location", path)])
    }

    /// The same answer with a header more.
    public func with(_ name: String, _ value: String) -> WebReply {
        var reply = self
        reply.headers.append((name, value))
        return reply
    }
}

/// The values of a page: texts, flags, lists and records. A text is escaped when it is written; only a value whose name
/// ends in `_html` may be written as it is.
public typealias PageValues = [String: PageValue]

public indirect enum PageValue: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    case text(String)
    case flag(Bool)
    case list([PageValues])
    case record(PageValues)

    public init(stringLiteral value: String) { self = .text(value) }
    public init(booleanLiteral value: Bool) { self = .flag(value) }

    /// A text that may be absent: a template asks for it by its name.
    public static func optional(_ text: String?) -> PageValue? { text.map(PageValue.text) }
}

/// A file of the site, sent whole or in part.
public struct WebFile: Sendable, Hashable {
    /// Where it lies: told to the log, and to no visitor.
    public let path: String
    /// The name it is saved under.
    public let name: String
    /// The folder that it must lie in once every symbolic link is followed; nil for any.
    public let folder: String?
    /// Whether a browser shows it where it stands and keeps it a while, on pages of other sites too, rather than save
    /// it.
    public let isShown: Bool
    /// The language in which a visitor is told that it is missing; nil for that of the site.
    public let language: String?

    /// A file that is saved.
    public init(path: String, name: String, folder: String? = nil, language: String? = nil) {
        (self.path, self.name, self.folder, self.language, isShown) = (path, name, folder, language, false)
    }

    /// A file that is shown.
    public init(shown path: String, name: String, folder: String?) {
        (self.path, self.name, self.folder, language, isShown) = (path, name, folder, nil, true)
    }

    /// Whether the file may be read at this path, which has no symbolic links in it.
    public func mayBe(at path: String) -> Bool {
        guard let folder else { return true }
        let root = URL(filePath: folder).resolvingSymlinksInPath().path(percentEncoded: false)
        return path.hasPrefix(root.hasSuffix("/") ? root : root + "/")
    }
}
