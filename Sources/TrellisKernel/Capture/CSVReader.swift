import Foundation

/// Reads a CSV file record by record, with the same small memory whatever the size of the file.
///
/// It keeps to RFC 4180 and takes what spreadsheets write beyond it: other delimiters, a first line `sep=;`,
/// a byte order mark, UTF-16 and Windows-1252, line ends of every kind, blank lines, short and long records.
///
/// ```swift
/// let reader = try CSVReader(path: "leads.csv")
/// while let row = try reader.next() {
///     print(row.line, row.text(0))
/// }
/// ```
public final class CSVReader {
    /// The most bytes of one field, as UTF-8. No form or spreadsheet cell is longer (Excel stops at 32,767
    /// characters), so what is longer is a quote that was not closed, found before it takes in the file.
    public static let cellBytesMax = 1_048_576

    /// The most fields of one record: several times the widest CRM export, and few enough for a mapping
    /// that a person has to read.
    public static let columnsMax = 1_000

    /// The most bytes of one record, as UTF-8 and with one byte between fields. It bounds the memory of a
    /// reader, since a record is held as a whole, and leaves room for several fields of the greatest length.
    public static let recordBytesMax = 8_388_608

    /// How many bytes one read(2) asks for. Larger ones are not measurably faster.
    static let chunkBytes = 262_144

    /// How much of the beginning of a file is looked at to find its encoding and its delimiter.
    static let sampleBytes = 65_536

    /// The names of the columns, trimmed. A column without one is named after its position, "column 3".
    public let header: [String]
    /// The encoding that was given, or else found in the first 64 KB.
    public let encoding: TextEncoding
    /// The byte between two fields that was given, or else found in the header.
    public let delimiter: UInt8
    /// The size of the file in bytes when it was opened; 0 for a pipe, which has none.
    public var bytesTotal: Int64 { source.bytesTotal }
    /// How many bytes of the file have been taken so far; `bytesTotal` once the last row has been read.
    public var bytesRead: Int64 { source.bytesRead }

    /// Whether a row of one field that holds as many fields as the header is taken apart: some programs quote whole
    /// rows.
    public var takesApartWholeRows = false
    /// How many rows were quoted as a whole and taken apart.
    public private(set) var unwrappedRows = 0

    private let source: Source
    private var scanner: Scanner
    private var page = CSVPage()
    private var number = 0
    private var problem: CSVProblem?

    /// Opens a file and reads its header.
    ///
    /// - Parameters:
    ///   - path: a file, or a pipe such as `/dev/stdin`.
    ///   - delimiter: the ASCII byte between two fields. Without it, a first line such as `sep=;` decides,
    ///     and then which of comma, semicolon, tab and vertical bar occurs most often in the header.
    ///   - encoding: without it, the byte order mark decides, and then whether the first 64 KB are valid
    ///     UTF-8; if they are not, the file is read as Windows-1252.
    /// - Throws: `CSVProblem`, for a file that cannot be read or has no usable header.
    public convenience init(
        path: String, delimiter: UInt8? = nil, encoding: TextEncoding? = nil
    ) throws(CSVProblem) {
        try self.init(path: path, delimiter: delimiter, encoding: encoding, chunkBytes: Self.chunkBytes)
    }

    /// Opens a file as the public initializer does, and reads it in pieces of a given size.
    ///
    /// - Parameter skipping: how many records stand before the header; nil takes no header at all, and leaves the first
    ///   record in the page.
    init(
        path: String, delimiter: UInt8?, encoding: TextEncoding?, chunkBytes: Int, skipping: Int? = 0
    ) throws(CSVProblem) {
        if let delimiter, !CSVDialect.canDelimit(delimiter) { throw .delimiterUnusable(byte: delimiter) }
        let source = try Source(path: path, encoding: encoding, chunkBytes: chunkBytes)
        let dialect = CSVDialect(beginning: source.beginning())
        let chosen = delimiter ?? dialect.delimiter
        var scanner = Scanner(source: source, delimiter: chosen)
        let page = CSVPage()
        if dialect.hasDelimiterLine { _ = try scanner.scan(into: &page.record) }
        for _ in 0...(skipping ?? 0) {
            guard try scanner.scan(into: &page.record) else { throw .fileEmpty(path: path) }
        }
        let row = CSVRow(page: page, number: 0, columnsInHeader: 0)
        guard row.isValidText || skipping == nil else {
            throw .headerNotText(line: row.line, encoding: source.encoding)
        }

        self.header = skipping == nil ? [] : try Self.columnNames(in: row)
        if skipping == nil { self.page = page }
        self.encoding = source.encoding
        self.delimiter = chosen
        self.source = source
        self.scanner = scanner
    }

    /// Opens a report whose header does not stand in the first line, as those of ad platforms do not: the first record
    /// that is one, with the delimiter under which it is.
    ///
    /// - Parameter isHeader: whether the trimmed cells of a record are a header.
    /// - Returns: nil where none of the first ``preambleMax`` records is one.
    static func opened(path: String, whereHeader isHeader: ([String]) -> Bool) throws(CSVProblem) -> CSVReader? {
        for delimiter in CSVDialect.candidates {
            let looking = try CSVReader(
                path: path, delimiter: delimiter, encoding: nil, chunkBytes: Self.chunkBytes, skipping: nil)
            guard let records = looking.records(before: isHeader) else { continue }
            return try CSVReader(
                path: path, delimiter: delimiter, encoding: nil, chunkBytes: Self.chunkBytes, skipping: records)
        }
        return nil
    }

    /// How many records at most stand before the header of a report.
    static let preambleMax = 40

    /// How many records come before the header; nil where there is none.
    private func records(before isHeader: ([String]) -> Bool) -> Int? {
        for count in 0..<CSVReader.preambleMax {
            let row = CSVRow(page: page, number: 0, columnsInHeader: 0)
            if row.isValidText, isHeader((0..<row.count).map { row.text($0).trimmed }) { return count }
            guard (try? scanner.scan(into: &page.record)) == true else { return nil }
        }
        return nil
    }

    /// Reads the next data record; nil after the last one.
    ///
    /// - Throws: `CSVProblem`. The reader cannot go on after one: it throws the same problem again.
    public func next() throws(CSVProblem) -> CSVRow? {
        if let problem { throw problem }
        if !isKnownUniquelyReferenced(&page) { page = CSVPage() }
        do {
            guard try scanner.scan(into: &page.record) else { return nil }
        } catch {
            problem = error
            throw error
        }
        do {
            if takesApartWholeRows, try page.record.unwrap(delimiter: delimiter, columns: header.count) {
                unwrappedRows += 1
            }
        } catch {
            problem = error
            throw error
        }
        number += 1
        return CSVRow(page: page, number: number, columnsInHeader: header.count)
    }

    private static func columnNames(in row: CSVRow) throws(CSVProblem) -> [String] {
        var names: [String] = []
        var positions: [String: Int] = [:]
        for column in 0..<row.count {
            let trimmed = row.text(column).trimmingCharacters(in: .whitespacesAndNewlines)
            let name = trimmed.isEmpty ? "column \(column + 1)" : trimmed
            if let first = positions.updateValue(column + 1, forKey: name) {
                throw .columnNameTwice(line: row.line, name: name, first: first, second: column + 1)
            }
            names.append(name)
        }
        return names
    }
}

/// How a CSV file parts its fields, as far as its first line tells.
struct CSVDialect: Equatable {
    /// The delimiters that are looked for; the earlier one wins where two are equally frequent.
    fileprivate static let candidates = Array(",;\t|".utf8)

    private(set) var delimiter: UInt8
    /// Whether the first line is not the header but `sep=;`, by which Excel is told the delimiter.
    private(set) var hasDelimiterLine: Bool

    /// Judges by the beginning of a file, as UTF-8 and without byte order mark.
    init(beginning: [UInt8]) {
        if let named = Self.delimiterNamed(by: beginning) {
            delimiter = named
            hasDelimiterLine = true
        } else {
            delimiter = Self.mostFrequentDelimiter(in: beginning)
            hasDelimiterLine = false
        }
    }

    /// Whether a byte can part fields: ASCII, and with no other meaning in a CSV file.
    static func canDelimit(_ byte: UInt8) -> Bool {
        byte < 0x80 && byte != 0 && byte != UInt8(ascii: "\"") && !isLineEnd(byte)
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    /// The delimiter in a first line `sep=;`, in quotes or not.
    private static func delimiterNamed(by beginning: [UInt8]) -> UInt8? {
        var line = beginning.prefix(8).prefix { !isLineEnd($0) }
        if line.count == 7, line.first == UInt8(ascii: "\""), line.last == UInt8(ascii: "\"") {
            line = line.dropFirst().dropLast()
        }
        guard line.count == 5, let named = line.last, canDelimit(named) else { return nil }
        return String(decoding: line.dropLast(), as: UTF8.self).lowercased() == "sep=" ? named : nil
    }

    /// Counts the candidates in the first line that is not blank, outside of quoted fields.
    private static func mostFrequentDelimiter(in beginning: [UInt8]) -> UInt8 {
        var counts = [0, 0, 0, 0]
        var isQuoted = false
        var isFieldStart = true
        for byte in beginning.drop(while: isLineEnd) {
            if byte == UInt8(ascii: "\""), isQuoted || isFieldStart {
                isQuoted.toggle()
                isFieldStart = false
            } else if isQuoted {
                continue
            } else if isLineEnd(byte) {
                break
            } else if let index = candidates.firstIndex(of: byte) {
                counts[index] += 1
                isFieldStart = true
            } else {
                isFieldStart = false
            }
        }
        let most = counts.max() ?? 0
        return zip(candidates, counts).first { $0.1 == most }?.0 ?? candidates[0]
    }
}

extension CSVReader {
    /// The text of a file as UTF-8, one chunk at a time.
    final class Source {
        let bytesTotal: Int64
        let encoding: TextEncoding
        /// Where `fill` puts the text.
        let text: UnsafeMutablePointer<UInt8>
        private(set) var bytesRead: Int64 = 0

        private let path: String
        private let descriptor: Int32
        private let chunkBytes: Int
        /// The beginning of the file, read ahead, and how much of it `fill` has served.
        private var sample: [UInt8]
        private var sampleServed: Int
        /// Where a chunk waits to be transcoded; UTF-8 is read to its place directly.
        private let chunk: UnsafeMutablePointer<UInt8>
        private var transcoder: UTF8Transcoder
        private var isAtEnd = false

        /// Opens a file and looks at its beginning.
        init(path: String, encoding: TextEncoding?, chunkBytes: Int) throws(CSVProblem) {
            let opened = open(path, O_RDONLY | O_CLOEXEC)
            if opened < 0 {
                throw errno == ENOENT ? .fileMissing(path: path) : .fileUnreadable(path: path, code: errno)
            }
            let sample: [UInt8]
            do {
                self.bytesTotal = try Self.size(of: opened, path: path)
                sample = try Self.sample(of: opened, path: path)
            } catch {
                close(opened)
                throw error
            }
            self.path = path
            self.descriptor = opened
            self.chunkBytes = chunkBytes
            self.encoding =
                encoding
                ?? .detected(in: sample, mayBeCut: sample.count == CSVReader.sampleBytes)
            let mark = self.encoding.byteOrderMark
            self.sample = sample
            self.sampleServed = sample.starts(with: mark) ? mark.count : 0
            self.bytesRead = Int64(sampleServed)
            self.transcoder = UTF8Transcoder(from: self.encoding)
            self.chunk = .allocate(capacity: chunkBytes)
            self.text = .allocate(capacity: UTF8Transcoder.outputBytesMax(forInput: chunkBytes))
        }

        deinit {
            close(descriptor)
            chunk.deallocate()
            text.deallocate()
        }

        /// The beginning of the file as UTF-8, without byte order mark.
        func beginning() -> [UInt8] {
            let unserved = sample[sampleServed...]
            var transcoder = transcoder
            return unserved.withUnsafeBufferPointer { input in
                let capacity = UTF8Transcoder.outputBytesMax(forInput: input.count)
                return [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
                    guard let start = output.baseAddress else { return }
                    count = transcoder.transcode(input, to: start)
                }
            }
        }

        /// Puts the next piece of text at `text` and returns its size in bytes; 0 at the end of the file.
        func fill() throws(CSVProblem) -> Int {
            while !isAtEnd {
                let count = try take(into: encoding == .utf8 ? text : chunk)
                bytesRead += Int64(count)
                if count == 0 { isAtEnd = true }
                if encoding == .utf8 { return count }
                let written =
                    count == 0
                    ? transcoder.finish(to: text)
                    : transcoder.transcode(UnsafeBufferPointer(start: chunk, count: count), to: text)
                if written > 0 { return written }
            }
            return 0
        }

        /// Takes bytes from the sample while it lasts, and then from the file.
        private func take(into target: UnsafeMutablePointer<UInt8>) throws(CSVProblem) -> Int {
            let rest = sample[sampleServed...].prefix(chunkBytes)
            guard !rest.isEmpty else {
                sample = []
                sampleServed = 0
                return try Self.readBytes(of: descriptor, path: path, into: target, count: chunkBytes)
            }
            for (index, byte) in rest.enumerated() { target[index] = byte }
            sampleServed += rest.count
            return rest.count
        }

        private static func size(of descriptor: Int32, path: String) throws(CSVProblem) -> Int64 {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw .fileUnreadable(path: path, code: errno) }
            let kind = status.st_mode & S_IFMT
            guard kind != S_IFDIR else { throw .fileIsDirectory(path: path) }
            return kind == S_IFREG ? Int64(status.st_size) : 0
        }

        private static func sample(of descriptor: Int32, path: String) throws(CSVProblem) -> [UInt8] {
            let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: CSVReader.sampleBytes)
            defer { bytes.deallocate() }
            var count = 0
            while count < CSVReader.sampleBytes {
                let rest = CSVReader.sampleBytes - count
                let more = try readBytes(of: descriptor, path: path, into: bytes + count, count: rest)
                if more == 0 { break }
                count += more
            }
            return [UInt8](UnsafeBufferPointer(start: bytes, count: count))
        }

        /// One read(2), begun again when a signal interrupts it.
        private static func readBytes(
            of descriptor: Int32, path: String, into target: UnsafeMutablePointer<UInt8>, count: Int
        ) throws(CSVProblem) -> Int {
            while true {
                let taken = read(descriptor, target, count)
                if taken >= 0 { return taken }
                guard errno == EINTR else { throw .fileUnreadable(path: path, code: errno) }
            }
        }
    }
}
