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
                sources: try String.fetchAll(db, sql: SchemaText.sources),
                objects: try Row.fetchAll(db, sql: SchemaText.objects).map { $0.databaseValues.map(Cell.init) })
        }
    }
}
