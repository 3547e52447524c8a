import Crypto
import Foundation

/// Signs mails in the name of a domain, relaxed/relaxed (RFC 6376, RFC 8463).
public struct DKIMSignature: Sendable {
    public let domain: String
    public let selector: String
    public let key: DKIMKey

    public init(domain: String, selector: String, key: DKIMKey) {
        self.domain = domain
        self.selector = selector
        self.key = key
    }

    /// Where receivers look for the public half, ``DKIMKey/dnsRecord``, as TXT (RFC 6376, 3.6.2.1).
    public var dnsName: String { "\(selector)._domainkey.\(domain)" }

    /// What is signed where it is there (RFC 6376, 5.4.1); List-Unsubscribe has to be for one click (RFC 8058, 4).
    private static let signedFields = [
        "from", "to", "subject", "date", "message-id", "mime-version", "content-type",
        "reply-to", "list-unsubscribe", "list-unsubscribe-post", "auto-submitted", "feedback-id",
    ]
    /// Named once more than they occur, so that nobody on the way can add a second one (RFC 6376, 8.15).
    private static let sealedFields: Set<String> = ["from", "to", "subject"]

    /// The field that signs a message, with its line end: it goes in front of it.
    ///
    /// - Parameters:
    ///   - message: with CRLF line ends, as it goes over the wire.
    ///   - time: seconds since 1970.
    /// - Throws: where the key cannot sign.
    public func field(for message: [UInt8], at time: Int) throws -> [UInt8] {
        let header = MailHeader(message)
        let occurring = Dictionary(grouping: header.fields) { $0.name.lowercased() }
        let names = DKIMSignature.signedFields.flatMap { name in
            let count = occurring[name]?.count ?? 0
            return Array(repeating: name, count: DKIMSignature.sealedFields.contains(name) ? count + 1 : count)
        }
        let bodyHash = DKIMSignature.bodyHash(message[header.bodyStart...])
        let folded = """
             v=1; a=\(key.algorithm); c=relaxed/relaxed; d=\(domain);\r
            \ts=\(selector); t=\(time);\r
            \th=\(DKIMSignature.folded(names, separator: ":"));\r
            \tbh=\(bodyHash);\r
            \tb=
            """
        let value = try signature(over: header.fields, names: names, unsigned: folded)
        let lines = stride(from: 0, to: value.count, by: 68).map { start in
            String(value.dropFirst(start).prefix(68))
        }
        return Array("DKIM-Signature:\(folded)\(lines.joined(separator: "\r\n\t "))\r\n".utf8)
    }

    /// The value of `b=`, in base64, for a signature field that ends with an empty `b=` (RFC 6376, 3.7).
    func signature(over fields: [MailHeader.Field], names: [String], unsigned: String) throws -> String {
        var text: [UInt8] = []
        var used: [String: Int] = [:]
        for name in names {
            // Of several fields of a name, the lowest is signed first (RFC 6376, 5.4.2).
            let bearers = fields.filter { $0.name.lowercased() == name }
            let index = bearers.count - 1 - used[name, default: 0]
            used[name, default: 0] += 1
            // A name without a field left signs that there is none.
            if bearers.indices.contains(index) {
                text += DKIMSignature.relaxed(name: name, value: bearers[index].value) + Array("\r\n".utf8)
            }
        }
        text += DKIMSignature.relaxed(name: "dkim-signature", value: Array(unsigned.utf8))
        return Data(try key.sign(text)).base64EncodedString()
    }

    // MARK: - Canonical forms

    /// RFC 6376, 3.4.2: one line, and each stretch of white space one space.
    static func relaxed(name: String, value: [UInt8]) -> [UInt8] {
        let words = value.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        let trimmedName = name.lowercased().trimmingCharacters(in: .whitespaces)
        return Array("\(trimmedName):".utf8) + words.joined(separator: [0x20])
    }

    /// RFC 6376, 3.4.4: white space at the end of a line goes, elsewhere it is one space; empty lines at the end go.
    static func relaxed(body: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(body.count)
        var emptyLines = 0
        for line in body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            var relaxedLine: [UInt8] = []
            var isBlank = false
            for byte in line where byte != UInt8(ascii: "\r") {
                if byte == 0x20 || byte == 0x09 {
                    isBlank = true
                    continue
                }
                if isBlank { relaxedLine.append(0x20) }
                isBlank = false
                relaxedLine.append(byte)
            }
            if relaxedLine.isEmpty {
                emptyLines += 1
                continue
            }
            for _ in 0..<emptyLines { output += [0x0D, 0x0A] }
            emptyLines = 0
            output += relaxedLine + [0x0D, 0x0A]
        }
        return output
    }

    static func bodyHash(_ body: ArraySlice<UInt8>) -> String {
        Data(SHA256.hash(data: relaxed(body: body))).base64EncodedString()
    }

    /// Names in lines of at most about 76 characters; white space between them means nothing.
    private static func folded(_ names: [String], separator: String) -> String {
        var output = ""
        var column = 3
        for (index, name) in names.enumerated() {
            let piece = index == names.count - 1 ? name : name + separator
            if column + piece.count > 76 {
                output += "\r\n\t "
                column = 2
            }
            output += piece
            column += piece.count
        }
        return output
    }
}
