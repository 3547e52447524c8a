/// A mail that came in, read as far as it can be read.
///
/// Anybody may send anything, so nothing is refused here: what is no header is passed over, a part that never ends ends
/// with the mail, and what exceeds a limit is not looked into. Every byte is read a bounded number of times.
///
/// Source: RFC 5322 for headers, RFC 2045 and RFC 2046 for parts.
public struct ReceivedMail: Sendable {
    /// What is kept of a mail. The reports that matter come before the copy of a long original, or cut it.
    public static let bytesMax = 1_048_576
    /// How deep parts may lie in parts. Real reports need four.
    static let depthMax = 8
    /// How many parts are looked into, at all depths together.
    static let partsMax = 100

    /// The mail itself: its headers, and its text or its parts.
    public let root: MailPart
    /// The mail as it came, with LF line ends.
    let lines: [UInt8]

    /// - Parameter bytes: the mail with line ends of any kind; beyond ``bytesMax`` they are not looked at. The line
    ///   `From ` that begins a mail in an mbox file may stand before it.
    public init(_ bytes: some Collection<UInt8>) {
        var reader = MailPartReader()
        lines = MailLines.normalised(bytes.prefix(ReceivedMail.bytesMax))
        root = reader.part(lines[...], depth: 0, type: "text/plain")
    }
}

/// A mail or a part of one.
public struct MailPart: Sendable {
    public let headers: MailHeaders
    /// In lower case, as `multipart/report`. What names no type is `text/plain` (RFC 2045 section 5.2).
    public let type: String
    /// As it stands in the mail, with LF line ends and not decoded.
    let content: ArraySlice<UInt8>
    /// Of a multipart, its parts; of an attached mail, that mail; of attached headers, a part with these headers alone.
    public let parts: [MailPart]

    /// The content without its transfer encoding, with LF line ends.
    var decoded: ArraySlice<UInt8> { MailDecoding.content(content, encoding: headers["content-transfer-encoding"]) }

    /// The first part that fits, this one included, in the order of the mail. What lies within an attached mail was
    /// said by somebody else and is not looked at.
    func first(_ fits: (MailPart) -> Bool) -> MailPart? {
        if fits(self) { return self }
        guard !isAttachedMail else { return nil }
        for part in parts {
            if let found = part.first(fits) { return found }
        }
        return nil
    }

    /// Whether this is a mail within a mail, or the headers of one.
    var isAttachedMail: Bool { MailPart.typesOfAttachedMail.contains(type) }

    /// RFC 2046 section 5.2.1, RFC 6522 section 4 and RFC 6532 section 3.7.
    static let typesOfAttachedMail: Set = [
        "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "text/rfc822",
    ]
}

/// Reads parts within parts, and stops at the limits.
private struct MailPartReader {
    private var partsLeft = ReceivedMail.partsMax

    mutating func part(_ bytes: ArraySlice<UInt8>, depth: Int, type assumed: String) -> MailPart {
        partsLeft -= 1
        var rest = bytes
        let headers = MailHeaders(reading: &rest)
        let type = headers["content-type"].map(MailHeaders.word) ?? ""
        let named = type.contains("/") ? type : assumed
        return MailPart(
            headers: headers, type: named, content: rest,
            parts: depth < ReceivedMail.depthMax ? parts(of: rest, named, headers, depth: depth) : [])
    }

    private mutating func parts(of content: ArraySlice<UInt8>, _ type: String, _ headers: MailHeaders, depth: Int)
        -> [MailPart]
    {
        if MailPart.typesOfAttachedMail.contains(type) {
            guard partsLeft > 0 else { return [] }
            let mail = MailDecoding.content(content, encoding: headers["content-transfer-encoding"])
            return [part(mail, depth: depth + 1, type: "text/plain")]
        }
        guard type.hasPrefix("multipart/"),
            let boundary = headers["content-type"].flatMap({ MailHeaders.parameter("boundary", of: $0) }),
            !boundary.isEmpty
        else { return [] }
        let assumed = type == "multipart/digest" ? "message/rfc822" : "text/plain"
        var parts: [MailPart] = []
        for section in MailPartReader.sections(of: content, boundary: Array("--\(boundary)".utf8), limit: partsLeft) {
            guard partsLeft > 0 else { break }
            parts.append(part(section, depth: depth + 1, type: assumed))
        }
        return parts
    }

    /// What stands between the delimiters. The line end before a delimiter belongs to it (RFC 2046 section 5.1.1).
    private static func sections(of content: ArraySlice<UInt8>, boundary: [UInt8], limit: Int) -> [ArraySlice<UInt8>] {
        var sections: [ArraySlice<UInt8>] = []
        var begin: Int?
        var lines = MailLines(content)
        while sections.count < limit, let line = lines.next() {
            guard line.starts(with: boundary) else { continue }
            let tail = line.dropFirst(boundary.count)
            let isLast = tail.starts(with: "--".utf8)
            guard tail.dropFirst(isLast ? 2 : 0).allSatisfy(HeaderValue.isSpace) else { continue }
            if let begin { sections.append(content[begin..<max(begin, line.startIndex - 1)]) }
            begin = isLast ? nil : lines.nextIndex
            if isLast { return sections }
        }
        if let begin, sections.count < limit { sections.append(content[begin...]) }
        return sections
    }
}

/// The lines of a text whose lines end with LF.
struct MailLines: Sequence, IteratorProtocol {
    private let bytes: ArraySlice<UInt8>
    /// Where the next line begins.
    private(set) var nextIndex: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        nextIndex = bytes.startIndex
    }

    /// Without its LF.
    mutating func next() -> ArraySlice<UInt8>? {
        guard nextIndex < bytes.endIndex else { return nil }
        let begin = nextIndex
        let end = bytes[begin...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        nextIndex = Swift.min(end + 1, bytes.endIndex)
        return bytes[begin..<end]
    }

    /// The text with LF as the only line end. Where LF ends lines, the CRs right before it go with it, however many a
    /// gateway has put there; where there is no LF at all, CR ends lines.
    static func normalised(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let (cr, lf) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        guard bytes.contains(lf) else { return bytes.map { $0 == cr ? lf : $0 } }
        var lines: [UInt8] = []
        lines.reserveCapacity(bytes.count)
        for byte in bytes {
            if byte == lf {
                while lines.last == cr { lines.removeLast() }
            }
            lines.append(byte)
        }
        return lines
    }
}
