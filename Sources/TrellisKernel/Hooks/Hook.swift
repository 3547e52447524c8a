/// Something a plugin attaches to the kernel: a ``Filter``, a ``Subscribe`` or an ``Answer``.
public protocol Hook: Sendable {
    /// Its name within its plugin. It is written to the database, so it is never changed.
    var name: String { get }
    /// Puts the hook into the table under `plugin/name`.
    func install(in table: inout HookTable, as id: HookID)
}

/// `plugin/hook`: the key of a subscriber's cursor, and the name by which errors call the guilty.
public struct HookID: Sendable, Hashable, CustomStringConvertible {
    public let plugin: String
    public let hook: String

    public var description: String { "\(plugin)/\(hook)" }
    /// What the log calls whoever acts in it.
    public var origin: String {
        switch plugin {
        case "kernel": "kernel"
        case EventHook.plugin: "hook:\(hook)"
        default: "plugin:\(plugin)"
        }
    }
}

/// Refuses a draft. The reason is shown to whoever proposed it.
public struct Veto: Error, Sendable, Hashable, CustomStringConvertible {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    public var description: String { reason }
}

/// Where a new subscriber begins. There is no default: a new sequence that began at the first event would mail all
/// old leads.
public enum Start: Sendable {
    case firstEvent, nextEvent
}

/// How the log is read again when a plugin is made anew from it.
public enum Rereading: Sendable {
    /// As it came about.
    case inOrder
    /// Lead by lead: a batch holds all that happened to its leads, and no lead is in two. Faster where what is made of
    /// a lead follows from that lead's own events. What is no lead's is left out, and where an event cannot be handled
    /// the log is read in its order after all.
    case byLead
}

/// Handles the events of some kinds from the log, in order, in batches. Effects, emitted events, messages and the
/// cursor commit together or not at all.
public struct Subscribe: Hook {
    public let name: String
    /// The kinds it wants; nil means all.
    public let kinds: [String]?
    public let start: Start
    /// At most so many events in one batch. The pump takes fewer while a batch lasts longer than it should.
    public let batchLimit: Int
    /// How long its SQL may take for one batch before it is interrupted.
    let budget: Duration?
    /// Whether it takes events out of the relation `batch` while it handles them.
    let narrows: Bool
    let rereading: Rereading
    let handle: @Sendable (Batch, Transaction) throws -> Void

    /// Bounds the memory of the ids of a batch.
    public static let batchLimitMax = 100_000

    /// A set-based handler: the batch is also the relation `batch`.
    /// ```swift
    /// Subscribe("count-downloads", to: ["asset.downloaded"], from: .firstEvent) { batch, tx in
    ///     try tx.db.execute(sql: "INSERT INTO my_downloads SELECT lead_id, at FROM batch")
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - budget: for a statement over the whole of a table, which no smaller batch makes shorter; everybody who
    ///     writes waits that long at most. Without it ``EventPump/handlerBudget``.
    ///   - rereading: how it gets the log when its plugin is made anew.
    public init(
        _ name: String, to kinds: [String]?, from start: Start, batch limit: Int = Subscribe.batchLimitMax,
        budget: Duration? = nil, rereading: Rereading = .inOrder,
        _ handle: @escaping @Sendable (Batch, Transaction) throws -> Void
    ) {
        self.init(
            name, to: kinds, from: start, batch: limit, budget: budget, rereading: rereading, narrows: false, handle)
    }

    init(
        _ name: String, to kinds: [String]?, from start: Start, batch limit: Int = Subscribe.batchLimitMax,
        budget: Duration? = nil, rereading: Rereading = .inOrder, narrows: Bool,
        _ handle: @escaping @Sendable (Batch, Transaction) throws -> Void
    ) {
        self.name = name
        self.kinds = kinds
        self.start = start
        self.batchLimit = min(max(limit, 1), Subscribe.batchLimitMax)
        self.budget = budget
        self.narrows = narrows
        self.rereading = rereading
        self.handle = handle
    }

    /// A typed handler, called once per event; what it does is caused by that event.
    public init<E: Event>(
        _ name: String, to event: E.Type, from start: Start, batch limit: Int = 5000,
        _ handle: @escaping @Sendable (Recorded<E>, Transaction) throws -> Void
    ) {
        self.init(name, to: [E.kind], from: start, batch: limit) { batch, tx in
            for recorded in try batch.events(E.self) {
                try tx.setCause(recorded.id, depth: recorded.depth + 1)
                try handle(recorded, tx)
            }
            try tx.setCause(nil)
        }
    }

    public func install(in table: inout HookTable, as id: HookID) {
        table.subscriptions.append(HookTable.Subscription(id: id, subscribe: self))
    }
}

/// Edits a draft, or throws a ``Veto``. Filters run in the order of the plugins, the early ones first.
public struct Filter<D: Draft>: Hook {
    public enum Order: Int, Sendable {
        case early, usual, late
    }

    public let name: String
    public let order: Order
    let readsFile: Bool
    let edit: @Sendable (inout D, Transaction) throws -> Void

    /// - Parameter readsFile: whether it looks at more than the draft, the config and the clock. Where no filter does,
    ///   drafts that come at once are written at once.
    public init(
        _ name: String, _ draft: D.Type, order: Order = .usual, readsFile: Bool = true,
        _ edit: @escaping @Sendable (inout D, Transaction) throws -> Void
    ) {
        self.name = name
        self.order = order
        self.readsFile = readsFile
        self.edit = edit
    }

    public func install(in table: inout HookTable, as id: HookID) {
        table.insert(self, id)
    }
}

/// Answers a question, on a reader.
public struct Answer<Q: Question>: Hook {
    public let name: String
    let reply: @Sendable (Q, Database) throws -> Q.Reply

    public init(_ name: String, _ question: Q.Type, _ reply: @escaping @Sendable (Q, Database) throws -> Q.Reply) {
        self.name = name
        self.reply = reply
    }

    public func install(in table: inout HookTable, as id: HookID) {
        table.insert(self, id)
    }
}

/// Reads a plugin's `hooks` as a list, with `if` and `for`.
@resultBuilder
public enum HookBuilder {
    public static func buildExpression(_ hook: some Hook) -> [any Hook] { [hook] }
    public static func buildExpression(_ hooks: [any Hook]) -> [any Hook] { hooks }
    public static func buildBlock(_ parts: [any Hook]...) -> [any Hook] { parts.flatMap { $0 } }
    public static func buildOptional(_ part: [any Hook]?) -> [any Hook] { part ?? [] }
    public static func buildEither(first part: [any Hook]) -> [any Hook] { part }
    public static func buildEither(second part: [any Hook]) -> [any Hook] { part }
    public static func buildArray(_ parts: [[any Hook]]) -> [any Hook] { parts.flatMap { $0 } }
}
