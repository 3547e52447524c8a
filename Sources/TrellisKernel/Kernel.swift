import Foundation
import Logging

/// The CRM in one file: the only door to it. It opens the database, brings it up to date, makes the plugins, and runs
/// every read, write and question.
public final class Kernel: Sendable {
    public let config: Config
    public let clock: KernelClock
    public let logger: Logger
    /// The plugins that are on, in the order of the program's list.
    public let plugins: [any Plugin]
    /// All plugins the program has.
    public let pluginTypes: [any Plugin.Type]
    /// Every kind of event that can be in the log: the kernel's, the plugins', the site's activities.
    public let kinds: [String: EventDeclaration]
    /// The mails of the site and of the plugins: one value, so that each file is parsed once, whoever asks.
    public let templates: MailTemplates
    /// What opening the file changed in it.
    let changes: SchemaKeeper.Changes
    let hooks: HookTable
    let store: Store
    let leadLayout: LeadLayout
    /// Of forms and other callers who wait for an answer.
    let sharedCommit = SharedCommit()
    /// Of the couriers.
    let outboxCommit = SharedCommit()

    /// Opens the file the config names, making it when it is not there.
    ///
    /// - Parameter adopting: whether the config is put into force deliberately, also where it is the beginning of the
    ///   one before.
    /// - Throws: ``KernelError`` with a sentence for each refusal, ``ConfigProblems`` for SQL or names that do not fit,
    ///   and for a config that was cut off.
    public init(
        config: Config, plugins types: [any Plugin.Type], clock: KernelClock = .system,
        logger: Logger = Logger(label: "trellis"), workload: Workload = .everyday, adopting: Bool = false
    ) throws {
        self.config = config
        self.clock = clock
        self.logger = logger
        pluginTypes = types
        plugins = types.compactMap { config.plugin($0) }
        kinds = Kernel.kinds(of: types, config)
        templates = MailTemplates(config: config, builtIn: Kernel.builtInMails(of: types, config))
        hooks = try Kernel.hookTable(plugins, config)
        let path = config.databasePath
        let keeper = SchemaKeeper(config: config, types: types, path: path)
        (store, changes, leadLayout) = try KernelError.translating(path) {
            try Kernel.locked(path) {
                let store = try Store(path: path, clock: clock, workload: workload)
                try store.claim()
                if !adopting { try ConfigHistory.refuseCut(config, store) }
                let changes = try keeper.apply(to: store.pool, now: clock.now())
                let layout = try store.pool.read { try LeadLayout(LoggedTable.leads.columns($0), site: config.site) }
                return (store, changes, layout)
            }
        }
        try SQLHooks(config).prepare(self)
        try PluginRegister(kernel: self).update()
    }

    /// Runs a transaction that commits as a whole or not at all.
    ///
    /// - Parameter origin: what the log calls whoever writes: `cli`, `import:7`, `form:sales-plan`.
    @discardableResult
    public func write<T>(origin: String, _ body: (Transaction) throws -> T) throws -> T {
        try write(KernelContext(origin: origin), body)
    }

    func write<T>(_ context: KernelContext, _ body: (Transaction) throws -> T) throws -> T {
        try KernelError.translating(store.path) {
            try store.pool.write { db in
                let now = clock.now()
                let stamp = Timestamp.text(now)
                try context.enter(db, stamp: stamp)
                let result = try body(Transaction(db: db, now: now, stamp: stamp, origin: context.origin, kernel: self))
                try KernelContext.leave(db)
                return result
            }
        }
    }

    /// Reads from one snapshot.
    public func read<T>(_ body: (Database) throws -> T) throws -> T {
        try KernelError.translating(store.path) { try store.pool.read(body) }
    }

    /// Asks every plugin; the answers come in the order of the plugins.
    public func ask<Q: Question>(_ question: Q) throws -> [Q.Reply] {
        try read { try hooks.ask(question, $0) }
    }

    /// Stops using the file. Whatever was committed is in it.
    public func close() throws {
        try store.close()
    }

    /// Held while a file is opened and migrated, so that two processes do not migrate at once.
    private static func locked<T>(_ path: String, _ body: () throws -> T) throws -> T {
        let folder = (path as NSString).deletingLastPathComponent
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.isEmpty ? "." : folder, isDirectory: &isFolder),
            isFolder.boolValue
        else {
            throw KernelError.noFolder(folder)
        }
        guard let lock = try FileLock(path: path + "-open", waiting: 30) else {
            throw KernelError.lockedForOpening(path)
        }
        return try withExtendedLifetime(lock, body)
    }

    private static func hookTable(_ plugins: [any Plugin], _ config: Config) throws -> HookTable {
        var table = HookTable(trace: .fromEnvironment())
        try table.install(KernelHooks(config: config).hooks, of: "kernel")
        for plugin in plugins {
            try table.install(plugin.hooks, of: type(of: plugin).name)
        }
        try table.install(SQLHooks(config).hooks, of: EventHook.plugin)
        return table
    }

    static func kinds(of types: [any Plugin.Type], _ config: Config) -> [String: EventDeclaration] {
        let activities = config.site.activities.map { EventDeclaration(activity: $0.name, fields: $0.value) }
        let all = KernelEvents.declarations + types.flatMap { $0.events } + activities
        // An activity of the config may be a kind of a plugin, with fields of its own: it keeps the sentence.
        return Dictionary(all.map { ($0.kind, $0) }) { earlier, later in later.saying(earlier.says) }
    }
}

/// Who is writing and why, for the triggers that fill the log.
struct KernelContext {
    var origin: String
    var causeID: Int64?
    var depth = 0
    var mode: String?

    init(origin: String, causeID: Int64? = nil, depth: Int = 0, mode: String? = nil) {
        self.origin = origin
        self.causeID = causeID
        self.depth = depth
        self.mode = mode
    }

    func enter(_ db: Database, stamp: String) throws {
        try db.cachedStatement(
            sql: "UPDATE kernel_context SET origin = ?, now = ?, cause_id = ?, depth = ?, mode = ?, logs_itself = 0"
        )
        .execute(arguments: [origin, stamp, causeID, depth, mode])
    }

    /// Says which events are being handled: a change of a lead is caused by that lead's last one among them.
    static func enterBatch(_ db: Database, after: Int64, through: Int64, kinds: String) throws {
        try db.cachedStatement(sql: "UPDATE kernel_context SET batch_after = ?, batch_through = ?, batch_kinds = ?")
            .execute(arguments: [after, through, kinds])
    }

    static func leave(_ db: Database) throws {
        try db.cachedStatement(
            sql: """
                UPDATE kernel_context SET origin = NULL, now = NULL, cause_id = NULL, depth = 0, mode = NULL,
                    batch_after = NULL, batch_through = NULL, batch_kinds = NULL
                """
        ).execute()
    }
}

extension Config {
    /// The plugin made from its section; nil while it is off.
    func plugin<P: Plugin>(_ type: P.Type) -> (any Plugin)? {
        guard let loaded = plugins[P.name], loaded.isOn, let settings = loaded.settings as? P.Settings else {
            return nil
        }
        return P(settings: settings)
    }
}
