import Crypto
import Foundation

/// What an import did.
public struct ImportReport: Sendable {
    public var id: Int64 = 0
    public var rows = 0
    public var created = 0
    public var changed = 0
    public var same = 0
    public var rejected = 0
    /// Rows of totals, which a report of an ad platform ends with, in this run.
    public var skipped = 0
    /// The same file with the same mapping was imported before: nothing was done.
    public var wasDoneBefore = false
    /// The row this run went on from, after an interruption; 0 for a fresh import.
    public var resumedAfter = 0
    public var encoding = ""
    public var ignoredColumns: [String] = []
    /// Rows that some program had quoted as a whole, and that were taken apart.
    public var unwrappedRows = 0
    /// The file of rejected rows with their reasons; nil where none was rejected.
    public var rejectedFile: String?
    /// What a dry run found wrong, at most the first 20.
    public var examples: [String] = []
}

/// Streams a CSV file into the CRM, in memory that does not depend on its size.
///
/// Each chunk of rows is one transaction, which also says how far the import has come: after an interruption the same
/// command goes on where it stopped, and once it is finished it does nothing.
public final class Importer {
    private let kernel: Kernel
    private let file: String
    private let mapping: ImportMapping
    private let isDryRun: Bool
    private let chunkRows: Int?
    private let rejectedFile: String
    private var report = ImportReport()

    /// - Parameters:
    ///   - isDryRun: say what would be done and what is wrong, and do nothing.
    ///   - chunkRows: rows in one transaction; without it 20,000, or 2000 beside a worker.
    public init(
        _ kernel: Kernel, file: String, mapping: ImportMapping, isDryRun: Bool = false, chunkRows: Int? = nil
    ) {
        self.kernel = kernel
        self.file = file
        self.mapping = mapping
        self.isDryRun = isDryRun
        self.chunkRows = chunkRows
        rejectedFile = kernel.config.path((file as NSString).lastPathComponent + ".rejected.csv")
    }

    /// - Parameters:
    ///   - repeats: import again although the same file was imported before.
    ///   - progress: the fraction of the file read and the rows so far; false stops after the chunk.
    public func run(repeats: Bool = false, progress: (Double, Int) -> Bool = { _, _ in true }) throws -> ImportReport {
        let digest = try Importer.digest(of: file, mapping)
        let reader = try mapping.target == .spend ? SpendLoader.reader(of: file) : CSVReader(path: file)
        reader.takesApartWholeRows = mapping.target != .spend
        report.encoding = reader.encoding.rawValue
        let loader = try Importer.loader(for: mapping, header: reader.header, kernel: kernel)
        // Only now: a file whose columns do not fit was never begun.
        if !isDryRun, try begin(digest, repeats: repeats) { return report }
        report.ignoredColumns = loader.ignoredColumns
        let rejects = try RejectedRows(
            path: rejectedFile, header: reader.header, length: try committedRejects(), isDryRun: isDryRun)
        for _ in 0..<report.resumedAfter { _ = try reader.next() }
        let source = ImportSource(reader, loader, kernel, chunkRows: chunkRows)
        var ahead = Ahead(source.next)
        while true {
            let chunk = try ahead.value()
            if !chunk.isLast { ahead = Ahead(source.next) }
            try commit(chunk, loader, rejects)
            report.unwrappedRows = chunk.unwrappedRows
            if chunk.isLast || !progress(chunk.fractionRead, report.rows) { break }
        }
        report.rejectedFile = report.rejected > 0 && !isDryRun ? rejectedFile : nil
        return report
    }

    // MARK: - Once, and from where it stopped

    /// True when the import was finished before.
    private func begin(_ digest: String, repeats: Bool) throws -> Bool {
        try kernel.write(origin: "import") { tx in
            if let row = try Row.fetchOne(
                tx.db, sql: "SELECT * FROM imports WHERE digest = ? ORDER BY id DESC LIMIT 1", arguments: [digest])
            {
                let isFinished = !(row["finished_at"] as DatabaseValue).isNull
                if isFinished && !repeats {
                    report.wasDoneBefore = true
                    read(row)
                    return true
                }
                if !isFinished {
                    read(row)
                    // What a file of spend says of a day is a sum of its rows: it is read again from its beginning.
                    if mapping.target == .spend { (report.rows, report.rejected) = (0, 0) }
                    report.resumedAfter = report.rows
                    return false
                }
            }
            try tx.db.execute(
                sql: "INSERT INTO imports (file, digest, target, started_at) VALUES (?, ?, ?, ?)",
                arguments: [(file as NSString).lastPathComponent, digest, mapping.target.rawValue, tx.stamp])
            report.id = tx.db.lastInsertedRowID
            return false
        }
    }

    private func read(_ row: Row) {
        report.id = row["id"]
        report.rows = row["rows_done"]
        report.created = row["created"]
        report.changed = row["changed"]
        report.same = row["same"]
        report.rejected = row["rejected"]
    }

    private func committedRejects() throws -> UInt64 {
        try kernel.read { db in
            try Int64.fetchOne(db, sql: "SELECT rejected_bytes FROM imports WHERE id = ?", arguments: [report.id]).map(
                UInt64.init) ?? 0
        }
    }

    // MARK: - Chunks

    /// The whole chunk at first, without a savepoint: one costs a copy of every page that is changed. Where the
    /// database refuses a row, the chunk is rolled back and done again in halves.
    private func commit(
        _ chunk: ImportSource.Chunk, _ loader: any RowLoader, _ rejects: RejectedRows, inHalves: Bool = false
    ) throws {
        let before = report
        do {
            try kernel.write(origin: "import:\(report.id)") { tx in
                if inHalves {
                    try load(chunk.rows[...], loader, rejects, tx)
                } else {
                    try count(try loader.load(chunk.rows[...], tx), rejects)
                }
                report.rows += chunk.rows.count
                try rejects.flush()
                try tx.db.execute(
                    sql: """
                        UPDATE imports SET rows_done = ?, created = ?, changed = ?, same = ?, rejected = ?, rejected_bytes = ?, finished_at = ?
                        WHERE id = ?
                        """,
                    arguments: [
                        report.rows, report.created, report.changed, report.same, report.rejected,
                        Int64(rejects.length), chunk.isLast ? tx.stamp : nil,
                        report.id,
                    ])
                if isDryRun { throw DryRun() }
            }
        } catch is DryRun {
            return
        } catch {
            report = before
            guard !inHalves, Importer.refusal(error) != nil else { throw error }
            try commit(chunk, loader, rejects, inHalves: true)
        }
    }

    private struct DryRun: Error {}

    /// Loads rows as one; if the database refuses one of them, halves down to it, so that the others are kept.
    private func load(
        _ rows: ArraySlice<PreparedRow>, _ loader: any RowLoader, _ rejects: RejectedRows, _ tx: Transaction
    )
        throws
    {
        var outcome = LoadOutcome()
        do {
            try tx.db.inSavepoint {
                outcome = try loader.load(rows, tx)
                return .commit
            }
        } catch let error {
            guard let reason = Importer.refusal(error) else { throw error }
            guard rows.count > 1 else {
                if let first = rows.first { try reject(first.row, reason, rejects) }
                return
            }
            let middle = rows.startIndex + rows.count / 2
            try load(rows[..<middle], loader, rejects, tx)
            try load(rows[middle...], loader, rejects, tx)
            return
        }
        try count(outcome, rejects)
    }

    private func count(_ outcome: LoadOutcome, _ rejects: RejectedRows) throws {
        report.created += outcome.created
        report.changed += outcome.changed
        report.same += outcome.same
        report.skipped += outcome.skipped
        for (row, reason) in outcome.rejected { try reject(row, reason, rejects) }
    }

    /// Why a row among others was refused; nil for an error that is nobody's row.
    private static func refusal(_ error: any Error) -> String? {
        if let problem = error as? FieldProblem { return problem.description }
        guard let failure = error as? DatabaseError,
            [.SQLITE_CONSTRAINT, .SQLITE_MISMATCH].contains(failure.resultCode)
        else { return nil }
        return "the database refused it: \(failure.message ?? "constraint")"
    }

    private func reject(_ row: CSVRow, _ reason: String, _ rejects: RejectedRows) throws {
        report.rejected += 1
        if report.examples.count < 20 { report.examples.append("line \(row.line): \(reason)") }
        rejects.append(row, reason: reason)
    }

    // MARK: - Parts

    private static func loader(for mapping: ImportMapping, header: [String], kernel: Kernel) throws -> any RowLoader {
        switch mapping.target {
        case .leads: try LeadLoader(mapping, header: header, kernel: kernel)
        case .contacts: try TableLoader(.contacts, mapping, header: header, kernel: kernel)
        case .accounts: try TableLoader(.accounts, mapping, header: header, kernel: kernel)
        case .opportunities: try TableLoader(.opportunities, mapping, header: header, kernel: kernel)
        case .activities: try ActivityLoader(mapping, header: header, kernel: kernel)
        case .spend: try SpendLoader(mapping, header: header, currency: kernel.config.site.site.currency)
        }
    }

    /// SHA-256 of the file and of the mapping: the identity of an import.
    private static func digest(of file: String, _ mapping: ImportMapping) throws -> String {
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { throw KernelError.unreadable(file) }
        // It is read twice: once for its digest, by which an import is known.
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw KernelError.usage("\(file) is a pipe, and an import reads its file twice. Save it to a file first.")
        }
        guard let handle = FileHandle(forReadingAtPath: file) else { throw KernelError.unreadable(file) }
        defer { try? handle.close() }
        var hash = SHA256()
        do {
            while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty { hash.update(data: data) }
        } catch {
            throw KernelError.fileNotReadable(file)
        }
        hash.update(data: Data(mapping.fingerprint.utf8))
        return Hexadecimal.text(hash.finalize())
    }
}
