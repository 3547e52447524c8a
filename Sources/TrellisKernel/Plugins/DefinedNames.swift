/// What a section of the config defines under names that others refer to: the sequences under `plugins.drip.sequences`.
public struct DefinedNames<Settings: SettingsRecord>: Sendable {
    /// What one of them is called in a sentence: `sequence`.
    let noun: String
    /// Where in the section they stand: `sequences`.
    let key: String
    let names: @Sendable (Settings) -> [String]

    /// - Parameters:
    ///   - noun: what one of them is called in a sentence: `sequence`. Plugins that refer to one say the same word.
    ///   - key: where in the section they stand.
    ///   - names: the names that are defined there.
    public init(_ noun: String, under key: String, _ names: @escaping @Sendable (Settings) -> [String]) {
        self.noun = noun
        self.key = key
        self.names = names
    }
}

/// The names that the plugins of a program define in a config, by what they are names of.
struct NameRegister {
    private struct Entry {
        /// Where one is defined: `plugins.drip.sequences`.
        let home: String
        let names: [String]
    }

    private var entries: [String: [Entry]] = [:]

    init(_ types: [any Plugin.Type], _ config: Config) {
        for type in types { add(type, config) }
    }

    /// Also of a section that is switched off: switching one off leaves the others sound.
    private mutating func add<P: Plugin>(_ type: P.Type, _ config: Config) {
        let settings = config.plugins[P.name]?.settings as? P.Settings
        for defined in P.definedNames {
            entries[defined.noun, default: []].append(
                Entry(home: "plugins.\(P.name).\(defined.key)", names: settings.map(defined.names) ?? []))
        }
    }

    /// What is wrong with a name; nil where it is defined, and where no plugin of the program defines any such, so that
    /// nobody knows.
    func problem(with name: String, of noun: String) -> String? {
        guard let entries = entries[noun] else { return nil }
        let names = entries.flatMap(\.names)
        guard !names.contains(name) else { return nil }
        let there =
            names.isEmpty
            ? "Define it under \(entries.map(\.home).joined(separator: " or "))."
            : "There are: \(names.joined(separator: ", "))."
        return "there is no \(noun) '\(name)'.\(NearMiss.hint(name, among: names)) \(there)"
    }
}
