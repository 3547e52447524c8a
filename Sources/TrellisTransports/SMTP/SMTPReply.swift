import Foundation
import TrellisKernel

/// What a relay answered: a code, often a finer status, and text for people (RFC 5321, 4.2; RFC 3463).
public struct SMTPReply: Sendable, Hashable {
    /// Three digits; the first is the class: 2 done, 3 go on, 4 not now, 5 never.
    public let code: Int
    /// The text of each line, without its code.
    public let lines: [String]

    public init(code: Int, lines: [String]) {
        self.code = code
        self.lines = lines
    }

    /// 2, 3, 4 or 5.
    public var kind: Int { code / 100 }

    /// The enhanced status code such as `5.1.1`, where the first line begins with one that fits the code (RFC 2034).
    public var status: String? {
        guard let word = lines.first?.split(separator: " ", maxSplits: 1).first else { return nil }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        let isNumeric = parts.allSatisfy { (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy(isDigit) }
        guard parts.count == 3, isNumeric, parts[0] == String(kind) else { return nil }
        return String(word)
    }

    /// The text in one line and lower case, without the enhanced status: what wordings are looked for in.
    var wording: String {
        let text = lines.joined(separator: " ").lowercased()
        return status.map { String(text.dropFirst($0.count)) } ?? text
    }

    /// The longest text of a relay that is kept, in characters.
    static let textMax = 300

    /// The reply for a person to read: one line without control characters, and with every address masked.
    ///
    /// - Parameter recipient: whose local part is masked too where the relay names it alone.
    func shown(hiding recipient: String = "") -> String {
        let words = ([String(code)] + lines).joined(separator: " ")
        let text = String(words.unicodeScalars.prefix(2000).map { isVisible($0) ? Character($0) : " " })
        let local = recipient.split(separator: "@").first.map { $0.lowercased() } ?? ""
        let masked = text.split(separator: " ").map { SMTPReply.masked($0, local: local) }.joined(separator: " ")
        return masked.count > SMTPReply.textMax ? masked.prefix(SMTPReply.textMax - 1) + "…" : masked
    }

    /// A word with the addresses in it masked; the brackets and stops around them stay.
    private static func masked(_ word: Substring, local: String) -> String {
        var output = ""
        var run = ""
        func finish() {
            let bare = run.trimmingCharacters(in: CharacterSet(charactersIn: "."))
            if run.contains("@") {
                output += MaskedAddress.of(run)
            } else {
                output += bare.lowercased() == local && !local.isEmpty ? run.replacing(bare, with: "•••") : run
            }
            run = ""
        }
        for character in word {
            if "<>()[]{}\"',;:".contains(character) {
                finish()
                output.append(character)
            } else {
                run.append(character)
            }
        }
        finish()
        return output
    }

    private func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }
}

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
        guard line.count >= 3, line[..<3].allSatisfy(isDigit), (2...5).contains(line[0] - 48) else {
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

private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

/// Why a connection to a relay is of no use any more.
enum SMTPFault: Error, Hashable, CustomStringConvertible {
    /// The name is unknown, nobody listens, or the network is down.
    case unreachable(String)
    /// TLS failed: an unknown authority, another name, no common version.
    case insecure(String)
    case closed
    case tookTooLong(step: String)
    /// The bytes are no reply of a mail server, or far too many.
    case malformed

    var description: String {
        switch self {
        case .unreachable(let reason): "it cannot be reached (\(reason))"
        case .insecure(let reason): "the encrypted connection failed (\(reason))"
        case .closed: "it closed the connection"
        case .tookTooLong(let step): "it did not answer in time (\(step))"
        case .malformed: "its answer is not that of a mail server"
        }
    }
}
