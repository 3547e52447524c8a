import Foundation
import Yams

/// config.yaml, read and typed.
public struct Config: Sendable {
    public var site: SiteSettings
    /// The folder the config stands in: every relative path is relative to it.
    public let folder: String
    public let file: String
    /// The text it was read from.
    public let text: String
    /// Works, but should be changed.
    public let warnings: [ConfigProblem]
    /// What visitors read, in each language.
    public let lexicon: Lexicon
    let plugins: [String: LoadedPlugin]
    /// Where files are written in a trial; nil where they go where the config says.
    var outputFolder: String?

    /// A plugin's section: its place, whether it is on, and its settings already decoded.
    struct LoadedPlugin: Sendable {
        var isOn: Bool
        var resume: Resume
        var place: Place
        var settings: any SettingsRecord
    }

    /// The path of a file named in the config.
    public func path(_ name: String) -> String {
        name.hasPrefix("/") || folder == "." ? name : folder + "/" + name
    }

    /// The path of a file or folder that is written: a trial writes in a folder of its own.
    func outputPath(_ name: String) -> String {
        guard let outputFolder else { return path(name) }
        return outputFolder + "/" + name.split(separator: "/").filter { $0 != ".." && $0 != "." }.joined(separator: "/")
    }

    public var databasePath: String { path(site.database) }

    /// Reads a config file for the given plugins. All problems are thrown at once, each with its place.
    public static func load(
        file: String, plugins: [any Plugin.Type], environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> Config {
        let (config, problems) = try read(file: file, plugins: plugins, environment: environment)
        guard problems.isEmpty else { throw ConfigProblems(problems) }
        return config
    }

    /// Reads a config file and checks it against the schema it makes. Whatever is wrong is thrown at once: also the
    /// SQL and the names in the parts that could be read.
    ///
    /// - Returns: the config, and what of it works and is worth knowing.
    public static func checked(
        file: String, plugins: [any Plugin.Type], environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> (config: Config, notes: [ConfigProblem]) {
        let (config, problems) = try read(file: file, plugins: plugins, environment: environment)
        let notes: [ConfigProblem]
        do {
            notes = try config.check(plugins: plugins)
        } catch let found as ConfigProblems {
            // What stands in no line, or in another file, follows from a part that could not be read.
            let file = (config.file as NSString).lastPathComponent
            let further = found.problems.filter {
                problems.isEmpty || ($0.place.line > 0 && ($0.place.file as NSString).lastPathComponent == file)
            }
            throw ConfigProblems(problems + further)
        } catch  where !problems.isEmpty {
            throw ConfigProblems(problems)
        }
        guard problems.isEmpty else { throw ConfigProblems(problems) }
        return (config, notes)
    }

    private static func read(
        file: String, plugins: [any Plugin.Type], environment: [String: String]
    ) throws -> (Config, [ConfigProblem]) {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw KernelError.noConfig(file)
        }
        let text = try YAMLDocument.text(of: data, (file as NSString).lastPathComponent)
        return read(
            text, file: file, folder: folder(of: file), plugins: plugins, environment: merged(environment, file))
    }

    private static func folder(of file: String) -> String {
        let folder = (file as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    /// The environment, and beneath it what `.env` beside the config says.
    private static func merged(_ environment: [String: String], _ file: String) -> [String: String] {
        DotEnv.read(folder(of: file) + "/.env").merging(environment) { _, outer in outer }
    }

    /// Reads a text as if it stood in a file: with its folder, and the `.env` there.
    ///
    /// - Parameter name: what messages call the text.
    /// - Throws: ``ConfigProblems`` for all that is wrong with it.
    public static func parse(
        _ text: String, inPlaceOf file: String, called name: String, plugins: [any Plugin.Type],
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> Config {
        let (config, problems) = read(
            text, file: file, folder: folder(of: file), plugins: plugins, environment: merged(environment, file),
            named: name)
        guard problems.isEmpty else { throw ConfigProblems(problems) }
        return config
    }

    /// Reads the text of a config. `file` is only what messages call it.
    public static func parse(
        _ text: String, file: String = "config.yaml", folder: String = ".", plugins: [any Plugin.Type],
        environment: [String: String] = [:]
    ) throws -> Config {
        let (config, problems) = read(text, file: file, folder: folder, plugins: plugins, environment: environment)
        guard problems.isEmpty else { throw ConfigProblems(problems) }
        return config
    }

    private static func read(
        _ text: String, file: String, folder: String, plugins: [any Plugin.Type], environment: [String: String],
        named otherName: String? = nil
    ) -> (Config, [ConfigProblem]) {
        let name = otherName ?? (file as NSString).lastPathComponent
        let reader = SettingsReader(file: name, environment: environment, dotEnv: folder + "/.env")
        let document = YAMLDocument(text: text, file: name)
        reader.open(document)
        var root = ConfigRoot(pluginTypes: plugins)
        if let node = document.content { root.read(node, reader) }
        root.addDefaults(place: Place(file: name, path: "plugins"))
        let words = root.site.server.words
        let lexicon = Lexicon(
            plugins: plugins, site: root.site,
            folder: (words.hasPrefix("/") || folder == "." ? words : folder + "/" + words, shown: words))
        let config = Config(
            site: root.site, folder: folder, file: file, text: text, warnings: reader.warnings, lexicon: lexicon,
            plugins: root.plugins)
        return (config, reader.problems)
    }

    /// The path of the database a config names, read without the rest of it, so that a question to the file needs no
    /// more.
    public static func databasePath(ofFile file: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file) else { throw KernelError.noConfig(file) }
        let document = YAMLDocument(
            text: String(decoding: data, as: UTF8.self), file: (file as NSString).lastPathComponent)
        guard document.root != nil || document.problems.isEmpty else { throw ConfigProblems(document.problems) }
        let name = document.root?["database"]?.string ?? SiteSettings().database
        let folder = (file as NSString).deletingLastPathComponent
        return name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    }

    /// The JSON Schema of config.yaml with the given plugins, for editors.
    public static func schema(plugins: [any Plugin.Type]) -> JSONValue {
        var builder = SchemaBuilder()
        var root = builder.object(SiteSettings.fields)
        if case .object(var entries) = root, let index = entries.firstIndex(where: { $0.key == "properties" }),
            case .object(var properties) = entries[index].value
        {
            let sections = plugins.map { ($0.name, ConfigRoot.schema(of: $0, &builder)) }
            properties.append(
                (
                    "plugins",
                    .object([
                        ("type", .string("object")), ("properties", .object(sections)),
                        ("additionalProperties", .bool(false)),
                    ])
                ))
            entries[index].value = .object(properties)
            root = .object(entries)
        }
        return builder.document(title: "Trellis config.yaml", root: root)
    }
}

/// What of the backlog a plugin handles when it is switched on again.
public enum Resume: String, Sendable, CaseIterable {
    /// From where it stopped: nothing is lost.
    case last
    /// From now: what happened meanwhile is passed over.
    case now
    /// From the first event.
    case start
}

/// The top of the file: the site's own keys, and `plugins:` whose sections belong to plugin types.
private struct ConfigRoot {
    let pluginTypes: [any Plugin.Type]
    var site = SiteSettings()
    var plugins: [String: Config.LoadedPlugin] = [:]

    init(pluginTypes: [any Plugin.Type]) {
        self.pluginTypes = pluginTypes
    }

    mutating func read(_ node: Node, _ reader: SettingsReader) {
        guard let entries = reader.entries(node, expecting: "a mapping") else { return }
        let fields = SiteSettings.fields
        for (key, keyNode, value) in entries {
            if key == "plugins" {
                _ = reader.descend(key, value) { readPlugins(value, reader) }
            } else if let field = fields.first(where: { $0.key == key }) {
                _ = reader.descend(key, value) { field.read(&site, value, reader) }
            } else {
                reader.problem(
                    "unknown key '\(key)'.\(NearMiss.hint(key, among: fields.map(\.key) + ["plugins"]))", at: keyNode)
            }
        }
    }

    /// Plugins that run without a section.
    mutating func addDefaults(place: Place) {
        func settings<P: Plugin>(_ type: P.Type) -> any SettingsRecord { P.Settings() }
        for type in pluginTypes where type.isOnByDefault && plugins[type.name] == nil {
            plugins[type.name] = Config.LoadedPlugin(
                isOn: true, resume: .last, place: place, settings: settings(type))
        }
    }

    private mutating func readPlugins(_ node: Node, _ reader: SettingsReader) {
        guard let entries = reader.entries(node, expecting: "a mapping of plugins") else { return }
        for (key, keyNode, value) in entries {
            guard let type = pluginTypes.first(where: { $0.name == key }) else {
                let names = pluginTypes.map { $0.name }
                reader.problem(
                    "unknown plugin '\(key)'.\(NearMiss.hint(key, among: names)) There are: \(names.joined(separator: ", ")).",
                    at: keyNode)
                continue
            }
            _ = reader.descend(key, value) { plugins[key] = ConfigRoot.read(type, value, reader) }
        }
    }

    /// Every section may say `enabled` and `resume`; the rest is the plugin's own. An off section is still checked.
    private static func read<P: Plugin>(_ type: P.Type, _ node: Node, _ reader: SettingsReader) -> Config.LoadedPlugin?
    {
        guard let entries = reader.entries(node, expecting: "a mapping") else { return nil }
        var loaded = Config.LoadedPlugin(isOn: true, resume: .last, place: reader.place(node), settings: P.Settings())
        var pairs: [(Node, Node)] = []
        for (key, keyNode, value) in entries {
            switch key {
            case "enabled":
                _ = reader.descend(key, value) { SettingType<Bool>.flag.read(value, reader).map { loaded.isOn = $0 } }
            case "resume":
                let words = SettingType<String>.word(Resume.allCases.map(\.rawValue))
                _ = reader.descend(key, value) {
                    words.read(value, reader).flatMap(Resume.init(rawValue:)).map { loaded.resume = $0 }
                }
            default: pairs.append((keyNode, value))
            }
        }
        let rest = Node.mapping(.init(pairs, node.mapping?.tag ?? .implicit, .any, node.mark, nil))
        guard let settings = P.Settings.read(rest, reader, beside: ["enabled", "resume"]) else { return nil }
        loaded.settings = settings
        return loaded
    }

    static func schema<P: Plugin>(of type: P.Type, _ builder: inout SchemaBuilder) -> JSONValue {
        let common: [(key: String, value: JSONValue)] = [
            (
                "enabled",
                .object([
                    ("description", .string("false switches the plugin off; its tables stay.")),
                    ("type", .string("boolean")),
                ])
            ),
            (
                "resume",
                .object([
                    ("description", .string("What of the backlog is handled when it is on again: last, now or start.")),
                    ("enum", .array(Resume.allCases.map { .string($0.rawValue) })),
                ])
            ),
        ]
        guard case .object(var entries) = builder.object(P.Settings.fields),
            let index = entries.firstIndex(where: { $0.key == "properties" }),
            case .object(let own) = entries[index].value
        else { return .object([("type", .string("object"))]) }
        entries[index].value = .object(common + own)
        // Plugins whose section is a mapping of chosen names describe them by additionalProperties.
        if let open = P.Settings.openSchema(&builder),
            let closed = entries.firstIndex(where: { $0.key == "additionalProperties" })
        {
            entries[closed].value = open
        }
        return .object(entries)
    }
}

/// `.env` beside the config: `NAME=value` lines, `#` comments, optional quotes. The real environment wins.
enum DotEnv {
    /// Why a file that is there cannot be read; nil where it can be, or is not there.
    static func fault(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return errno == ENOENT ? nil : String(cString: strerror(errno)) }
        defer { fclose(file) }
        // A folder opens, and cannot be read.
        return fgetc(file) == EOF && ferror(file) != 0 ? String(cString: strerror(errno)) : nil
    }

    static func read(_ path: String) -> [String: String] {
        guard let data = FileManager.default.contents(atPath: path) else { return [:] }
        var values: [String: String] = [:]
        for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let text = line.drop { $0 == " " }
            guard !text.hasPrefix("#"), let equals = text.firstIndex(of: "=") else { continue }
            let name = text[..<equals].replacing("export ", with: "").filter { $0 != " " }
            var value = text[text.index(after: equals)...].trimmingPrefix { $0 == " " }
            while value.last == " " { value.removeLast() }
            for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
                value = value.dropFirst().dropLast()
            }
            values[String(name)] = String(value)
        }
        return values
    }
}
