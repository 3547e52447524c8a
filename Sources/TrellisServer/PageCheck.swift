import Mustache
import TrellisKernel

/// What is wrong with the templates of a site: files that no page is, names of templates that are not there, and forms
/// that send no token.
struct PageCheck {
    /// Those that come with the program, by the names of their files.
    let builtIn: [String: String]
    /// Those of the site.
    let own: [String: String]
    /// The site's folder of templates, as the config names it.
    let folder: String

    static let ending = ".mustache"

    var problems: [ConfigProblem] {
        own.keys.filter { $0.hasSuffix(PageCheck.ending) }.sorted().flatMap { file in
            stray(file) + gone(in: file) + tokenless(file)
        }
    }

    /// What the library says of a template, in words. A line was put in front of it.
    func problem(_ error: any Error, in file: String) -> ConfigProblem {
        guard let error = error as? MustacheTemplate.ParserError else { return problem("\(error).", in: file) }
        let line = max(1, error.context.lineNumber - 1)
        return problem(PageCheck.sentence(error.error), in: file, line, error.context.columnNumber)
    }

    func problem(_ sentence: String, in file: String, _ line: Int = 0, _ column: Int = 0) -> ConfigProblem {
        ConfigProblem(sentence, at: Place(file: "\(folder)/\(file)", line: line, column: column))
    }

    private static func sentence(_ error: any Error) -> String {
        switch error as? MustacheTemplate.Error {
        case .sectionCloseNameIncorrect:
            "this closes a section that is not the one open here. Close the innermost one, or delete the tag."
        case .expectedSectionEnd: "a section is never closed. Write {{/NAME}} where it ends."
        case .unfinishedName: "a tag is not closed, or its name holds signs that no name has. Write it as {{name}}."
        case .illegalTokenInsideInheritSection, .textInsideInheritSection:
            "a template that is filled in holds blocks alone: {{$content}}…{{/content}}. Put the rest into one of them."
        case .transformAppliedToInheritanceSection: "a block takes no function. Write its name alone."
        case .invalidSetDelimiter: "the delimiters cannot be read. Write them as {{=<% %>=}}."
        case .invalidConfigVariableSyntax, .unrecognisedConfigVariable:
            "{{% begins a setting that is not known. Delete the tag."
        // The library's error for a text that ends too early is its own.
        case nil where "\(error)" == "overflow": "a tag is not closed. Write it as {{name}}."
        case nil: "the template cannot be read here: \(error)."
        }
    }

    // MARK: - Names

    private static func name(_ file: String) -> String { String(file.dropLast(ending.count)) }

    private func hint(_ name: String) -> String {
        NearMiss.hint(name, among: pages) + " 'trellis pages' lists them."
    }

    private var pages: [String] { builtIn.keys.filter { $0.hasSuffix(PageCheck.ending) }.map(PageCheck.name) }

    /// A file in whose place nothing stood, that no other one names, and that is called nearly as a page is.
    private func stray(_ file: String) -> [ConfigProblem] {
        let name = PageCheck.name(file)
        guard builtIn[file] == nil, NearMiss.hint(name, among: pages) != "",
            !own.contains(where: { $0.key != file && PageCheck.named(in: $0.value).contains { $0.name == name } })
        else { return [] }
        return [problem("there is no page '\(name)', and no template names it.\(hint(name))", in: file)]
    }

    /// Templates that it names and that are not there: nothing would be shown in their place.
    private func gone(in file: String) -> [ConfigProblem] {
        let whole = own[file] ?? ""
        return PageCheck.named(in: whole).filter { text(of: $0.name) == nil }.map { tag in
            let before = whole[..<tag.at]
            let start = before.lastIndex(where: \.isNewline).map(whole.index(after:)) ?? whole.startIndex
            return problem(
                "there is no template '\(tag.name)', and nothing would be shown.\(hint(tag.name))", in: file,
                before.count { $0.isNewline } + 1, whole.distance(from: start, to: tag.at) + 1)
        }
    }

    private func text(of name: String) -> String? { own[name + PageCheck.ending] ?? builtIn[name + PageCheck.ending] }

    /// The templates that a text names as `{{<layout}}` or `{{>form}}`, but for those whose names are values.
    private static func named(in text: String) -> [(name: String, at: String.Index)] {
        text.matches(of: #/\{\{\s*[<>]\s*([^*\s}][^\s}]*)\s*\}\}/#).map { (String($0.1), $0.range.lowerBound) }
    }

    // MARK: - Forms

    /// A form in whose place one stood that sends what is hidden, the token among it.
    private func tokenless(_ file: String) -> [ConfigProblem] {
        guard builtIn[file].map(PageCheck.sendsHidden) == true else { return [] }
        var seen: Set<String> = []
        guard !reachesHidden(PageCheck.name(file), &seen) else { return [] }
        return [
            problem(
                "it sends nothing of {{#hidden}}, where its token is: all leads would land in quarantine. See 'trellis pages template \(PageCheck.name(file))'.",
                in: file)
        ]
    }

    private static func sendsHidden(_ text: String) -> Bool { text.contains(#/\{\{\s*#\s*hidden\s*\}\}/#) }

    /// Whether it goes through `hidden`, by itself or by a template that it names.
    private func reachesHidden(_ name: String, _ seen: inout Set<String>) -> Bool {
        guard seen.insert(name).inserted, let text = text(of: name) else { return false }
        if PageCheck.sendsHidden(text) { return true }
        for tag in PageCheck.named(in: text) where reachesHidden(tag.name, &seen) { return true }
        return false
    }
}
