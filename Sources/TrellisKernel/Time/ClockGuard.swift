import Foundation

/// Notices that the clock of the machine jumped while a worker ran, and holds what the jump would set off: nothing is
/// sent, no appointment is due, and forms and imports go on.
///
/// A clock that comes back is taken for right again without a word. One that stays needs a person:
/// `trellis clock accept`. The hold stands in `clock_jumps`, so that it outlives the process.
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
        let (last, open) = try kernel.read { db in
            (
                try String.fetchOne(db, sql: "SELECT at FROM events ORDER BY id DESC LIMIT 1"),
                try Row.fetchOne(
                    db, sql: "SELECT noticed_at, expected_at FROM clock_jumps WHERE settled_at IS NULL ORDER BY id")
            )
        }
        if let open, let noticed = Timestamp.date(open[0] as String), let expected = Timestamp.date(open[1] as String) {
            isHeld = true
            // How long nobody looked is not known. Before what was noticed after a jump forward, or past what was
            // expected after one back, the clock is right again.
            let isRight = noticed > expected ? now < noticed : now >= expected
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

    /// Whether a jump holds the work, in a transaction or on a reader.
    static func isHeld(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM clock_jumps WHERE settled_at IS NULL)")) ?? false
    }

    /// Compares the clocks; called between two rounds of work.
    mutating func look() throws {
        guard let right, let steady = kernel.clock.steadySeconds?() else { return }
        let now = kernel.clock.now()
        let expected = right.wall + (steady - right.steady)
        if abs(now.timeIntervalSince(expected)) < ClockGuard.jumpMin || (isBehindLog && now > expected) {
            isBehindLog = false
            self.right = (now, steady)
            if isHeld { try settle() }
        } else if !isHeld {
            try hold(now: now, expected: expected)
        } else if try !kernel.read(ClockGuard.isHeld) {
            // A person accepted it.
            isHeld = false
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

    private mutating func settle() throws {
        try kernel.write(origin: "kernel") { tx in
            // What was ordered while the clock was ahead was ordered for now.
            try tx.db.execute(
                sql: """
                    UPDATE outbox_messages SET ready_at = :now WHERE state = 'waiting' AND ready_at > :now AND created_at >= (
                        SELECT min(noticed_at) FROM clock_jumps WHERE settled_at IS NULL AND noticed_at > expected_at)
                    """, arguments: ["now": tx.stamp])
            try tx.settleClockJumps(by: "clock")
        }
        isHeld = false
        kernel.logger.warning("the clock came back; work goes on")
    }
}

extension Transaction {
    /// Whether the clock may be trusted: false while a jump of it waits to be accepted, and nothing may be sent or
    /// moved on because of the hour.
    public var isClockTrusted: Bool {
        get throws { try !ClockGuard.isHeld(db) }
    }

    /// Takes the clock as it is. Returns how many jumps that settled.
    @discardableResult
    public func settleClockJumps(by who: String) throws -> Int {
        try db.execute(
            sql: "UPDATE clock_jumps SET settled_at = ?, settled_by = ? WHERE settled_at IS NULL",
            arguments: [stamp, who])
        return db.changesCount
    }
}
