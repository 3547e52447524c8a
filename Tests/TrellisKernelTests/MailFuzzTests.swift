import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Mails, layouts and headers that nobody wrote, made by changing good ones. The seed is fixed, so that a failure comes
/// again; `LONG=1` goes on for ten minutes from a seed of its own, which a failure tells.
@Suite struct MailFuzzTests {
    private static let isLong = ProcessInfo.processInfo.environment["LONG"] == "1"
    private static let rounds = 6_000
    private static let seeds = [
        "---\nsubject: Hello {{first_name|there}}\npreheader: x\nfrom: A <a@acme.example>\n---\n# Hi {{v}}\n\n- a\n- **b**\n\n[Go](https://a.example/?q={{v}})\n",
        "---\nsubject: \"S\"\nreply_to: b@acme.example\npurpose: transactional\n---\n1. a  \nb\\\nc *d* https://a.example/b.\n\n---\n[{{v}}]({{u}})\n",
        "---\nsubject: S {{v}}\n---\n<h1>{{v|x}}</h1><p style=\"color:red\" title=\"{{v}}\">a &amp; b<br></p><a href=\"{{u}}\">go</a><!--[if mso]>x<![endif]-->\n",
        "---\nsubject: S\n---\n<table><tr><td><a href='https://a.example/?a={{v}}&amp;b=1'><img src=\"https://a.example/i.png\" alt=\"{{v}}\"></a></td></tr></table>\n<ul><li>a</li></ul>\n",
        "<html><body>{{{preheader}}}{{{logo}}}<style>@media x { a { b: c } }</style>{{subject}}{{{body}}}{{{footer}}}{{color}}</body></html>\n",
    ]
    private static let pieces = [
        "{{", "}}", "{{{", "}}}", "{{v}}", "{{v|w}}", "{{u}}", "|", "---", "\n", "\r\n", "\r", "\u{0}", "\u{FEFF}", "<",
        ">",
        "</", "<a href=\"", "'", "\"", "<!--", "-->", "<style>", "</style>", "&#x110000;", "&#99999999999;", "&", ";",
        "*",
        "**", "[", "](", ")", "\\", "https://", "mailto:", "javascript:", "# ", "- ", "9. ", "999999999. ", "subject: ",
        "List-Id: x", "é", "👩‍👩‍👧", "\u{338}", "\u{2028}", "\u{85}", String(repeating: "a", count: 1_000),
        String(repeating: "<b>", count: 120), String(repeating: "*[", count: 60), "{{{body}}}",
    ]

    private func mutated(_ random: inout Numbers) -> String {
        var bytes = Array((Self.seeds.randomElement(using: &random) ?? "").utf8)
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2:
                let end = min(bytes.count, place + Int.random(in: 0...40, using: &random))
                bytes.removeSubrange(place..<end)
            case 3:
                let other = Array((Self.seeds.randomElement(using: &random) ?? "").utf8)
                let from = Int.random(in: 0..<other.count, using: &random)
                bytes.insert(contentsOf: other[from..<min(other.count, from + 60)], at: place)
            default: bytes.insert(contentsOf: (Self.pieces.randomElement(using: &random) ?? "").utf8, at: place)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Calls `body` with one source after the other, and says how many it took.
    private func run(_ body: (String, inout Numbers) throws -> Bool) rethrows -> Int {
        let seed = Self.isLong ? UInt64.random(in: 0...UInt64.max) : 20_261_126
        var random = Numbers(state: seed)
        let end = ContinuousClock.now + .seconds(600)
        var (round, taken) = (0, 0)
        while Self.isLong ? ContinuousClock.now < end : round < Self.rounds {
            let source = mutated(&random)
            let isTaken = try body(source, &random)
            taken += isTaken ? 1 : 0
            round += 1
        }
        if Self.isLong { print("seed \(seed): \(round) rounds, \(taken) taken") }
        return taken
    }

    @Test func `no source traps, and no value makes a tag or an address`() throws {
        let value = "<zz \"zz' javascript:zz \r\nBcc: zz {{v}} **zz** [zz](https://zz.example)"
        let taken = run { source, random in
            let format: MailTemplate.Format = Bool.random(using: &random) ? .html : .markdown
            let text = Int.random(in: 0..<4, using: &random) == 0 ? mutated(&random) : nil
            guard let template = try? MailTemplate(name: "m", source: source, format: format, text: text),
                let mail = try? template.rendered(["v": value, "u": "https://a.example/\(value)", "first_name": value])
            else { return false }
            let bytes = mail.text.utf8.count + mail.html.utf8.count + mail.subject.utf8.count
            #expect(bytes <= 2 * MailTemplate.outputBytesMax)
            #expect(
                !mail.html.contains("<zz") && !mail.html.contains("href=\"javascript")
                    && !mail.html.contains("href=\"https://zz"))
            #expect(!mail.subject.utf8.contains { $0 == 0x0A || $0 == 0x0D })
            for url in template.targets(["base_url": "https://crm.acme.example"]) {
                #expect(url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !url.contains("zz"))
            }
            return true
        }
        #expect(taken > Self.rounds / 20, "too few are mails to tell anything")
    }

    @Test func `no layout traps, and each that is taken holds body and footer`() throws {
        let crm = try TestKernel()
        let taken = run { source, _ in
            guard let layout = try? MailLayout(name: "l", source: source) else { return false }
            let page = layout.page(
                MailLayout.Content(subject: "<zz", preheader: "<zz", body: "BODY", footer: "FOOTER"),
                config: crm.kernel.config, style: .standard)
            #expect(page.contains("BODY") && page.contains("FOOTER") && !page.contains("<zz"))
            return true
        }
        #expect(taken > Self.rounds / 100)
    }

    @Test func `whatever is put into headers, a message has those it should have and no others`() throws {
        let from = try #require(MailAddress(parsing: "Acme <hello@acme.example>"))
        let taken = run { source, random in
            // Half are clean, so that not all are refused for a line break.
            let text = Bool.random(using: &random) ? MailEncoding.cleaned(source) : source
            let cut = String(text.prefix(Int.random(in: 0...300, using: &random)))
            let name = String(text.suffix(30))
            let to = MailAddress(
                name: name, address: Int.random(in: 0..<4, using: &random) > 0 ? "ann@acme.example" : name)
            let message = MailMessage(
                from: from, to: to, subject: cut, date: Date(timeIntervalSince1970: 0), messageID: "1.a@acme.example",
                headers: [(name: "X-Note", value: name), (name: "List-Id", value: "<news.acme.example>")], text: source,
                html: Bool.random(using: &random) ? source : nil)
            guard let bytes = try? message.rendered() else { return false }
            #expect(bytes.count < 40 * (source.utf8.count + 200))
            let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
            #expect(bytes.allSatisfy { $0 < 0x80 } && lines.allSatisfy { $0.utf8.count <= 998 })
            #expect(!lines.contains { $0.utf8.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 } })
            let names = lines.prefix { !$0.isEmpty }.filter { !$0.hasPrefix(" ") }.map { $0.prefix { $0 != ":" } }
            let known = [
                "Date", "From", "To", "Subject", "Message-ID", "X-Note", "List-Id", "MIME-Version", "Content-Type",
                "Content-Transfer-Encoding",
            ]
            #expect(names.allSatisfy { known.contains(String($0)) } && Set(names).count == names.count)
            return true
        }
        #expect(taken > Self.rounds / 20)
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
