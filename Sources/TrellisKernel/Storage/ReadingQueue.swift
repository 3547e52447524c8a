import Foundation

/// Opens a file of Trellis for reading alone, whoever else is using it.
enum ReadingQueue {
    /// - Throws: ``KernelError`` where there is no such file, or it is none of Trellis.
    static func open(_ path: String) throws -> DatabaseQueue {
        guard FileManager.default.fileExists(atPath: path) else { throw KernelError.noDatabase(path) }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(Store.busyTimeoutSeconds)
        return try KernelError.translating(path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let mark = try queue.inDatabase { try Int.fetchOne($0, sql: "PRAGMA application_id") }
            guard mark == Store.applicationID else { throw KernelError.foreignDatabase(path) }
            return queue
        }
    }
}
