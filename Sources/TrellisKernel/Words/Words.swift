/// What visitors read, in one language: a sentence for each key.
public struct Words: Sendable {
    /// The BCP 47 tag that was asked for, which a page says of itself. Its sentences may be of another one, where
    /// nobody wrote those.
    public let language: String
    let sentences: [String: Sentence]
    /// The keys whose sentences have placeholders in English.
    private let filled: Set<String>

    init(language: String, sentences: [String: Sentence], english: [String: Sentence]) {
        self.language = language
        self.sentences = sentences
        filled = Set(english.filter { !$0.value.placeholders.isEmpty }.keys)
    }

    /// The sentence of a key, with its placeholders filled in. A key that nobody knows stands for itself.
    ///
    ///     words("thanks_text_page", ["title": "The plan"])   // "Thank you. The plan is yours."
    public func callAsFunction(_ key: String, _ values: [String: String] = [:]) -> String {
        sentences[key]?.filled(values) ?? key
    }

    public func callAsFunction(_ phrase: Phrase) -> String { self(phrase.key, phrase.values) }

    /// The sentence of a key that may not be there, such as the label of a column.
    public func named(_ key: String) -> String? { sentences[key]?.filled([:]) }

    /// The sentences as templates read them: a text; a list of pieces where the English has placeholders, each of them
    /// `{text: …}` or, for a placeholder, `{is_NAME: true}`. So the template says how the value is marked up, and
    /// where in the sentence it stands is the language's business.
    public var values: PageValues {
        Dictionary(
            uniqueKeysWithValues: sentences.map { key, sentence in
                guard filled.contains(key) else { return (key, .text(sentence.filled([:]))) }
                return (
                    key,
                    .list(
                        sentence.pieces.map { piece in
                            switch piece {
                            case .text(let text): ["text": .text(text)]
                            case .placeholder(let name): ["is_\(name)": true]
                            }
                        })
                )
            })
    }

    /// How its numbers are written.
    public var numbers: NumberMarks { NumberMarks(language: language) }

    /// How its days are written.
    public var dates: DateMarks { DateMarks(language: language) }
}

/// A sentence that is in no language yet: its key, and what its placeholders stand for.
public struct Phrase: Sendable, Hashable {
    public let key: String
    public let values: [String: String]

    public init(_ key: String, _ values: [String: String] = [:]) {
        self.key = key
        self.values = values
    }
}

/// A text with placeholders: `Thank you. {title} is yours.`
struct Sentence: Sendable, Hashable {
    enum Piece: Sendable, Hashable {
        case text(String)
        case placeholder(String)
    }

    let pieces: [Piece]

    /// Nil where a brace belongs to no `{name}`.
    init?(_ text: String) {
        var pieces: [Piece] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else { return nil }
            let name = rest[rest.index(after: open)..<close]
            guard isName(String(name)) else { return nil }
            if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
            pieces.append(.placeholder(String(name)))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        self.pieces = pieces
    }

    var placeholders: Set<String> {
        Set(
            pieces.compactMap { piece in
                guard case .placeholder(let name) = piece else { return nil }
                return name
            })
    }

    func filled(_ values: [String: String]) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .placeholder(let name): values[name] ?? ""
            }
        }.joined()
    }
}
