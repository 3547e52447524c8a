/// A form as `multipart/form-data`, of which only texts are read.
///
/// Source: RFC 7578, and RFC 2046, section 5.1, for the boundary. The names of fields stand as they were sent: browsers
/// write a quote in a name as `%22`, which cannot be told from a name that holds these three characters.
struct MultipartForm {
    /// RFC 2046, section 5.1.1.
    static let boundaryBytesMax = 70
    /// Room for the three headers a part may have, and for a name of the greatest length.
    static let headerBytesMax = 4_096
    /// RFC 7578, section 4.8: any other header is ignored.
    private static let headers: Set = ["content-disposition", "content-type", "content-transfer-encoding"]

    private let body: [UInt8]
    private let dashBoundary: [UInt8]

    static func read(_ body: [UInt8], boundary: [UInt8]?) throws(BodyProblem) -> WebFields {
        guard let boundary, isUsable(boundary) else { throw .boundaryUnusable }
        return try MultipartForm(body: body, dashBoundary: Array("--".utf8) + boundary).fields()
    }

    private static func isUsable(_ boundary: [UInt8]) -> Bool {
        let isAllowed = boundary.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "'()+_,-./:=? ".utf8.contains(byte)
            }
        }
        return isAllowed && (1...boundaryBytesMax).contains(boundary.count) && boundary.last != UInt8(ascii: " ")
    }

    private func fields() throws(BodyProblem) -> WebFields {
        var fields = CheckedFields()
        guard var delimiter = firstDelimiter() else { throw .boundaryMissing }
        while !delimiter.isLast {
            let part = try part(from: delimiter.end)
            // In a part without a text, the line end that closes the header opens the delimiter too.
            guard let next = self.delimiter(from: part.begin - 2) else { throw .multipartUnfinished }
            try fields.append(part.name, body[part.begin..<max(part.begin, next.begin)])
            delimiter = next
        }
        return fields.fields
    }

    // MARK: - Delimiters

    /// A line that parts two parts, with the line end before it.
    private struct Delimiter {
        let begin: Int
        let end: Int
        let isLast: Bool
    }

    /// What stands before the first delimiter is a preamble, and is skipped.
    private func firstDelimiter() -> Delimiter? {
        if let line = delimiterLine(at: 0) { return Delimiter(begin: 0, end: line.end, isLast: line.isLast) }
        return delimiter(from: 0)
    }

    /// Linear, because the boundary holds no CR: no byte is compared twice.
    private func delimiter(from offset: Int) -> Delimiter? {
        var index = offset
        while let begin = body[index...].firstIndex(of: UInt8(ascii: "\r")) {
            if hasLineEnd(at: begin), let line = delimiterLine(at: begin + 2) {
                return Delimiter(begin: begin, end: line.end, isLast: line.isLast)
            }
            index = begin + 1
        }
        return nil
    }

    /// Where the delimiter ends that begins a line here; nil where another text stands. Spaces may follow it.
    private func delimiterLine(at begin: Int) -> (end: Int, isLast: Bool)? {
        guard body[begin...].starts(with: dashBoundary) else { return nil }
        var index = begin + dashBoundary.count
        let isLast = body[index...].starts(with: "--".utf8)
        if isLast { index += 2 }
        while index < body.count, HeaderValue.isSpace(body[index]) { index += 1 }
        if isLast && index == body.count { return (index, true) }
        return hasLineEnd(at: index) ? (index + 2, isLast) : nil
    }

    private func hasLineEnd(at index: Int) -> Bool {
        index + 1 < body.count && body[index] == UInt8(ascii: "\r") && body[index + 1] == UInt8(ascii: "\n")
    }

    // MARK: - The header of a part

    /// The name of the part whose header begins here, and where its text begins.
    private func part(from offset: Int) throws(BodyProblem) -> (name: String, begin: Int) {
        var headers: [String: HeaderValue] = [:]
        var begin = offset
        while let end = lineEnd(from: begin) {
            guard end - offset <= MultipartForm.headerBytesMax else { throw .partHeaderTooLong }
            if end == begin { return (try MultipartForm.name(headers), end + 2) }
            let line = body[begin..<end]
            let name = line.prefix(while: HeaderValue.isToken)
            guard !name.isEmpty, line[name.endIndex...].first == UInt8(ascii: ":") else { throw .partUnreadable }
            let key = String(decoding: name, as: UTF8.self).lowercased()
            if MultipartForm.headers.contains(key) {
                guard let value = HeaderValue(line[(name.endIndex + 1)...]) else { throw .partUnreadable }
                guard headers.updateValue(value, forKey: key) == nil else { throw .partUnreadable }
            }
            begin = end + 2
        }
        throw .multipartUnfinished
    }

    /// Where the CR and LF stand that end this line; nil where none do.
    private func lineEnd(from offset: Int) -> Int? {
        var index = offset
        while let end = body[index...].firstIndex(of: UInt8(ascii: "\r")) {
            if hasLineEnd(at: end) { return end }
            index = end + 1
        }
        return nil
    }

    private static func name(_ headers: [String: HeaderValue]) throws(BodyProblem) -> String {
        guard let disposition = headers["content-disposition"], disposition.word == "form-data",
            let bytes = disposition["name"]
        else { throw .partUnreadable }
        let name = try CheckedFields.name(bytes[...])
        guard disposition["filename"] == nil, disposition["filename*"] == nil else { throw .file(name) }
        if let type = headers["content-type"] {
            guard type.word.hasPrefix("text/"), type.isUTF8 else { throw .partNotText(name) }
        }
        if let encoding = headers["content-transfer-encoding"] {
            guard ["7bit", "8bit", "binary"].contains(encoding.word) else { throw .partNotText(name) }
        }
        return name
    }
}
