import Foundation
import TrellisKernel

/// The files of one export: complete under their names or not there at all, readable by their owner alone, split where
/// the platform takes so many rows at once.
struct FileSet {
    let path: String
    /// What stands at the head of each file.
    let opening: String
    /// Rows in one file; nil for one file with all.
    let rowsMax: Int?
    /// False where the rows are only counted, because they leave by another way.
    let isKept: Bool
    private(set) var paths: [String] = []
    private(set) var bytes = 0
    private var handle: FileHandle?
    private var rows = 0

    /// Bytes that are collected before they are written.
    static let bufferBytes = 1 << 18

    init(path: String, opening: String, rowsMax: Int?, isKept: Bool = true) {
        self.path = path
        self.opening = opening
        self.rowsMax = rowsMax
        self.isKept = isKept
    }

    /// Says that a row was appended to `buffer`, which is written when it is long enough or its file is full.
    mutating func noteRow(_ buffer: inout [UInt8]) throws {
        rows += 1
        let isFull = rows == rowsMax
        if isFull || buffer.count >= FileSet.bufferBytes { try write(&buffer) }
        if isFull { try close() }
    }

    /// Writes what is left. A set without rows is one file with the head alone.
    mutating func finish(_ buffer: inout [UInt8]) throws {
        if !buffer.isEmpty || paths.isEmpty { try write(&buffer) }
        try close()
    }

    /// Gives the files their names once the transaction is committed. What was there before under them is replaced.
    func publish(_ export: Int64, _ tx: Transaction) throws { try Publication.promise(paths, of: export, tx) }

    /// Leaves nothing behind.
    mutating func discard() {
        try? handle?.close()
        handle = nil
        for path in paths { try? FileManager.default.removeItem(atPath: path + Publication.suffix) }
    }

    private mutating func write(_ buffer: inout [UInt8]) throws {
        guard isKept else {
            bytes += buffer.count
            buffer.removeAll(keepingCapacity: true)
            return
        }
        let handle = try self.handle ?? open()
        try handle.write(contentsOf: buffer)
        bytes += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }

    private mutating func open() throws -> FileHandle {
        let path = rowsMax == nil ? self.path : FileSet.numbered(self.path, paths.count + 1)
        guard !isFolder(path),
            FileManager.default.createFile(
                atPath: path + Publication.suffix, contents: nil, attributes: [.posixPermissions: 0o600]),
            let opened = FileHandle(forWritingAtPath: path + Publication.suffix)
        else {
            throw KernelError.unwritable(path)
        }
        paths.append(path)
        handle = opened
        try opened.write(contentsOf: Array(opening.utf8))
        bytes += opening.utf8.count
        return opened
    }

    private func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    private mutating func close() throws {
        try handle?.synchronize()
        try handle?.close()
        handle = nil
        rows = 0
    }

    /// `people.csv` becomes `people-1.csv`.
    static func numbered(_ path: String, _ number: Int) -> String {
        let suffix = (path as NSString).pathExtension
        return (path as NSString).deletingPathExtension + "-\(number)" + (suffix.isEmpty ? "" : ".\(suffix)")
    }
}
