/// A bounce without a report that programs can read. Only two kinds are taken, since both are written by a program in a
/// form that its author has laid down: those of qmail and of those who write like it, and those of older Exims.
///
/// Source: D. J. Bernstein, "The qmail-send Bounce Message Format (QSBMF)", https://cr.yp.to/proto/qsbmf.txt, and the
/// Exim specification, chapter 50, for the header `X-Failed-Recipients`.
struct PlainReport {
    let outcome: BounceClass
    let status: StatusCode?
    /// What the receiving server said, as the report quotes it.
    let answer: String
    let recipients: [String]
    /// The headers of our mail, of which both programs put a copy at the end.
    let original: MailHeaders?

    /// The words stand before the copy of our mail, and are few.
    private static let textBytesMax = 65_536
    /// One sentence of a server.
    private static let answerBytesMax = 4_000

    /// - Returns: nil where the mail is neither.
    init?(_ mail: ReceivedMail) {
        guard let part = mail.root.first({ $0.type == "text/plain" }) else { return nil }
        let text = part.decoded.prefix(PlainReport.textBytesMax)
        let words = PlainReport.words(text)
        if PlainReport.isOfQmail(text, mail.root.headers) {
            guard let entry = PlainReport.entries(words).first else { return nil }
            answer = entry.answer
            recipients = [entry.address]
        } else if let failed = mail.root.headers["x-failed-recipients"] {
            recipients = MailHeaders.addresses(failed)
            answer = PlainReport.answer(after: recipients.first ?? "", in: words)
        } else {
            return nil
        }
        status = StatusCode(in: answer)
        outcome = BounceClass(status: status, answer: answer)
        original = PlainReport.original(text[words.endIndex...])
    }

    /// By the first words of the format, or, where a provider has put its own there, by the header in which qmail says
    /// that it bounces.
    private static func isOfQmail(_ text: ArraySlice<UInt8>, _ headers: MailHeaders) -> Bool {
        text.drop { $0 <= 0x20 }.starts(with: "Hi. This is the ".utf8)
            || headers.all("received").contains { $0.hasPrefix("(qmail ") && $0.contains("invoked for bounce)") }
    }

    /// Up to the line of dashes that both programs draw before the copy.
    private static func words(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        for line in MailLines(text) where line.starts(with: "---".utf8) { return text[..<line.startIndex] }
        return text
    }

    /// A paragraph that begins with `<address>:` says why this address failed.
    private static func entries(_ words: ArraySlice<UInt8>) -> [(address: String, answer: String)] {
        var entries: [(address: String, answer: String)] = []
        var isWithin = false
        for line in MailLines(words) {
            if line.isEmpty { isWithin = false }
            if line.first == UInt8(ascii: "<"), let end = line.lastIndex(of: UInt8(ascii: ">")) {
                entries.append((MailDecoding.text(line[(line.startIndex + 1)..<end]), ""))
                isWithin = true
            } else if isWithin, let last = entries.indices.last, entries[last].answer.utf8.count < answerBytesMax {
                entries[last].answer += (entries[last].answer.isEmpty ? "" : " ") + MailDecoding.text(line)
            }
        }
        return entries
    }

    /// What stands below the failed address, in one line.
    private static func answer(after address: String, in words: ArraySlice<UInt8>) -> String {
        let lines = MailLines(words).map { MailEncoding.trimmed(MailDecoding.text($0)) }
        let below = lines.drop { !$0.hasPrefix(address) }.dropFirst().filter { !$0.isEmpty }
        return String(decoding: below.joined(separator: " ").utf8.prefix(answerBytesMax), as: UTF8.self)
    }

    /// - Parameter copy: begins at the line of dashes.
    private static func original(_ copy: ArraySlice<UInt8>) -> MailHeaders? {
        var lines = MailLines(copy)
        guard lines.next() != nil else { return nil }
        var rest = copy[lines.nextIndex...].drop { $0 == UInt8(ascii: "\n") }
        let headers = MailHeaders(reading: &rest)
        return headers.fields.isEmpty ? nil : headers
    }
}
