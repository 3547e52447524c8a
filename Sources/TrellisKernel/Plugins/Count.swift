/// A number worth watching: a line of `trellis status` and a gauge of `/metrics`.
public struct Count: Sendable {
    /// `held_forms` is `held forms` to a person and `trellis_held_forms` to Prometheus.
    public let name: String
    /// What it counts, in a sentence.
    public let help: String
    /// Where to look when it is not nought: "see 'trellis magnets quarantine'".
    public let hint: String
    /// Selects the number alone; asked every few seconds, so that it wants an index.
    public let sql: String

    public init(_ name: String, _ help: String, hint: String, sql: String) {
        self.name = name
        self.help = help
        self.hint = hint
        self.sql = sql
    }

    public func value(_ db: Database) throws -> Int64 { try Int64.fetchOne(db.cachedStatement(sql: sql)) ?? 0 }
}

extension Kernel {
    /// The numbers of the plugins that are on.
    public var counts: [Count] { plugins.flatMap { type(of: $0).counts } }
}
