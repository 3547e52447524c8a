/// The rows of the file in chunks, each a transaction. Only one thread reads at a time.
final class ImportSource: @unchecked Sendable {
    struct Chunk {
        var rows: [PreparedRow] = []
        var isLast = false
        /// How much of the file was read, up to the end of this chunk.
        var fractionRead = 0.0
        /// Rows up to here that some program had quoted as a whole.
        var unwrappedRows = 0
    }

    private let reader: CSVReader
    private let loader: any RowLoader
    private let kernel: Kernel
    private let chunkRows: Int?

    /// Rows in one transaction while nobody waits: the pages of the indexes are written once for all of them.
    private static let rowsAlone = 20_000
    /// Rows in one transaction beside a worker, which may be taking in forms: about 50 ms.
    private static let rowsBesideWorker = 2000

    init(_ reader: CSVReader, _ loader: any RowLoader, _ kernel: Kernel, chunkRows: Int?) {
        self.reader = reader
        self.loader = loader
        self.kernel = kernel
        self.chunkRows = chunkRows
    }

    func next() throws -> Chunk {
        let most =
            try chunkRows ?? (Worker.current(kernel) == nil ? ImportSource.rowsAlone : ImportSource.rowsBesideWorker)
        var chunk = Chunk()
        chunk.rows.reserveCapacity(most)
        while chunk.rows.count < most, !chunk.isLast {
            if let row = try reader.next() { chunk.rows.append(loader.prepare(row)) } else { chunk.isLast = true }
        }
        chunk.fractionRead = reader.bytesTotal > 0 ? Double(reader.bytesRead) / Double(reader.bytesTotal) : 0
        chunk.unwrappedRows = reader.unwrappedRows
        return chunk
    }
}
