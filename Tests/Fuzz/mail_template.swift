/// Hands whatever libFuzzer makes up to the engine of templates, as Markdown, as HTML and as a page. It must neither
/// stop nor take long, and no value becomes a tag, a target or a line of a header.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let source = String(decoding: UnsafeBufferPointer(start: data, count: count), as: UTF8.self)
    // A source that holds the sign itself says nothing about values.
    guard !source.contains("zz") else { return 0 }
    let value = "<zz \"zz' javascript:zz \r\nBcc: zz {{v}} **zz** [zz](https://zz.example)"
    for format in [MailTemplate.Format.markdown, .html, .page] {
        guard let template = try? MailTemplate(name: "m", source: source, format: format) else { continue }
        let values = Dictionary(template.variables.map { ($0, value) }) { first, _ in first }
        guard let mail = try? template.rendered(values) else { continue }
        precondition(!mail.html.contains("<zz") && !mail.html.contains("href=\"https://zz"), "a value became a tag")
        precondition(!mail.subject.utf8.contains { $0 == 0x0A || $0 == 0x0D }, "a value became a line of a header")
        precondition(mail.preheader?.utf8.contains { $0 == 0x0A || $0 == 0x0D } != true, "a value became a line")
        precondition(mail.text.utf8.count + mail.html.utf8.count <= 2 * MailTemplate.outputBytesMax, "too large")
        for url in template.targets(["base_url": "https://crm.acme.example"]) {
            precondition(url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !url.contains("zz"), "no address")
        }
    }
    return 0
}

/// Stands for the layout around mails, which needs the whole config: problems of templates ask for its slots.
enum MailLayout {
    static let markupSlots: [String] = []
    static let textSlots: [String] = []
}

/// Stands for the names of lists, which need the whole config too.
enum MailList {
    static func isName(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 0x2C && $0 < 0x7B } && text != "none" }
}

/// Stands for the values of a lead, which need the whole kernel: the name of the one that a link gets.
enum MailValues {
    static func inLink(_ variable: String) -> String { variable }
}
