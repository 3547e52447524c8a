/// What a process is about to do with the file: how much memory it may take for it, and how long the write-ahead log
/// may grow before it is copied into the file. Pages that many transactions change are written once for all of them.
public struct Workload: Sendable {
    let cacheKibibytes: Int
    let checkpointPages: Int
    /// Whether a commit waits for the disk.
    var isDurable = true

    /// A command, a question: little memory, and a commit that seldom waits for a copy of 32 MB.
    public static let everyday = Workload(cacheKibibytes: 32 * 1024, checkpointPages: 8192)
    /// A worker: memory for the indexes, and no long copy while somebody waits for a form.
    public static let worker = Workload(cacheKibibytes: 128 * 1024, checkpointPages: 8192)
    /// One big job: an import, a rebuild, a pump that runs until it is idle. A million leads are taken in twice as
    /// fast as with the cache of SQLite.
    public static let bulk = Workload(cacheKibibytes: 192 * 1024, checkpointPages: 32_768)
    /// A copy that is thrown away: nobody needs it after a power cut.
    static let trial = Workload(cacheKibibytes: 192 * 1024, checkpointPages: 32_768, isDurable: false)
}
