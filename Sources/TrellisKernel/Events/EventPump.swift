import CTrellisSQLite
import Foundation

/// Gives each subscriber its next events, batch by batch, in the order of the log.
///
/// A batch is one transaction: its effects, the events it emits, the messages it sends and the cursor commit together
/// or not at all. A batch that fails is tried again with half as many events until the one that fails stands alone;
/// that one is set aside, to be tried again later, and the rest go on. So the size of a batch finds the bad event,
/// and the size that keeps a write short, by the same halving and doubling.
public final class EventPump {
    private let kernel: Kernel
    /// How many events a subscriber gets next: doubled after a short batch, halved after a long or a failed one.
    private var sizes: [HookID: Int] = [:]
    /// Where it is said what is running, for the next process, should this one die. Only a worker has one.
    private let mark: RunningMark?
    /// What the process before this one died of, until that batch is behind us.
    private var suspicion: RunningMark.Suspicion?
    private let budget: Duration

    /// A write transaction aims at this, so that a form is answered while an import is being pumped.
    static let batchAim = Duration.milliseconds(50)
    /// A handler that takes longer is interrupted, and counts as failed.
    public static let handlerBudget = Duration.seconds(5)
    static let firstBatch = 500
    /// How far one batch looks for events of its kinds, so that a subscriber to rare kinds does not hold the writer.
    static let scanMax: Int64 = 100_000

    /// - Parameter mark: where to say what is running; what it holds from a process that died is run first, event by
    ///   event.
    public init(_ kernel: Kernel, mark: RunningMark? = nil, handlerBudget: Duration = EventPump.handlerBudget) {
        self.kernel = kernel
        self.mark = mark
        suspicion = mark?.found
        budget = handlerBudget
    }

    /// Runs until no subscriber has an event to handle now and no appointment is due. Returns how many events were
    /// handled.
    ///
    /// - Parameter progress: called after each round with the events handled so far; false stops.
    @discardableResult
    public func runUntilIdle(progress: (Int) -> Bool = { _ in true }) throws -> Int {
        var handled = 0
        while let count = try round() {
            handled += count
            guard progress(handled) else { break }
        }
        return handled
    }

    /// One batch for every subscriber that is behind; nil when there was nothing to do at all.
    func round() throws -> Int? {
        if let handled = try advanceSuspect() { return handled }
        let moved = try ScheduledEvents.moveDue(kernel)
        var handled = 0
        var didWork = moved > 0
        for subscription in try behind() where subscription.id.description != suspicion?.subscriber {
            didWork = true
            handled += try attempt(subscription, limit: sizes[subscription.id] ?? EventPump.firstBatch)
        }
        let retried = try retryParked()
        return didWork || retried > 0 ? handled + retried : nil
    }

    static func lastEventID(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT coalesce(max(id), 0) FROM events") ?? 0
    }

    // MARK: - Batches

    private func behind() throws -> [HookTable.Subscription] {
        try kernel.read { db in
            let last = try EventPump.lastEventID(db)
            let cursors = try Cursor.all(db)
            return kernel.hooks.subscriptions.filter { cursors[$0.id.description].map { $0 < last } ?? false }
        }
    }

    /// The next event of the batch in which the process died, alone; nil once that batch is behind us.
    private func advanceSuspect() throws -> Int? {
        guard let suspicion else { return nil }
        guard let subscription = kernel.hooks.subscriptions.first(where: { $0.id.description == suspicion.subscriber }),
            // A file put back from a backup may be younger than the mark beside it.
            try kernel.read({ db in
                try Cursor.load(subscription.id, db) < min(suspicion.through, EventPump.lastEventID(db))
            })
        else {
            self.suspicion = nil
            return nil
        }
        let before = try kernel.read { try Cursor.load(subscription.id, $0) }
        let handled = try attempt(subscription, limit: 1)
        // Standing still, it waits for the kernel's own subscribers, which go first.
        return try kernel.read { try Cursor.load(subscription.id, $0) } == before ? nil : handled
    }

    /// One batch of at most `limit` events. On failure it is halved at the next round; alone, the event is set aside.
    private func attempt(_ subscription: HookTable.Subscription, limit: Int) throws -> Int {
        let id = subscription.id
        let begin = ContinuousClock.now
        var taken = BatchWindow.empty
        do {
            taken = try kernel.write(origin: id.origin) { tx in
                let cursor = try Cursor.load(id, tx.db)
                let window = try fill(
                    subscription, after: cursor, limit: min(limit, subscription.subscribe.batchLimit), tx)
                taken = window
                if window.count > 0 {
                    try sign(window, of: id)
                    try deliver(window, to: subscription, tx)
                }
                try Cursor.pass(id, through: window.through, tx.db)
                return window
            }
        } catch is DeadlyEvent {
            try ParkedEvents.park(
                taken.through, of: id, because: "the process died three times while it was handled", kernel)
            return 0
        } catch let error where !EventPump.isAboutTheFile(error) {
            kernel.hooks.trace?.note(id, "failed on \(taken.count) events: \(error)")
            if taken.count <= 1 {
                try ParkedEvents.setAside(taken.through, of: id, because: error, kernel)
                return 0
            }
            sizes[id] = max(1, taken.count / 2)
            return 0
        }
        // What runs alone because it is suspected says nothing about the size of a batch.
        if suspicion?.subscriber != id.description {
            adapt(
                id, to: ContinuousClock.now - begin, taken.count, limit: limit, most: subscription.subscribe.batchLimit)
        }
        if taken.count > 0 { kernel.hooks.trace?.note(id, "handled \(taken.count) events") }
        return taken.count
    }

    /// Marks what is about to run. An event that the process died of often enough does not run again.
    private func sign(_ window: BatchWindow, of id: HookID) throws {
        guard let suspicion, suspicion.subscriber == id.description else {
            mark?.write(.init(subscriber: id.description, through: window.through, event: 0, deaths: 0))
            return
        }
        let deaths = window.through == suspicion.event ? suspicion.deaths : 0
        if deaths >= RunningMark.deathsMax { throw DeadlyEvent() }
        mark?.write(
            .init(subscriber: id.description, through: suspicion.through, event: window.through, deaths: deaths))
    }

    private struct DeadlyEvent: Error {}

    private func adapt(_ id: HookID, to elapsed: Duration, _ count: Int, limit: Int, most: Int) {
        if elapsed > EventPump.batchAim {
            sizes[id] = max(50, limit / 2)
        } else if count == limit, elapsed < EventPump.batchAim / 2 {
            sizes[id] = min(most, limit * 2)
        }
    }

    // MARK: - One batch

    /// The events after a cursor that a subscriber wants, put into the relation `batch`.
    func fill(_ subscription: HookTable.Subscription, after: Int64, limit: Int, _ tx: Transaction) throws -> BatchWindow
    {
        // The kernel's own subscribers go first, so that a plugin sees a lead with its account.
        let ahead =
            subscription.id.plugin == "kernel"
            ? try EventPump.lastEventID(tx.db)
            : try Int64.fetchOne(
                tx.db.cachedStatement(sql: "SELECT min(last_event_id) FROM subscribers WHERE id GLOB 'kernel/*'"))
                ?? EventPump.lastEventID(tx.db)
        let horizon = min(ahead, after + EventPump.scanMax)
        guard horizon > after else { return BatchWindow(after: after, through: after, count: 0) }
        let kinds = subscription.subscribe.kindList
        try BatchWindow.fill(tx.db, after: after, through: horizon, kinds: kinds, limit: limit)
        let count = tx.db.changesCount
        let through =
            count < limit
            ? horizon : try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT max(id) FROM batch")) ?? horizon
        try KernelContext.enterBatch(tx.db, after: after, through: through, kinds: kinds ?? "")
        return BatchWindow(after: after, through: through, count: count)
    }

    func deliver(_ window: BatchWindow, to subscription: HookTable.Subscription, _ tx: Transaction) throws {
        try TimeBudget(budget).run(on: tx.db) {
            try subscription.subscribe.handle(Batch(count: window.count, db: tx.db), tx)
        }
    }

    /// A full disk, a locked or a damaged file is nobody's event: it stops the pump, and no event is blamed.
    static func isAboutTheFile(_ error: any Error) -> Bool {
        if error is KernelError { return true }
        return (error as? DatabaseError).map { KernelError.from($0, path: "") != nil } ?? false
    }

    private func retryParked() throws -> Int {
        var retried = 0
        for (subscription, eventID) in try ParkedEvents.due(kernel) {
            retried += 1
            do {
                try kernel.write(origin: subscription.id.origin) { tx in
                    try BatchWindow.fill(tx.db, after: eventID - 1, through: eventID, kinds: nil, limit: 1)
                    try KernelContext.enterBatch(
                        tx.db, after: eventID - 1, through: eventID, kinds: subscription.subscribe.kindList ?? "")
                    try deliver(BatchWindow(after: eventID - 1, through: eventID, count: 1), to: subscription, tx)
                    try ParkedEvents.forget(eventID, of: subscription.id, tx.db)
                }
            } catch let error where !EventPump.isAboutTheFile(error) {
                try ParkedEvents.setAside(eventID, of: subscription.id, because: error, kernel, passing: false)
            }
        }
        return retried
    }
}

/// The events between two ids that a subscriber is given.
struct BatchWindow {
    let after: Int64
    let through: Int64
    let count: Int

    static let empty = BatchWindow(after: 0, through: 0, count: 0)

    /// Puts events into the relation `batch`, in place of those before. `NOT INDEXED` walks the log in its own order.
    static func fill(_ db: Database, after: Int64, through: Int64, kinds: String?, limit: Int) throws {
        try db.cachedStatement(sql: "DELETE FROM temp.batch_events").execute()
        try db.cachedStatement(
            sql: """
                INSERT INTO temp.batch_events
                SELECT id, kind, lead_id, cause_id, depth, origin, at, body FROM main.events NOT INDEXED
                WHERE id > :after AND id <= :through AND (:kinds IS NULL OR instr(:kinds, '|' || kind || '|'))
                ORDER BY id LIMIT :limit
                """
        ).execute(arguments: ["after": after, "through": through, "kinds": kinds, "limit": limit])
    }
}

extension Subscribe {
    /// `|lead.created|lead.updated|`: how SQL asks whether a kind is among them. Nil means all.
    var kindList: String? {
        kinds.map { "|" + $0.joined(separator: "|") + "|" }
    }
}
