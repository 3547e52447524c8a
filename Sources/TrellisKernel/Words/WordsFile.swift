import Foundation
import Yams

/// One YAML file of words: keys and sentences, nothing deeper.
struct WordsFile {
    private(set) var sentences: [String: Sentence] = [:]
    private(set) var problems: [ConfigProblem] = []

    /// A sentence is read by a visitor; nobody reads more than a page.
    static let lengthMax = 2000

    /// What a file may say: the sentences in English, whose placeholders are those there are, and keys besides, which
    /// take none.
    struct Known {
        let english: [String: Sentence]
        let more: Set<String>

        func placeholders(of key: String) -> Set<String>? {
            english[key]?.placeholders ?? (more.contains(key) ? [] : nil)
        }
    }

    /// - Parameters:
    ///   - file: what problems call it.
    ///   - known: nil for one that comes with the program.
    init(_ text: String, file: String, known: Known? = nil) {
        let reader = SettingsReader(file: file, environment: [:])
        let document = YAMLDocument(text: text, file: file)
        reader.open(document)
        let entries = document.content.flatMap { reader.entries($0, expecting: "a mapping of keys and sentences") }
        for (key, keyNode, value) in entries ?? [] {
            if let known, known.placeholders(of: key) == nil {
                let all = Array(known.english.keys) + known.more
                let hint = NearMiss.hint(key, among: all)
                reader.problem(
                    "unknown key '\(key)'.\(hint.isEmpty ? " 'trellis pages words en' prints them all." : hint)",
                    at: keyNode)
                continue
            }
            let sentence = reader.descend(key, value) { WordsFile.sentence(value, reader) }
            guard let sentence else { continue }
            sentences[key] = sentence
            let there = known?.placeholders(of: key) ?? sentence.placeholders
            for name in sentence.placeholders.subtracting(there).sorted() {
                let hint = NearMiss.hint(name, among: there)
                let all = there.isEmpty ? " It has none." : " There are: \(there.sorted().joined(separator: ", "))."
                reader.problem("unknown placeholder {\(name)} in '\(key)'.\(hint.isEmpty ? all : hint)", at: value)
                sentences[key] = nil
            }
        }
        problems = reader.problems
    }

    /// A file that cannot be read at all.
    init(unreadable sentence: String, at place: Place) {
        problems = [ConfigProblem(sentence, at: place)]
    }

    private static func sentence(_ node: Node, _ reader: SettingsReader) -> Sentence? {
        guard case .scalar(let scalar) = node else {
            reader.expected("a text", at: node)
            return nil
        }
        let text = scalar.string
        guard !text.isEmpty || scalar.style != .plain else {
            reader.problem("the sentence is missing. Write \"\" to say nothing.", at: node)
            return nil
        }
        guard text.unicodeScalars.count <= lengthMax else {
            reader.problem("longer than \(lengthMax) characters.", at: node)
            return nil
        }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control || $0 == "\n" }) else {
            reader.problem("contains a control character.", at: node)
            return nil
        }
        guard let sentence = Sentence(text) else {
            reader.problem("a brace that belongs to no placeholder. Placeholders are written {title}.", at: node)
            return nil
        }
        return sentence
    }
}
