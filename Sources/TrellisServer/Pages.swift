import Foundation
import Mustache
import Synchronization
public import TrellisKernel

/// The pages of the site: the built-in templates, in whose place a file of the same name in the site's folder of
/// templates stands.
public struct Pages: Sendable {
    private let library: MustacheLibrary
    private let common: PageValues
    private let lexicon: Lexicon
    private let language: String
    private let sentences = Sentences()
    /// The style sheet, and a tag that changes with it.
    let style: String
    let styleTag: String

    /// - Throws: ``ConfigProblems`` naming each file of the site that cannot be read, or could not be shown.
    public init(config: Config, plugins: [any Plugin.Type]) throws {
        let builtIn = Pages.builtIn(plugins)
        var own: [String: String] = [:]
        var unread: [String] = []
        let folder = config.path(config.site.server.templates)
        for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard file.hasSuffix(PageCheck.ending) || file == "style.css" else { continue }
            own[file] = FileManager.default.contents(atPath: folder + "/" + file).flatMap {
                String(validating: $0, as: UTF8.self)
            }
            if own[file] == nil { unread.append(file) }
        }
        let check = PageCheck(builtIn: builtIn, own: own, folder: config.site.server.templates)
        var problems = unread.map { check.problem("cannot be read as UTF-8 text. Save it as such.", in: $0) }
        let texts = builtIn.merging(own) { _, own in own }
        MustacheContentTypes.register(ByteEscaping(), named: ByteEscaping.name)
        var templates: [String: MustacheTemplate] = [:]
        for (file, text) in texts where file.hasSuffix(PageCheck.ending) {
            do {
                templates[String(file.dropLast(PageCheck.ending.count))] = try MustacheTemplate(
                    string: "{{% CONTENT_TYPE:\(ByteEscaping.name)}}\n\(text)")
            } catch {
                problems.append(check.problem(error, in: file))
            }
        }
        problems += check.problems
        guard problems.isEmpty else { throw ConfigProblems(problems) }
        library = MustacheLibrary(templates: templates)
        lexicon = plugins.reduce(config.lexicon) { $0.including($1) }
        language = config.site.site.language
        style = texts["style.css"] ?? ""
        styleTag = String(Digest.hex(style).prefix(12))
        let site = config.site.site
        var common: PageValues = [
            "site_name": .text(site.name), "base_url": .text(site.baseURL), "home_url": "/",
            "style_url": .text("/trellis.css?\(styleTag)"),
        ]
        common["postal_address"] = .optional(site.postalAddress)
        common["privacy_url"] = .optional(site.privacyURL)
        self.common = common
    }

    /// A page with its values; nil where no template has this name.
    ///
    /// Its `language` is that of the site unless the values name another; what it says of itself is in `words`.
    public func render(_ name: String, _ values: PageValues) -> String? {
        var values = common.merging(values) { _, own in own }
        let language = if case .text(let own) = values["language"] { own } else { self.language }
        values["language"] = .text(language)
        values["is_right_to_left"] = .flag(LanguageTag.isRightToLeft(language))
        var context = Pages.plain(values)
        context["words"] = sentences.of(language) { Pages.plain(lexicon.words(for: language).values) }
        return library.render(context, withTemplate: name)
    }

    /// What is said in a language; nil for that of the site.
    func words(_ language: String?) -> Words { lexicon.words(for: language ?? self.language) }

    /// The templates that come with the program and its plugins, and the style sheet, by the names of their files.
    public static func builtIn(_ plugins: [any Plugin.Type]) -> [String: String] {
        plugins.reduce(into: EmbeddedPages.files) { $0.merge($1.pages) { own, _ in own } }
    }

    /// The words of each language as the template library reads them, made once.
    private final class Sentences: Sendable {
        private let kept = Mutex<[String: [String: any Sendable]]>([:])

        func of(_ language: String, make: () -> [String: any Sendable]) -> [String: any Sendable] {
            kept.withLock { kept in
                if let words = kept[language] { return words }
                let words = make()
                kept[language] = words
                return words
            }
        }
    }

    /// The values as the template library reads them.
    private static func plain(_ values: PageValues) -> [String: any Sendable] {
        values.mapValues { (value: PageValue) -> any Sendable in
            switch value {
            case .text(let text): return text
            case .flag(let flag): return flag
            case .list(let list): return list.map(plain)
            case .record(let record): return plain(record)
            }
        }
    }
}

/// Escapes values byte by byte. The library's own way goes by characters, and to that a quotation mark with an accent
/// is no quotation mark.
private struct ByteEscaping: MustacheContentType {
    static let name = "TRELLIS"

    func escapeText(_ text: String) -> String { WebText.escaped(text) }
}
