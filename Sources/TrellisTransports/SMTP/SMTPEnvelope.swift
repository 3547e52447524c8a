import TrellisKernel

/// A message ready for the wire: the two addresses of its envelope and its bytes (RFC 5321, 2.3.1).
struct SMTPEnvelope: Sendable {
    let sender: String
    let recipient: String
    /// Normalised, dots not doubled.
    let content: [UInt8]

    /// RFC 5321, 4.5.3.1.3, for a path with its brackets.
    static let addressBytesMax = 254

    /// - Throws: ``Refusal`` for what cannot be put on a line of the dialogue, or is no mail.
    init(_ message: RenderedMessage) throws(Refusal) {
        do {
            content = try MailWire.normalised(message.bytes)
        } catch {
            throw Refusal(reason: "\(error)")
        }
        guard SMTPEnvelope.isAddress(message.recipient) else {
            throw Refusal(reason: "the recipient is no address a mail can be sent to. Correct it on the lead.")
        }
        let given = message.returnPath.isEmpty ? MailHeader(content).address(of: "from") : message.returnPath
        guard let given, SMTPEnvelope.isAddress(given) else {
            throw Refusal(reason: "the message has no address to return to. Give mail.from in the config.")
        }
        sender = given
        recipient = message.recipient
    }

    struct Refusal: Error {
        let reason: String
    }

    /// RFC 6531: an address beyond ASCII needs a relay that knows of it.
    var needsUTF8: Bool { ![sender, recipient].allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } } }
    var isEightBit: Bool { !content.allSatisfy { $0 < 0x80 } }

    /// Nothing that could end the command or the path: the last line of defence against a second command (CWE-93).
    private static func isAddress(_ text: String) -> Bool {
        guard text.utf8.count <= addressBytesMax, let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else {
            return false
        }
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar.value > 0x20 && !(0x7F..<0xA0).contains(scalar.value) && !"<>\\\"".unicodeScalars.contains(scalar)
                && !scalar.properties.isWhitespace
        }
        return isPlain && at > text.utf8.startIndex && text.utf8.index(after: at) < text.utf8.endIndex
    }
}
