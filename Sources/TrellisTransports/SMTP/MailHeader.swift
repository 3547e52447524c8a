/// The header of a rendered mail, each field with its name and the bytes behind the colon, still folded.
struct MailHeader: Sendable {
    struct Field: Sendable {
        let name: String
        /// Behind the colon and before the final CRLF.
        let value: [UInt8]
    }

    let fields: [Field]
    /// Where the body begins, behind the empty line.
    let bodyStart: Int

    /// Reads a message whose lines end with CRLF (RFC 5322, 2.2).
    init(_ bytes: [UInt8]) {
        var fields: [Field] = []
        var start = 0
        var current: (name: String, value: [UInt8])?
        func finish() {
            if let current { fields.append(Field(name: current.name, value: current.value)) }
        }
        while start < bytes.count {
            let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            var line = bytes[start..<newline]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            start = min(newline + 1, bytes.count)
            if line.isEmpty { break }
            if line.first == UInt8(ascii: " ") || line.first == UInt8(ascii: "\t") {
                current?.value += Array("\r\n".utf8) + line
                continue
            }
            finish()
            current = nil
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            current = (String(decoding: line[..<colon], as: UTF8.self), Array(line[(colon + 1)...]))
        }
        finish()
        self.fields = fields
        bodyStart = start
    }

    /// The bare address in a field such as `From: Acme <hello@acme.example>`; nil where there is none.
    func address(of name: String) -> String? {
        guard let field = fields.first(where: { $0.name.lowercased() == name }) else { return nil }
        let text = String(decoding: field.value, as: UTF8.self).filter { !$0.isNewline }
        guard let open = text.lastIndex(of: "<") else { return text.filter { $0 != " " && $0 != "\t" } }
        let inside = text[text.index(after: open)...]
        return inside.firstIndex(of: ">").map { String(inside[..<$0]) }
    }
}
