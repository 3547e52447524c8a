import Foundation

/// Hands whatever libFuzzer makes up to the writer of mail: the parts of a message, each behind a zero byte. One that
/// is written has the headers it should have and no others, in lines that a relay takes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    let parts = bytes.split(separator: 0, maxSplits: 6, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
    }
    func part(_ index: Int) -> String { parts.indices.contains(index) ? parts[index] : "" }
    _ = MailAddress(parsing: part(0))
    // An address as it is half the time, so that not everything is refused for it.
    let isPlain = count.isMultiple(of: 2)
    let to = MailAddress(name: part(0), address: isPlain ? "ann@acme.example" : part(1))
    let name = isPlain ? "X-Note" : part(2)
    let message = MailMessage(
        from: MailAddress(name: part(1), address: "hello@acme.example"), to: to, subject: part(3),
        date: Date(timeIntervalSince1970: 0), messageID: "1.a@acme.example",
        headers: [(name: name, value: part(4)), (name: "List-Id", value: "<news.acme.example>")], text: part(5),
        html: part(6).isEmpty ? nil : part(6))
    guard let written = try? message.rendered() else { return 0 }
    precondition(written.allSatisfy { $0 < 0x80 && $0 != 0 }, "not ASCII")
    var head: [ArraySlice<UInt8>] = []
    var rest = written[...]
    while let end = rest.firstIndex(of: 0x0A) {
        let line = rest[..<end]
        precondition(line.last == 0x0D && !line.dropLast().contains(0x0D), "a line that does not end in CRLF")
        precondition(line.count <= 999, "a line too long for RFC 5322, 2.1.1")
        if line.count == 1 { break }
        head.append(line.dropLast())
        rest = rest[(end + 1)...]
    }
    let names = head.filter { $0.first != 0x20 && $0.first != 0x09 }.map { line in
        String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
    }
    let known: Set<String> = [
        "Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
        "List-Id", name,
    ]
    precondition(names.allSatisfy(known.contains) && Set(names).count == names.count, "a header nobody asked for")
    return 0
}
