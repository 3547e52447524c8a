import Foundation

/// The configs that a file was worked with, each as its text, with who adopted it, when and how. The newest is the one
/// in force: a worker that starts with another notes it.
public struct ConfigHistory: Sendable {
    /// One config that was in force.
    public struct Entry: Sendable {
        public let id: Int64
        /// UTC text.
        public let at: String
        public let author: String
        public let way: Way
        public let note: String?
        public let text: String
    }

    /// How a config came into force.
    public enum Way: String, Sendable {
        /// A worker started, and the text was another than the last.
        case start
        case apply
        case rollback
    }

    /// All, oldest first.
    public let entries: [Entry]

    init(entries: [Entry]) {
        self.entries = entries
    }

    /// The history of a file that is not opened for it: empty where the file is older than the history.
    ///
    /// - Throws: ``KernelError`` where there is no such file or it is none of Trellis.
    public init(of database: String) throws {
        self = try KernelError.translating(database) {
            let queue = try ReadingQueue.open(database)
            defer { try? queue.close() }
            return try queue.read { db in
                try db.tableExists("config_history") ? try ConfigHistory(db) : ConfigHistory(entries: [])
            }
        }
    }

    /// - Throws: what SQLite says.
    public init(_ db: Database) throws {
        entries = try Row.fetchAll(db, sql: "SELECT id, at, author, way, note, text FROM config_history ORDER BY id")
            .map { row in
                Entry(
                    id: row["id"], at: row["at"], author: row["author"], way: Way(rawValue: row["way"]) ?? .start,
                    note: row["note"], text: row["text"])
            }
    }

    /// The one in force; nil before the first worker.
    public var current: Entry? { entries.last }

    /// - Parameter id: nil for the one before the newest.
    /// - Throws: ``KernelError/usage(_:)`` where there is no such entry.
    public func entry(_ id: Int64?) throws -> Entry {
        guard let id else {
            guard let previous = entries.dropLast().last else {
                throw KernelError.usage("There is no config before this one: see 'trellis config log'.")
            }
            return previous
        }
        guard let entry = entries.first(where: { $0.id == id }) else {
            throw KernelError.usage("There is no config \(id): see 'trellis config log'.")
        }
        return entry
    }

    /// Notes a config as the one in force; nothing where it is already.
    ///
    /// - Parameters:
    ///   - planned: what was announced of it.
    ///   - rebuilding: plugins that the next worker makes anew from the log.
    static func adopt(
        _ text: String, way: Way, author: String, note: String? = nil, planned: [PlannedChange]? = nil,
        rebuilding: [String] = [], _ tx: Transaction
    ) throws {
        try tx.db.execute(
            sql: """
                INSERT INTO config_history (at, author, way, note, planned, rebuild, digest, text)
                SELECT :now, :author, :way, :note, :planned, :rebuild, :digest, :text
                WHERE :digest IS NOT (SELECT digest FROM config_history ORDER BY id DESC LIMIT 1)
                """,
            arguments: [
                "now": tx.stamp, "author": author, "way": way.rawValue, "note": note,
                "planned": planned.map { JSONValue.array($0.map(\.json)).text() },
                "rebuild": rebuilding.isEmpty ? nil : JSONValue.array(rebuilding.map(JSONValue.string)).text(),
                "digest": Digest.hex(text), "text": text,
            ])
    }

    /// Refuses a config that is the beginning of the one in force: a full disk or a careless hand cut it off, and what
    /// is missing would be switched off. Comments and blank lines may be missing.
    static func refuseCut(_ config: Config, _ store: Store) throws {
        let current = try store.pool.read { db in
            try db.tableExists("config_history")
                ? try String.fetchOne(db, sql: "SELECT text FROM config_history ORDER BY id DESC LIMIT 1") : nil
        }
        guard let current, current.utf8.count > config.text.utf8.count, current.utf8.starts(with: config.text.utf8)
        else { return }
        let missing = String(decoding: current.utf8.dropFirst(config.text.utf8.count), as: UTF8.self)
        let isWhole = config.text.isEmpty || config.text.last?.isNewline == true || missing.first?.isNewline == true
        let lines = missing.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }
        guard !isWhole || lines.contains(where: { !$0.isEmpty && !$0.hasPrefix("#") }) else { return }
        let kept = config.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let (are, them) = lines.count == 1 ? ("line is", "it") : ("lines are", "them")
        throw ConfigProblems([
            ConfigProblem(
                "the file ends here, and is the beginning of the config in force: \(lines.count) \(are) missing. "
                    + "Put \(them) back, or put it into force as it is with: trellis apply \(config.file)",
                at: Place(file: config.file, line: kept.count, column: (kept.last?.count ?? 0) + 1))
        ])
    }

    /// At the start of a worker: notes its config where it is another than the last, and begins what was asked for
    /// with that one.
    static func takeUp(_ kernel: Kernel, _ tx: Transaction) throws {
        try adopt(kernel.config.text, way: .start, author: NSUserName(), tx)
        let asked = try String.fetchAll(
            tx.db,
            sql:
                "SELECT DISTINCT r.value FROM config_history AS h, json_each(h.rebuild) AS r WHERE h.rebuild IS NOT NULL"
        )
        for name in asked where kernel.config.isOn(name) { try Rebuild(kernel).begin(name, tx) }
        try tx.db.execute(sql: "UPDATE config_history SET rebuild = NULL WHERE rebuild IS NOT NULL")
    }
}
