import CTrellisSQLite
import Foundation

/// Gives each subscriber its next events, batch by batch, in the order of the log.
///
/// The effects of a batch, the events it emits, the messages it sends and the cursor commit together or not at all.
/// The batches of several subscribers share a transaction while it is short, for a commit costs more than a small
/// batch. Where one of them fails, each is tried in a transaction of its own; the one that fails again is tried with
/// half as many events until the one that fails stands alone; that one is set aside, to be tried again later, and the
/// rest go on. So the size of a batch finds the bad event, and the size that keeps a write short, by the same halving
/// and doubling.
///
/// While a plugin is made anew from the log, its subscribers and the kernel's go on and the others wait: in tables that
/// are half filled, whoever is not there yet would seem to have left.
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
    /// And at this while forms come in: a form waits for the batch before it, and for its commit.
    static let batchAimBesideForms = Duration.milliseconds(15)
    /// A handler that takes longer is interrupted, and counts as failed.
    public static let handlerBudget = Duration.seconds(5)
    static let firstBatch = 500

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

    /// A batch for every subscriber that is behind; nil when there was nothing to do at all.
    func round() throws -> Int? {
        if let handled = try advanceSuspect() { return handled }
        let moved = try ScheduledEvents.moveDue(kernel)
        var handled = 0
        var didWork = moved > 0
        var waiting = try behind().filter { $0.id.description != suspicion?.subscriber }[...]
        while !waiting.isEmpty {
            didWork = true
            let (tried, count) = try attempt(waiting)
            waiting = waiting.dropFirst(tried)
            handled += count
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
            let first = try madeAnew(db)
            return kernel.hooks.subscriptions.filter { subscription in
                (cursors[subscription.id.description].map { $0 < last } ?? false) && !waits(subscription, for: first)
            }
        }
    }

    /// The plugins that are made anew from the log just now. One that was switched off meanwhile keeps nobody waiting.
    private func madeAnew(_ db: Database) throws -> Set<String> {
        let unfinished = try Cursor.madeAnew(db)
        guard !unfinished.isEmpty else { return [] }
        return Set(kernel.hooks.subscriptions.filter { unfinished.contains($0.id.description) }.map(\.id.plugin))
    }

    /// Those that may run now.
    private func awake() throws -> [HookTable.Subscription] {
        let first = try kernel.read { try madeAnew($0) }
        return kernel.hooks.subscriptions.filter { !waits($0, for: first) }
    }

    private func waits(_ subscription: HookTable.Subscription, for first: Set<String>) -> Bool {
        !first.isEmpty && subscription.id.plugin != "kernel" && !first.contains(subscription.id.plugin)
    }

    /// The next events of the batch in which the process died, each alone and marked, many to a transaction; nil once
    /// that batch is behind us.
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
        if try kernel.read({ try Cursor.histories(subscription.id, $0) }) != nil {
            self.suspicion = nil
            try kernel.write(origin: "rebuild") { try Rebuild.toStartInOrder(subscription.id.plugin, $0) }
            return 0
        }
        let before = try kernel.read { try Cursor.load(subscription.id, $0) }
        let handled = try attempt(ArraySlice(repeating: subscription, count: EventPump.firstBatch), limit: 1).handled
        // Standing still, it waits for the kernel's own subscribers, which go first.
        return try kernel.read { try Cursor.load(subscription.id, $0) } == before ? nil : handled
    }

    /// A batch for each of these, in order, until the transaction has lasted long enough. Returns how many of them had
    /// their turn, and how many events were handled.
    private func attempt(_ subscriptions: ArraySlice<HookTable.Subscription>, limit: Int? = nil) throws -> (
        tried: Int, handled: Int
    ) {
        var tried: [Attempt] = []
        do {
            try kernel.write(origin: "kernel") { tx in
                let begin = ContinuousClock.now
                var standing: BatchWindow?
                // Asked here once more: a plugin may have been emptied since the round began.
                let first = try madeAnew(tx.db)
                for subscription in subscriptions {
                    let most = limit ?? sizes[subscription.id] ?? EventPump.firstBatch
                    tried.append(Attempt(subscription: subscription, limit: most))
                    if waits(subscription, for: first) { continue }
                    try advance(
                        &tried[tried.count - 1], standing: standing, try tx.acting(as: subscription.id.origin))
                    let window = tried[tried.count - 1].window
                    if window.count > 0 {
                        standing = subscription.subscribe.narrows || window.leads != nil ? nil : window
                    }
                    if ContinuousClock.now - begin > aim { break }
                }
            }
        } catch let error where !isAboutTheFile(error) {
            if tried.count == 1 {
                try handle(error, in: tried[0])
                return (1, 0)
            }
            return (tried.count, try tried.reduce(0) { $0 + (try attempt([$1.subscription], limit: limit).handled) })
        }
        for attempt in tried {
            adapt(attempt)
            if attempt.window.count > 0 {
                kernel.hooks.trace?.note(attempt.subscription.id, "handled \(attempt.window.count) events")
            }
        }
        return (tried.count, tried.reduce(0) { $0 + $1.window.count })
    }

    /// One batch of a subscriber, as far as it came.
    private struct Attempt {
        let subscription: HookTable.Subscription
        let limit: Int
        var window = BatchWindow.empty
        var elapsed = Duration.zero
    }

    /// - Parameter standing: what the relation `batch` holds now; nil where that is not known.
    private func advance(_ attempt: inout Attempt, standing: BatchWindow?, _ tx: Transaction) throws {
        let begin = ContinuousClock.now
        defer { attempt.elapsed = ContinuousClock.now - begin }
        let subscription = attempt.subscription
        let limit = min(attempt.limit, subscription.subscribe.batchLimit)
        if let place = try Cursor.histories(subscription.id, tx.db) {
            return try advanceByLead(&attempt, from: place, limit: limit, tx)
        }
        let cursor = try Cursor.load(subscription.id, tx.db)
        attempt.window = try fill(subscription, after: cursor, limit: limit, standing: standing, tx)
        if attempt.window.count > 0 { try deliver(attempt.window, to: subscription, tx) }
        try Cursor.pass(subscription.id, through: attempt.window.through, tx.db)
    }

    private func advanceByLead(_ attempt: inout Attempt, from place: Cursor.Histories, limit: Int, _ tx: Transaction)
        throws
    {
        let subscription = attempt.subscription
        guard subscription.subscribe.rereading == .byLead else {
            // It was another config by which it read so.
            return try Rebuild.toStartInOrder(subscription.id.plugin, tx)
        }
        guard try horizon(of: subscription, tx.db) >= place.through else { return }
        let window = try BatchWindow.fill(
            historiesOf: subscription.subscribe.kinds, afterLead: place.lead, through: place.through, limit: limit,
            tx.db)
        attempt.window = window ?? .empty
        // What comes of a whole history is caused by no event.
        try KernelContext.enterBatch(tx.db, after: place.through, through: place.through, kinds: "")
        if let window { try deliver(window, to: subscription, tx) }
        try Cursor.pass(subscription.id, throughLead: window?.leads?.upperBound, tx.db)
    }

    /// A batch that failed alone is halved at the next round; an event that failed alone is set aside.
    private func handle(_ error: any Error, in attempt: Attempt) throws {
        let (id, window) = (attempt.subscription.id, attempt.window)
        if error is DeadlyEvent {
            let reason = "the process died three times while it was handled"
            return try ParkedEvents.park(window.through, of: id, because: reason, kernel)
        }
        kernel.hooks.trace?.note(id, "failed on \(window.count) events: \(error)")
        if window.leads != nil, attempt.limit == 1 || window.count <= 1 {
            return try kernel.write(origin: "rebuild") { try Rebuild.toStartInOrder(id.plugin, $0) }
        }
        if window.count <= 1 {
            return try ParkedEvents.setAside(window.onlyEvent ?? window.through, of: id, because: error, kernel)
        }
        sizes[id] = max(1, min(window.count, attempt.limit) / 2)
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

    /// How long a batch should take now.
    private var aim: Duration {
        kernel.sharedCommit.isInUse ? EventPump.batchAimBesideForms : EventPump.batchAim
    }

    private func adapt(_ attempt: Attempt) {
        let (id, limit) = (attempt.subscription.id, attempt.limit)
        // What runs alone because it is suspected says nothing about the size of a batch.
        guard suspicion?.subscriber != id.description else { return }
        if attempt.elapsed > aim {
            sizes[id] = max(50, limit / 2)
        } else if attempt.window.count == limit || attempt.window.leads != nil, attempt.elapsed < aim / 2 {
            sizes[id] = min(attempt.subscription.subscribe.batchLimit, limit * 2)
        }
    }

    // MARK: - One batch

    /// The events after a cursor that a subscriber wants, put into the relation `batch`.
    func fill(
        _ subscription: HookTable.Subscription, after: Int64, limit: Int, standing: BatchWindow? = nil,
        _ tx: Transaction
    ) throws -> BatchWindow {
        var ahead = try horizon(of: subscription, tx.db)
        if let suspicion, suspicion.subscriber == subscription.id.description { ahead = min(ahead, suspicion.through) }
        guard ahead > after else { return BatchWindow(after: after, through: after, count: 0) }
        let window = try BatchWindow.fill(
            subscription.subscribe.kinds, after: after, through: ahead, limit: limit, standing: standing, tx.db)
        try KernelContext.enterBatch(
            tx.db, after: after, through: window.through, kinds: subscription.subscribe.kindList ?? "")
        return window
    }

    /// The last event that a subscriber may have. The kernel's own go first, so that a plugin sees a lead with its
    /// account.
    private func horizon(of subscription: HookTable.Subscription, _ db: Database) throws -> Int64 {
        let last = try EventPump.lastEventID(db)
        guard subscription.id.plugin != "kernel" else { return last }
        return try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT min(last_event_id) FROM subscribers WHERE id GLOB 'kernel/*'")) ?? last
    }

    /// Gives a subscriber what the relation `batch` holds, marked as what is running.
    private func deliver(_ window: BatchWindow, to subscription: HookTable.Subscription, _ tx: Transaction) throws {
        try sign(window, of: subscription.id)
        try run(subscription, on: window, tx)
    }

    private func run(_ subscription: HookTable.Subscription, on window: BatchWindow, _ tx: Transaction) throws {
        try TimeBudget(subscription.subscribe.budget ?? budget).run(on: tx.db) {
            try subscription.subscribe.handle(
                Batch(count: window.count, histories: window.leads, db: tx.db), tx)
        }
    }

    /// A full disk, a locked or a damaged file is nobody's event: it stops the pump, and no event is blamed. What a
    /// handler itself refuses, such as a lead that is not there or a folder it may not write to, is its event's.
    private func isAboutTheFile(_ error: any Error) -> Bool {
        if let error = error as? KernelError { return error.isAboutTheDatabase(kernel.store.path) }
        return (error as? DatabaseError).map { KernelError.from($0, path: "") != nil } ?? false
    }

    private func retryParked() throws -> Int {
        var retried = 0
        for (subscription, eventID) in try ParkedEvents.due(for: awake(), kernel) {
            retried += 1
            try ParkedEvents.begin(eventID, of: subscription.id, kernel)
            do {
                try kernel.write(origin: subscription.id.origin) { tx in
                    let window = try BatchWindow.fill(nil, after: eventID - 1, through: eventID, limit: 1, tx.db)
                    try KernelContext.enterBatch(
                        tx.db, after: eventID - 1, through: eventID, kinds: subscription.subscribe.kindList ?? "")
                    try run(subscription, on: window, tx)
                    try ParkedEvents.forget(eventID, of: subscription.id, tx.db)
                }
            } catch let error where !isAboutTheFile(error) {
                try ParkedEvents.failed(eventID, of: subscription.id, because: error, kernel)
            }
        }
        return retried
    }
}

extension Subscribe {
    /// `|lead.created|lead.updated|`: how SQL asks whether a kind is among them. Nil means all.
    var kindList: String? {
        kinds.map { "|" + $0.joined(separator: "|") + "|" }
    }
}

extension KernelError {
    /// Whether this is about the database file or its disk, and not about what somebody asked of it.
    fileprivate func isAboutTheDatabase(_ path: String) -> Bool {
        switch self {
        case .damaged, .notADatabase, .fileNotWritable, .busy, .lockedForOpening, .diskFull, .diskError,
            .durabilityNotSet:
            true
        case .folderNotWritable(let place): place == path
        default: false
        }
    }
}
