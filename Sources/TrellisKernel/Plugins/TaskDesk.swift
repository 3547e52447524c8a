/// The place of a plugin that keeps what people are to do: the kernel knows that there may be one, and not which.
public struct TaskDesk: Sendable {
    /// Something a person is to do for each of some leads.
    public struct Order: Sendable {
        /// Who asks: `hook:call-back`.
        public let origin: String
        /// call, linkedin.message, mail, …
        public let kind: String
        /// A rep or another name; nil for the owner of the lead.
        public let assignee: String?
        /// A ``LineTemplate``, filled in when it is read, so that no name is kept with the task.
        public let text: String
        /// How long there is for it.
        public let due: Span
    }

    /// The table it keeps them in, for whoever shows what was written.
    public let table: String
    /// Takes an order for each row of a SELECT of `key, lead_id, cause_id, due_at`; NULL leaves `due_at` to the order.
    /// A key that is there already is the same task and changes nothing.
    public let take: @Sendable (Order, _ select: String, Transaction) throws -> Void

    public init(table: String, take: @escaping @Sendable (Order, _ select: String, Transaction) throws -> Void) {
        self.table = table
        self.take = take
    }
}
