import Foundation

/// The file of rejected rows: as they came, with the reason in front, safe to open in a spreadsheet. How much of it
/// counts is said in the transaction of the chunk, so that a resumed import leaves no row in it twice.
final class RejectedRows {
    private let path: String
    private let header: [String]
    private let isDryRun: Bool
    private(set) var length: UInt64
    private var buffer: [UInt8] = []
    private let writer = CSVWriter(safe: true)

    init(path: String, header: [String], length: UInt64, isDryRun: Bool) throws {
        self.path = path
        self.header = header
        self.length = length
        self.isDryRun = isDryRun
    }

    func append(_ row: CSVRow, reason: String) {
        if length == 0, buffer.isEmpty { writer.append(["line", "reason"] + header, to: &buffer) }
        writer.append(
            [String(row.line), reason] + (0..<row.count).map { FormulaGuard.removed(from: row.text($0)) }, to: &buffer)
    }

    func flush() throws {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard !buffer.isEmpty, !isDryRun else { return }
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        do {
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            try handle.truncate(atOffset: length)
            try handle.seek(toOffset: length)
            try handle.write(contentsOf: Data(buffer))
            try handle.synchronize()
            try handle.close()
        } catch {
            throw KernelError.diskError("\(path): \(error.localizedDescription)")
        }
        length += UInt64(buffer.count)
    }
}
