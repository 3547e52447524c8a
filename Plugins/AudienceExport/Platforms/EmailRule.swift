/// How a platform wants an e-mail address written before it is hashed: lower case, without white space, and whatever
/// else it says. The rules differ, so that one hash for all platforms would be wrong for some.
struct EmailRule: Sendable, Hashable {
    /// At gmail.com and googlemail.com, and nowhere else, dots and a plus part are left out.
    var foldsGmail = false
    /// A plus sign and what follows it are left out at every host.
    var cutsPlus = false
    /// The address must begin with a letter or a digit.
    var beginsWithLetterOrDigit = false

    private static let at = UInt8(ascii: "@")
    private static let dot = UInt8(ascii: ".")
    private static let plus = UInt8(ascii: "+")

    /// Appends the address as it is to be hashed. False, with nothing appended, for what is no address under the rule:
    /// such a row must not be hashed, for its hash would be that of nobody.
    func append(_ address: UnsafeRawBufferPointer, to output: inout [UInt8]) -> Bool {
        let start = output.count
        var atIndex = -1
        for byte in address {
            switch byte {
            case 9...13, 32: continue
            case 65...90: output.append(byte | 32)
            case EmailRule.at:
                guard atIndex < 0 else { return refuse(&output, start) }
                atIndex = output.count
                output.append(byte)
            case 0x80...:
                output.removeSubrange(start...)
                return appendUnicode(address, to: &output)
            default: output.append(byte)
            }
        }
        return finish(&output, start, at: atIndex)
    }

    /// Whether an address as it is hashed may be that of two leads, who wrote it differently.
    func mayBeShared(_ normalised: [UInt8]) -> Bool {
        if cutsPlus { return true }
        if foldsGmail, let at = normalised.lastIndex(of: EmailRule.at), EmailRule.isGmail(normalised[(at + 1)...]) {
            return true
        }
        return normalised.contains { $0 >= 0x80 }
    }

    /// The rule for a text.
    func normalised(_ address: String) -> String? {
        var (text, output) = (address, [UInt8]())
        let isAddress = text.withUTF8 { append(UnsafeRawBufferPointer($0), to: &output) }
        return isAddress ? String(decoding: output, as: UTF8.self) : nil
    }

    /// Lower case beyond ASCII takes Unicode's tables.
    private func appendUnicode(_ address: UnsafeRawBufferPointer, to output: inout [UInt8]) -> Bool {
        let start = output.count
        let text = String(decoding: address, as: UTF8.self).lowercased().filter { !$0.isWhitespace }
        output += text.utf8
        let signs = output[start...].indices.filter { output[$0] == EmailRule.at }
        return finish(&output, start, at: signs.count == 1 ? signs[0] : -1)
    }

    private func finish(_ output: inout [UInt8], _ start: Int, at atIndex: Int) -> Bool {
        guard atIndex > start, output[atIndex...].contains(EmailRule.dot), output.last != EmailRule.dot else {
            return refuse(&output, start)
        }
        var localEnd = atIndex
        let isGmail = foldsGmail && EmailRule.isGmail(output[(atIndex + 1)...])
        if cutsPlus || isGmail, let plus = output[start..<atIndex].firstIndex(of: EmailRule.plus) { localEnd = plus }
        if isGmail || localEnd < atIndex {
            var end = start
            for index in start..<localEnd where !isGmail || output[index] != EmailRule.dot {
                output[end] = output[index]
                end += 1
            }
            localEnd = end
            output.removeSubrange(localEnd..<atIndex)
        }
        guard localEnd > start, !beginsWithLetterOrDigit || EmailRule.isLetterOrDigit(output[start]) else {
            return refuse(&output, start)
        }
        return true
    }

    private func refuse(_ output: inout [UInt8], _ start: Int) -> Bool {
        output.removeSubrange(start...)
        return false
    }

    private static let gmail = Array("gmail.com".utf8)
    private static let googlemail = Array("googlemail.com".utf8)

    private static func isGmail(_ domain: ArraySlice<UInt8>) -> Bool {
        domain.elementsEqual(gmail) || domain.elementsEqual(googlemail)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 97...122, 0x80...: true
        default: false
        }
    }
}
