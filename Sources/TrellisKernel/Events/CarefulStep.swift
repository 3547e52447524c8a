/// How a subscriber goes on after the process died: it says what it is about to run, in a transaction of its own, before it
/// runs it. A trap in Swift cannot be caught, so this is how the event that crashes is found:
///
/// 1. The first crash leaves no mark, only a worker run without an end.
/// 2. So the next start marks small batches. A second crash leaves the mark of the batch.
/// 3. So the next start runs that batch event by event, each marked. A third crash leaves the mark of the event.
/// 4. The next start parks that event before it runs again.
struct CarefulStep {
    let kernel: Kernel
    let pump: EventPump
    let subscription: HookTable.Subscription

    func run(_ state: SubscriberState) throws -> Int {
        if let event = state.runningEvent, !pump.markedHere.contains(event) {
            try ParkedEvents.park(event, of: subscription.id, because: "the process died three times while it was handled", kernel)
            return 0
        }
        let isAlone = state.runningThrough != nil
        let limit = isAlone ? 1 : EventPump.carefulBatch
        let window = try kernel.write(origin: subscription.id.origin) { tx in
            let window = try pump.fill(subscription, after: state.lastEventID, limit: limit, tx)
            if window.count == 0 {
                try SubscriberState.pass(subscription.id, through: window.through, tx.db)
            } else {
                try SubscriberState.mark(
                    subscription.id, through: max(state.runningThrough ?? 0, window.through), event: isAlone ? window.through : nil, tx.db)
            }
            return window
        }
        guard window.count > 0 else { return 0 }
        if isAlone { pump.markedHere.insert(window.through) }
        return try pump.attempt(subscription, limit: limit)
    }
}
