import Foundation
import Mustache
public import TrellisKernel

/// The pages of the site: the built-in templates, in whose place a file of the same name in the site's folder of
/// templates stands.
public struct Pages: Sendable {
    private let library: MustacheLibrary
    private let common: PageValues
    /// The style sheet, and a tag that changes with it.
    let style: String
    let styleTag: String

    /// - Throws: ``ConfigProblems`` naming the file that cannot be read.
    public init(config: Config, plugins: [any Plugin.Type]) throws {
        var texts = plugins.reduce(into: EmbeddedPages.files) { $0.merge($1.pages) { own, _ in own } }
        let folder = config.path(config.site.server.templates)
        for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard file.hasSuffix(".mustache") || file == "style.css" else { continue }
            guard let data = FileManager.default.contents(atPath: folder + "/" + file),
                let text = String(validating: data, as: UTF8.self)
            else { throw Pages.problem(file, "cannot be read as UTF-8 text") }
            texts[file] = text
        }
        MustacheContentTypes.register(ByteEscaping(), named: ByteEscaping.name)
        var templates: [String: MustacheTemplate] = [:]
        for (file, text) in texts where file.hasSuffix(".mustache") {
            do {
                templates[String(file.dropLast(9))] = try MustacheTemplate(
                    string: "{{% CONTENT_TYPE:\(ByteEscaping.name)}}\n\(text)")
            } catch {
                throw Pages.problem(file, "\(error)")
            }
        }
        library = MustacheLibrary(templates: templates)
        style = texts["style.css"] ?? ""
        styleTag = String(Digest.hex(style).prefix(12))
        let site = config.site.site
        var common: PageValues = [
            "site_name": .text(site.name), "base_url": .text(site.baseURL), "language": "en", "home_url": "/",
            "style_url": .text("/trellis.css?\(styleTag)"),
        ]
        common["postal_address"] = .optional(site.postalAddress)
        common["privacy_url"] = .optional(site.privacyURL)
        self.common = common
    }

    /// A page with its values; nil where no template has this name.
    public func render(_ name: String, _ values: PageValues) -> String? {
        library.render(Pages.plain(common.merging(values) { _, own in own }), withTemplate: name)
    }

    /// The values as the template library reads them.
    private static func plain(_ values: PageValues) -> [String: Any] {
        values.mapValues { (value: PageValue) -> Any in
            switch value {
            case .text(let text): return text
            case .flag(let flag): return flag
            case .list(let list): return list.map(plain)
            case .record(let record): return plain(record)
            }
        }
    }

    private static func problem(_ file: String, _ sentence: String) -> ConfigProblems {
        ConfigProblems([ConfigProblem("the page \(file): \(sentence).", at: Place(file: file))])
    }
}

/// Escapes values byte by byte. The library's own way goes by characters, and to that a quotation mark with an accent
/// is no quotation mark.
private struct ByteEscaping: MustacheContentType {
    static let name = "TRELLIS"

    func escapeText(_ text: String) -> String { WebText.escaped(text) }
}
