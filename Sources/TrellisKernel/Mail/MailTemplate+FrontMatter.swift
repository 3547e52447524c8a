extension MailTemplate {
    /// The file's lines without their ends and without a byte order mark.
    static func lines(of source: String, template: String) throws(MailTemplateProblem) -> [String] {
        guard source.utf8.count <= sourceBytesMax else {
            let kind = MailTemplateProblem.Kind.sourceTooLarge(bytes: source.utf8.count)
            throw MailTemplateProblem(template: template, line: 1, kind: kind)
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let bytes = Array(source.utf8)
        var lines: [String] = []
        for slice in MailEncoding.lines(of: bytes.starts(with: byteOrderMark) ? Array(bytes[3...]) : bytes) {
            let line = String(decoding: slice, as: UTF8.self)
            lines.append(line)
            if line.unicodeScalars.contains(where: { $0 != "\t" && MailEncoding.isControl($0) }) {
                throw MailTemplateProblem(template: template, line: lines.count, kind: .controlCharacter)
            }
        }
        return lines
    }

    struct FrontMatter {
        static let keys = ["subject", "preheader", "from", "reply_to", "purpose", "list", "within"]

        var subject = ""
        var preheader: String?
        var from: Sender?
        var replyTo: Sender?
        var purpose = Purpose.marketing
        var list: String?
        var within: Span?
        /// The line of each key that was given, from 1.
        var keyLines: [String: Int] = [:]
        /// The index of the first line of the body.
        var bodyStart = 0

        init(_ lines: [String], template: String) throws(MailTemplateProblem) {
            func problem(_ kind: MailTemplateProblem.Kind, _ line: Int) -> MailTemplateProblem {
                MailTemplateProblem(template: template, line: line, kind: kind)
            }
            guard MailEncoding.trimmed(lines.first ?? "") == "---" else {
                throw problem(.frontMatterMissing, 1)
            }
            guard let end = lines.dropFirst().firstIndex(where: { MailEncoding.trimmed($0) == "---" }) else {
                throw problem(.frontMatterOpen, 1)
            }
            bodyStart = end + 1
            for index in 1..<end {
                let line = MailEncoding.trimmed(lines[index])
                if line.isEmpty || line.hasPrefix("#") { continue }
                guard let colon = line.firstIndex(of: ":") else { throw problem(.notKeyAndValue, index + 1) }
                let key = MailEncoding.trimmed(line[..<colon])
                guard Self.keys.contains(key) else { throw problem(.unknownKey(key), index + 1) }
                guard keyLines.updateValue(index + 1, forKey: key) == nil else {
                    throw problem(.repeatedKey(key), index + 1)
                }
                let value = Self.unquoted(MailEncoding.trimmed(line[line.index(after: colon)...]))
                guard !value.utf8.contains(0x09) else { throw problem(.controlCharacter, index + 1) }
                if let kind = take(value, for: key) { throw problem(kind, index + 1) }
            }
            if purpose == .transactional, list != nil { throw problem(.listOfTransactional, keyLines["list"] ?? 1) }
            guard !subject.isEmpty else { throw problem(.missingSubject, keyLines["subject"] ?? 1) }
        }

        private mutating func take(_ value: String, for key: String) -> MailTemplateProblem.Kind? {
            switch key {
            case "subject": subject = value
            case "preheader": preheader = value.isEmpty ? nil : value
            case "from":
                if value.contains("{{") { return .variableInSender(key: key, value) }
                guard let sender = Sender(value) else { return .badSender(value) }
                from = sender
            case "reply_to":
                if value.contains("{{") { return .variableInSender(key: key, value) }
                guard let sender = Sender(value) else { return .badReplyTo(value) }
                replyTo = sender
            case "list":
                guard MailList.isName(value) else { return .badList(value) }
                list = value
            case "within":
                guard let span = Span(value), span.seconds > 0 else { return .badWithin(value) }
                within = span
            default:
                guard let known = Purpose(rawValue: value) else { return .badPurpose(value) }
                purpose = known
            }
            return nil
        }

        /// A value may stand in quotes, as in YAML, to keep outer spaces.
        private static func unquoted(_ value: String) -> String {
            let isQuoted = ["\"", "'"].contains { value.hasPrefix($0) && value.hasSuffix($0) }
            return isQuoted && value.count >= 2 ? String(value.dropFirst().dropLast()) : value
        }
    }
}
