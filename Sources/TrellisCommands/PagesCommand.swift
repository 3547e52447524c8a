import ArgumentParser
import Foundation
import TrellisKernel
import TrellisServer

struct PagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pages", abstract: "The pages of the site: their templates and their words, to make your own of.",
        subcommands: [List.self, Template.self, Sentences.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Every template and language, and where it comes from.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let config = try global.load()
            let server = config.site.server
            let templates = PagesCommand.templates.keys.sorted().map { name in
                ["template", name, PagesCommand.place(file: name, in: server.templates, config)]
            }
            let own = try PagesCommand.files(in: config.path(server.words), ending: ".yaml")
            let languages = Set(config.lexicon.builtInLanguages + own).sorted().map { language in
                ["words", language, PagesCommand.place(file: "\(language).yaml", in: server.words, config)]
            }
            Table(
                columns: ["what", "name", "comes_from"], rows: (templates + languages).map { $0.map(Cell.text) }
            ).show(global.format)
        }
    }

    struct Template: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "template",
            abstract: "Print a built-in template: trellis pages template offer > templates/offer.mustache")
        @Argument(help: "The template, or style.css.")
        var name: String

        func run() throws {
            let templates = PagesCommand.templates
            guard let text = templates[name] ?? templates["\(name).mustache"] else {
                let names = templates.keys.sorted().map { $0.hasSuffix(".css") ? $0 : String($0.dropLast(9)) }
                throw KernelError.usage(
                    "There is no template '\(name)'.\(NearMiss.hint(name, among: names)) There are: \(names.joined(separator: ", "))."
                )
            }
            print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
        }
    }

    struct Sentences: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "words",
            abstract: "Print what pages, forms and built-in mails say: trellis pages words de > words/de.yaml",
            discussion: "Of a language that does not come with the program it prints the English, to be translated.")
        @Argument(help: "The language: en, de, fr, pt-BR.")
        var language: String

        func run() throws {
            guard let tag = LanguageTag.canonical(language) else {
                throw KernelError.usage("'\(language)' is no language tag. Write one such as de or pt-BR.")
            }
            let lexicon = TrellisProgram.plugins.reduce(Lexicon.program) { $0.including($1) }
            if let text = lexicon.source(of: tag) { return print(text, terminator: "") }
            print("# The English, to be translated into \(tag). A key that is left out is said in English.\n")
            print(lexicon.source(of: Lexicon.fallback) ?? "", terminator: "")
        }
    }

    /// Those that a site may put its own in the place of.
    private static var templates: [String: String] {
        Pages.builtIn(TrellisProgram.plugins).filter { $0.key.hasSuffix(".mustache") || $0.key == "style.css" }
    }

    private static func place(file: String, in folder: String, _ config: Config) -> String {
        let isThere = FileManager.default.fileExists(atPath: config.path("\(folder)/\(file)"))
        return isThere ? "\(folder)/\(file)" : "built in"
    }

    private static func files(in folder: String, ending: String) throws -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }
    }
}
