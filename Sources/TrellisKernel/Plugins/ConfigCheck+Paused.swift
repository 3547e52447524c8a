/// SQL of the config that names tables and views of plugins that are off.
extension ConfigCheck {
    /// What to do where the plugin that makes a missing table has no section; empty where SQLite misses something else.
    ///
    /// - Parameter sentence: what is said of the SQL, with the words of SQLite in it.
    func advice(onMissing sentence: String) -> String {
        guard let found = sentence.firstRange(of: "no such table: ") else { return "" }
        let path = sentence[found.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
        let name = path.split(separator: ".").last?.lowercased() ?? ""
        guard let maker = types.first(where: { !config.hasTables($0.name) && $0.relations.contains(name) }) else {
            return ""
        }
        return
            " It belongs to the plugin \(maker.name), which is off. Switch that on under plugins:, or leave it out of the SQL."
    }

    /// Notes that SQL reads what stands still. The section of a plugin that is off itself asks nobody.
    func notePaused(in sql: LocatedText) {
        guard !paused.isEmpty, !paused.contains(where: { section.path == "plugins.\($0.name)" }) else { return }
        let tokens = SQLTokens(sql.value)
        let words = Set(tokens.filter { $0.kind == .word }.map { tokens.letters($0).lowercased() })
        for plugin in paused {
            let named = plugin.relations.intersection(words).sorted()
            guard !named.isEmpty else { continue }
            let found = ConfigProblem(
                "the plugin \(plugin.name) is off: \(named.joined(separator: ", ")) \(named.count == 1 ? "stands" : "stand") still.",
                at: sql.place)
            if !notes.contains(found) { note(found.message, at: found.place) }
        }
    }
}

extension Plugin {
    /// The tables and views it makes, in lower case.
    static var relations: Set<String> {
        let views = views.flatMap(\.views) + migrations.files.flatMap { ViewFile.views(in: $0.sql) }
        return migrations.tables.union(views.map { $0.lowercased() })
    }
}
