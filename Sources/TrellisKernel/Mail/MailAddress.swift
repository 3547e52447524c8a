import Foundation

/// A mailbox with the name a reader sees: `Acme Analytics <hello@acme.example>`.
///
/// Nothing is checked when it is made from its two parts; ``MailMessage/rendered()`` checks it.
public struct MailAddress: Sendable, Hashable {
    /// The display name as people write it, unquoted; empty when there is none.
    public var name: String
    /// The bare address: `hello@acme.example`.
    public var address: String

    public init(name: String = "", address: String) {
        self.name = name
        self.address = address
    }

    /// Reads `Name <address>`, `"Name, with a comma" <address>` or a bare address.
    ///
    /// Nil when it is not exactly one mailbox that a message can carry.
    public init?(parsing text: String) {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        guard let open = trimmed.lastIndex(of: "<") else {
            self.init(address: trimmed)
            if (try? header("From")) == nil { return nil }
            return
        }
        guard trimmed.hasSuffix(">") else { return nil }
        let address = trimmed[trimmed.index(after: open)...].dropLast()
        let phrase = trimmed[..<open].trimmingCharacters(in: .whitespaces)
        guard let name = Self.unquoted(phrase) else { return nil }
        self.init(name: name, address: String(address))
        if (try? header("From")) == nil { return nil }
    }

    /// The name inside a quoted string, or the phrase itself where it holds nothing that would need the
    /// quotes to be one name (RFC 5322 §3.2.4, §3.2.5).
    private static func unquoted(_ phrase: String) -> String? {
        guard phrase.hasPrefix("\"") else {
            return phrase.contains(where: { "<>@,;:\"\\".contains($0) }) ? nil : phrase
        }
        var name = ""
        var escaped = false
        var rest = Substring(phrase.dropFirst())
        while let character = rest.popFirst() {
            if escaped || (character != "\\" && character != "\"") {
                name.append(character)
                escaped = false
            } else if character == "\\" {
                escaped = true
            } else {
                return rest.isEmpty ? name : nil
            }
        }
        return nil
    }
}

extension MailAddress {
    /// The header that holds this mailbox, without its line end.
    func header(_ field: String) throws(MailProblem) -> String {
        try MailEncoding.check(name, field: field)
        try checkAddress(field: field)
        guard !name.isEmpty else { return try MailEncoding.header(field, words: [address]) }
        return try MailEncoding.header(
            field, words: MailEncoding.phrase(name, column: field.utf8.count + 2) + ["<\(address)>"])
    }

    /// One plain mailbox within the lengths of RFC 5321 §4.5.3.1: no quoted local part, no comment, no
    /// address literal, since each of these has been used to smuggle a second recipient.
    private func checkAddress(field: String) throws(MailProblem) {
        try MailEncoding.check(address, field: field)
        let sides = address.split(separator: "@", omittingEmptySubsequences: false)
        guard sides.count == 2 else { throw .badAddress(field: field) }
        guard sides[0].utf8.allSatisfy({ $0 < 0x80 }) else { throw .needsSMTPUTF8(field: field) }
        guard sides[1].utf8.allSatisfy({ $0 < 0x80 }) else { throw .domainNotASCII(field: field) }
        guard sides[0].utf8.count <= 64, Self.isDotAtom(sides[0]), Self.isDomain(sides[1]) else {
            throw .badAddress(field: field)
        }
    }

    /// RFC 5322 §3.2.3: words of atext with single dots between them.
    static func isDotAtom(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
            !word.isEmpty && word.utf8.allSatisfy(MailEncoding.isAtomByte)
        }
    }

    /// RFC 1035 §2.3.1 with the leading digits of RFC 1123 §2.1.
    private static func isDomain(_ text: Substring) -> Bool {
        guard text.utf8.count <= 255 else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { MailEncoding.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
    }
}
