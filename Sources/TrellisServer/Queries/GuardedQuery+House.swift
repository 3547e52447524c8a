import TrellisKernel

extension GuardedQuery {
    /// What an answer may be long at most, whatever the config says of rows: it is held in memory.
    static let answerBytesMax = 8 << 20

    /// A question under the limits of `server.admin.sql` of the config, without what nobody reads from elsewhere.
    ///
    /// - Parameter caller: who asks; a reader does not see what is hidden from it besides.
    public init(_ sql: String, for kernel: Kernel, by caller: Caller) {
        self.init(database: kernel.config.databasePath, sql: sql)
        let window = kernel.config.site.server.admin.sql
        allowance.seconds = window.seconds
        allowance.rows = window.rows
        allowance.bytes = max(allowance.bytes, min(window.rows * 1_024, GuardedQuery.answerBytesMax))
        hidden = kernel.secrets
        if case .reader(let reader) = caller { hidden += kernel.hidden(from: reader) }
    }
}

extension Cell {
    /// A text, a number, a flag or null of JSON; nil for an array or an object.
    public init?(scalar json: JSONValue) {
        switch json {
        case .null: self = .null
        case .bool(let flag): self = .integer(flag ? 1 : 0)
        case .integer(let number): self = .integer(number)
        case .number(let number): self = .real(number)
        case .string(let text): self = .text(text)
        case .array, .object: return nil
        }
    }
}
