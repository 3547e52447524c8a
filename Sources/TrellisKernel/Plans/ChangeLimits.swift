/// `limits:` of the config: how much one change may touch before somebody has to confirm it. Asked by `trellis apply`
/// and `trellis import`.
public struct ChangeLimits: SettingsRecord {
    public var mailsPerChange: Int?
    public var movesPerChange: Int?
    public var ownersPerChange: Int?
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "mails_per_change", \.mailsPerChange, optional: .integer(0...1_000_000_000),
            "Messages that go out because of a config or an import, within a day or written by then to go later, before it has to be confirmed."
        )
        SettingsField(
            "moves_per_change", \.movesPerChange, optional: .integer(0...1_000_000_000),
            "Leads that change their stage because of one.")
        SettingsField(
            "owners_per_change", \.ownersPerChange, optional: .integer(0...1_000_000_000),
            "Leads that get another owner because of one.")
    }

    /// The stricter of both, limit by limit: a change that lifts a limit is held to it all the same.
    func stricter(_ other: ChangeLimits) -> ChangeLimits {
        func least(_ limit: KeyPath<ChangeLimits, Int?>) -> Int? {
            [self[keyPath: limit], other[keyPath: limit]].compactMap { $0 }.min()
        }
        var both = ChangeLimits()
        both.mailsPerChange = least(\.mailsPerChange)
        both.movesPerChange = least(\.movesPerChange)
        both.ownersPerChange = least(\.ownersPerChange)
        return both
    }

    /// Whether there is anything to hold a change to.
    public var areSet: Bool { mailsPerChange ?? movesPerChange ?? ownersPerChange != nil }

    /// A sentence for each limit that a change goes over.
    public func exceeded(by changes: [PlannedChange]) -> [String] {
        func sum(_ area: String) -> Int64 {
            changes.filter { $0.area == area }.reduce(0) { sum, change in
                sum + max(0, (change.count ?? 0) - (change.insteadOf ?? 0))
            }
        }
        let mails = ChangeLimits.mails(of: changes)
        let when = mails.later > 0 ? ", \(mails.later) of them later than within a day" : " within a day"
        let held: [(limit: Int?, count: Int64, name: String, what: String)] = [
            (mailsPerChange, mails.all, "mails_per_change", "more messages would go out\(when)"),
            (movesPerChange, sum(PlannedChange.stageArea), "moves_per_change", "leads would change their stage"),
            (ownersPerChange, sum(PlannedChange.ownerArea), "owners_per_change", "leads would get another owner"),
        ]
        return held.compactMap { limit, count, name, what in
            guard let limit, count > Int64(limit) else { return nil }
            return "\(count) \(what); limits.\(name) is \(limit)."
        }
    }

    /// How many messages there are more because of the change, and how many of them still wait a day later. By
    /// template: one that waits in place of going out is none more.
    private static func mails(of changes: [PlannedChange]) -> (all: Int64, later: Int64) {
        let templates = Dictionary(grouping: changes.filter { $0.area == PlannedChange.dayArea }, by: \.item)
        return templates.values.reduce((0, 0)) { sum, changes in
            func more(_ changes: [PlannedChange]) -> Int64 {
                max(0, changes.reduce(0) { $0 + ($1.count ?? 0) - ($1.insteadOf ?? 0) })
            }
            let all = more(changes)
            return (sum.0 + all, sum.1 + min(all, more(changes.filter { $0.change == PlannedChange.waiting })))
        }
    }
}
