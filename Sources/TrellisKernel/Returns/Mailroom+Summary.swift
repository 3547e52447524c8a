extension Mailroom {
    /// What some mails turned out to be: a row per kind and status with how many there were, the most frequent first.
    public static func summary(_ filed: [Filed]) -> Table {
        struct Line: Hashable {
            let kind: String
            let status: String?
            let isOurs: Bool
        }
        let lines = Dictionary(grouping: filed) {
            Line(kind: $0.kind.rawValue, status: $0.status, isOurs: $0.messageID != nil)
        }
        let sorted = lines.sorted { left, right in
            (right.value.count, left.key.kind, left.key.status ?? "", right.key.isOurs ? 1 : 0)
                < (left.value.count, right.key.kind, right.key.status ?? "", left.key.isOurs ? 1 : 0)
        }
        return Table(
            columns: ["kind", "status", "about_our_mail", "mails", "new"],
            rows: sorted.map { line, filed in
                [
                    .text(line.kind), line.status.map { .text($0) } ?? .null, .text(line.isOurs ? "yes" : "no"),
                    .integer(Int64(filed.count)), .integer(Int64(filed.count { $0.isNew })),
                ]
            })
    }
}
