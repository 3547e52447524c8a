import Foundation
import Synchronization

/// The mails of the site in the folder of the config, read when first asked for and again once a file changed. A plugin
/// may bring mails of its own, which the site's mail of the same name replaces.
///
/// `NAME.md` is Markdown, `NAME.html` or `NAME.mustache` is HTML, and `NAME.txt` beside it is its plain text. A variant
/// for some leads has their stage or another of their columns in its name: `welcome@mql.md`,
/// `welcome@persona=buyer.md`, `welcome@mql@language=de.html`. The variant that says most about the lead is taken; of
/// equals, the first by name. `layout.html` is the page around all of them.
public struct MailTemplates: Sendable {
    private let folder: String
    /// The mails of plugins by their names, in a language.
    private let builtIn: @Sendable (String) -> [String: String]
    private let language: String
    private let shelf = Shelf()

    init(config: Config, builtIn: @escaping @Sendable (String) -> [String: String]) {
        folder = config.path(config.site.mail.templates)
        language = config.site.site.language
        self.builtIn = builtIn
    }

    /// What the files of mails may be called after their name, in the order in which they are looked for.
    static let endings: [(ending: String, format: MailTemplate.Format)] = [
        (".md", .markdown), (".html", .html), (".mustache", .html),
    ]
    static let layoutName = "layout"

    /// One file of the folder.
    struct File: Sendable, Hashable {
        /// The mail it is, or a variant of.
        let name: String
        /// What a lead has to be; empty for the mail itself.
        let conditions: [Condition]
        let file: String
        let format: MailTemplate.Format
        /// The file without its ending.
        let stem: String

        /// The place of its ending among ``MailTemplates/endings``.
        var order: Int { MailTemplates.endings.firstIndex { file.hasSuffix($0.ending) } ?? 0 }

        struct Condition: Sendable, Hashable {
            let column: String
            let value: String
        }

        /// Nil for what is no mail.
        init?(_ file: String) {
            guard let (ending, format) = MailTemplates.endings.first(where: { file.hasSuffix($0.ending) }) else {
                return nil
            }
            stem = String(file.dropLast(ending.count))
            let parts = stem.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
            guard MailTemplates.isName(parts[0]) else { return nil }
            name = parts[0]
            self.file = file
            self.format = format
            conditions = parts.dropFirst().map { part in
                let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                return sides.count == 2
                    ? Condition(column: sides[0], value: sides[1]) : Condition(column: "stage", value: part)
            }
        }
    }

    /// The mail of that name; nil where there is none. Throws ``MailTemplateProblem`` with its line where it cannot
    /// be read.
    public func named(_ name: String) throws -> MailTemplate? { try named(name, values: [:]) }

    /// The mail of that name for a lead with these values: the mail itself, or a variant of it.
    func named(_ name: String, values: [String: String]) throws -> MailTemplate? {
        guard MailTemplates.isName(name), name != MailTemplates.layoutName else { return nil }
        let files = files.filter { $0.name == name }
        let fitting = files.filter { file in
            file.conditions.allSatisfy { !$0.value.isEmpty && values[$0.column] == $0.value }
        }
        guard files.contains(where: { $0.conditions.isEmpty }) else {
            let language = values[MailValues.language].flatMap(LanguageTag.canonical) ?? language
            return try shelf.template(ofPlugin: name, in: language) { builtIn(language)[name] }
        }
        // The files come in the order of their names: the first of the most conditions is taken.
        let most = fitting.map(\.conditions.count).max() ?? 0
        return try fitting.first { $0.conditions.count == most }.flatMap(template)
    }

    /// The layout of the site, or the built-in one. Throws ``MailTemplateProblem`` where it cannot be read.
    func layout() throws -> MailLayout {
        for ending in [".html", ".mustache"] {
            let file = MailTemplates.layoutName + ending
            let made = try shelf.layout(path(file)) { data in
                try MailLayout(name: display(file), source: text(data, of: file))
            }
            if let made { return made }
        }
        return try shelf.builtIn()
    }

    /// The names there are, in alphabetical order.
    public var names: [String] {
        Set(files.filter { $0.conditions.isEmpty }.map(\.name)).union(builtIn(language).keys).sorted()
    }

    /// All files of mails, in the order of their names.
    var files: [File] {
        shelf.files(folder) { names in
            let files = names.compactMap(File.init).filter { $0.stem != MailTemplates.layoutName }
            return files.sorted { ($0.stem, $0.order) < ($1.stem, $1.order) }
        }
    }

    /// What a file says.
    func template(_ file: File) throws -> MailTemplate? {
        let textPath = path(file.stem + ".txt")
        return try shelf.template(path(file.file), and: textPath) { data in
            let plain = file.format == .html ? FileManager.default.contents(atPath: textPath) : nil
            return try MailTemplate(
                name: display(file.file), source: text(data, of: file.file), format: file.format,
                text: plain.map { try text($0, of: file.stem + ".txt") })
        }
    }

    /// - Throws: ``MailTemplateProblem``, with the line, where it is not UTF-8: an umlaut of another encoding would
    ///   reach people as a question mark.
    private func text(_ data: Data, of file: String) throws -> String {
        if let text = String(validating: data, as: UTF8.self) { return text }
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        throw MailTemplateProblem(template: display(file), line: line + 1, kind: .notUTF8)
    }

    private func path(_ file: String) -> String { "\(folder)/\(file)" }

    /// A file as the configurer knows it: `mails/welcome.md`.
    func display(_ file: String) -> String { "\((folder as NSString).lastPathComponent)/\(file)" }

    /// Letters, digits, `-` and `_`: never a path.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100
            && name.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45
                    || $0 == 95
            }
    }
}

extension MailTemplates {
    /// What was read of the folder: to read and parse a file again for each mail would cost more than the mail.
    private final class Shelf: Sendable {
        /// When a file was changed, and which it is; nil where there is none.
        private struct Stamp: Equatable {
            let seconds: Int
            let nanoseconds: Int
            let size: Int64
            let number: UInt64

            init?(_ path: String) {
                var info = stat()
                guard stat(path, &info) == 0 else { return nil }
                seconds = Int(info.st_mtim.tv_sec)
                nanoseconds = Int(info.st_mtim.tv_nsec)
                size = Int64(info.st_size)
                number = UInt64(info.st_ino)
            }
        }

        private struct State {
            var templates: [String: (stamps: [Stamp?], value: MailTemplate)] = [:]
            var layouts: [String: (stamp: Stamp, value: MailLayout)] = [:]
            var builtIn: MailLayout?
            /// Of plugins, by name and language: what a program brings does not change while it runs.
            var ofPlugins: [String: MailTemplate] = [:]
            var files: (folder: Stamp, value: [File])?
        }

        private let state = Mutex(State())

        /// The files of a folder; it is listed again once a file came or went.
        func files(_ folder: String, read: ([String]) -> [File]) -> [File] {
            guard let stamp = Stamp(folder) else { return [] }
            if let kept = state.withLock({ $0.files }), kept.folder == stamp { return kept.value }
            let value = read((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            state.withLock { $0.files = (stamp, value) }
            return value
        }

        func template(
            _ path: String, and other: String, read: (Data) throws -> MailTemplate
        ) throws -> MailTemplate? {
            let stamps = [Stamp(path), Stamp(other)]
            guard stamps[0] != nil else { return nil }
            if let kept = state.withLock({ $0.templates[path] }), kept.stamps == stamps { return kept.value }
            guard let data = FileManager.default.contents(atPath: path) else { return nil }
            let value = try read(data)
            state.withLock { $0.templates[path] = (stamps, value) }
            return value
        }

        func template(
            ofPlugin name: String, in language: String, source: () -> String?
        ) throws -> MailTemplate? {
            let key = "\(name) \(language)"
            if let kept = state.withLock({ $0.ofPlugins[key] }) { return kept }
            guard let source = source() else { return nil }
            let value = try MailTemplate(name: name, source: source)
            state.withLock { $0.ofPlugins[key] = value }
            return value
        }

        func layout(_ path: String, read: (Data) throws -> MailLayout) throws -> MailLayout? {
            guard let stamp = Stamp(path) else { return nil }
            if let kept = state.withLock({ $0.layouts[path] }), kept.stamp == stamp { return kept.value }
            guard let data = FileManager.default.contents(atPath: path) else { return nil }
            let value = try read(data)
            state.withLock { $0.layouts[path] = (stamp, value) }
            return value
        }

        func builtIn() throws -> MailLayout {
            if let kept = state.withLock({ $0.builtIn }) { return kept }
            let value = try MailLayout.builtIn()
            state.withLock { $0.builtIn = value }
            return value
        }
    }
}
