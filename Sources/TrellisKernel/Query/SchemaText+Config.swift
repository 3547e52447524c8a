import Foundation

extension Config {
    /// The schema that this config makes, made in memory: no file is touched.
    ///
    /// - Throws: ``ConfigProblems`` and ``KernelError`` as opening a file would.
    public func schemaText(plugins types: [any Plugin.Type]) throws -> SchemaText {
        let queue = try DatabaseQueue()
        _ = try SchemaKeeper(config: self, types: types, path: "the config")
            .apply(to: queue, now: Date(timeIntervalSince1970: 0))
        return try queue.read { db in
            SchemaText(
                migrations: try String.fetchAll(db, sql: "SELECT sql FROM migrations ORDER BY applied_at, id"),
                objects: try Row.fetchAll(db, sql: SchemaText.objects).map { $0.databaseValues.map(Cell.init) })
        }
    }
}
