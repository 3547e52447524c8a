import Foundation

/// Makes the schema of a file fit the config: migrations, the site's columns, stages, triggers and the view of cards.
struct SchemaKeeper {
    let config: Config
    let types: [any Plugin.Type]
    let path: String

    /// What was changed, for people: migration ids and columns.
    struct Changes: Sendable {
        var migrations: [String] = []
        var columns: [String] = []
        /// Fields that were left out, because their column is there with another type.
        var clashes: [ConfigProblem] = []
    }

    /// - Parameter leavesOutClashes: whether the schema is made without the fields that clash with it, so that the rest
    ///   of the config can be looked at.
    /// - Throws: ``ConfigProblems`` for fields that clash where they are not left out; the file then keeps its columns.
    func apply(to writer: some DatabaseWriter, now: Date, leavesOutClashes: Bool = false) throws -> Changes {
        let migrator = Migrator(folders: try folders(), path: path)
        var changes = Changes()
        changes.migrations = try migrator.migrate(writer, now: now)
        (changes.columns, changes.clashes) = try writer.write { db in
            try setViews(db)
            let (added, clashes) = try CustomColumns(config.site).apply(db)
            guard clashes.isEmpty || leavesOutClashes else { throw ConfigProblems(clashes) }
            try setStages(db)
            try ChangeTriggers.install(db)
            try CardView(types: types).install(db)
            for view in types.flatMap({ $0.borrowedViews }) { try view.install(db) }
            try StopView(types: types, config: config).install(db)
            try config.site.goals.keep(in: config.site.site.currency, db)
            return (added, clashes)
        }
        return changes
    }

    /// The kernel's migrations, those of the plugins that are on or paused, and the site's own.
    func folders() throws -> [MigrationFolder] {
        let plugins = types.filter { config.hasTables($0.name) }.map { $0.migrations }
        return [.kernel] + plugins + (try config.site.migrations.map { [try siteFolder($0)] } ?? [])
    }

    /// The views of the kernel, and of the plugins that are on or paused.
    private func setViews(_ db: Database) throws {
        for file in EmbeddedViews.files { try file.install(of: "kernel", db) }
        for type in types where config.hasTables(type.name) {
            for file in type.views { try file.install(of: type.name, db) }
        }
    }

    private func siteFolder(_ name: LocatedText) throws -> MigrationFolder {
        let folder = config.path(name.value)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw ConfigProblems([
                ConfigProblem("the folder \(folder) cannot be read. Make it, or remove the key.", at: name.place)
            ])
        }
        let files = try names.filter { $0.hasSuffix(".sql") }.sorted().map { file in
            guard let data = FileManager.default.contents(atPath: folder + "/" + file) else {
                throw KernelError.fileNotReadable(folder + "/" + file)
            }
            return MigrationFile(name: String(file.dropLast(4)), sql: String(decoding: data, as: UTF8.self))
        }
        return MigrationFolder(owner: "site", files: files)
    }

    /// The stages of the config in their order. A stage that left the config but still has leads keeps its row, last.
    private func setStages(_ db: Database) throws {
        let stages = config.site.leads.allStages
        for (position, name) in stages.enumerated() {
            let isSide = SiteSettings.LeadTable.sideStages.contains(name)
            try db.execute(
                sql: """
                    INSERT INTO stages (name, position, is_side) VALUES (:name, :position, :isSide)
                    ON CONFLICT (name) DO UPDATE SET position = excluded.position, is_side = excluded.is_side
                    WHERE (position, is_side) IS NOT (excluded.position, excluded.is_side)
                    """, arguments: ["name": name, "position": position, "isSide": isSide])
        }
        let known = String(decoding: try JSONEncoder().encode(stages), as: UTF8.self)
        try db.execute(
            sql:
                "DELETE FROM stages WHERE name NOT IN (SELECT value FROM json_each(?)) AND name NOT IN (SELECT stage FROM leads)",
            arguments: [known])
    }
}

/// Keeps the view `lead_cards`: each lead with the columns the plugins add. A plugin without tables adds NULLs, so that
/// a query over the view works whatever is switched on; so does one without a section that has the tables of an earlier
/// program.
struct CardView {
    let types: [any Plugin.Type]

    func install(_ db: Database) throws {
        var columns: [String] = []
        for type in types {
            let isThere =
                try type.migrations.files.last.map { last in
                    try Bool.fetchOne(
                        db, sql: "SELECT EXISTS (SELECT 1 FROM migrations WHERE id = ?)",
                        arguments: ["\(type.name)/\(last.name)"]) ?? false
                } ?? true
            columns += type.cardColumns.map { name, sql in isThere ? "(\(sql)) AS \(name)" : "NULL AS \(name)" }
        }
        let all = (["leads.*"] + columns).joined(separator: ",\n       ")
        try db.putView("lead_cards", as: "SELECT \(all)\nFROM leads")
    }
}
