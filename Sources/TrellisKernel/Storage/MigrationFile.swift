/// One numbered step of a schema: `0001_create_scores` and its SQL.
public struct MigrationFile: Sendable, Hashable {
    public let name: String
    public let sql: String

    public init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }

    /// The number the name starts with; nil where it starts with none.
    var number: Int? { Int(name.prefix { $0.isASCII && $0.isNumber }) }
}

/// The migrations of one owner, in order.
public struct MigrationFolder: Sendable {
    /// `kernel`, the name of a plugin, or `site`.
    public let owner: String
    public let files: [MigrationFile]

    public init(owner: String, files: [MigrationFile]) {
        self.owner = owner
        self.files = files
    }

    /// The tables that the files make, by name, in lower case.
    var tables: Set<String> {
        files.reduce(into: []) { tables, file in
            for match in file.sql.matches(of: /(?im)^CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)/) {
                tables.insert(match.1.lowercased())
            }
        }
    }

    static var kernel: MigrationFolder { MigrationFolder(owner: "kernel", files: EmbeddedMigrations.files) }
}
