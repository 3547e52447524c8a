/// `hooks:` of the config.
struct SQLHooks {
    private let config: Config

    init(_ config: Config) {
        self.config = config
    }

    /// Those that are on.
    var hooks: [any Hook] {
        config.site.hooks.filter(\.value.isOn).map { hook in
            hook.value.filter == nil
                ? EventHook(hook.name, hook.value).subscribe : FilterHook(hook.name, hook.value).filter
        }
    }

    /// The kinds of event whose relations the hooks may name.
    func kinds(_ all: [String: EventDeclaration]) -> [EventDeclaration] {
        Set(config.site.hooks.flatMap { $0.value.on.map(\.value) }).sorted().compactMap { all[$0] }
    }

    /// Kinds that one relation would have to stand for, such as `plan.a_b` and `plan_a.b`: the first of each and one
    /// that clashes with it.
    var clashes: [(first: String, other: LocatedText)] {
        var (known, clashes) = ([String: String](), [(first: String, other: LocatedText)]())
        for kind in config.site.hooks.flatMap({ $0.value.on }) {
            let first = known[BatchRelation.name(of: kind.value).lowercased(), default: kind.value]
            known[BatchRelation.name(of: kind.value).lowercased()] = first
            if first != kind.value { clashes.append((first, kind)) }
        }
        return clashes
    }

    /// Makes the relations that hooks name, and what holds the fields they emit.
    func prepare(_ kernel: Kernel) throws {
        guard !config.site.hooks.isEmpty else { return }
        try kernel.store.pool.writeWithoutTransaction { db in
            db.add(function: EmittedField.function)
            db.add(function: EmittedField.cause)
            for kind in kinds(kernel.kinds) { try db.execute(sql: BatchRelation(kind).definition) }
        }
    }

    /// Holds the hooks against the schema of the open file, which may be another than the config makes: somebody
    /// dropped a table. Whoever runs hooks does so first; backups and reports go on without.
    ///
    /// - Parameter name: the one hook that is to run; nil for all.
    /// - Throws: ``ConfigProblems``.
    func hold(_ kernel: Kernel, only name: String? = nil) throws {
        guard !config.site.hooks.isEmpty else { return }
        try kernel.read { db in
            let check = ConfigCheck(
                config: config, kinds: kernel.kinds, templates: kernel.templates, types: kernel.pluginTypes, db: db,
                clock: kernel.clock)
            try check.hooks(of: kernel.pluginTypes, only: name)
            guard check.problems.isEmpty else { throw ConfigProblems(check.problems) }
        }
    }
}

extension ConfigCheck {
    /// Examines `hooks:` against the schema, or one of them alone.
    func hooks(of types: [any Plugin.Type], only name: String? = nil) throws {
        guard !config.site.hooks.isEmpty else { return }
        let clashes = SQLHooks(config).clashes
        for clash in clashes {
            problem(
                "'\(clash.other.value)' and '\(clash.first)' would both be \(BatchRelation.name(of: clash.first)) in SQL. Rename one, or let hooks wait for one alone.",
                at: clash.other.place)
        }
        guard clashes.isEmpty else { return }
        let sandbox = try HookSandbox(schemaOf: db, kinds: SQLHooks(config).kinds(kinds))
        let examination = HookCheck(
            check: self, sandbox: sandbox, leadColumns: try LoggedTable.leads.columns(db).map(\.name),
            openTables: try openTables(types), hasTaskDesk: types.contains { config.plugin($0)?.taskDesk != nil },
            secrets: Kernel.secrets(of: types, config))
        for hook in config.site.hooks where name == nil || hook.name == name { examination.examine(hook) }
    }

    /// The site's own tables, and those that plugins open.
    private func openTables(_ types: [any Plugin.Type]) throws -> Set<String> {
        let owned = ([.kernel] + types.map { $0.migrations }).reduce(into: Set(["migrations"])) {
            $0.formUnion($1.tables)
        }
        let all = try String.fetchAll(
            db, sql: "SELECT lower(name) FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
        return Set(all).subtracting(owned).union(types.flatMap { $0.openTables })
    }
}
