/// The other direction of ``MailEncoding``: bytes of received mail become text again, whatever is wrong with them.
enum MailDecoding {
    /// The content of a part without its transfer encoding (RFC 2045 section 6), with LF line ends. An encoding nobody
    /// knows leaves it as it is.
    static func content(_ bytes: ArraySlice<UInt8>, encoding: String?) -> ArraySlice<UInt8> {
        switch encoding.map(MailHeaders.word) {
        case "quoted-printable": MailLines.normalised(quotedPrintable(bytes))[...]
        case "base64": MailLines.normalised(base64(bytes))[...]
        default: bytes
        }
    }

    /// UTF-8 where it is valid, else Windows-1252, in which every byte means something. NUL is left out: SQLite and C
    /// end a text there.
    static func text(_ bytes: ArraySlice<UInt8>) -> String {
        let bytes = bytes.contains(0) ? bytes.filter { $0 != 0 }[...] : bytes
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return windows1252(bytes)
    }

    private static func windows1252(_ bytes: some Collection<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(Unicode.Scalar(Windows1252.scalar(of: byte)) ?? "\u{FFFD}") }
        return String(text)
    }

    /// RFC 2045 section 6.7. What is no code stands for itself; spaces at the end of a line are of the transport.
    static func quotedPrintable(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        for line in MailLines(bytes) {
            var end = line.endIndex
            while end > line.startIndex, HeaderValue.isSpace(line[end - 1]) { end -= 1 }
            let isSoft = end > line.startIndex && line[end - 1] == UInt8(ascii: "=")
            appendCoded(line[..<(isSoft ? end - 1 : end)], to: &output)
            if !isSoft { output.append(UInt8(ascii: "\n")) }
        }
        return output
    }

    /// Replaces `=3D` and the like.
    private static func appendCoded(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "="), index + 2 < bytes.endIndex, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            {
                output.append(high << 4 | low)
                index += 3
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// RFC 2045 section 6.8: whatever is not of the alphabet is passed over, and padding ends it.
    static func base64(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count / 4 * 3)
        var (pending, count): (UInt32, Int) = (0, 0)
        for byte in bytes {
            if byte == UInt8(ascii: "=") { break }
            guard let value = sextet(byte) else { continue }
            pending = pending << 6 | UInt32(value)
            count += 1
            guard count == 4 else { continue }
            for shift in [UInt32(16), 8, 0] { output.append(UInt8(truncatingIfNeeded: pending >> shift)) }
            (pending, count) = (0, 0)
        }
        if count >= 2 { output.append(UInt8(truncatingIfNeeded: pending >> (count == 2 ? 4 : 10))) }
        if count == 3 { output.append(UInt8(truncatingIfNeeded: pending >> 2)) }
        return output
    }

    private static func sextet(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }

    // MARK: - Words of a header

    /// An encoded word has 75 characters at most (RFC 2047 section 2); many programs write longer ones.
    private static let wordBytesMax = 600

    /// The value of a header for people: its encoded words (RFC 2047) decoded, of the charsets UTF-8, ASCII, Latin-1
    /// and Windows-1252. Another word stays as it is written.
    static func words(_ value: String) -> String {
        guard value.contains("=?") else { return value }
        let bytes = Array(value.utf8)
        var output: [UInt8] = []
        var index = 0
        var afterWord = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "="), let word = word(in: bytes, at: index) else {
                output.append(bytes[index])
                index += 1
                continue
            }
            // White space between two encoded words is of the folding (RFC 2047 section 6.2).
            if afterWord > 0, output[afterWord...].allSatisfy(HeaderValue.isSpace) {
                output.removeSubrange(afterWord...)
            }
            output += word.text.utf8
            afterWord = output.count
            index = word.end
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func word(in bytes: [UInt8], at begin: Int) -> (text: String, end: Int)? {
        let window = bytes[begin..<min(begin + wordBytesMax, bytes.count)]
        guard window.starts(with: "=?".utf8) else { return nil }
        let mark = UInt8(ascii: "?")
        guard let charsetEnd = window[(begin + 2)...].firstIndex(of: mark), charsetEnd + 2 < window.endIndex,
            window[charsetEnd + 2] == mark
        else { return nil }
        let textBegin = charsetEnd + 3
        guard let textEnd = window[textBegin...].firstIndex(of: mark), textEnd + 1 < window.endIndex,
            window[textEnd + 1] == UInt8(ascii: "=")
        else { return nil }
        let coded = window[textBegin..<textEnd]
        let plain: [UInt8]
        switch window[charsetEnd + 1] {
        case UInt8(ascii: "B"), UInt8(ascii: "b"): plain = base64(coded)
        case UInt8(ascii: "Q"), UInt8(ascii: "q"):
            var decoded: [UInt8] = []
            appendCoded(coded.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: " ") : $0 }[...], to: &decoded)
            plain = decoded
        default: return nil
        }
        let charset = String(
            decoding: window[(begin + 2)..<charsetEnd].prefix { $0 != UInt8(ascii: "*") }, as: UTF8.self)
        switch charset.lowercased() {
        case "utf-8", "utf8", "us-ascii": return (text(plain[...]), textEnd + 2)
        case "iso-8859-1", "iso-8859-15", "windows-1252", "latin1": return (windows1252(plain), textEnd + 2)
        default: return nil
        }
    }
}
