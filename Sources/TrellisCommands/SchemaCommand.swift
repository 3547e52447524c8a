import ArgumentParser
import TrellisKernel

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "The JSON Schema of config.yaml, for editors: # yaml-language-server: $schema=schema.json",
        discussion:
            "With --sql the tables that the config makes, with their comments; with --markdown what config.yaml takes.")

    @OptionGroup var global: GlobalOptions
    @Flag(help: "The tables and views that this config makes, with the comments that say what a row is.")
    var sql = false
    @Flag(help: "The keys of config.yaml as a page of Markdown.")
    var markdown = false

    func validate() throws {
        if sql, markdown { throw KernelError.usage("Ask for one of --sql and --markdown.") }
    }

    func run() throws {
        if sql {
            let text = try global.load().schemaText(plugins: TrellisProgram.plugins)
            print(text.statements().joined(separator: "\n\n"))
        } else if markdown {
            print(ConfigReference(schema: Config.schema(plugins: TrellisProgram.plugins)).markdown, terminator: "")
        } else {
            print(Config.schema(plugins: TrellisProgram.plugins).text(isIndented: true))
        }
    }
}
