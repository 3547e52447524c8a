/// A message as it goes over the wire after DATA (RFC 5321, 4.5.2).
///
/// What a receiver could take for the end of the message, and so for the begin of another one, does not leave: a lone
/// LF becomes CRLF before dots are doubled, and a lone CR is refused (CVE-2023-51764 and its like).
enum MailWire {
    /// RFC 5321, 4.5.3.1.6: 1000 octets with the CRLF.
    static let lineBytesMax = 998

    /// The message with CRLF alone as line end, and one at its end.
    ///
    /// - Throws: ``MailWireProblem`` for what no mail may hold.
    static func normalised(_ bytes: [UInt8]) throws(MailWireProblem) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 2)
        var length = 0
        var afterReturn = false
        for byte in bytes {
            if afterReturn && byte != UInt8(ascii: "\n") { throw .loneReturn }
            switch byte {
            case UInt8(ascii: "\r"): afterReturn = true
            case UInt8(ascii: "\n"):
                output += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
                length = 0
                afterReturn = false
            case 0: throw .nul
            default:
                length += 1
                guard length <= lineBytesMax else { throw .longLine }
                output.append(byte)
            }
        }
        if afterReturn { throw .loneReturn }
        if length > 0 { output += [UInt8(ascii: "\r"), UInt8(ascii: "\n")] }
        return output
    }

    /// A normalised message with the dot at the begin of a line doubled. The final dot is not there yet.
    static func stuffed(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 64)
        var isFirst = true
        for byte in bytes {
            if isFirst && byte == UInt8(ascii: ".") { output.append(byte) }
            output.append(byte)
            isFirst = byte == UInt8(ascii: "\n")
        }
        return output
    }

    static let finalDot: [UInt8] = Array(".\r\n".utf8)
}

/// Why a message cannot go over the wire.
enum MailWireProblem: Error, CustomStringConvertible {
    case loneReturn, nul, longLine

    var description: String {
        switch self {
        case .loneReturn:
            "the message holds a CR without LF, which some servers take for the end of a line. Remove it."
        case .nul: "the message holds a NUL, which no mail may. Remove it."
        case .longLine: "a line of the message is longer than \(MailWire.lineBytesMax) bytes. Encode it."
        }
    }
}
