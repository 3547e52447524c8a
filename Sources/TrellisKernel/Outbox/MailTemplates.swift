import Foundation

/// The mails of the site: NAME.md in the folder of the config, read when first asked for. A plugin may bring mails of
/// its own, which the site's mail of the same name replaces.
public struct MailTemplates: Sendable {
    private let folder: String
    private let builtIn: [String: String]

    init(config: Config, builtIn: [String: String]) {
        folder = config.path(config.site.mail.templates)
        self.builtIn = builtIn
    }

    /// The mail of that name; nil where there is none. Throws ``MailTemplateProblem`` with its line where it cannot
    /// be read.
    public func named(_ name: String) throws -> MailTemplate? {
        guard MailTemplates.isName(name) else { return nil }
        if let data = FileManager.default.contents(atPath: "\(folder)/\(name).md") {
            return try MailTemplate(
                name: "\((folder as NSString).lastPathComponent)/\(name).md",
                source: String(decoding: data, as: UTF8.self))
        }
        return try builtIn[name].map { try MailTemplate(name: name, source: $0) }
    }

    /// The names there are, in alphabetical order.
    public var names: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return Set(files.filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }).union(builtIn.keys)
            .sorted()
    }

    /// Letters, digits, `-` and `_`: never a path.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100
            && name.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45
                    || $0 == 95
            }
    }
}
