import Foundation
import HTTPTypes
import Hummingbird
import Logging
import TrellisKernel

/// Turns the reply of an endpoint into a response: renders pages, reads files, says problems as a page or as JSON.
struct ReplyWriter: Sendable {
    let pages: Pages
    /// Whether problems are always told as JSON, as programs want them.
    let isJSON: Bool

    func response(to request: WebRequest, _ reply: WebReply, _ context: SiteContext) async throws -> Response {
        var headers = HTTPFields()
        for (name, value) in reply.headers {
            // A header made of input must not be able to end itself.
            guard let name = HTTPField.Name(name), HTTPField.isValidValue(value) else { continue }
            headers.append(HTTPField(name: name, value: value))
        }
        switch reply.body {
        case .none:
            return Response(status: .init(code: reply.status), headers: headers)
        case .bytes(let bytes):
            return Response(
                status: .init(code: reply.status), headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        case .page(let name, let values):
            return try page(name, values, status: reply.status, headers: headers)
        case .file(let file):
            return try await FileReply(file: file).response(
                range: request.header("range"), ifRange: request.header("if-range"),
                ifNoneMatch: request.header("if-none-match"), headers: headers, context)
        }
    }

    func page(_ name: String, _ values: PageValues, status: Int, headers: HTTPFields = [:]) throws -> Response {
        guard let text = pages.render(name, values) else {
            throw HTTPError(.internalServerError, message: "there is no page '\(name)'")
        }
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "text/html; charset=utf-8" }
        return Response(
            status: .init(code: status), headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    /// A problem as its asker can read it.
    func problem(_ problem: WebProblem, wantsJSON: Bool) -> Response {
        var headers = HTTPFields()
        for (name, value) in problem.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        guard !wantsJSON, !isJSON else {
            headers[.contentType] = "application/json"
            // Programs of the house read English.
            let said = isJSON ? problem.description : problem.said(in: pages.words(problem.language)).text
            let text = JSONValue.object([("error", .string(said))]).text() + "\n"
            return Response(
                status: .init(code: problem.status), headers: headers, body: .init(byteBuffer: ByteBuffer(string: text))
            )
        }
        let words = pages.words(problem.language)
        let (heading, text) = problem.said(in: words)
        let values: PageValues = [
            "title": .text(heading), "heading": .text(heading), "text": .text(text), "is_private": true,
            "language": .text(words.language),
        ]
        return (try? page("problem", values, status: problem.status, headers: headers))
            ?? Response(status: .init(code: problem.status), headers: headers)
    }
}

/// A file, whole or in part (RFC 9110, section 14). Of several parts asked for at once the whole is sent.
struct FileReply: Sendable {
    let file: WebFile

    func response(
        range: String?, ifRange: String?, ifNoneMatch: String?, headers: HTTPFields, _ context: SiteContext
    ) async throws -> Response {
        let path = URL(filePath: file.path).resolvingSymlinksInPath().path(percentEncoded: false)
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path), file.mayBe(at: path),
            attributes[.type] as? FileAttributeType == .typeRegular, let size = attributes[.size] as? Int,
            let changed = attributes[.modificationDate] as? Date
        else {
            context.logger.error("a file of the config cannot be read", metadata: ["path": "\(file.path)"])
            let problem = WebProblem(503, Phrase("problem_file"), heading: "problem_file_heading")
            throw file.language.map(problem.speaking) ?? problem
        }
        var headers = headers
        let tag = "\"\(String(size, radix: 36))-\(String(Int(changed.timeIntervalSince1970 * 1000), radix: 36))\""
        headers[.eTag] = tag
        headers[.acceptRanges] = "bytes"
        headers[.contentType] = FileType.of(file.name)
        if file.isShown {
            headers[.cacheControl] = "public, max-age=3600"
            if let name = HTTPField.Name("cross-origin-resource-policy") { headers[name] = "cross-origin" }
        } else {
            headers[.contentDisposition] = FileName(file.name).attachment
            headers[.cacheControl] = "private, no-cache"
        }
        if ifNoneMatch == tag { return Response(status: .notModified, headers: headers) }
        let files = FileIO()
        guard let range, ifRange == nil || ifRange == tag, let asked = ByteRange(range) else {
            let body = try await files.loadFile(path: path, context: context)
            return Response(status: .ok, headers: headers, body: body)
        }
        guard let part = asked.within(size) else {
            headers[.contentRange] = "bytes */\(size)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
        headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound)/\(size)"
        let body = try await files.loadFile(path: path, range: part, context: context)
        return Response(status: .partialContent, headers: headers, body: body)
    }
}

/// `bytes=0-499`, `bytes=500-` or `bytes=-500`: one part of a file (RFC 9110, 14.1.2).
struct ByteRange: Sendable, Hashable {
    private let first: Int?
    private let last: Int?

    /// Nil for anything else, several parts among it: then the whole is sent.
    init?(_ text: String) {
        guard text.hasPrefix("bytes=") else { return nil }
        let parts = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }) else { return nil }
        (first, last) = (Int(parts[0]), Int(parts[1]))
        guard parts[0].isEmpty == (first == nil), parts[1].isEmpty == (last == nil), first != nil || last != nil else {
            return nil
        }
        if let first, let last, last < first { return nil }
    }

    /// The bytes of a file of this size; nil where it has none of them.
    func within(_ size: Int) -> ClosedRange<Int>? {
        guard let first else {
            let length = min(last ?? 0, size)
            return length > 0 ? size - length...size - 1 : nil
        }
        return first < size ? first...min(last ?? size - 1, size - 1) : nil
    }
}
