import Foundation
import Synchronization

/// The words of all languages: those of the program, and in their place those of the site, from its folder of words:
/// `words/fr.yaml`. A language is read when it is first asked for, and then stays as it is.
///
/// What a language does not say is said by the one it is a kind of (`de-AT` by `de`), and in the end by English.
public final class Lexicon: Sendable {
    /// YAML by language, of the kernel and of each plugin, by their names.
    private let owners: [String: [String: String]]
    /// The folder of the site, and what problems call it; nil for the words of the program alone.
    private let folder: (path: String, shown: String)?
    /// Keys besides those of the program: what the site's own columns and their values are called.
    private let columns: Set<String>
    private let shelf = Mutex<[String: Words]>([:])

    public static let fallback = "en"
    private static let ending = ".yaml"

    init(
        owners: [String: [String: String]], folder: (path: String, shown: String)? = nil, columns: Set<String> = []
    ) {
        self.owners = owners.merging(["kernel": EmbeddedWords.files]) { own, _ in own }
        self.folder = folder
        self.columns = columns
    }

    convenience init(plugins: [any Plugin.Type], site: SiteSettings, folder: (path: String, shown: String)) {
        let keys = site.leads.fields.flatMap { field in
            ["label_\(field.name)"] + field.value.oneOf.map { "option_\(field.name)_\($0)" }
        }
        self.init(
            owners: Dictionary(plugins.map { ($0.name, $0.words) }) { first, _ in first }, folder: folder,
            columns: Set(keys))
    }

    /// The same with the words of a plugin, where they are not there.
    public func including(_ type: any Plugin.Type) -> Lexicon {
        guard owners[type.name] == nil else { return self }
        return Lexicon(
            owners: owners.merging([type.name: type.words]) { own, _ in own }, folder: folder, columns: columns)
    }

    /// What is said in a language.
    public func words(for language: String) -> Words {
        if let words = shelf.withLock({ $0[language] }) { return words }
        let english = builtIn(Lexicon.fallback)
        let known = WordsFile.Known(english: english, more: columns)
        let chain = LanguageTag.chain(language)
        let languages = chain.contains(Lexicon.fallback) ? chain : chain + [Lexicon.fallback]
        let sentences: [String: Sentence] = languages.reduce(into: [:]) { said, tag in
            if let own = file(of: tag) { said.merge(read(own, known).sentences) { first, _ in first } }
            said.merge(builtIn(tag)) { first, _ in first }
        }
        let words = Words(language: language, sentences: sentences, english: english)
        shelf.withLock { if $0.count < Lexicon.keptMax { $0[language] = words } }
        return words
    }

    /// No site speaks more languages; beyond them each is read anew.
    private static let keptMax = 50

    /// Whether somebody wrote words for a language, or for what it is a kind of.
    public func has(_ language: String) -> Bool {
        LanguageTag.chain(language).contains { builtInLanguages.contains($0) || file(of: $0) != nil }
    }

    /// The languages that come with the program.
    public var builtInLanguages: [String] { Set(owners.values.flatMap(\.keys)).sorted() }

    /// The words that come with the program as YAML, to begin a file of one's own with; nil for a language that does
    /// not come with it.
    public func source(of language: String) -> String? {
        let texts = owners.sorted { $0.key < $1.key }.compactMap { $0.value[language] }
        return texts.isEmpty ? nil : texts.joined(separator: "\n")
    }

    /// The words of the kernel alone.
    public static let program = Lexicon(owners: [:])

    /// The English of the kernel, which says what a problem of the web is called in logs and to programs.
    static let english = program.words(for: fallback)

    private func builtIn(_ language: String) -> [String: Sentence] {
        owners.values.reduce(into: [:]) { all, owner in
            guard let text = owner[language] else { return }
            all.merge(WordsFile(text, file: "\(language)\(Lexicon.ending)").sentences) { first, _ in first }
        }
    }

    // MARK: - The site's own

    /// The files of the site, by the tags they are named after.
    private var files: [(name: String, tag: String?)] {
        guard let folder else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(Lexicon.ending) || $0.hasSuffix(".yml")) }.sorted()
            .map { ($0, $0.hasSuffix(Lexicon.ending) ? LanguageTag.canonical(String($0.dropLast(5))) : nil) }
    }

    private func file(of tag: String) -> String? { files.first { $0.tag == tag }?.name }

    private func read(_ file: String, _ known: WordsFile.Known) -> WordsFile {
        let shown = "\(folder?.shown ?? "")/\(file)"
        guard let data = folder.flatMap({ FileManager.default.contents(atPath: "\($0.path)/\(file)") }) else {
            return WordsFile(unreadable: "cannot be read.", at: Place(file: shown))
        }
        do {
            return WordsFile(try YAMLDocument.text(of: data, shown), file: shown, known: known)
        } catch {
            let problems = (error as? ConfigProblems)?.problems.first
            return WordsFile(unreadable: problems?.message ?? "\(error)", at: problems?.place ?? Place(file: shown))
        }
    }

    /// What is wrong with the files of the site, and what of the program's words those languages leave unsaid.
    func findings() -> (problems: [ConfigProblem], notes: [ConfigProblem]) {
        var (problems, notes, seen) = ([ConfigProblem](), [ConfigProblem](), [String: String]())
        let english = builtIn(Lexicon.fallback)
        let known = WordsFile.Known(english: english, more: columns)
        for (name, tag) in files {
            let place = Place(file: "\(folder?.shown ?? "")/\(name)")
            guard let tag else {
                problems.append(
                    ConfigProblem(
                        "the name of the file is no language. Call it after one, such as fr.yaml or pt-BR.yaml.",
                        at: place))
                continue
            }
            if let other = seen.updateValue(name, forKey: tag) {
                problems.append(ConfigProblem("\(other) is of the same language. Keep one.", at: place))
            }
            let file = read(name, known)
            problems += file.problems
            let missing = unsaid(in: tag, known).sorted()
            guard file.problems.isEmpty, !missing.isEmpty else { continue }
            notes.append(
                ConfigProblem(
                    "\(missing.count) of \(english.count) keys are missing, and are said in English: \(missing.joined(separator: ", ")).",
                    at: place))
        }
        return (problems, notes)
    }

    /// The keys that neither a language nor what it is a kind of says.
    private func unsaid(in tag: String, _ known: WordsFile.Known) -> Set<String> {
        let chain = LanguageTag.chain(tag)
        let own = chain.flatMap { tag in
            Array(builtIn(tag).keys) + (file(of: tag).map { Array(read($0, known).sentences.keys) } ?? [])
        }
        return Set(known.english.keys).subtracting(own)
    }
}

extension Config {
    /// What is said in the language of the site.
    public var words: Words { lexicon.words(for: site.site.language) }
}
