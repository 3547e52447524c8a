/// What a domain says about who may send in its name: `v=spf1 include:_spf.relay.example ~all` (RFC 7208).
struct SPFRecord: Equatable {
    /// Its terms behind the version, in lower case.
    let terms: [String]

    /// Nil where the text is none.
    init?(_ text: String) {
        let words = text.lowercased().split(separator: " ").map(String.init)
        guard words.first == "v=spf1" else { return nil }
        terms = Array(words.dropFirst())
    }

    /// What becomes of mail from anybody else: `-`, `~`, `?` or `+`; nil where the record does not say, and leaves it
    /// to no other domain.
    var verdictOnOthers: Character? {
        guard let all = terms.first(where: { $0.drop { "+-~?".contains($0) } == "all" }) else { return nil }
        return all.first == "a" ? "+" : all.first
    }

    /// The domain that speaks in its place.
    var redirect: String? { value(of: "redirect=").first }

    /// Domains whose record counts as part of this one.
    var includes: [String] { value(of: "include:") }

    /// Terms that make a receiver ask the name servers: at most 10 in all, those of included records counted
    /// (section 4.6.4).
    var lookups: Int {
        terms.count { term in
            let name = term.drop { "+-~?".contains($0) }.prefix { $0.isLetter }
            return ["include", "a", "mx", "ptr", "exists", "redirect"].contains(name)
        }
    }

    private func value(of prefix: String) -> [String] {
        terms.map { $0.drop { "+-~?".contains($0) } }.filter { $0.hasPrefix(prefix) }.map {
            String($0.dropFirst(prefix.count))
        }
    }
}

/// A record of tags: `v=DMARC1; p=none; rua=mailto:dmarc@acme.example` (RFC 6376 section 3.2, RFC 7489 section 6.4).
struct TagList: Equatable {
    private let tags: [String: String]

    init(_ text: String) {
        tags = text.split(separator: ";").reduce(into: [:]) { tags, part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { return }
            tags[pair[0].filter { !$0.isWhitespace }.lowercased()] = pair[1].filter { !$0.isWhitespace }
        }
    }

    /// Without white space, which means nothing in a tag.
    subscript(_ tag: String) -> String? { tags[tag] }
}
