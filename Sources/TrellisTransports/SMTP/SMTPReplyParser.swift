/// Puts replies together from the bytes of a connection, however they are cut.
///
/// A line ends with CRLF; a lone LF is taken too, since nothing depends on it in this direction.
struct SMTPReplyParser {
    /// RFC 5321, 4.5.3.1.5 says 512; relays quote whole addresses and links.
    static let lineBytesMax = 2048
    /// Far beyond any EHLO; what is longer is no mail server.
    static let linesMax = 100

    private var line: [UInt8] = []
    private var code: Int?
    private var lines: [String] = []

    /// Whether a reply has begun and not ended.
    var isInside: Bool { !line.isEmpty || code != nil }

    /// Takes bytes; returns the replies they complete.
    ///
    /// - Throws: ``SMTPFault/malformed`` for what is no reply. Nothing after it can be trusted.
    mutating func take(_ bytes: some Sequence<UInt8>) throws(SMTPFault) -> [SMTPReply] {
        var replies: [SMTPReply] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                guard line.count < SMTPReplyParser.lineBytesMax else { throw .malformed }
                line.append(byte)
                continue
            }
            if let reply = try endLine() { replies.append(reply) }
        }
        return replies
    }

    private mutating func endLine() throws(SMTPFault) -> SMTPReply? {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line.removeAll(keepingCapacity: true) }
        guard line.count >= 3, line[..<3].allSatisfy({ (48...57).contains($0) }), (2...5).contains(line[0] - 48) else {
            throw .malformed
        }
        let number = line[..<3].reduce(0) { $0 * 10 + Int($1 - 48) }
        // RFC 5321, 4.2.1: the code is the same on every line.
        guard code == nil || code == number, lines.count < SMTPReplyParser.linesMax else { throw .malformed }
        code = number
        let separator = line.count > 3 ? line[3] : UInt8(ascii: " ")
        guard separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-") else { throw .malformed }
        lines.append(String(decoding: line.dropFirst(4), as: UTF8.self))
        if separator == UInt8(ascii: "-") { return nil }
        defer {
            code = nil
            lines = []
        }
        return SMTPReply(code: number, lines: lines)
    }
}
