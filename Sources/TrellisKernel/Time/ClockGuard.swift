import Foundation

/// Notices that the clock of the machine jumped while a worker ran, and holds what the jump would set off: nothing is
/// sent, no appointment is due, and forms and imports go on.
///
/// A clock that comes back is taken for right again without a word. One that stays needs a person:
/// `trellis clock accept`. The hold stands in `clock_jumps`, so that it outlives the process. However it ends, the
/// worker was away while it lasted: see ``WorkerRun/goOn(_:_:_:)``.
struct ClockGuard {
    /// More than a clock drifts or is slewed between two looks (ntpd steps above 128 ms and gives up above 1,000 s).
    static let jumpMin: TimeInterval = 600

    private let kernel: Kernel
    /// What the clock said when it was last right, beside the steady seconds of that moment.
    private var right: (wall: Date, steady: TimeInterval)?
    private var isHeld = false

    /// Whether the clock was behind the log at the start: it is right again as soon as it is past it.
    private var isBehindLog = false

    init(_ kernel: Kernel) throws {
        self.kernel = kernel
        guard let steady = kernel.clock.steadySeconds?() else { return }
        let now = kernel.clock.now()
        let (last, open, isAccepted) = try kernel.read { db in
            (
                try String.fetchOne(db, sql: ClockGuard.lastEvent),
                try Row.fetchOne(
                    db, sql: "SELECT noticed_at, expected_at FROM clock_jumps WHERE settled_at IS NULL ORDER BY id"),
                try ClockGuard.isAccepted(db)
            )
        }
        if let open, let noticed = Timestamp.date(open[0] as String), let expected = Timestamp.date(open[1] as String) {
            isHeld = true
            // How long nobody looked is not known. Before what was noticed after a jump forward, or past what was
            // expected after one back, the clock is right again.
            let isRight = isAccepted || (noticed > expected ? now < noticed : now >= expected)
            right = (isRight ? now : now - noticed.timeIntervalSince(expected), steady)
        } else if let last = last.flatMap({ Timestamp.date($0) }), now < last - ClockGuard.jumpMin {
            // Before the last event of the log the clock cannot be right: a machine that booted in 1970.
            isBehindLog = true
            right = (last, steady)
        } else {
            right = (now, steady)
        }
        try look()
    }

    /// The moment of the last event that was not written by a clock which was found to be wrong: while it was ahead,
    /// before it came back, or before it was put back and that was accepted.
    private static let lastEvent = """
        SELECT at FROM events AS e WHERE NOT EXISTS (
            SELECT 1 FROM clock_jumps AS j WHERE e.at > j.settled_at
            AND ((j.noticed_at > j.settled_at AND e.at >= j.noticed_at
                  AND julianday(e.at) <= julianday(j.noticed_at) + julianday(j.settled_at) - julianday(j.expected_at) + 0.01)
                 OR (j.expected_at > j.settled_at AND e.at <= j.expected_at)))
        ORDER BY id DESC LIMIT 1
        """

    /// Whether a jump holds the work, in a transaction or on a reader.
    static func isHeld(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM clock_jumps WHERE settled_at IS NULL)")) ?? false
    }

    /// Whether no jump waits for a person any more.
    private static func isAccepted(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: "SELECT NOT EXISTS (SELECT 1 FROM clock_jumps WHERE settled_at IS NULL AND settled_by IS NULL)")
            ?? true
    }

    /// Compares the clocks; called between two rounds of work.
    ///
    /// - Parameter goOn: called in the transaction in which a hold ends.
    mutating func look(goOn: (Transaction) throws -> Void = { _ in }) throws {
        guard let right, let steady = kernel.clock.steadySeconds?() else { return }
        let now = kernel.clock.now()
        let expected = right.wall + (steady - right.steady)
        if abs(now.timeIntervalSince(expected)) < ClockGuard.jumpMin || (isBehindLog && now > expected) {
            if isHeld { try settle(goOn) }
            isBehindLog = false
            self.right = (now, steady)
        } else if !isHeld {
            try hold(now: now, expected: expected)
        } else if try kernel.read(ClockGuard.isAccepted) {
            try settle(goOn)
            self.right = (now, steady)
        }
    }

    private mutating func hold(now: Date, expected: Date) throws {
        try kernel.write(origin: "kernel") { tx in
            try tx.db.execute(
                sql: "INSERT INTO clock_jumps (noticed_at, expected_at) VALUES (?, ?)",
                arguments: [Timestamp.text(now), Timestamp.text(expected)])
        }
        isHeld = true
        kernel.logger.warning(
            "the clock jumped; nothing is sent until it is right again or the jump is accepted",
            metadata: ["expected": "\(Timestamp.text(expected))", "now": "\(Timestamp.text(now))"])
    }

    private mutating func settle(_ goOn: (Transaction) throws -> Void) throws {
        try kernel.write(origin: "kernel") { tx in
            // What was ordered while the clock was ahead was ordered for now.
            try tx.db.execute(
                sql: """
                    UPDATE outbox_messages SET ready_at = :now WHERE state = 'waiting' AND ready_at > :now AND created_at >= (
                        SELECT min(noticed_at) FROM clock_jumps
                        WHERE settled_at IS NULL AND noticed_at > expected_at AND (settled_by IS NULL OR noticed_at > :now))
                    """, arguments: ["now": tx.stamp])
            try tx.settleClockJumps(by: "clock")
            try goOn(tx)
        }
        isHeld = false
        kernel.logger.warning("the clock is believed again; work goes on")
    }
}

extension Transaction {
    /// Whether the clock may be trusted: false while a jump of it waits to be accepted, and nothing may be sent or
    /// moved on because of the hour.
    public var isClockTrusted: Bool {
        get throws { try !ClockGuard.isHeld(db) }
    }

    /// Asks for the clock to be taken as it is. A worker does so at its next look, or at its start, and decides in the
    /// same transaction about what would have come due meanwhile; until then nothing is sent.
    ///
    /// - Returns: how many jumps that accepted.
    public func acceptClockJumps(by who: String) throws -> Int {
        try db.execute(
            sql: "UPDATE clock_jumps SET settled_by = ? WHERE settled_at IS NULL AND settled_by IS NULL",
            arguments: [who])
        return db.changesCount
    }

    /// Ends every hold; of one that a person accepted, it stays said who did.
    func settleClockJumps(by who: String) throws {
        try db.execute(
            sql: """
                UPDATE clock_jumps SET settled_at = ?, settled_by = coalesce(settled_by, ?) WHERE settled_at IS NULL
                """, arguments: [stamp, who])
    }
}
